//! What is sent again, and what never: the log of the service proves it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::time::Duration;

use winrm_loopback::{AuthStep, Builder, Invocation, Io, Misbehaviour, Service, Trigger};
use winrm_transport::{Client, Credentials, Error, ErrorKind, RetryPolicy};
use winrm_wsman::{Body, CommandLine, Message, Selector, Shell, guid, uri};

/// A kind of shell for which connections are robust.
const CUSTOM: &str = "http://winrm.test/wsman/shell/custom";

fn service() -> Builder {
    let builder = Service::builder().account("user", "right").custom_shell(CUSTOM);
    builder.handler(|_: Invocation, _: Io| async { 0 })
}

fn client(service: &Service) -> Client {
    Client::builder(service.url())
        .unwrap()
        .credentials(Credentials::password("user", "right"))
        .retries(RetryPolicy::default().first_pause(Duration::from_millis(1)))
        .build()
        .unwrap()
}

fn create_body() -> Body {
    Body::Create(Box::new(Shell {
        input_streams: vec!["stdin".to_owned()],
        output_streams: vec!["stdout".to_owned(), "stderr".to_owned()],
        ..Shell::default()
    }))
}

/// A shell under `resource`; its id.
async fn create(client: &Client, resource: &str) -> Result<String, Error> {
    let header = client.robust_header(resource, uri::ACTION_CREATE);
    let answer = client.request(Message::new(header, create_body())).await?;
    let Body::CreateResponse(created) = answer.body else { panic!("not created") };
    Ok(created.shell_id().unwrap().to_owned())
}

async fn command(client: &Client, resource: &str, shell: &str) -> Result<Message, Error> {
    let mut header = client.robust_header(resource, uri::ACTION_COMMAND);
    header.selectors = vec![Selector::new(uri::SELECTOR_SHELL_ID, shell)];
    let line = CommandLine { command: "x".to_owned(), command_id: Some(guid()), ..CommandLine::default() };
    client.request(Message::new(header, Body::Command(line))).await
}

fn count(service: &Service, action: &str) -> usize {
    service.log().iter().filter(|entry| entry.action_name() == action).count()
}

/// After the answer was cut off; with the head of it come, or not.
const CUTS: [Misbehaviour; 3] =
    [Misbehaviour::CloseAfter, Misbehaviour::Truncate(0), Misbehaviour::Truncate(200)];

#[tokio::test]
async fn a_request_cut_off_fetches_its_kept_answer_where_connections_are_robust() {
    for cut in CUTS {
        let service = service().start().await.unwrap();
        let client = client(&service);
        // The answer to this shows that the service keeps answers.
        let shell = create(&client, CUSTOM).await.unwrap();
        service.misbehave_times(Trigger::action(uri::ACTION_COMMAND), 2, cut.clone());
        let answer = command(&client, CUSTOM, &shell).await.unwrap();
        assert!(matches!(answer.body, Body::CommandResponse(_)), "{cut:?}");
        // Asked three times, done once: a second Command with the same id would have been refused.
        assert_eq!(count(&service, "Command"), 3, "{cut:?}");
        assert_eq!(service.log().iter().filter(|entry| entry.fault.is_some()).count(), 0);
    }
}

#[tokio::test]
async fn before_the_service_has_shown_it_an_answer_cut_off_is_lost() {
    let service = service().start().await.unwrap();
    let client = client(&service);
    service.misbehave_times(Trigger::action(uri::ACTION_CREATE), 1, Misbehaviour::CloseAfter);
    let error = create(&client, CUSTOM).await.unwrap_err();
    assert!(error.is_outcome_unknown(), "{error}");
    assert_eq!(count(&service, "Create"), 1);
}

#[tokio::test]
async fn requests_for_remote_processes_are_never_sent_again() {
    for cut in CUTS {
        let service = service().start().await.unwrap();
        let client = client(&service);
        // OperationID and SequenceId change nothing for this resource.
        let shell = create(&client, uri::RESOURCE_URI_CMD).await.unwrap();
        service.misbehave_times(Trigger::action(uri::ACTION_COMMAND), 1, cut.clone());
        let error = command(&client, uri::RESOURCE_URI_CMD, &shell).await.unwrap_err();
        assert!(
            error.is_outcome_unknown() && matches!(error.kind(), ErrorKind::ConnectionLost(_)),
            "{error}"
        );
        assert_eq!(count(&service, "Command"), 1, "{cut:?}");
    }
}

