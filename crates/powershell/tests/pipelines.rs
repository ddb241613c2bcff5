//! Pools and pipelines against the loopback service.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests may fail"
)]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use support::{actions, connect, service, text};
use winrm_loopback::{Builtin, PipelineIo};
use winrm_powershell::psrp::RunspacePoolState;
use winrm_powershell::psrp::host::{ChoiceDescription, ConsoleColor, HostCall};
use winrm_powershell::psrp::message::PowerShell as Statements;
use winrm_powershell::{
    Command, CreatePipeline, Error, ErrorCategory, ErrorRecord, HostError, PsHost, PsObject, PsValue, Record,
    RunspacePool,
};

#[tokio::test]
async fn objects_come_out_and_the_requests_are_few() {
    let service = service(Builtin).await;
    let client = connect(&service);
    let pool = RunspacePool::builder(&client).open().await.unwrap();
    assert_eq!(pool.state(), RunspacePoolState::Opened);
    assert!(pool.server().is_some() && pool.private_data().is_some());
    let output = pool.command("Write-Output").argument(42).invoke().await.unwrap();
    assert_eq!(output.output, [PsValue::I32(42)]);
    assert!(!output.had_errors());
    let cold = actions(&service);
    // A warm one has its result after two more, the third is clean-up.
    let output = pool.command("Write-Output").argument("warm").invoke().await.unwrap();
    assert_eq!(text(&output.output[0]), "warm");
    pool.close().await.unwrap();
    client.close().await;
    assert_eq!(cold, ["-", "Create", "Receive", "Command", "Receive"]);
    let all = actions(&service);
    let count = |action: &str| all.iter().filter(|found| *found == action).count();
    assert_eq!((count("Command"), count("Signal"), count("Delete")), (2, 2, 1), "{all:?}");
    assert!(count("Receive") <= 5, "{all:?}");
    assert_eq!((service.open_shells(), service.running_commands()), (0, 0));
}

#[cfg(feature = "serde")]
#[tokio::test]
async fn objects_become_types_of_the_callers_and_come_from_them() {
    #[derive(Debug, PartialEq, serde::Deserialize, serde::Serialize)]
    struct Service {
        name: String,
        threads: Vec<u32>,
    }
    let service = service(|pipeline: CreatePipeline, mut io: PipelineIo| async move {
        io.output(pipeline.powershell.statements[0][0].arguments[0].value.clone()).await;
        Ok(())
    })
    .await;
    let client = connect(&service);
    let pool = RunspacePool::builder(&client).open().await.unwrap();
    let given = Service { name: "Spooler".to_owned(), threads: vec![1, 2] };
    let value = winrm_powershell::clixml::to_value(&given).unwrap();
    let output = pool.command("x").argument(value).invoke().await.unwrap();
    assert_eq!(output.deserialize::<Service>().unwrap(), [given]);
    assert!(output.deserialize::<i32>().unwrap_err().to_string().starts_with("[0]: "));
}

#[tokio::test]
async fn every_stream_arrives_where_it_belongs() {
    let service = service(|_: CreatePipeline, mut io: PipelineIo| async move {
        io.verbose("v").await;
        io.debug("d").await;
        io.warning("w").await;
        io.error(ErrorRecord::new("System.Exception", "e", "Id", ErrorCategory::INVALID_DATA)).await;
        io.output("o").await;
        Err(ErrorRecord::new("System.Exception", "thrown", "Thrown", ErrorCategory::OPERATION_STOPPED))
    })
    .await;
    let client = connect(&service);
    let pool = RunspacePool::builder(&client).open().await.unwrap();
    let error = pool.script("throw 'thrown'").invoke().await.unwrap_err();
    let Error::Failed { error, output } = &error else { panic!("{error:?}") };
    assert_eq!(error.message().unwrap(), "thrown");
    assert_eq!(error.fully_qualified_error_id().unwrap(), "Thrown");
    assert_eq!(text(&output.output[0]), "o");
    assert_eq!(output.errors[0].category(), ErrorCategory::INVALID_DATA);
    let messages = [&output.verbose[0], &output.debug[0], &output.warnings[0]]
        .map(|record| record.message().unwrap().to_string());
    assert_eq!(messages, ["v", "d", "w"]);
    assert!(output.had_errors());
    // The pool is as good as before.
    assert!(pool.script("again").invoke().await.is_err());
}

