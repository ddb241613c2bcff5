//! Log-on: by connection, by token, and never by anything else.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use support::{Client, Context, PASSWORD, Raw, USER, builder, challenge, negotiate, sealed_type};
use winrm_loopback::{AuthStep, Service};
use winrm_spnego::token::NegotiationToken;
use winrm_wsman::{Body, Message, Shell, uri};

fn create() -> Vec<u8> {
    let header = winrm_wsman::Header::request("http://h/wsman", uri::RESOURCE_URI_CMD, uri::ACTION_CREATE);
    Message::new(header, Body::Create(Box::default())).encode().unwrap().to_vec()
}

#[tokio::test]
async fn a_first_request_is_told_what_is_offered() {
    let service = builder().start().await.unwrap();
    let mut raw = Raw::connect(&service).await;
    let reply = raw.post(&[("Content-Type", "application/soap+xml")], b"<x/>").await.unwrap();
    assert_eq!((reply.status, reply.header("www-authenticate")), (401, Some("Negotiate")));
    assert!(reply.header("server").unwrap().starts_with("winrm-loopback/"));
    let reply = raw.post(&[("Authorization", "Basic YTpi")], b"").await.unwrap();
    assert_eq!((reply.status, reply.header("www-authenticate")), (401, Some("Negotiate")));
    let reply = raw.post(&[("Authorization", "Negotiate ////")], b"").await.unwrap();
    assert_eq!((reply.status, reply.header("www-authenticate")), (401, Some("Negotiate")));
    assert_eq!(service.log().logons(), []);
}

#[tokio::test]
async fn spnego_ends_with_a_token_and_bare_ntlm_without() {
    let service = builder().start().await.unwrap();
    // Both check in `log_on_with` that the last token is right.
    Client::log_on_with(&service, Context::spnego(USER, PASSWORD)).await.create().await;
    Client::log_on_with(&service, Context::bare(USER, PASSWORD)).await.create().await;
    let log = service.log();
    assert!(log.logons().iter().all(|logon| logon.is_success() && logon.user == USER));
    assert_eq!(log.logons().len(), 2);
    let steps: Vec<_> = log.iter().map(|entry| (entry.connection, entry.auth, entry.status)).collect();
    let (one, two, used) = (AuthStep::Token(1), AuthStep::Token(2), AuthStep::Authenticated);
    let expected = [1, 2].map(|n| [(n, one, Some(401)), (n, two, Some(200)), (n, used, Some(200))]).concat();
    assert_eq!(steps, expected);
    assert_eq!(log[0].headers("content-length"), ["0"]);
    assert_eq!(log[0].request_line(), "POST /wsman HTTP/1.1");
}

#[tokio::test]
async fn the_last_token_may_bring_a_sealed_envelope() {
    for mut context in [Context::spnego(USER, PASSWORD), Context::bare(USER, PASSWORD)] {
        let service = builder().start().await.unwrap();
        let mut raw = Raw::connect(&service).await;
        let token = challenge(&mut raw, &mut context).await;
        let sealed = context.seal(&create());
        let headers = [("Authorization", negotiate(&token)), ("Content-Type", sealed_type())];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let reply = raw.post(&headers, &sealed).await.unwrap();
        assert_eq!(reply.status, 200);
        context.finish(reply.header("www-authenticate").and_then(|_| reply.token()).as_deref());
        let answer = Message::decode(&context.open(&reply).unwrap()).unwrap();
        assert!(matches!(answer.body, Body::CreateResponse(_)));
        assert_eq!(service.log().actions(), ["-", "Create"]);
        assert!(service.log()[1].sealed);
    }
}

async fn refused(service: &Service, mut context: Context, change: impl FnOnce(&mut Vec<u8>)) {
    let mut raw = Raw::connect(service).await;
    let mut token = challenge(&mut raw, &mut context).await;
    change(&mut token);
    let reply = raw.post(&[("Authorization", &negotiate(&token))], b"").await.unwrap();
    assert_eq!((reply.status, reply.header("www-authenticate")), (401, Some("Negotiate")));
    // Nobody is logged on now, and nothing goes on from here.
    let reply = raw.post(&[("Content-Type", &sealed_type())], b"sealed").await.unwrap();
    assert_eq!((reply.status, reply.header("www-authenticate")), (401, Some("Negotiate")));
}

