//! From a call of the server's to a method of the host, and its answer.

use std::sync::Arc;

use winrm_clixml::{PsString, PsValue};
use winrm_psrp::ErrorCategory;
use winrm_psrp::host::{Credential, FieldDescription, HostCall, HostReturn};
use winrm_psrp::message::HostCallMessage;
use winrm_psrp::record::ErrorRecord;
use zeroize::Zeroizing;

use super::{HostError, PsHost, Setting};
use crate::pool::Inner;

/// What a method returned, secrets not yet encrypted.
enum Returned {
    Nothing,
    Value(HostReturn),
    Secret(Zeroizing<String>),
    Credential(String, Zeroizing<String>),
    Fields(Vec<(String, Zeroizing<String>)>, Vec<FieldDescription>),
}

/// Calls the method on a thread that may block; the answer, if one is waited for.
pub(crate) async fn answer(
    host: Arc<dyn PsHost>,
    message: HostCallMessage,
    pool: &Arc<Inner>,
) -> Option<Result<HostReturn, ErrorRecord>> {
    let waits = message.wants_answer();
    let call = message.call();
    let returned = match call {
        Ok(call) => {
            let returned = tokio::task::spawn_blocking(move || run(&*host, call)).await;
            returned.unwrap_or_else(|_| Err(HostError::Other("the host panicked".to_owned())))
        }
        Err(error) => Err(HostError::Other(error.to_string())),
    };
    if !waits {
        return None;
    }
    let value = match returned {
        Ok(returned) => value_of(returned, pool).await,
        Err(error) => Err(error),
    };
    Some(value.map_err(|error| {
        ErrorRecord::new(
            "System.Management.Automation.Host.HostException",
            error.to_string(),
            "PSHostMethodFailed",
            ErrorCategory::INVALID_OPERATION,
        )
    }))
}

async fn value_of(returned: Returned, pool: &Arc<Inner>) -> Result<HostReturn, HostError> {
    let encrypt =
        async |secret: &str| pool.encrypt(secret).await.map_err(|error| HostError::Other(error.to_string()));
    Ok(match returned {
        Returned::Nothing => HostReturn::Value(PsValue::Nil),
        Returned::Value(value) => value,
        Returned::Secret(secret) => HostReturn::SecureString(encrypt(&secret).await?),
        Returned::Credential(user, password) => {
            let password = encrypt(&password).await?;
            HostReturn::Credential(Some(Credential { user_name: user.into(), password }))
        }
        Returned::Fields(values, fields) => {
            let mut entries = Vec::with_capacity(values.len());
            for (name, text) in values {
                let is_secret = |field: &FieldDescription| {
                    field.name == name.as_str()
                        && field.parameter_type_full_name.to_string_lossy().ends_with("SecureString")
                };
                let value = if fields.iter().any(is_secret) {
                    encrypt(&text).await?.into()
                } else {
                    PsValue::from(text.as_str())
                };
                entries.push((name.into(), value));
            }
            HostReturn::Fields(entries)
        }
    })
}

fn text(text: impl Into<PsString>) -> Returned {
    Returned::Value(HostReturn::Text(text.into()))
}

fn run(host: &dyn PsHost, call: HostCall) -> Result<Returned, HostError> {
    let shown = |text: &PsString| text.to_string_lossy().into_owned();
    match call {
        HostCall::GetName {} => return Ok(text(host.name())),
        HostCall::GetVersion {} => return Ok(Returned::Value(HostReturn::Version(host.version()))),
        HostCall::GetInstanceId {} => return Ok(Returned::Value(HostReturn::Guid(host.instance_id()))),
        HostCall::GetCurrentCulture {} => return Ok(text(host.culture())),
        HostCall::GetCurrentUiCulture {} => return Ok(text(host.ui_culture())),
        HostCall::SetShouldExit { exit_code } => host.set_should_exit(exit_code),
        HostCall::EnterNestedPrompt {} => host.enter_nested_prompt()?,
        HostCall::ExitNestedPrompt {} => host.exit_nested_prompt()?,
        HostCall::NotifyBeginApplication {} => host.notify_begin_application(),
        HostCall::NotifyEndApplication {} => host.notify_end_application(),
        HostCall::ReadLine {} => return Ok(text(host.read_line()?)),
        HostCall::ReadLineAsSecureString {} => {
            return host.read_line_as_secure_string().map(Returned::Secret);
        }
        HostCall::Write { value } => host.write(&shown(&value), None),
        HostCall::WriteColored { foreground_color, background_color, value } => {
            host.write(&shown(&value), Some((foreground_color, background_color)));
        }
        HostCall::WriteNewLine {} => host.write_line("", None),
        HostCall::WriteLine { value } => host.write_line(&shown(&value), None),
        HostCall::WriteLineColored { foreground_color, background_color, value } => {
            host.write_line(&shown(&value), Some((foreground_color, background_color)));
        }
        HostCall::WriteErrorLine { message } => host.write_error_line(&shown(&message)),
        HostCall::WriteDebugLine { message } => host.write_debug_line(&shown(&message)),
        HostCall::WriteVerboseLine { message } => host.write_verbose_line(&shown(&message)),
        HostCall::WriteWarningLine { message } => host.write_warning_line(&shown(&message)),
        HostCall::WriteProgress { source_id, record } => host.write_progress(source_id, &record),
        HostCall::Prompt { .. }
        | HostCall::PromptForCredential { .. }
        | HostCall::PromptForCredentialOptions { .. }
        | HostCall::PromptForChoice { .. }
        | HostCall::PromptForChoiceMultipleSelection { .. } => return prompt(host, call),
        call => return raw(host, &call),
    }
    Ok(Returned::Nothing)
}