#[tokio::test]
async fn input_is_streamed_both_ways() {
    let service = service(|_: CreatePipeline, mut io: PipelineIo| async move {
        while let Some(value) = io.input().await {
            io.output(value.as_i64().unwrap_or(-1) * 2).await;
        }
        Ok(())
    })
    .await;
    let client = connect(&service);
    let pool = RunspacePool::builder(&client).open().await.unwrap();
    let output = pool.command("double").input(0..2000).invoke().await.unwrap();
    let doubled: Vec<_> = output.output.iter().map(|value| value.as_i64().unwrap()).collect();
    assert_eq!(doubled, (0..2000).map(|number| number * 2).collect::<Vec<_>>());
    let (mut running, mut input) = pool.command("double").start_with_input().await.unwrap();
    for number in [7, 8] {
        input.send(&number.into()).await.unwrap();
        let Some(Ok(Record::Output(value))) = running.next().await else { panic!() };
        assert_eq!(value.as_i64(), Some(i64::from(number) * 2));
    }
    input.end().await.unwrap();
    assert!(running.next().await.is_none());
    // Some at once, the rest when the first have come back: a stream may wait for what comes of it.
    let (mut running, mut input) = pool.command("double").start_with_input().await.unwrap();
    let (sender, mut receiver) = tokio::sync::mpsc::channel(8);
    for number in [1, 2, 3] {
        sender.send(number).await.unwrap();
    }
    let sent = tokio::spawn(async move {
        input.send_stream(Numbers(&mut receiver)).await.unwrap();
        input.end().await.unwrap();
    });
    for number in [1, 2, 3, 4] {
        let Some(Ok(Record::Output(value))) = running.next().await else { panic!() };
        assert_eq!(value.as_i64(), Some(number * 2));
        if number == 3 {
            sender.send(4).await.unwrap();
        }
    }
    drop(sender);
    assert!(running.next().await.is_none());
    sent.await.unwrap();
}

struct Numbers<'a>(&'a mut tokio::sync::mpsc::Receiver<i64>);

impl futures_core::Stream for Numbers<'_> {
    type Item = i64;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<i64>> {
        self.0.poll_recv(cx)
    }
}

#[tokio::test]
async fn large_objects_and_many_of_them() {
    let service = service(|pipeline: CreatePipeline, mut io: PipelineIo| async move {
        let sent = pipeline.powershell.statements[0][0].arguments[0].value.clone();
        io.output(sent).await;
        for number in 0..3000 {
            io.output(PsObject::new().with_extended("Number", number).with_extended("Name", "x".repeat(50)))
                .await;
        }
        Ok(())
    })
    .await;
    let client = connect(&service);
    let pool = RunspacePool::builder(&client).open().await.unwrap();
    // Larger than an envelope, so that Command carries a part of it.
    let large = "é<&>\"'\u{1d11e}".repeat(80_000);
    let output = pool.command("echo").argument(large.clone()).invoke().await.unwrap();
    assert!(output.output[0].as_str() == Some(large.as_str()));
    assert_eq!(output.output.len(), 3001);
    let last = output.output[3000].as_object().unwrap();
    assert_eq!(last.property("number").and_then(PsValue::as_i64), Some(2999));
}

#[tokio::test]
async fn several_run_at_once_in_one_pool() {
    let barrier = Arc::new(tokio::sync::Barrier::new(4));
    let service = service(move |_: CreatePipeline, mut io: PipelineIo| {
        let barrier = Arc::clone(&barrier);
        async move {
            barrier.wait().await;
            io.output(1).await;
            Ok(())
        }
    })
    .await;
    let client = connect(&service);
    let pool = RunspacePool::builder(&client).max_runspaces(4).open().await.unwrap();
    let running = (0..4).map(|_| tokio::spawn(pool.command("wait").invoke())).collect::<Vec<_>>();
    for pipeline in running {
        assert_eq!(pipeline.await.unwrap().unwrap().output.len(), 1);
    }
}

