//! The client against a service as strict as Windows, which its log shows from the other side.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use winrm_loopback::{AuthStep, Builder, Invocation, Io, Misbehaviour, Service, Trigger};
use winrm_ntlm::av_pair::AvId;
use winrm_ntlm::message::{AuthenticateMessage, ClientChallenge, NtlmV2Response};
use winrm_spnego::token::NegotiationToken;
use winrm_transport::{
    AuthMethod, Client, ClientBuilder, ConfigError, Credentials, Error, ErrorKind, Step, probe,
};
use winrm_wsman::{Body, Fault, FaultCode, Header, Message, Shell, uri};

fn service() -> Builder {
    Service::builder().account("DOM\\user", "right").handler(|_: Invocation, _: Io| async { 0 })
}

fn builder(service: &Service, password: &str) -> ClientBuilder {
    Client::builder(service.url()).unwrap().credentials(Credentials::password("DOM\\user", password))
}

fn client(service: &Service) -> Client {
    builder(service, "right").build().unwrap()
}

async fn create(client: &Client) -> Result<Message, Error> {
    let shell = Shell {
        input_streams: vec!["stdin".to_owned()],
        output_streams: vec!["stdout".to_owned(), "stderr".to_owned()],
        ..Shell::default()
    };
    let header = client.header(uri::RESOURCE_URI_CMD, uri::ACTION_CREATE);
    client.request(Message::new(header, Body::Create(Box::new(shell)))).await
}

#[tokio::test]
async fn logs_on_and_seals() {
    let service = service().start().await.unwrap();
    let client = client(&service);
    assert!(client.security().is_none());
    let identity = client.identify().await.unwrap();
    assert!(identity.product_vendor.is_some());
    let security = client.security().unwrap();
    assert!(security.spnego);
    assert_eq!(security.scheme, "Negotiate");
    let ntlm = security.ntlm.unwrap();
    assert!(ntlm.mic && ntlm.seals() && ntlm.key_bits() == 128);
    assert!(security.to_string().contains("NTLMv2"), "{security}");
    client.identify().await.unwrap();
    let log = service.log();
    assert_eq!(log.len(), 3);
    assert_eq!(log.logons().len(), 1);
    assert!(log[1].sealed && log[2].sealed);
}