fn prompt(host: &dyn PsHost, call: HostCall) -> Result<Returned, HostError> {
    let shown = |text: &PsString| text.to_string_lossy().into_owned();
    Ok(match call {
        HostCall::Prompt { caption, message, descriptions } => {
            let values = host.prompt(&shown(&caption), &shown(&message), &descriptions)?;
            Returned::Fields(values, descriptions)
        }
        HostCall::PromptForCredential { caption, message, user_name, target_name }
        | HostCall::PromptForCredentialOptions { caption, message, user_name, target_name, .. } => {
            let user = user_name.as_ref().map(shown);
            let (user, password) = host.prompt_for_credential(
                &shown(&caption),
                &shown(&message),
                user.as_deref(),
                &shown(&target_name),
            )?;
            Returned::Credential(user, password)
        }
        HostCall::PromptForChoice { caption, message, choices, default_choice } => {
            let chosen =
                host.prompt_for_choice(&shown(&caption), &shown(&message), &choices, default_choice)?;
            Returned::Value(HostReturn::Number(chosen))
        }
        HostCall::PromptForChoiceMultipleSelection { caption, message, choices, default_choices } => {
            let chosen =
                host.prompt_for_choices(&shown(&caption), &shown(&message), &choices, &default_choices)?;
            Returned::Value(HostReturn::Numbers(chosen))
        }
        _ => return Err(HostError::NotSupported("this prompt")),
    })
}

/// Methods of PSHostRawUserInterface.
fn raw(host: &dyn PsHost, call: &HostCall) -> Result<Returned, HostError> {
    let data = || host.data().ok_or(HostError::NotSupported("a console"));
    let returned = match call {
        HostCall::GetForegroundColor {} => HostReturn::Color(data()?.foreground_color),
        HostCall::GetBackgroundColor {} => HostReturn::Color(data()?.background_color),
        HostCall::GetCursorPosition {} => HostReturn::Coordinates(data()?.cursor_position),
        HostCall::GetWindowPosition {} => HostReturn::Coordinates(data()?.window_position),
        HostCall::GetCursorSize {} => HostReturn::Number(data()?.cursor_size),
        HostCall::GetBufferSize {} => HostReturn::Size(data()?.buffer_size),
        HostCall::GetWindowSize {} => HostReturn::Size(data()?.window_size),
        HostCall::GetMaxWindowSize {} => HostReturn::Size(data()?.max_window_size),
        HostCall::GetMaxPhysicalWindowSize {} => HostReturn::Size(data()?.max_physical_window_size),
        HostCall::GetWindowTitle {} => HostReturn::Text(data()?.window_title),
        HostCall::GetKeyAvailable {} => HostReturn::Bool(host.key_available()),
        HostCall::ReadKey { options } => HostReturn::Key(host.read_key(*options)?),
        HostCall::GetBufferContents { region } => HostReturn::Cells(host.buffer_contents(*region)?),
        HostCall::GetIsRunspacePushed {} => HostReturn::Bool(false),
        HostCall::PushRunspace { .. } | HostCall::PopRunspace {} | HostCall::GetRunspace {} => {
            return Err(HostError::NotSupported("sessions inside of this one"));
        }
        call => {
            match call {
                HostCall::FlushInputBuffer {} => host.flush_input(),
                HostCall::SetForegroundColor { color } => host.set(Setting::Foreground(*color)),
                HostCall::SetBackgroundColor { color } => host.set(Setting::Background(*color)),
                HostCall::SetCursorPosition { position } => host.set(Setting::CursorPosition(*position)),
                HostCall::SetWindowPosition { position } => host.set(Setting::WindowPosition(*position)),
                HostCall::SetCursorSize { size } => host.set(Setting::CursorSize(*size)),
                HostCall::SetBufferSize { size } => host.set(Setting::BufferSize(*size)),
                HostCall::SetWindowSize { size } => host.set(Setting::WindowSize(*size)),
                HostCall::SetWindowTitle { title } => {
                    host.set(Setting::Title(title.to_string_lossy().into_owned()));
                }
                call => host.draw(call),
            }
            return Ok(Returned::Nothing);
        }
    };
    Ok(Returned::Value(returned))
}
