//! Many hosts through the facade.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;

use winrm::fleet::{EventKind, Outcome, Reporter, Summary};
use winrm::{Client, ClientBuilder, Credentials, ErrorKind};
use winrm_loopback::{Invocation, Io, Service};

async fn services(count: usize) -> Vec<Service> {
    let mut services = Vec::new();
    for _ in 0..count {
        let handler = |_: Invocation, _: Io| async { 0 };
        services.push(Service::builder().account("EX\\ops", "right").handler(handler).start().await.unwrap());
    }
    services
}

fn builders(services: &[Service], user: &str, password: &str) -> Vec<ClientBuilder> {
    services
        .iter()
        .map(|service| {
            Client::builder(service.url()).unwrap().credentials(Credentials::password(user, password))
        })
        .collect()
}

fn log_ons(services: &[Service]) -> usize {
    services.iter().map(|service| service.log().logons().len()).sum()
}

async fn run(fleet: winrm::fleet::Fleet<Client, (), winrm::CommandError>) -> (Summary, Vec<usize>) {
    let mut summary = Summary::new();
    let mut withheld = Vec::new();
    let mut events = fleet.parallel(50).run(|client, _: Reporter<()>| async move {
        let status = client.command("x").status().await;
        client.close().await;
        status.map(drop)
    });
    while let Some(event) = events.next().await {
        let EventKind::Ended(outcome) = event.kind else { continue };
        if let Outcome::Failed(error) = &outcome
            && matches!(error.transport().unwrap().kind(), ErrorKind::LogOnWithheld { .. })
        {
            withheld.push(event.host);
        }
        summary.record(event.host, "host", &outcome);
    }
    (summary, withheld)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_host_is_acted_on_and_its_end_is_told_once() {
    let services = services(20).await;
    let (summary, _) = run(winrm::fleet(builders(&services, "EX\\ops", "right")).unwrap()).await;
    assert_eq!((summary.done(), summary.total(), log_ons(&services) >= 20), (20, 20, true));
    assert!(services.iter().all(|service| service.open_shells() == 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_one_log_on_however_the_user_is_spelt() {
    let services = services(20).await;
    let mut all = builders(&services, "EX\\ops", "wrong");
    all.truncate(10);
    all.extend(builders(&services, "ex\\OPS", "wrong").split_off(10));
    let (summary, withheld) = run(winrm::fleet(all).unwrap()).await;
    assert_eq!((summary.failed(), log_ons(&services)), (20, 1));
    assert_eq!(withheld.iter().collect::<BTreeSet<_>>().len(), 19);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_by_name_is_every_host_tried() {
    let services = services(5).await;
    let fleet = winrm::dangerous_fleet_without_log_on_guard(builders(&services, "EX\\ops", "wrong")).unwrap();
    let (summary, withheld) = run(fleet).await;
    assert_eq!((summary.failed(), withheld.len(), log_ons(&services)), (5, 0, 5));
}
