//! Messages of every kind.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use winrm_clixml::{DateTime, PsString, PsValue, SecureString, Version};
use winrm_psrp::host::{
    BufferCell, BufferCells, ChoiceDescription, ConsoleColor, Coordinates, Credential, FieldDescription,
    HostCall, HostDefaultData, HostInfo, HostMethodId, HostReturn, KeyInfo, Rectangle, Size,
};
use winrm_psrp::message::{
    ApplicationPrivateData, Argument, Availability, Command, ConnectRunspacePool, CreatePipeline,
    GetAvailableRunspaces, GetCommandMetadata, HostCallMessage, HostResponseMessage, InitRunspacePool,
    KeyBlob, Merge, PipelineStateMessage, PowerShell, ResetRunspaceState, RunspaceAvailability,
    RunspacePoolInitData, RunspacePoolStateMessage, SessionCapability, SetMaxRunspaces, SetMinRunspaces,
    UserEvent,
};
use winrm_psrp::record::{ErrorRecord, InformationRecord, InformationalRecord, ProgressRecord};
use winrm_psrp::uuid::Uuid;
use winrm_psrp::{
    ApartmentState, CommandTypes, ErrorCategory, Message, PipelineResultTypes, PipelineState,
    PsThreadOptions, RemoteStreamOptions, RunspacePoolState,
};

use super::values::{ps_string, value};

fn version() -> impl Strategy<Value = Version> {
    "[0-9]{1,5}(\\.[0-9]{1,5}){1,3}".prop_map(|text| Version::new(text).unwrap())
}

pub fn uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

/// A value that a property can hold as more than its absence.
fn some_value() -> BoxedStrategy<PsValue> {
    value().prop_filter("Nil is as none", |value| !value.is_nil()).boxed()
}

fn nil_or_value() -> BoxedStrategy<PsValue> {
    prop_oneof![Just(PsValue::Nil), some_value()].boxed()
}

fn coordinates() -> impl Strategy<Value = Coordinates> {
    any::<[i32; 2]>().prop_map(|[x, y]| Coordinates { x, y })
}

fn size() -> impl Strategy<Value = Size> {
    any::<[i32; 2]>().prop_map(|[width, height]| Size { width, height })
}

fn rectangle() -> impl Strategy<Value = Rectangle> {
    any::<[i32; 4]>().prop_map(|[left, top, right, bottom]| Rectangle { left, top, right, bottom })
}

fn color() -> impl Strategy<Value = ConsoleColor> {
    any::<i32>().prop_map(ConsoleColor)
}

fn cell() -> impl Strategy<Value = BufferCell> {
    (any::<u16>(), color(), color(), any::<i32>()).prop_map(
        |(character, foreground_color, background_color, kind)| BufferCell {
            character,
            foreground_color,
            background_color,
            buffer_cell_type: kind,
        },
    )
}

fn cells() -> impl Strategy<Value = BufferCells> {
    (0..4_i32, 0..4_i32).prop_flat_map(|(height, width)| {
        let count = usize::try_from(height * width).unwrap();
        vec(cell(), count).prop_map(move |cells| BufferCells { height, width, cells })
    })
}

fn choice() -> impl Strategy<Value = ChoiceDescription> {
    (ps_string(), option::of(ps_string()))
        .prop_map(|(label, help_message)| ChoiceDescription { label, help_message })
}

fn field() -> impl Strategy<Value = FieldDescription> {
    (
        (ps_string(), ps_string(), ps_string()),
        (ps_string(), ps_string(), ps_string()),
        any::<bool>(),
        nil_or_value(),
    )
        .prop_map(|((name, label, short), (full, assembly, help), is_mandatory, default_value)| {
            FieldDescription {
                name,
                label,
                parameter_type_name: short,
                parameter_type_full_name: full,
                parameter_assembly_full_name: assembly,
                help_message: help,
                is_mandatory,
                default_value,
            }
        })
}

fn host_info() -> BoxedStrategy<HostInfo> {
    let data = (color(), color(), coordinates(), coordinates(), any::<i32>(), vec(size(), 4), ps_string());
    let data = data.prop_map(|(foreground, background, cursor, window, cursor_size, sizes, title)| {
        HostDefaultData {
            foreground_color: foreground,
            background_color: background,
            cursor_position: cursor,
            window_position: window,
            cursor_size,
            buffer_size: sizes[0],
            window_size: sizes[1],
            max_window_size: sizes[2],
            max_physical_window_size: sizes[3],
            window_title: title,
        }
    });
    (any::<[bool; 4]>(), option::of(data))
        .prop_map(|([host, ui, raw, runspace], default_data)| HostInfo {
            is_host_null: host,
            is_host_ui_null: ui,
            is_host_raw_ui_null: raw,
            use_runspace_host: runspace,
            default_data,
        })
        .boxed()
}

