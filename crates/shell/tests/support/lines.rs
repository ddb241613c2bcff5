//! Command lines as a host gets them: what `winrm_shell::Command` sends, read by the service on the other side.

use std::sync::{Arc, Mutex};

use winrm_loopback::{Invocation, Io, Service};
use winrm_shell::Shell;
use winrm_transport::{Client, Credentials};

/// A shell on a service that runs nothing.
pub(crate) struct Lines {
    shell: Shell,
    last: Arc<Mutex<Option<Invocation>>>,
    _service: Service,
}

impl Lines {
    pub(crate) async fn open() -> Self {
        let last = Arc::<Mutex<Option<Invocation>>>::default();
        let seen = Arc::clone(&last);
        let handler = move |invocation: Invocation, _: Io| {
            *seen.lock().unwrap() = Some(invocation);
            std::future::ready(0)
        };
        let service = Service::builder().account("user", "password").handler(handler).start().await.unwrap();
        let client = Client::builder(service.url()).unwrap();
        let client = client.credentials(Credentials::password("user", "password")).build().unwrap();
        let shell = Shell::builder(&client).open().await.unwrap();
        Self { shell, last, _service: service }
    }

    /// What the service is asked to run for a program and its arguments.
    pub(crate) async fn of(&self, argv: &[String]) -> Invocation {
        let (program, arguments) = argv.split_first().unwrap();
        let status = self.shell.command(program).args(arguments).status().await.unwrap();
        assert!(status.success());
        self.last.lock().unwrap().take().unwrap()
    }
}
