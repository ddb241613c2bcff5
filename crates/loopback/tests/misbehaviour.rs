//! The service does wrong what it is told to, and nothing else.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::time::{Duration, Instant};

use support::{Client, Context, PASSWORD, Raw, USER, builder, challenge, negotiate, sealed_type};
use winrm_loopback::{Misbehaviour, Service, Trigger};
use winrm_wsman::{Body, FaultCode, Message, uri};

fn create(client: &Client) -> Message {
    Message::new(client.header(uri::ACTION_CREATE, ""), Body::Create(Box::default()))
}

/// Sends a Create to a service that does this wrong, and gives what came back.
async fn create_under(misbehaviour: Misbehaviour) -> (Service, Client, Message, Option<support::Reply>) {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    service.misbehave_times(Trigger::action(uri::ACTION_CREATE), 1, misbehaviour);
    let request = create(&client);
    let reply = client.send(&request.encode().unwrap()).await;
    (service, client, request, reply)
}

#[tokio::test]
async fn the_combined_form_is_refused_and_the_other_is_not() {
    for status in [400, 411, 415, 500] {
        let service =
            builder().misbehave(Trigger::Combined, Misbehaviour::Status(status)).start().await.unwrap();
        let mut raw = Raw::connect(&service).await;
        let mut context = Context::spnego(USER, PASSWORD);
        let token = challenge(&mut raw, &mut context).await;
        let sealed = context.seal(&Message::identify().encode().unwrap());
        let headers = [("Authorization", negotiate(&token)), ("Content-Type", sealed_type())];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let reply = raw.post(&headers, &sealed).await.unwrap();
        assert_eq!((reply.status, reply.body.len()), (status, 0));
        assert_eq!(service.log().logons(), [], "nobody looked at the token");
        Client::log_on(&service).await.create().await;
        assert_eq!(service.log().logons().len(), 1);
    }
}

#[tokio::test]
async fn a_context_is_forgotten() {
    let third = Trigger::NthEnvelope(3);
    let delete = Trigger::action(uri::ACTION_DELETE);
    for (status, trigger) in [(401, third.clone()), (400, third), (401, delete.clone()), (400, delete)] {
        let service = builder().start().await.unwrap();
        let mut client = Client::log_on(&service).await;
        let shell = client.create().await;
        client.create().await;
        service.misbehave(trigger, Misbehaviour::ForgetContext(status));
        let request = Message::new(client.header(uri::ACTION_DELETE, &shell), Body::Delete).encode().unwrap();
        let reply = client.send(&request).await.unwrap();
        assert_eq!((reply.status, reply.body.len()), (status, 0));
        service.behave();
        assert_eq!(client.send(&request).await.unwrap().status, 401, "and stays forgotten");
        assert_eq!(service.open_shells(), 2, "nothing was done");
    }
}

#[tokio::test]
async fn answers_that_are_none() {
    let (service, ..) = {
        let begun = create_under(Misbehaviour::CloseBefore).await;
        assert!(begun.3.is_none());
        begun
    };
    assert_eq!((service.open_shells(), service.log().last().unwrap().status), (0, None));
    let (service, _, _, reply) = create_under(Misbehaviour::CloseAfter).await;
    assert!(reply.is_none());
    assert_eq!((service.open_shells(), service.log().last().unwrap().status), (1, None));
    let (service, _, _, reply) = create_under(Misbehaviour::Truncate(100)).await;
    assert!(reply.is_none());
    assert_eq!(service.open_shells(), 1);

    for misbehaviour in [Misbehaviour::Stall, Misbehaviour::StallInBody(100)] {
        let service = builder().start().await.unwrap();
        let mut client = Client::log_on(&service).await;
        service.misbehave(Trigger::Envelope, misbehaviour);
        let request = create(&client).encode().unwrap();
        let stalled = tokio::time::timeout(Duration::from_millis(200), client.send(&request)).await;
        assert!(stalled.is_err());
        // Others are served meanwhile.
        service.behave();
        Client::log_on(&service).await.create().await;
    }
}

#[tokio::test]
async fn answers_that_are_not_sealed() {
    let (service, _, _, reply) = create_under(Misbehaviour::Unsealed).await;
    let reply = reply.unwrap();
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, Some("application/soap+xml;charset=UTF-8"))
    );
    assert!(matches!(Message::decode(&reply.body).unwrap().body, Body::CreateResponse(_)));
    assert_eq!(service.open_shells(), 1);
    let (service, _, _, reply) = create_under(Misbehaviour::Html(200)).await;
    let reply = reply.unwrap();
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(reply.body.starts_with(b"<html>"));
    assert_eq!(service.open_shells(), 0);
    let (service, mut client, _, reply) = create_under(Misbehaviour::Status(503)).await;
    assert_eq!(reply.unwrap().status, 503);
    assert_eq!(service.open_shells(), 0);
    assert_eq!(service.log().last().unwrap().fault, None);
    // The context is still in step.
    client.create().await;
}

