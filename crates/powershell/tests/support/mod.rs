//! A service, and a client for it.
// Each test file uses its part.
#![allow(dead_code)]

use winrm_loopback::{PowerShellHandler, Service};
use winrm_powershell::PsValue;
use winrm_transport::{Client, Credentials};

pub(crate) async fn service(handler: impl PowerShellHandler) -> Service {
    Service::builder().account("tester", "correct horse").powershell(handler).start().await.unwrap()
}

pub(crate) fn connect(service: &Service) -> Client {
    Client::builder(service.url())
        .unwrap()
        .credentials(Credentials::password("tester", "correct horse"))
        .build()
        .unwrap()
}

pub(crate) fn text(value: &PsValue) -> String {
    value.as_ps_string().unwrap().to_string()
}

/// Names of the actions that were asked for so far.
pub(crate) fn actions(service: &Service) -> Vec<String> {
    service.log().actions().iter().map(|action| (*action).to_owned()).collect()
}