#[tokio::test]
async fn a_wrong_password_is_refused_once() {
    let service = builder().start().await.unwrap();
    for context in [Context::spnego(USER, "wrong"), Context::bare(USER, "wrong")] {
        refused(&service, context, |_| {}).await;
    }
    refused(&service, Context::spnego("nobody", PASSWORD), |_| {}).await;
    let log = service.log();
    let logons: Vec<_> = log
        .logons()
        .iter()
        .map(|logon| (logon.connection, logon.user.as_str(), logon.is_success()))
        .collect();
    assert_eq!(logons, [(1, USER, false), (2, USER, false), (3, "nobody", false)]);
    let text = format!("{log:?}");
    assert!(!text.contains(PASSWORD) && !text.contains("wrong horse"));
}

#[tokio::test]
async fn a_changed_token_is_refused() {
    let service = builder().start().await.unwrap();
    // In the version, which means nothing, and in the MIC itself (MS-NLMP 2.2.1.3).
    refused(&service, Context::bare(USER, PASSWORD), |token| token[64] ^= 1).await;
    refused(&service, Context::bare(USER, PASSWORD), |token| token[72] ^= 1).await;
    refused(&service, Context::spnego(USER, PASSWORD), |token| {
        let Ok(NegotiationToken::Resp(mut resp)) = NegotiationToken::decode(token) else { panic!() };
        resp.mech_list_mic.as_mut().unwrap()[5] ^= 1;
        *token = resp.encode().unwrap();
    })
    .await;
    let log = service.log();
    let reasons: Vec<_> = log.logons().iter().map(|logon| logon.failure.clone().unwrap()).collect();
    assert_eq!(reasons.len(), 3);
    assert!(reasons[0].contains("MIC") && reasons[1].contains("MIC"), "{reasons:?}");
    assert!(reasons[2].contains("mechListMIC"), "{reasons:?}");
}

#[tokio::test]
async fn a_mech_list_mic_that_is_due_is_waited_for() {
    let service = builder().start().await.unwrap();
    let mut raw = Raw::connect(&service).await;
    let mut context = Context::spnego(USER, PASSWORD);
    let token = challenge(&mut raw, &mut context).await;
    let Ok(NegotiationToken::Resp(mut resp)) = NegotiationToken::decode(&token) else { panic!() };
    resp.mech_list_mic = None;
    let reply = raw.post(&[("Authorization", &negotiate(&resp.encode().unwrap()))], b"").await.unwrap();
    // Not 200: the negotiation is not over.
    assert_eq!(reply.status, 401);
    assert_eq!(service.log().logons(), []);
}

#[tokio::test]
async fn a_log_on_belongs_to_its_connection() {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    client.create().await;
    let sealed = client.context.seal(&create());
    let mut other = Raw::connect(&service).await;
    let reply = other.post(&[("Content-Type", &sealed_type())], &sealed).await.unwrap();
    assert_eq!(reply.status, 401);
}

#[tokio::test]
async fn a_token_on_an_authenticated_connection_begins_again() {
    let service = Service::builder()
        .account(USER, PASSWORD)
        .account(r"EXAMPLE\other", "another password")
        .start()
        .await
        .unwrap();
    let mut client = Client::log_on(&service).await;
    let shell = client.create_with(Shell::default()).await;
    let mut context = Context::spnego(r"EXAMPLE\other", "another password");
    let token = challenge(&mut client.raw, &mut context).await;
    let reply = client.raw.post(&[("Authorization", &negotiate(&token))], b"").await.unwrap();
    assert_eq!(reply.status, 200);
    context.finish(reply.token().as_deref());
    client.context = context;
    // Somebody else now, who has no business with that shell.
    let header = client.header(uri::ACTION_DELETE, &shell);
    assert_eq!(client.fault(header, Body::Delete).await, 2_150_858_843);
    client.create().await;
    assert_eq!(service.log().last().unwrap().user.as_deref(), Some(r"EXAMPLE\other"));
}

#[tokio::test]
async fn a_first_token_again_starts_the_negotiation_again() {
    let service = builder().start().await.unwrap();
    let mut raw = Raw::connect(&service).await;
    challenge(&mut raw, &mut Context::spnego(USER, "abandoned")).await;
    let mut context = Context::bare(USER, PASSWORD);
    let token = challenge(&mut raw, &mut context).await;
    let reply = raw.post(&[("Authorization", &negotiate(&token))], b"").await.unwrap();
    assert_eq!(reply.status, 200);
}