#[tokio::test]
async fn a_fault_in_clear() {
    let (service, mut client, _, reply) = create_under(Misbehaviour::ClearFault(500)).await;
    let reply = reply.unwrap();
    let soap = Some("application/soap+xml;charset=UTF-8");
    assert_eq!((reply.status, reply.header("content-type")), (500, soap));
    let answer = Message::decode(&reply.body).unwrap();
    assert_eq!(answer.as_fault().unwrap().wsman_code(), Some(FaultCode::ACCESS_DENIED));
    assert_eq!(answer.header.relates_to, None);
    assert_eq!(service.open_shells(), 0, "nothing was done");
    assert_eq!(service.log().last().unwrap().fault, Some(FaultCode::ACCESS_DENIED));
    // The context is still in step.
    client.create().await;

    // Before anybody has logged on, too.
    service.misbehave_times(Trigger::FirstToken, 1, Misbehaviour::ClearFault(403));
    let first = Context::spnego(USER, PASSWORD).step(None).unwrap();
    let mut raw = Raw::connect(&service).await;
    let reply = raw.post(&[("Authorization", &negotiate(&first))], b"").await.unwrap();
    assert_eq!((reply.status, reply.header("content-type")), (403, soap));
    assert!(Message::decode(&reply.body).unwrap().as_fault().is_some());
}

#[tokio::test]
async fn answers_that_are_sealed_badly() {
    for misbehaviour in [Misbehaviour::BadMac, Misbehaviour::DamagedCiphertext, Misbehaviour::WrongLength] {
        let (_, mut client, _, reply) = create_under(misbehaviour.clone()).await;
        let reply = reply.unwrap();
        assert_eq!(reply.status, 200);
        assert!(client.context.open(&reply).is_err(), "{misbehaviour:?}");
    }
}

#[tokio::test]
async fn answers_that_say_the_wrong_thing() {
    let document = bytes::Bytes::from_static(b"<not-soap/>");
    let (_, mut client, _, reply) = create_under(Misbehaviour::Document(document.clone())).await;
    assert_eq!(client.context.open(&reply.unwrap()).unwrap(), document);

    let (service, mut client, request, reply) = create_under(Misbehaviour::WrongRelatesTo).await;
    let answer = Message::decode(&client.context.open(&reply.unwrap()).unwrap()).unwrap();
    assert!(!answer.header.relates_to(&request.header) && answer.header.relates_to.is_some());
    assert_eq!(service.open_shells(), 1);

    let (service, mut client, request, reply) =
        create_under(Misbehaviour::Fault(FaultCode::ACCESS_DENIED)).await;
    let reply = reply.unwrap();
    let answer = Message::decode(&client.context.open(&reply).unwrap()).unwrap();
    assert_eq!((reply.status, answer.as_fault().unwrap().wsman_code().unwrap().0), (500, 5));
    assert!(answer.header.relates_to(&request.header));
    assert_eq!(service.open_shells(), 0);
    assert_eq!(service.log().last().unwrap().fault, Some(FaultCode::ACCESS_DENIED));

    let (_, mut client, _, reply) = create_under(Misbehaviour::Oversized).await;
    let plaintext = client.context.open(&reply.unwrap()).unwrap();
    assert_eq!(plaintext.len(), 153_601);
    Message::decode(&plaintext).unwrap();
}

#[tokio::test]
async fn an_answer_takes_its_time() {
    let begin = Instant::now();
    let (_, mut client, _, reply) = create_under(Misbehaviour::Delay(Duration::from_millis(150))).await;
    assert!(begin.elapsed() >= Duration::from_millis(150));
    client.context.open(&reply.unwrap()).unwrap();
}

/// The client's last step after a log-on to a service that does this wrong.
async fn last_step(misbehaviour: Misbehaviour) -> (Option<Vec<u8>>, bool) {
    let service = builder().misbehave(Trigger::LastToken, misbehaviour).start().await.unwrap();
    let mut raw = Raw::connect(&service).await;
    let mut context = Context::spnego(USER, PASSWORD);
    let token = challenge(&mut raw, &mut context).await;
    let reply = raw.post(&[("Authorization", &negotiate(&token))], b"").await.unwrap();
    assert_eq!(reply.status, 200);
    let token = reply.header("www-authenticate").and_then(|_| reply.token());
    let Context::Spnego(mut initiator) = context else { panic!() };
    let accepted = initiator.step(token.as_deref()).is_ok();
    (token, accepted)
}

#[tokio::test]
async fn last_tokens_that_prove_nothing() {
    let (good, accepted) = last_step(Misbehaviour::Delay(Duration::ZERO)).await;
    assert!(accepted);
    for misbehaviour in
        [Misbehaviour::OmitMechListMic, Misbehaviour::WrongMechListMic, Misbehaviour::GarbledToken]
    {
        let (token, accepted) = last_step(misbehaviour.clone()).await;
        assert!(!accepted && token.is_some() && token != good, "{misbehaviour:?}");
    }
    assert_eq!(last_step(Misbehaviour::OmitLastToken).await, (None, false));
}

#[tokio::test]
async fn a_first_token_is_answered_badly() {
    let service = builder().start().await.unwrap();
    service.misbehave_times(Trigger::FirstToken, 1, Misbehaviour::GarbledToken);
    let mut raw = Raw::connect(&service).await;
    let first = Context::spnego(USER, PASSWORD).step(None).unwrap();
    let reply = raw.post(&[("Authorization", &negotiate(&first))], b"").await.unwrap();
    assert_eq!((reply.status, reply.token().unwrap()), (401, b"this is no token".to_vec()));
    service.misbehave_times(Trigger::Always, 1, Misbehaviour::Html(407));
    assert_eq!(raw.post(&[], b"").await.unwrap().status, 407);
    Client::log_on(&service).await.create().await;
}