#[tokio::test]
async fn bare_ntlm_and_nt_hashes_work_too() {
    let service = service().start().await.unwrap();
    let bare = builder(&service, "right").auth_method(AuthMethod::Ntlm).build().unwrap();
    bare.identify().await.unwrap();
    assert!(!bare.security().unwrap().spnego);
    let token = &service.log()[0].headers("Authorization")[0];
    assert!(token.starts_with("Negotiate TlRMTVNTUAAB"), "{token}");

    let hash = *winrm_ntlm::hash::ntowf_v1("right");
    let hashed = Client::builder(service.url())
        .unwrap()
        .credentials(Credentials::nt_hash("DOM\\user", hash))
        .build()
        .unwrap();
    hashed.identify().await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_tried_once_in_every_form() {
    for combined_refused in [None, Some(400), Some(411), Some(415), Some(500)] {
        for method in [AuthMethod::Negotiate, AuthMethod::Ntlm] {
            let mut service = service();
            if let Some(status) = combined_refused {
                service = service.misbehave(Trigger::Combined, Misbehaviour::Status(status));
            }
            let service = service.start().await.unwrap();
            let error =
                builder(&service, "wrong").auth_method(method).build().unwrap().identify().await.unwrap_err();
            let ErrorKind::CredentialsRefused { user } = error.kind() else { panic!("{error:?}") };
            assert_eq!(user, "DOM\\user");
            assert_eq!(error.step(), Step::Authenticate);
            assert!(!error.is_outcome_unknown());
            assert!(!format!("{error:?}").contains("wrong"), "{error:?}");
            let log = service.log();
            assert_eq!(log.logons().len(), 1, "{combined_refused:?} {method:?}: {:?}", log.logons());
            assert!(!log.logons()[0].is_success());
        }
    }
}

#[tokio::test]
async fn a_server_that_wants_authenticate_alone_gets_it_and_is_remembered() {
    for status in [400, 411, 415, 500] {
        let service =
            service().misbehave(Trigger::Combined, Misbehaviour::Status(status)).start().await.unwrap();
        let client = client(&service);
        create(&client).await.unwrap();
        let log = service.log();
        // Token, AUTHENTICATE with body: refused. Token, AUTHENTICATE alone, Create on a new connection.
        assert_eq!(log.len(), 5, "{log:?}");
        assert_eq!(log[1].status, Some(status));
        assert_eq!(log[3].request_body, 0);
        assert_eq!(log[3].headers("Content-Length"), ["0"]);
        assert_ne!(log[1].connection, log[3].connection);
        assert_eq!(log.logons().len(), 1, "the refused one was not judged");
        assert_eq!(service.open_shells(), 1);

        // The next connection does it right at once.
        service.misbehave_times(Trigger::Envelope, 1, Misbehaviour::ForgetContext(401));
        create(&client).await.unwrap();
        let log = service.log();
        let again: Vec<_> = log.iter().skip(6).map(|entry| entry.status).collect();
        assert_eq!(again, [Some(401), Some(200), Some(200)], "{log:?}");
        assert_eq!(service.open_shells(), 2);
    }
}

#[tokio::test]
async fn other_refusals_are_not_tried_again() {
    for status in [403, 404, 413, 503] {
        let service =
            service().misbehave(Trigger::Combined, Misbehaviour::Status(status)).start().await.unwrap();
        let error = create(&client(&service)).await.unwrap_err();
        assert_eq!(service.log().len(), 2, "{status}: {error}");
    }
}

#[tokio::test]
async fn many_requests_at_once_try_a_wrong_password_once() {
    let service = service().start().await.unwrap();
    let client = builder(&service, "wrong").build().unwrap();
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.identify().await })
        })
        .collect();
    for task in tasks {
        let error = task.await.unwrap().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::CredentialsRefused { .. }), "{error:?}");
    }
    // Nor is it tried later.
    client.identify().await.unwrap_err();
    assert_eq!(service.log().logons().len(), 1);
}

#[tokio::test]
async fn many_requests_at_once_log_on_freely_after_the_first() {
    let service = service().start().await.unwrap();
    let client = client(&service);
    let tasks: Vec<_> = (0..5)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.identify().await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let log = service.log();
    assert!(log.logons().iter().all(winrm_loopback::Logon::is_success));
    // Nobody else proved anything before the first log-on was judged, though all could begin.
    let steps = |step| log.iter().filter(|entry| entry.auth == step).count();
    assert_eq!((steps(AuthStep::Token(1)), steps(AuthStep::Token(2))), (5, 5), "{log:?}");
}

#[tokio::test]
async fn an_endpoint_that_forgets_at_once_is_not_asked_for_ever() {
    let service = service()
        .misbehave(Trigger::Combined, Misbehaviour::Status(400))
        .misbehave(Trigger::Envelope, Misbehaviour::ForgetContext(401))
        .start()
        .await
        .unwrap();
    let client = client(&service);
    for _ in 0..2 {
        create(&client).await.unwrap_err();
    }
    assert!(service.log().len() <= 10, "{:?}", service.log());
    assert_eq!(service.open_shells(), 0);
}

#[tokio::test]
async fn the_service_is_told_its_name() {
    let service = service().start().await.unwrap();
    client(&service).identify().await.unwrap();
    let header = service.log()[1].headers("Authorization").remove(0);
    let token = BASE64.decode(header.strip_prefix("Negotiate ").unwrap()).unwrap();
    let NegotiationToken::Resp(token) = NegotiationToken::decode(&token).unwrap() else { panic!() };
    let message = AuthenticateMessage::decode(&token.response_token.unwrap()).unwrap();
    let response = NtlmV2Response::decode(&message.nt_challenge_response).unwrap();
    let pairs = ClientChallenge::decode(response.temp).unwrap().av_pairs;
    assert_eq!(pairs.text(AvId::TARGET_NAME).unwrap().as_deref(), Some("HTTP/127.0.0.1"));
}