#[tokio::test]
async fn identify_and_delete_are_sent_again() {
    for cut in CUTS {
        let service = service().start().await.unwrap();
        let client = client(&service);
        let shell = create(&client, uri::RESOURCE_URI_CMD).await.unwrap();
        service.misbehave_times(Trigger::NthEnvelope(2), 1, cut.clone());
        client.identify().await.unwrap();
        service.misbehave_times(Trigger::action(uri::ACTION_DELETE), 1, cut.clone());
        let mut header = client.header(uri::RESOURCE_URI_CMD, uri::ACTION_DELETE);
        header.selectors = vec![Selector::new(uri::SELECTOR_SHELL_ID, &shell)];
        let error = client.request(Message::new(header, Body::Delete)).await.unwrap_err();
        // It was done the first time.
        assert!(error.fault().is_some(), "{error}");
        assert_eq!((count(&service, "Delete"), service.open_shells()), (2, 0), "{cut:?}");
    }
}

#[tokio::test]
async fn a_busy_service_is_asked_again_as_long_as_nothing_was_asked_yet() {
    for status in [425, 429, 503] {
        let service = service().start().await.unwrap();
        service.misbehave_times(Trigger::FirstToken, 3, Misbehaviour::Status(status));
        create(&client(&service), uri::RESOURCE_URI_CMD).await.unwrap();
        assert_eq!(service.log().len(), 5, "three refusals, two tokens, the second with Create");

        // With the envelope on its way it is too late for a request that is not to be done twice.
        service.misbehave_times(Trigger::LastToken, 1, Misbehaviour::Status(status));
        let error = create(&client(&service), uri::RESOURCE_URI_CMD).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Busy { .. }), "{error}");
        service.misbehave_times(Trigger::LastToken, 1, Misbehaviour::Status(status));
        client(&service).identify().await.unwrap();
    }
}

#[tokio::test]
async fn a_password_that_was_not_judged_yet_is_tried_once() {
    for cut in CUTS {
        let service = service().start().await.unwrap();
        service.misbehave(Trigger::LastToken, cut.clone());
        let client = Client::builder(service.url())
            .unwrap()
            .credentials(Credentials::password("user", "right"))
            .retries(RetryPolicy::default().first_pause(Duration::from_millis(1)))
            .build()
            .unwrap();
        client.identify().await.unwrap_err();
        assert_eq!(service.log().logons().len(), 1, "{cut:?}");
    }
}

/// A bare 500 may stand in place of any answer, on the way: what has worked with AUTHENTICATE is not sent without it.
#[tokio::test]
async fn the_form_of_a_log_on_is_not_changed_once_it_has_worked() {
    let service = service().start().await.unwrap();
    let client = client(&service);
    client.identify().await.unwrap();
    service.misbehave_times(Trigger::Envelope, 1, Misbehaviour::ForgetContext(401));
    service.misbehave(Trigger::Combined, Misbehaviour::Status(500));
    let error = create(&client, uri::RESOURCE_URI_CMD).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::RefusedWithoutReason), "{error}");
    assert!(error.is_outcome_unknown());
    let last_tokens = service.log().iter().filter(|entry| entry.auth == AuthStep::Token(2)).count();
    assert_eq!(last_tokens, 2, "the first log-on, and one more");
}

#[tokio::test]
async fn attempts_have_an_end() {
    let service = service().start().await.unwrap();
    service.misbehave(Trigger::FirstToken, Misbehaviour::Status(503));
    let error = client(&service).identify().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Busy { .. }), "{error}");
    assert_eq!(service.log().len(), 4);
}

#[tokio::test]
async fn an_operation_under_way_is_waited_for_and_not_done_twice() {
    let service = service().start().await.unwrap();
    let client = client(&service);
    let shell = create(&client, CUSTOM).await.unwrap();
    let answer = command(&client, CUSTOM, &shell).await.unwrap();
    let Body::CommandResponse(started) = answer.body else { panic!("not started") };
    // The same request twice without being marked as sent again is an error of the client.
    let mut header = client.robust_header(CUSTOM, uri::ACTION_DELETE);
    header.selectors = vec![Selector::new(uri::SELECTOR_SHELL_ID, &shell)];
    client.request(Message::new(header.clone(), Body::Delete)).await.unwrap();
    let error = client.request(Message::new(header.clone(), Body::Delete)).await.unwrap_err();
    assert_eq!(error.fault().unwrap().subcode.as_ref().unwrap().local, "InvalidMessageInformationHeader");
    header.retransmission = true;
    client.request(Message::new(header, Body::Delete)).await.unwrap();
    assert!(!started.command_id.is_empty());
}