pub fn progress() -> impl Strategy<Value = ProgressRecord> {
    (any::<[i32; 3]>(), ps_string(), ps_string(), option::of(ps_string()), any::<bool>()).prop_map(
        |([id, percent, seconds], activity, status, operation, completed)| {
            let mut record = ProgressRecord::new(id, activity, status)
                .with_percent_complete(percent)
                .with_seconds_remaining(seconds);
            if let Some(operation) = operation {
                record = record.with_current_operation(operation);
            }
            if completed { record.completed() } else { record }
        },
    )
}

pub fn error() -> impl Strategy<Value = ErrorRecord> {
    (ps_string(), ps_string(), any::<i32>(), some_value()).prop_map(|(message, id, category, target)| {
        ErrorRecord::new("System.IO.IOException", message, id, ErrorCategory(category))
            .with_target_object(target)
    })
}

pub fn host_call() -> BoxedStrategy<HostCall> {
    let text = || ps_string();
    let plain = prop_oneof![
        Just(HostCall::GetName {}),
        Just(HostCall::GetVersion {}),
        Just(HostCall::GetInstanceId {}),
        Just(HostCall::GetCurrentCulture {}),
        Just(HostCall::GetCurrentUiCulture {}),
        Just(HostCall::EnterNestedPrompt {}),
        Just(HostCall::ExitNestedPrompt {}),
        Just(HostCall::NotifyBeginApplication {}),
        Just(HostCall::NotifyEndApplication {}),
        Just(HostCall::ReadLine {}),
    ];
    let more = prop_oneof![
        Just(HostCall::ReadLineAsSecureString {}),
        Just(HostCall::WriteNewLine {}),
        Just(HostCall::GetForegroundColor {}),
        Just(HostCall::GetBackgroundColor {}),
        Just(HostCall::GetCursorPosition {}),
        Just(HostCall::GetWindowPosition {}),
        Just(HostCall::GetCursorSize {}),
        Just(HostCall::GetBufferSize {}),
        Just(HostCall::GetWindowSize {}),
        Just(HostCall::GetWindowTitle {}),
    ];
    let rest = prop_oneof![
        Just(HostCall::GetMaxWindowSize {}),
        Just(HostCall::GetMaxPhysicalWindowSize {}),
        Just(HostCall::GetKeyAvailable {}),
        Just(HostCall::FlushInputBuffer {}),
        Just(HostCall::PopRunspace {}),
        Just(HostCall::GetIsRunspacePushed {}),
        Just(HostCall::GetRunspace {}),
        value().prop_map(|runspace| HostCall::PushRunspace { runspace }),
    ];
    let writes = prop_oneof![
        any::<i32>().prop_map(|exit_code| HostCall::SetShouldExit { exit_code }),
        text().prop_map(|value| HostCall::Write { value }),
        (color(), color(), text()).prop_map(|(foreground_color, background_color, value)| {
            HostCall::WriteColored { foreground_color, background_color, value }
        }),
        text().prop_map(|value| HostCall::WriteLine { value }),
        (color(), color(), text()).prop_map(|(foreground_color, background_color, value)| {
            HostCall::WriteLineColored { foreground_color, background_color, value }
        }),
        text().prop_map(|message| HostCall::WriteErrorLine { message }),
        text().prop_map(|message| HostCall::WriteDebugLine { message }),
        text().prop_map(|message| HostCall::WriteVerboseLine { message }),
        text().prop_map(|message| HostCall::WriteWarningLine { message }),
        (any::<i64>(), progress())
            .prop_map(|(source_id, record)| HostCall::WriteProgress { source_id, record }),
    ];
    prop_oneof![plain, more, rest, writes, prompts(), screen()].boxed()
}

