//! From a call of the server's to a method of the host, and its answer.

use std::sync::Arc;

use winrm_psrp::clixml::{Content, PsObject, PsValue};
use winrm_psrp::host::{Coordinates, HostCall, HostData, HostMethod, HostResponse, Size};
use winrm_psrp::record::{ErrorCategory, ErrorRecord, ProgressRecord};
use zeroize::Zeroizing;

use super::{Choice, HostError, PromptField, PsHost, Setting};
use crate::pool::Inner;

/// What a method returned, secrets not yet encrypted.
enum Returned {
    Nothing,
    Value(PsValue),
    Secret(Zeroizing<String>),
    Credential(String, Zeroizing<String>),
    Fields(Vec<(String, Zeroizing<String>)>, Vec<PromptField>),
}

/// Calls the method on a thread that may block; the answer, if one is waited for.
pub(crate) async fn answer(host: Arc<dyn PsHost>, call: HostCall, pool: &Arc<Inner>) -> Option<HostResponse> {
    let asked = call.clone();
    let returned = tokio::task::spawn_blocking(move || run(&*host, &asked)).await;
    let returned = returned.unwrap_or_else(|_| Err(HostError::Other("the host panicked".to_owned())));
    if !call.wants_response() {
        return None;
    }
    let value = match returned {
        Ok(returned) => value_of(returned, pool).await,
        Err(error) => Err(error),
    };
    Some(match value {
        Ok(value) => call.returning(value),
        Err(error) => call.failing(ErrorRecord::new(
            &error.to_string(),
            "PSHostMethodFailed",
            ErrorCategory::InvalidOperation,
            "System.Management.Automation.Host.HostException",
        )),
    })
}

async fn value_of(returned: Returned, pool: &Arc<Inner>) -> Result<PsValue, HostError> {
    let encrypt =
        async |secret: &str| pool.encrypt(secret).await.map_err(|error| HostError::Other(error.to_string()));
    Ok(match returned {
        Returned::Nothing => PsValue::Nil,
        Returned::Value(value) => value,
        Returned::Secret(secret) => encrypt(&secret).await?,
        Returned::Credential(user, password) => PsObject::new()
            .with_type_names(["System.Management.Automation.PSCredential", "System.Object"])
            .with_to_string("System.Management.Automation.PSCredential")
            .with_adapted("UserName", user)
            .with_adapted("Password", encrypt(&password).await?)
            .into(),
        Returned::Fields(values, fields) => {
            let mut entries = Vec::with_capacity(values.len());
            for (name, text) in values {
                let secret = fields
                    .iter()
                    .any(|field| field.name == name && field.type_name.ends_with("SecureString"));
                let value = if secret { encrypt(&text).await? } else { text.as_str().into() };
                entries.push((name.into(), value));
            }
            PsObject::new()
                .with_type_names(["System.Collections.Hashtable", "System.Object"])
                .with_content(Content::Dictionary(entries))
                .into()
        }
    })
}