#[tokio::test]
async fn anonymous_log_ons_protect_nothing() {
    let builder = Client::builder("host").unwrap().credentials(Credentials::anonymous());
    assert_eq!(builder.clone().build().unwrap_err(), ConfigError::AnonymousIsUnsealed);
    builder.dangerous_allow_weak_security_context().build().unwrap();
}

#[tokio::test]
async fn a_sealed_fault_may_lack_its_relation() {
    // As WMI writes them.
    let fault = Fault::new("Receiver", None, "quota");
    let mut fault = Message::new(Header::default(), Body::Fault(Box::new(fault)));
    fault.header.action = Some(uri::ACTION_FAULT.to_owned());
    let document = fault.encode().unwrap().freeze();
    let service = service().start().await.unwrap();
    let client = client(&service);
    client.identify().await.unwrap();
    service.misbehave(Trigger::action(uri::ACTION_CREATE), Misbehaviour::Document(document));
    let error = create(&client).await.unwrap_err();
    assert_eq!(error.fault().map(Fault::message), Some("quota"), "{error:?}");
}

#[tokio::test]
async fn a_forgotten_context_is_renewed_once_and_nothing_runs_twice() {
    for status in [400, 401] {
        let service = service().start().await.unwrap();
        let client = client(&service);
        client.identify().await.unwrap();
        service.misbehave_times(Trigger::Envelope, 1, Misbehaviour::ForgetContext(status));
        create(&client).await.unwrap();
        assert_eq!(service.open_shells(), 1);
        let log = service.log();
        assert_eq!(log.logons().len(), 2);
        assert_ne!(log[2].connection, log[3].connection);

        // A server that forgets everything is not asked for ever.
        service.misbehave(Trigger::Always, Misbehaviour::ForgetContext(status));
        create(&client).await.unwrap_err();
        assert!(service.log().len() <= log.len() + 4, "{:?}", service.log());
        assert_eq!(service.open_shells(), 1);
    }
}

#[tokio::test]
async fn a_connection_closed_meanwhile_is_opened_again() {
    let service = service().start().await.unwrap();
    let client = client(&service);
    client.identify().await.unwrap();
    // Answered, then closed: known by the time of the next request.
    service.misbehave_times(Trigger::Envelope, 1, Misbehaviour::CloseAfter);
    create(&client).await.unwrap_err();
    create(&client).await.unwrap();
    assert_eq!(service.open_shells(), 2, "the first one, whose answer was lost, too");
}

#[tokio::test]
async fn a_connection_idle_for_90_seconds_is_not_used_again() {
    let service = service().start().await.unwrap();
    let client = client(&service);
    client.identify().await.unwrap();
    for (idle, connections) in [(89, 1), (91, 2), (60, 2)] {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(idle)).await;
        tokio::time::resume();
        client.identify().await.unwrap();
        assert_eq!(service.log().last().unwrap().connection, connections, "after {idle} s");
    }
}

#[tokio::test]
async fn an_answer_without_the_servers_proof_is_not_used() {
    for misbehaviour in [
        Misbehaviour::OmitMechListMic,
        Misbehaviour::WrongMechListMic,
        Misbehaviour::OmitLastToken,
        Misbehaviour::GarbledToken,
    ] {
        let service = service().misbehave(Trigger::LastToken, misbehaviour.clone()).start().await.unwrap();
        let client = client(&service);
        let error = client.identify().await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Negotiation(_)), "{misbehaviour:?}: {error:?}");
        // The connection is gone: the next request logs on anew.
        service.behave();
        client.identify().await.unwrap();
        assert_eq!(service.log().last().unwrap().connection, 2, "{misbehaviour:?}");
    }
    // Bare NTLM has neither list nor proof.
    let service = service().misbehave(Trigger::LastToken, Misbehaviour::OmitLastToken).start().await.unwrap();
    builder(&service, "right").auth_method(AuthMethod::Ntlm).build().unwrap().identify().await.unwrap();
}