fn prompts() -> BoxedStrategy<HostCall> {
    prop_oneof![
        (ps_string(), ps_string(), vec(field(), 0..3)).prop_map(|(caption, message, descriptions)| {
            HostCall::Prompt { caption, message, descriptions }
        }),
        (ps_string(), ps_string(), option::of(ps_string()), ps_string()).prop_map(
            |(caption, message, user_name, target_name)| {
                HostCall::PromptForCredential { caption, message, user_name, target_name }
            }
        ),
        (ps_string(), ps_string(), option::of(ps_string()), ps_string(), any::<[i32; 2]>()).prop_map(
            |(caption, message, user_name, target_name, [allowed_credential_types, options])| {
                HostCall::PromptForCredentialOptions {
                    caption,
                    message,
                    user_name,
                    target_name,
                    allowed_credential_types,
                    options,
                }
            }
        ),
        (ps_string(), ps_string(), vec(choice(), 0..3), any::<i32>()).prop_map(
            |(caption, message, choices, default_choice)| HostCall::PromptForChoice {
                caption,
                message,
                choices,
                default_choice
            }
        ),
        (ps_string(), ps_string(), vec(choice(), 0..3), vec(any::<i32>(), 0..3)).prop_map(
            |(caption, message, choices, default_choices)| HostCall::PromptForChoiceMultipleSelection {
                caption,
                message,
                choices,
                default_choices
            }
        ),
    ]
    .boxed()
}

fn screen() -> BoxedStrategy<HostCall> {
    let raw = prop_oneof![
        color().prop_map(|color| HostCall::SetForegroundColor { color }),
        color().prop_map(|color| HostCall::SetBackgroundColor { color }),
        coordinates().prop_map(|position| HostCall::SetCursorPosition { position }),
        coordinates().prop_map(|position| HostCall::SetWindowPosition { position }),
        any::<i32>().prop_map(|size| HostCall::SetCursorSize { size }),
        size().prop_map(|size| HostCall::SetBufferSize { size }),
        size().prop_map(|size| HostCall::SetWindowSize { size }),
        ps_string().prop_map(|title| HostCall::SetWindowTitle { title }),
        any::<i32>().prop_map(|options| HostCall::ReadKey { options }),
    ];
    let buffer = prop_oneof![
        (rectangle(), cell()).prop_map(|(region, fill)| HostCall::FillBufferContents { region, fill }),
        (coordinates(), cells())
            .prop_map(|(origin, contents)| HostCall::SetBufferContents { origin, contents }),
        rectangle().prop_map(|region| HostCall::GetBufferContents { region }),
        (rectangle(), coordinates(), rectangle(), cell()).prop_map(|(source, destination, clip, fill)| {
            HostCall::ScrollBufferContents { source, destination, clip, fill }
        }),
    ];
    prop_oneof![raw, buffer].boxed()
}

/// A method, and what it may give.
pub fn host_return() -> BoxedStrategy<(HostMethodId, HostReturn)> {
    let secret = || "[A-Za-z0-9+/]{0,40}".prop_map(SecureString::new);
    let credential =
        (ps_string(), secret()).prop_map(|(user_name, password)| Credential { user_name, password });
    prop_oneof![
        ps_string().prop_map(|text| (HostMethodId::READ_LINE, HostReturn::Text(text))),
        version().prop_map(|version| (HostMethodId::GET_VERSION, HostReturn::Version(version))),
        uuid().prop_map(|guid| (HostMethodId::GET_INSTANCE_ID, HostReturn::Guid(guid))),
        secret().prop_map(|it| (HostMethodId::READ_LINE_AS_SECURE_STRING, HostReturn::SecureString(it))),
        vec((ps_string(), value()), 0..3).prop_map(|it| (HostMethodId::PROMPT, HostReturn::Fields(it))),
        option::of(credential)
            .prop_map(|it| (HostMethodId::PROMPT_FOR_CREDENTIAL1, HostReturn::Credential(it))),
        any::<i32>().prop_map(|it| (HostMethodId::PROMPT_FOR_CHOICE, HostReturn::Number(it))),
        vec(any::<i32>(), 0..3)
            .prop_map(|it| { (HostMethodId::PROMPT_FOR_CHOICE_MULTIPLE_SELECTION, HostReturn::Numbers(it)) }),
        color().prop_map(|it| (HostMethodId::GET_FOREGROUND_COLOR, HostReturn::Color(it))),
        prop_oneof![
            coordinates().prop_map(|it| (HostMethodId::GET_CURSOR_POSITION, HostReturn::Coordinates(it))),
            size().prop_map(|it| (HostMethodId::GET_BUFFER_SIZE, HostReturn::Size(it))),
            any::<bool>().prop_map(|it| (HostMethodId::GET_KEY_AVAILABLE, HostReturn::Bool(it))),
            (any::<[i32; 2]>(), any::<u16>(), any::<bool>()).prop_map(
                |([code, state], character, key_down)| {
                    let key =
                        KeyInfo { virtual_key_code: code, character, control_key_state: state, key_down };
                    (HostMethodId::READ_KEY, HostReturn::Key(key))
                }
            ),
            cells().prop_map(|it| (HostMethodId::GET_BUFFER_CONTENTS, HostReturn::Cells(it))),
            value().prop_map(|it| (HostMethodId::GET_RUNSPACE, HostReturn::Value(it))),
        ],
    ]
    .boxed()
}