fn run(host: &dyn PsHost, call: &HostCall) -> Result<Returned, HostError> {
    let parameters = Parameters(&call.parameters);
    let data = || host.data().ok_or(HostError::NotSupported("a console"));
    let value = |value: PsValue| Ok(Returned::Value(value));
    match call.method {
        HostMethod::GetName => return value(host.name().into()),
        HostMethod::GetVersion => return value(host.version().into()),
        HostMethod::GetInstanceId => return value(host.instance_id().into()),
        HostMethod::GetCurrentCulture => return value(host.culture().into()),
        HostMethod::GetCurrentUICulture => return value(host.ui_culture().into()),
        HostMethod::SetShouldExit => host.set_should_exit(parameters.number(0)),
        HostMethod::EnterNestedPrompt => host.enter_nested_prompt()?,
        HostMethod::ExitNestedPrompt => host.exit_nested_prompt()?,
        HostMethod::NotifyBeginApplication => host.notify_begin_application(),
        HostMethod::NotifyEndApplication => host.notify_end_application(),
        HostMethod::ReadLine => return value(host.read_line()?.into()),
        HostMethod::ReadLineAsSecureString => {
            return host.read_line_as_secure_string().map(Returned::Secret);
        }
        HostMethod::Write1 => host.write(&parameters.text(0), None),
        HostMethod::Write2 => host.write(&parameters.text(2), Some(parameters.colors())),
        HostMethod::WriteLine1 => host.write_line("", None),
        HostMethod::WriteLine2 => host.write_line(&parameters.text(0), None),
        HostMethod::WriteLine3 => host.write_line(&parameters.text(2), Some(parameters.colors())),
        HostMethod::WriteErrorLine => host.write_error_line(&parameters.text(0)),
        HostMethod::WriteDebugLine => host.write_debug_line(&parameters.text(0)),
        HostMethod::WriteVerboseLine => host.write_verbose_line(&parameters.text(0)),
        HostMethod::WriteWarningLine => host.write_warning_line(&parameters.text(0)),
        HostMethod::WriteProgress => {
            let source = parameters.get(0).and_then(PsValue::as_i64).unwrap_or_default();
            if let Some(record) = parameters.get(1).and_then(ProgressRecord::from_value) {
                host.write_progress(source, &record);
            }
        }
        HostMethod::Prompt => {
            let fields: Vec<_> = parameters.objects(2).map(field).collect();
            let values = host.prompt(&parameters.text(0), &parameters.text(1), &fields)?;
            return Ok(Returned::Fields(values, fields));
        }
        HostMethod::PromptForCredential1 | HostMethod::PromptForCredential2 => {
            let [caption, message, user, target] = [0, 1, 2, 3].map(|index| parameters.text(index));
            let (user, password) = host.prompt_for_credential(&caption, &message, &user, &target)?;
            return Ok(Returned::Credential(user, password));
        }
        HostMethod::PromptForChoice => {
            let choices: Vec<_> = parameters.objects(2).map(choice).collect();
            let (caption, message) = (parameters.text(0), parameters.text(1));
            return value(host.prompt_for_choice(&caption, &message, &choices, parameters.number(3))?.into());
        }
        HostMethod::PromptForChoiceMultipleSelection => {
            let choices: Vec<_> = parameters.objects(2).map(choice).collect();
            let (caption, message) = (parameters.text(0), parameters.text(1));
            let chosen = host.prompt_for_choices(&caption, &message, &choices, &parameters.numbers(3))?;
            let chosen = chosen.into_iter().map(PsValue::from).collect();
            return value(PsObject::new().with_content(Content::List(chosen)).into());
        }
        HostMethod::GetKeyAvailable => return value(host.key_available().into()),
        HostMethod::ReadKey => return value(host.read_key(parameters.number(0))?.into()),
        HostMethod::FlushInputBuffer => host.flush_input(),
        HostMethod::SetBufferContents1
        | HostMethod::SetBufferContents2
        | HostMethod::ScrollBufferContents => {
            host.draw(call.method, &call.parameters);
        }
        HostMethod::GetBufferContents => {
            return host.buffer_contents(parameters.get(0).unwrap_or(&PsValue::Nil)).map(Returned::Value);
        }
        HostMethod::GetIsRunspacePushed => return value(false.into()),
        HostMethod::PushRunspace | HostMethod::PopRunspace | HostMethod::GetRunspace => {
            return Err(HostError::NotSupported("sessions inside of this one"));
        }
        method => {
            if let Some(setting) = setting(method, &parameters) {
                host.set(setting);
            } else {
                return value(of_data(method, &data()?)?);
            }
        }
    }
    Ok(Returned::Nothing)
}