#[tokio::test]
async fn a_pipeline_is_stopped_and_the_pool_goes_on() {
    let service = service(Builtin).await;
    let client = connect(&service);
    let pool = RunspacePool::builder(&client).open().await.unwrap();
    let running = pool
        .pipeline(CreatePipeline::new(
            Statements::default().with(Command::named("Write-Output").argument("first")),
        ))
        .statement("Start-Sleep")
        .argument(60)
        .start()
        .await
        .unwrap();
    let mut running = running;
    let Some(Ok(Record::Output(_))) = running.next().await else { panic!() };
    running.stop().await.unwrap();
    let error = running.collect().await.unwrap_err();
    assert!(matches!(error, Error::Stopped { .. }), "{error:?}");
    assert_eq!(pool.command("Write-Output").argument(1).invoke().await.unwrap().output.len(), 1);
    // One that nobody reads any more is ended too.
    drop(pool.command("Start-Sleep").argument(60).start().await.unwrap());
    tokio::time::timeout(Duration::from_secs(5), async {
        while service.running_commands() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
}

#[derive(Clone, Default)]
struct Scripted(Arc<Mutex<Vec<String>>>);

impl PsHost for Scripted {
    fn read_line(&self) -> Result<String, HostError> {
        Ok("typed".to_owned())
    }

    fn read_line_as_secure_string(&self) -> Result<zeroize::Zeroizing<String>, HostError> {
        Ok("hunter2".to_owned().into())
    }

    fn write_line(&self, text: &str, _: Option<(ConsoleColor, ConsoleColor)>) {
        self.0.lock().unwrap().push(text.to_owned());
    }

    fn prompt_for_choice(
        &self,
        _: &str,
        _: &str,
        choices: &[ChoiceDescription],
        default: i32,
    ) -> Result<i32, HostError> {
        assert_eq!(choices.len(), 2);
        assert_eq!(choices[1].label, "&No");
        Ok(1 - default)
    }
}

#[tokio::test]
async fn the_host_answers_what_scripts_ask() {
    let service = service(|_: CreatePipeline, mut io: PipelineIo| async move {
        io.host_call(HostCall::WriteLine { value: "hello".into() }).await;
        let line = io.host_call(HostCall::ReadLine {}).await.unwrap();
        io.output(line.result.unwrap()).await;
        let choices =
            ["&Yes", "&No"].map(|label| ChoiceDescription { label: label.into(), help_message: None });
        let call = HostCall::PromptForChoice {
            caption: "caption".into(),
            message: "message".into(),
            choices: choices.into(),
            default_choice: 0,
        };
        let choice = io.host_call(call).await.unwrap();
        io.output(choice.result.unwrap()).await;
        let secret = io.host_call(HostCall::ReadLineAsSecureString {}).await.unwrap();
        io.output(io.reveal(&secret.result.unwrap()).unwrap()).await;
        let refused = io.host_call(HostCall::ReadKey { options: 0 }).await.unwrap();
        io.output(refused.error.unwrap().message().unwrap().clone()).await;
        Ok(())
    })
    .await;
    let client = connect(&service);
    let host = Scripted::default();
    let pool = RunspacePool::builder(&client).host(host.clone()).open().await.unwrap();
    let output = pool.script("ask").invoke().await.unwrap().output;
    assert_eq!(
        (text(&output[0]).as_str(), output[1].as_i64(), text(&output[2]).as_str()),
        ("typed", Some(1), "hunter2")
    );
    assert!(text(&output[3]).contains("a key was asked for"));
    assert_eq!(*host.0.lock().unwrap(), ["hello"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_written_to_the_host_keeps_its_order() {
    let service = service(|_: CreatePipeline, mut io: PipelineIo| async move {
        for number in 0..300 {
            io.host_call(HostCall::WriteLine { value: number.to_string().into() }).await;
        }
        io.host_call(HostCall::ReadLine {}).await;
        Ok(())
    })
    .await;
    let client = connect(&service);
    let host = Scripted::default();
    let pool = RunspacePool::builder(&client).host(host.clone()).open().await.unwrap();
    pool.script("write").invoke().await.unwrap();
    let expected: Vec<_> = (0..300).map(|number| number.to_string()).collect();
    assert_eq!(*host.0.lock().unwrap(), expected);
}

#[tokio::test]
async fn secure_strings_go_there_and_come_back() {
    let service = service(|pipeline: CreatePipeline, mut io: PipelineIo| async move {
        let secret = io.reveal(&pipeline.powershell.statements[0][0].arguments[0].value).unwrap();
        let answer = io.secure_string(&format!("{secret}!")).unwrap();
        io.output(answer).await;
        Ok(())
    })
    .await;
    let client = connect(&service);
    let pool = RunspacePool::builder(&client).open().await.unwrap();
    let secret = pool.secure_string("hunter2").await.unwrap();
    let output = pool.command("x").argument(secret).invoke().await.unwrap().output;
    assert_eq!(pool.reveal(&output[0]).unwrap().unwrap().as_str(), "hunter2!");
    assert!(!format!("{output:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_pool_is_resized_reset_and_asked() {
    let service = service(Builtin).await;
    let client = connect(&service);
    let pool = RunspacePool::builder(&client).open().await.unwrap();
    assert!(pool.set_max_runspaces(5).await.unwrap());
    assert!(pool.set_min_runspaces(2).await.unwrap());
    assert!(!pool.set_min_runspaces(9).await.unwrap());
    assert_eq!(pool.available_runspaces().await.unwrap(), 5);
    assert!(pool.reset().await.unwrap());
}

#[tokio::test]
async fn a_pool_is_left_and_come_back_to() {
    let service = service(|_: CreatePipeline, mut io: PipelineIo| async move {
        for number in 0..50 {
            io.output(number).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    })
    .await;
    let client = connect(&service);
    let pool = RunspacePool::builder(&client).open().await.unwrap();
    let mut running = pool.script("count").start().await.unwrap();
    let Some(Ok(Record::Output(first))) = running.next().await else { panic!() };
    assert_eq!(first.as_i64(), Some(0));
    pool.disconnect().await.unwrap();
    assert_eq!(pool.state(), RunspacePoolState::Disconnected);
    assert!(pool.script("x").invoke().await.is_err());
    pool.reconnect().await.unwrap();
    let rest = running.collect().await.unwrap().output;
    let numbers: Vec<_> = rest.iter().map(|value| value.as_i64().unwrap()).collect();
    assert_eq!(numbers, (1..50).collect::<Vec<_>>());
}

#[tokio::test]
async fn another_client_takes_a_pool_over() {
    let service = service(Builtin).await;
    let (one, other) = (connect(&service), connect(&service));
    let pool = RunspacePool::builder(&one).max_runspaces(3).open().await.unwrap();
    let id = pool.id();
    // Not while somebody has it.
    let error = RunspacePool::builder(&other).connect(id).await.unwrap_err();
    assert!(matches!(error, Error::Open(_)), "{error:?}");
    let running = pool.command("Start-Sleep").argument(60).start().await.unwrap();
    let listed = RunspacePool::list(&other).await.unwrap();
    let seen: Vec<_> = listed.iter().map(|pool| (pool.id, pool.is_disconnected)).collect();
    assert_eq!(seen, [(id, false)]);
    assert_eq!(listed[0].configuration, "Microsoft.PowerShell");
    assert_eq!(RunspacePool::list_pipelines(&other, id).await.unwrap(), [running.id()]);
    drop(running);
    let mut left = pool
        .pipeline(CreatePipeline::new(
            Statements::default().with(Command::named("Write-Output").argument("before")),
        ))
        .statement("Start-Sleep")
        .argument(1)
        .statement("Write-Output")
        .argument("after")
        .start()
        .await
        .unwrap();
    assert!(matches!(left.next().await, Some(Ok(Record::Output(_)))));
    let left_id = left.id();
    pool.disconnect().await.unwrap();
    assert!(RunspacePool::list(&other).await.unwrap()[0].is_disconnected);
    let error = RunspacePool::list_pipelines(&other, uuid::Uuid::nil()).await;
    assert!(matches!(error, Err(Error::List(_))), "{error:?}");
    let taken = RunspacePool::builder(&other).connect(id).await.unwrap();
    assert_eq!(taken.state(), RunspacePoolState::Opened);
    assert_eq!(taken.command("Write-Output").argument(1).invoke().await.unwrap().output.len(), 1);
    assert!(pool.reconnect().await.is_err());
    // What was left running is taken up where it was left.
    assert!(taken.attach(uuid::Uuid::nil()).await.is_err());
    let output = taken.attach(left_id).await.unwrap().collect().await.unwrap().output;
    assert_eq!(output.iter().map(text).collect::<Vec<_>>(), ["after"]);
    taken.close().await.unwrap();
    assert_eq!(service.open_shells(), 0);
}

#[tokio::test]
async fn what_is_wrong_is_told() {
    let service = service(Builtin).await;
    let client = connect(&service);
    let error = RunspacePool::builder(&client).configuration("Nowhere").open().await.unwrap_err();
    assert!(matches!(&error, Error::Open(_)), "{error:?}");
    let pool = RunspacePool::builder(&client).open().await.unwrap();
    let error = pool.script("Get-Process").invoke().await.unwrap_err();
    assert_eq!(error.record().unwrap().category(), ErrorCategory::NOT_IMPLEMENTED);
    service.shutdown().await;
    let error = pool.command("Write-Output").argument(1).invoke().await.unwrap_err();
    assert!(matches!(error, Error::Start(_) | Error::PoolLost { .. } | Error::Protocol(_)), "{error:?}");
}

#[tokio::test]
async fn a_dropped_pool_is_deleted() {
    let service = service(Builtin).await;
    let client = connect(&service);
    let pool = RunspacePool::builder(&client).open().await.unwrap();
    let other = RunspacePool::builder(&client).open().await.unwrap();
    assert_eq!(service.open_shells(), 2);
    drop(pool);
    // One that somebody still holds goes with the client.
    client.close().await;
    assert_eq!(service.open_shells(), 0);
    drop(other);
}