fn command() -> impl Strategy<Value = Command> {
    let types = || any::<i32>().prop_map(PipelineResultTypes);
    let merge = (types(), types(), types(), types(), option::of(types()));
    let merge = merge.prop_map(|(error, warning, verbose, debug, information)| Merge {
        error,
        warning,
        verbose,
        debug,
        information,
    });
    let argument =
        (option::of(ps_string()), nil_or_value()).prop_map(|(name, value)| Argument { name, value });
    let parts = (
        ps_string(),
        any::<bool>(),
        option::of(any::<bool>()),
        (types(), types(), types()),
        option::of(merge),
        vec(argument, 0..3),
    );
    parts.prop_map(|(text, is_script, use_local_scope, (my, to, previous), merge, arguments)| {
        let mut command = if is_script { Command::script(text) } else { Command::named(text) };
        command.use_local_scope = use_local_scope;
        command.merge_my_result = my;
        command.merge_to_result = to;
        command.merge_previous_results = previous;
        command.merge = merge;
        command.arguments = arguments;
        command
    })
}

fn create_pipeline() -> BoxedStrategy<CreatePipeline> {
    let powershell = (vec(vec(command(), 0..3), 1..3), option::of(ps_string()), any::<bool>());
    let powershell = powershell.prop_map(|(statements, history, redirect)| PowerShell {
        statements,
        history,
        redirect_shell_error_output_pipe: redirect,
    });
    (any::<[bool; 3]>(), any::<[i32; 2]>(), host_info(), powershell)
        .prop_map(|([no_input, history, nested], [apartment, options], host_info, powershell)| {
            CreatePipeline {
                no_input,
                apartment_state: ApartmentState(apartment),
                remote_stream_options: RemoteStreamOptions(options),
                add_to_history: history,
                host_info,
                powershell,
                is_nested: nested,
            }
        })
        .boxed()
}

fn informational() -> impl Strategy<Value = InformationalRecord> {
    ps_string().prop_map(InformationalRecord::warning)
}

fn time() -> impl Strategy<Value = DateTime> {
    "[0-9]{4}-0[1-9]-[12][0-9]T[01][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,7})?Z"
        .prop_map(|text| DateTime::new(text).unwrap())
}

fn user_event() -> impl Strategy<Value = UserEvent> {
    (any::<i32>(), ps_string(), time(), vec(nil_or_value(), 3), option::of(ps_string()), uuid()).prop_map(
        |(event_identifier, source_identifier, time_generated, values, computer_name, runspace_id)| {
            UserEvent {
                event_identifier,
                source_identifier,
                time_generated,
                sender: values[0].clone(),
                source_args: values[1].clone(),
                message_data: values[2].clone(),
                computer_name,
                runspace_id,
            }
        },
    )
}

fn metadata() -> impl Strategy<Value = GetCommandMetadata> {
    let texts = || option::of(vec(ps_string(), 0..3));
    (texts(), any::<i32>(), texts(), option::of(vec(value(), 0..3))).prop_map(
        |(names, command_type, namespaces, arguments)| GetCommandMetadata {
            names,
            command_type: CommandTypes(command_type),
            namespaces,
            arguments,
        },
    )
}

fn host_response() -> impl Strategy<Value = HostResponseMessage> {
    (any::<i64>(), any::<i32>(), option::of(value()), option::of(error())).prop_map(
        |(call_id, method, result, error)| HostResponseMessage {
            call_id,
            method: HostMethodId(method),
            result,
            error,
        },
    )
}