fn setting(method: HostMethod, parameters: &Parameters<'_>) -> Option<Setting> {
    let first = parameters.get(0);
    let place = || first.and_then(Coordinates::from_value).unwrap_or_default();
    let size = || first.and_then(Size::from_value).unwrap_or_default();
    Some(match method {
        HostMethod::SetForegroundColor => Setting::Foreground(parameters.number(0)),
        HostMethod::SetBackgroundColor => Setting::Background(parameters.number(0)),
        HostMethod::SetCursorPosition => Setting::CursorPosition(place()),
        HostMethod::SetWindowPosition => Setting::WindowPosition(place()),
        HostMethod::SetCursorSize => Setting::CursorSize(parameters.number(0)),
        HostMethod::SetBufferSize => Setting::BufferSize(size()),
        HostMethod::SetWindowSize => Setting::WindowSize(size()),
        HostMethod::SetWindowTitle => Setting::Title(parameters.text(0)),
        _ => return None,
    })
}

fn of_data(method: HostMethod, data: &HostData) -> Result<PsValue, HostError> {
    Ok(match method {
        HostMethod::GetForegroundColor => data.foreground.into(),
        HostMethod::GetBackgroundColor => data.background.into(),
        HostMethod::GetCursorPosition => data.cursor_position.to_value(),
        HostMethod::GetWindowPosition => data.window_position.to_value(),
        HostMethod::GetCursorSize => data.cursor_size.into(),
        HostMethod::GetBufferSize => data.buffer_size.to_value(),
        HostMethod::GetWindowSize => data.window_size.to_value(),
        HostMethod::GetMaxWindowSize => data.max_window_size.to_value(),
        HostMethod::GetMaxPhysicalWindowSize => data.max_physical_window_size.to_value(),
        HostMethod::GetWindowTitle => PsValue::String(data.title.clone()),
        _ => return Err(HostError::NotSupported("this method")),
    })
}

struct Parameters<'a>(&'a [PsValue]);

impl<'a> Parameters<'a> {
    fn get(&self, index: usize) -> Option<&'a PsValue> {
        self.0.get(index)
    }

    fn text(&self, index: usize) -> String {
        let text = self.get(index).and_then(PsValue::as_ps_string);
        text.map(|text| text.to_string_lossy().into_owned()).unwrap_or_default()
    }

    fn number(&self, index: usize) -> i32 {
        self.get(index)
            .and_then(PsValue::as_i64)
            .and_then(|number| i32::try_from(number).ok())
            .unwrap_or_default()
    }

    fn numbers(&self, index: usize) -> Vec<i32> {
        let items =
            self.get(index).and_then(PsValue::as_object).and_then(PsObject::items).unwrap_or_default();
        items.iter().filter_map(|item| i32::try_from(item.as_i64()?).ok()).collect()
    }

    fn colors(&self) -> (i32, i32) {
        (self.number(0), self.number(1))
    }

    fn objects(&self, index: usize) -> impl Iterator<Item = &'a PsObject> + use<'a> {
        let items =
            self.get(index).and_then(PsValue::as_object).and_then(PsObject::items).unwrap_or_default();
        items.iter().filter_map(PsValue::as_object)
    }
}

fn text_of(object: &PsObject, name: &str) -> String {
    let text = object.property(name).and_then(PsValue::as_ps_string);
    text.map(|text| text.to_string_lossy().into_owned()).unwrap_or_default()
}

/// FieldDescription (MS-PSRP 2.2.6.1.5): names of properties are those of .NET, in lower case or not.
fn field(object: &PsObject) -> PromptField {
    PromptField {
        name: text_of(object, "name"),
        label: text_of(object, "label"),
        type_name: text_of(object, "parameterTypeFullName"),
        is_mandatory: object.property("isMandatory").and_then(PsValue::as_bool).unwrap_or_default(),
        help: text_of(object, "helpMessage"),
    }
}

/// ChoiceDescription (MS-PSRP 2.2.6.1.6).
fn choice(object: &PsObject) -> Choice {
    Choice { label: text_of(object, "label"), help: text_of(object, "helpMessage") }
}