#[tokio::test]
async fn damaged_answers_are_refused_and_their_connection_dropped() {
    for (misbehaviour, unknown) in [
        (Misbehaviour::BadMac, true),
        (Misbehaviour::DamagedCiphertext, true),
        (Misbehaviour::WrongLength, true),
        (Misbehaviour::Unsealed, true),
        (Misbehaviour::WrongRelatesTo, true),
        (Misbehaviour::Oversized, true),
        (Misbehaviour::CloseAfter, true),
        (Misbehaviour::Truncate(0), true),
        (Misbehaviour::Truncate(300), true),
        (Misbehaviour::Document("<html/>".into()), true),
        (Misbehaviour::Html(502), true),
        (Misbehaviour::Status(500), true),
        (Misbehaviour::Status(413), false),
        (Misbehaviour::Status(503), false),
        (Misbehaviour::Fault(FaultCode::QUOTA_LIMIT), false),
    ] {
        let service = service().start().await.unwrap();
        let client = client(&service);
        client.identify().await.unwrap();
        service.misbehave(Trigger::action(uri::ACTION_CREATE), misbehaviour.clone());
        let Err(error) = create(&client).await else { panic!("{misbehaviour:?} went unnoticed") };
        assert_eq!(error.is_outcome_unknown(), unknown, "{misbehaviour:?}: {error:?}");
        assert_eq!(error.step(), Step::Exchange, "{misbehaviour:?}");
        let created = service.log().iter().filter(|entry| entry.action_name() == "Create").count();
        assert_eq!(created, 1, "{misbehaviour:?} was sent again");
        // A sealed, well-formed answer leaves the connection usable; any other does not.
        service.behave();
        client.identify().await.unwrap();
        let kept = matches!(
            misbehaviour,
            Misbehaviour::Fault(_) | Misbehaviour::WrongRelatesTo | Misbehaviour::Document(_)
        );
        assert_eq!(service.log().last().unwrap().connection == 1, kept, "{misbehaviour:?}");
    }
}

#[tokio::test]
async fn a_stalled_answer_ends_at_the_deadline() {
    for misbehaviour in [Misbehaviour::Stall, Misbehaviour::StallInBody(0), Misbehaviour::StallInBody(100)] {
        let service = service().start().await.unwrap();
        let client = client(&service);
        client.identify().await.unwrap();
        service.misbehave(Trigger::action(uri::ACTION_CREATE), misbehaviour.clone());
        let asking = tokio::spawn({
            let client = client.clone();
            async move { create(&client).await }
        });
        while service.log().len() < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!asking.is_finished());
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(31)).await;
        tokio::time::resume();
        let error = asking.await.unwrap().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Deadline(_)), "{misbehaviour:?}: {error:?}");
        assert!(error.is_outcome_unknown());
    }
}

#[tokio::test]
async fn requests_are_limited_to_what_the_service_takes() {
    let service = service().start().await.unwrap();
    let client = client(&service);
    let mut header = client.header(uri::RESOURCE_URI_CMD, uri::ACTION_CREATE);
    header.selectors.clear();
    let shell = Shell { working_directory: Some("x".repeat(600_000)), ..Shell::default() };
    let error = client.request(Message::new(header, Body::Create(Box::new(shell)))).await.unwrap_err();
    let too_large = matches!(error.kind(), ErrorKind::RequestTooLarge { .. })
        || error.fault().is_some_and(|fault| fault.wsman_code() == Some(FaultCode::HTTP_REQUEST_TOO_LARGE));
    assert!(too_large, "{error:?}");
}

#[tokio::test]
async fn a_probe_finds_the_schemes_without_logging_on() {
    let service = service().start().await.unwrap();
    let found = probe(&Client::builder(service.url()).unwrap()).await.unwrap();
    assert_eq!(found.schemes, ["Negotiate"]);
    assert_eq!(found.status, 401);
    assert!(found.server.is_some());
    assert!(found.identity.is_some());
    assert!(service.log().logons().is_empty());
}

#[tokio::test]
async fn a_closed_client_says_so() {
    let service = service().start().await.unwrap();
    let client = client(&service);
    client.identify().await.unwrap();
    client.clone().close().await;
    let error = client.identify().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Closed), "{error:?}");
}

#[tokio::test]
async fn many_requests_at_once_share_a_bounded_number_of_connections() {
    let service = service().start().await.unwrap();
    let client = client(&service);
    let tasks: Vec<_> = (0..40)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.identify().await.map(|_| ()) })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert!(service.log().iter().map(|entry| entry.connection).max().unwrap() <= 8);
}