fn pool_messages() -> BoxedStrategy<Message> {
    let init = (any::<[i32; 4]>(), host_info(), nil_or_value());
    let init = init.prop_map(|([min, max, threads, apartment], host_info, arguments)| {
        Message::InitRunspacePool(Box::new(InitRunspacePool {
            min_runspaces: min,
            max_runspaces: max,
            thread_options: PsThreadOptions(threads),
            apartment_state: ApartmentState(apartment),
            host_info,
            application_arguments: arguments,
        }))
    });
    let capability = (version(), version(), version(), option::of(vec(any::<u8>(), 0..9)));
    let capability =
        capability.prop_map(|(protocol_version, ps_version, serialization_version, time_zone)| {
            Message::SessionCapability(SessionCapability {
                protocol_version,
                ps_version,
                serialization_version,
                time_zone,
            })
        });
    let blob = || vec(any::<u8>(), 0..40).prop_map(KeyBlob);
    let state = (0..10_i32, option::of(error())).prop_map(|(state, error)| {
        let state = RunspacePoolState::from_number(state).unwrap();
        Message::RunspacePoolState(RunspacePoolStateMessage { state, error })
    });
    prop_oneof![
        capability,
        init,
        blob().prop_map(Message::PublicKey),
        blob().prop_map(Message::EncryptedSessionKey),
        Just(Message::PublicKeyRequest),
        state,
        nil_or_value().prop_map(|data| Message::ApplicationPrivateData(ApplicationPrivateData { data })),
        (option::of(any::<i32>()), option::of(any::<i32>())).prop_map(|(min_runspaces, max_runspaces)| {
            Message::ConnectRunspacePool(ConnectRunspacePool { min_runspaces, max_runspaces })
        }),
        any::<[i32; 2]>().prop_map(|[min_runspaces, max_runspaces]| {
            Message::RunspacePoolInitData(RunspacePoolInitData { min_runspaces, max_runspaces })
        }),
    ]
    .boxed()
}

fn questions() -> BoxedStrategy<Message> {
    let availability = prop_oneof![
        any::<bool>().prop_map(Availability::Done),
        any::<i64>().prop_map(Availability::Available),
    ];
    prop_oneof![
        (any::<i32>(), any::<i64>()).prop_map(|(max_runspaces, call_id)| {
            Message::SetMaxRunspaces(SetMaxRunspaces { max_runspaces, call_id })
        }),
        (any::<i32>(), any::<i64>()).prop_map(|(min_runspaces, call_id)| {
            Message::SetMinRunspaces(SetMinRunspaces { min_runspaces, call_id })
        }),
        any::<i64>().prop_map(|call_id| Message::GetAvailableRunspaces(GetAvailableRunspaces { call_id })),
        any::<i64>().prop_map(|call_id| Message::ResetRunspaceState(ResetRunspaceState { call_id })),
        (availability, any::<i64>()).prop_map(|(response, call_id)| {
            Message::RunspaceAvailability(RunspaceAvailability { response, call_id })
        }),
    ]
    .boxed()
}

fn pipeline_messages() -> BoxedStrategy<Message> {
    let state = (0..7_i32, option::of(error())).prop_map(|(state, error)| {
        let state = PipelineState::from_number(state).unwrap();
        Message::PipelineState(PipelineStateMessage { state, error })
    });
    let information =
        (some_value(), ps_string(), time(), vec(ps_string(), 0..3)).prop_map(|(data, source, time, tags)| {
            Message::InformationRecord(InformationRecord::new(data, source, time).with_tags(tags))
        });
    let call =
        || (any::<i64>(), host_call()).prop_map(|(call_id, call)| HostCallMessage::new(call_id, &call));
    let input = prop_oneof![
        create_pipeline().prop_map(|pipeline| Message::CreatePipeline(Box::new(pipeline))),
        metadata().prop_map(Message::GetCommandMetadata),
        value().prop_map(Message::PipelineInput),
        Just(Message::EndOfPipelineInput),
        host_response().prop_map(Message::PipelineHostResponse),
        host_response().prop_map(Message::RunspacePoolHostResponse),
    ];
    let output = prop_oneof![
        value().prop_map(Message::PipelineOutput),
        error().prop_map(Message::ErrorRecord),
        informational().prop_map(Message::WarningRecord),
        informational().prop_map(Message::VerboseRecord),
        informational().prop_map(Message::DebugRecord),
        progress().prop_map(Message::ProgressRecord),
        information,
        state,
        call().prop_map(Message::PipelineHostCall),
        prop_oneof![
            call().prop_map(Message::RunspacePoolHostCall),
            user_event().prop_map(|event| Message::UserEvent(Box::new(event))),
        ],
    ];
    prop_oneof![input, output].boxed()
}

/// Every message there is.
pub fn message() -> BoxedStrategy<Message> {
    prop_oneof![pool_messages(), questions(), pipeline_messages()].boxed()
}

/// Any text, to be a name for instance.
pub fn text() -> impl Strategy<Value = PsString> {
    ps_string()
}
