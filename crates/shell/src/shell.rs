//! A shell: the place on the host in which processes run (MS-WSMV 3.1.4.5.2).

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::oneshot;
use tracing::Instrument;
use winrm_transport::{Client, Place, Places};
use winrm_wsman::{Body, Header, Message, Quota, Selector, Variable, WsOption, XsDuration, message_id, uri};

use crate::command::Command;
use crate::error::Error;

/// How long the answer to a Create that nobody waits for any more is waited for, so that its shell can be deleted.
const ORPHAN_GRACE: Duration = Duration::from_secs(1);

/// How long a process that is not wanted any more may take to leave nothing behind.
pub(crate) const TIDYING: Duration = Duration::from_secs(2);

/// UTF-8.
pub const DEFAULT_CODEPAGE: u32 = 65001;

/// What a shell is opened with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) codepage: u32,
    pub(crate) no_profile: bool,
    pub(crate) current_dir: Option<String>,
    pub(crate) environment: Vec<Variable>,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) lifetime: Option<Duration>,
    pub(crate) name: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            codepage: DEFAULT_CODEPAGE,
            no_profile: false,
            current_dir: None,
            environment: Vec::new(),
            idle_timeout: None,
            lifetime: None,
            name: None,
        }
    }
}

/// Opens a [`Shell`].
#[derive(Clone, Debug)]
pub struct ShellBuilder {
    client: Client,
    settings: Settings,
}

impl ShellBuilder {
    /// A shell of `client`'s host, with code page 65001 (UTF-8), the user's profile, directory and environment.
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone(), settings: Settings::default() }
    }

    /// The console's code page, which is the encoding of what most programs write; 65001 (UTF-8) unless set.
    pub fn codepage(mut self, codepage: u32) -> Self {
        self.settings.codepage = codepage;
        self
    }

    /// Does not load the user's profile (`WINRS_NOPROFILE`): faster, and without its environment.
    pub fn no_profile(mut self, no_profile: bool) -> Self {
        self.settings.no_profile = no_profile;
        self
    }

    /// The directory processes start in; the user's profile folder unless set.
    pub fn current_dir(mut self, directory: impl Into<String>) -> Self {
        self.settings.current_dir = Some(directory.into());
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.environment.push(Variable::new(name, value));
        self
    }

    /// How long the service keeps the shell while nobody uses it; the service's own setting (two hours by default)
    /// unless set.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.settings.idle_timeout = Some(timeout);
        self
    }

    /// How long the service keeps the shell at all, in use or not (`rsp:Lifetime`); as long as it likes unless set. What it makes of it
    /// is its own affair: recorded Windows hosts echo it.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.lifetime = Some(lifetime);
        self
    }

    /// A name by which administrators may know it (`rsp:Name`).
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.settings.name = Some(name.into());
        self
    }

    /// Opens it.
    ///
    /// # Errors
    /// [`Error::Open`] with the service's or the network's reason.
    pub async fn open(self) -> Result<Shell, Error> {
        Ok(Shell { inner: ShellInner::open(&self.client, &self.settings).await? })
    }
}

/// An open shell. Commands in it share its directory, environment and code page, and may run at the same time.
///
/// Clones share the shell. When the last one and all its processes are dropped, it is deleted behind the caller's
/// back; [`Client::close`] waits for that. [`close`](Self::close) does it at once and tells of errors.
#[derive(Clone)]
pub struct Shell {
    inner: Arc<ShellInner>,
}

impl Shell {
    pub(crate) fn of(inner: Arc<ShellInner>) -> Self {
        Self { inner }
    }

    pub(crate) fn inner(&self) -> &Arc<ShellInner> {
        &self.inner
    }

    /// A builder for a shell on `client`'s host.
    pub fn builder(client: &Client) -> ShellBuilder {
        ShellBuilder::new(client)
    }

    /// A command to run in this shell.
    pub fn command(&self, program: impl Into<String>) -> Command {
        Command::in_shell(Arc::clone(&self.inner), program.into())
    }

    /// A whole line for the shell's command interpreter, `cmd`, sent as it is: `dir | findstr x`.
    pub fn raw_command(&self, line: impl Into<String>) -> Command {
        self.command(line).into_raw_line()
    }

    /// A PowerShell script in a `powershell.exe` of its own, as [`Command::powershell`] runs it.
    pub fn powershell(&self, script: impl AsRef<str>) -> Command {
        self.command(String::new()).into_powershell(script.as_ref())
    }

    /// The id the service gave it.
    pub fn id(&self) -> &str {
        &self.inner.id
    }

    /// Deletes the shell; processes still running in it end.
    ///
    /// # Errors
    /// [`Error::Delete`]. That the shell is gone already is no error.
    pub async fn close(self) -> Result<(), Error> {
        self.inner.delete().await.map_err(|error| Error::Delete(Arc::new(error)))
    }
}

impl fmt::Debug for Shell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shell").field(&self.inner.id).finish()
    }
}

/// What every request to a shell needs. Dropping the last handle deletes it.
pub(crate) struct ShellInner {
    client: Client,
    id: String,
    resource_uri: String,
    /// Windows refuses Disconnect for a shell created without one, and wants it in every request to one with.
    session_id: String,
    deleted: AtomicBool,
    /// It goes on without us.
    left: AtomicBool,
    /// What runs in it is about to end by itself, and leave nothing behind.
    tidying: AtomicBool,
    /// Given back once it is deleted.
    place: Mutex<Option<Place>>,
    /// Of its own processes.
    processes: Places,
    /// Its end tells [`delete_at_closing`] that there is nothing left to do.
    _alive: oneshot::Sender<()>,
}

/// A client that is closed takes its shells along, also those that somebody still holds.
async fn delete_at_closing(shell: Weak<ShellInner>, client: Client, mut gone: oneshot::Receiver<()>) {
    tokio::select! {
        _ = &mut gone => return,
        () = client.closing() => {}
    }
    if shell.upgrade().is_some_and(|shell| shell.is_tidying()) {
        tokio::select! {
            _ = &mut gone => return,
            () = tokio::time::sleep(TIDYING) => {}
        }
    }
    // Apart, so that the wait for it is small: there is one for each shell.
    if let Some(shell) = shell.upgrade()
        && let Err(error) = Box::pin(shell.delete()).await
    {
        tracing::warn!(endpoint = %client.endpoint(), shell = shell.id, %error, "shell could not be deleted");
    }
}

impl ShellInner {
    pub(crate) async fn open(client: &Client, settings: &Settings) -> Result<Arc<Self>, Error> {
        let session_id = message_id();
        let mut header = client.header(uri::RESOURCE_URI_CMD, uri::ACTION_CREATE);
        header.session_id = Some(session_id.clone());
        let flag = |on| if on { "TRUE" } else { "FALSE" };
        header.options = vec![
            WsOption::new(uri::OPTION_NO_PROFILE, flag(settings.no_profile)),
            WsOption::new(uri::OPTION_CODEPAGE, settings.codepage.to_string()),
        ];
        let body = winrm_wsman::Shell {
            environment: settings.environment.clone(),
            working_directory: settings.current_dir.clone(),
            idle_timeout: settings.idle_timeout.and_then(|timeout| XsDuration::try_from(timeout).ok()),
            lifetime: settings.lifetime.and_then(|lifetime| XsDuration::try_from(lifetime).ok()),
            name: settings.name.clone(),
            input_streams: vec!["stdin".to_owned()],
            output_streams: vec!["stdout".to_owned(), "stderr".to_owned()],
            ..winrm_wsman::Shell::default()
        };
        let (answer, place) =
            create(client, header, body).await.map_err(|error| Error::Open(Arc::new(error)))?;
        let Body::CreateResponse(created) = answer.body else {
            return Err(Error::Open(Arc::new(client.unexpected(&answer.header))));
        };
        let id = created.shell_id().ok_or(Error::NoShellId)?.to_owned();
        tracing::debug!(endpoint = %client.endpoint(), shell = id, "shell opened");
        Ok(Self::new(client, id, session_id, Some(place)))
    }

    /// One that was opened before.
    pub(crate) fn known(client: &Client, id: &str, session_id: &str) -> Arc<Self> {
        Self::new(client, id.to_owned(), session_id.to_owned(), None)
    }

    fn new(client: &Client, id: String, session_id: String, place: Option<Place>) -> Arc<Self> {
        // Later requests must name the resource as Create did, or the service finds no such shell.
        let resource_uri = uri::RESOURCE_URI_CMD.to_owned();
        let (alive, gone) = oneshot::channel();
        let shell = Arc::new(Self {
            client: client.clone(),
            id,
            resource_uri,
            session_id,
            deleted: AtomicBool::new(false),
            left: AtomicBool::new(false),
            tidying: AtomicBool::new(false),
            place: Mutex::new(place),
            processes: Places::new(),
            _alive: alive,
        });
        client.spawn_background(delete_at_closing(Arc::downgrade(&shell), client.clone(), gone));
        shell
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn session_id(&self) -> &str {
        &self.session_id
    }

    /// From now on nothing in it is ended on our behalf.
    pub(crate) fn leave(&self) {
        self.left.store(true, Ordering::Release);
        self.deleted.store(true, Ordering::Relaxed);
        drop(self.take_place());
    }

    /// Lets what runs in it end by itself for a while, even when the client is closed.
    #[cfg(feature = "files")]
    pub(crate) fn tidy(&self) {
        self.tidying.store(true, Ordering::Release);
    }

    fn is_tidying(&self) -> bool {
        self.tidying.load(Ordering::Acquire)
    }

    /// Ends when what runs in it is to end with the client.
    pub(crate) async fn closing(&self) {
        self.client.closing().await;
        if self.is_tidying() {
            tokio::time::sleep(TIDYING).await;
        }
    }

    pub(crate) fn is_left(&self) -> bool {
        self.left.load(Ordering::Acquire)
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn processes(&self) -> &Places {
        &self.processes
    }

    /// The place it has among the client's shells, to be given back.
    fn take_place(&self) -> Option<Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The header of a request to this shell.
    pub(crate) fn header(&self, action: &str) -> Header {
        let mut header = self.client.header(&self.resource_uri, action);
        header.session_id = Some(self.session_id.clone());
        header.selectors = vec![Selector::new(uri::SELECTOR_SHELL_ID, &self.id)];
        header
    }

    pub(crate) async fn request(
        &self,
        action: &str,
        options: Vec<WsOption>,
        body: Body,
    ) -> Result<Message, winrm_transport::Error> {
        let mut header = self.header(action);
        header.options = options;
        self.client.request(Message::new(header, body)).await
    }

    /// Deletes it. That it is gone already is what was wanted. Unless this succeeds, dropping the last handle tries again.
    async fn delete(&self) -> Result<(), winrm_transport::Error> {
        // Once, also when its last process ends at the same time.
        if self.deleted.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let deleting = Deleting { deleted: &self.deleted, done: false };
        let request = Message::new(self.header(uri::ACTION_DELETE), Body::Delete);
        forget_if_gone(self.client.request(request).await)?;
        deleting.done();
        drop(self.take_place());
        Ok(())
    }

    /// Deletes it behind the caller's back; `places` are given back after that.
    pub(crate) fn delete_in_background(&self, places: impl Send + 'static) {
        if self.deleted.swap(true, Ordering::Relaxed) {
            return;
        }
        let client = self.client.clone();
        let id = self.id.clone();
        let request = Message::new(self.header(uri::ACTION_DELETE), Body::Delete);
        let place = self.take_place();
        self.client.spawn_background(async move {
            if let Err(error) = forget_if_gone(client.request(request).await) {
                tracing::warn!(endpoint = %client.endpoint(), shell = id, %error, "shell could not be deleted");
            }
            drop((place, places));
        });
    }
}

/// A Delete under way. One that fails, or that nobody waits for any more, counts for nothing.
struct Deleting<'a> {
    deleted: &'a AtomicBool,
    done: bool,
}

impl Deleting<'_> {
    fn done(mut self) {
        self.done = true;
    }
}

impl Drop for Deleting<'_> {
    fn drop(&mut self) {
        self.deleted.store(self.done, Ordering::Relaxed);
    }
}

/// Creates a shell; where the service allows no more, waits until one of the client's own is gone.
async fn create(
    client: &Client,
    header: Header,
    body: winrm_wsman::Shell,
) -> Result<(Message, Place), winrm_transport::Error> {
    let mut request = Message::new(header, Body::Create(Box::new(body)));
    loop {
        let place = client.shells().take().await.ok_or_else(|| client.closed())?;
        let (answer, place) = create_once(client, request.clone(), place).await?;
        match answer {
            Ok(answer) => {
                place.granted();
                return Ok((answer, place));
            }
            Err(error) if is_shell_quota(&error) && place.refused() => {
                tracing::debug!(endpoint = %client.endpoint(), %error, "waiting for a place among the shells");
                request.header.message_id = Some(message_id());
            }
            Err(error) => return Err(error),
        }
    }
}

/// What came of a Create.
type Created = Result<Message, winrm_transport::Error>;

/// One Create. When whoever wants the shell is gone before the answer comes, it is deleted, and its place given back after
/// that: nobody else knows its id.
async fn create_once(
    client: &Client,
    request: Message,
    place: Place,
) -> Result<(Created, Place), winrm_transport::Error> {
    let (mut done, answer) = oneshot::channel();
    let creating = {
        let client = client.clone();
        async move {
            let session_id = request.header.session_id.clone();
            let abandoned = async {
                done.closed().await;
                tokio::time::sleep(ORPHAN_GRACE).await;
            };
            let answer = tokio::select! {
                answer = client.request(request) => answer,
                () = abandoned => return,
            };
            if let Err((Ok(orphan), _place)) = done.send((answer, place)) {
                delete_orphan(&client, session_id, &orphan).await;
            }
        }
    };
    client.spawn_background(creating.in_current_span());
    // It ends without an answer only with the runtime.
    answer.await.map_err(|_| client.closed())
}

async fn delete_orphan(client: &Client, session_id: Option<String>, created: &Message) {
    let Body::CreateResponse(created) = &created.body else { return };
    let Some(id) = created.shell_id() else { return };
    let mut header = client.header(uri::RESOURCE_URI_CMD, uri::ACTION_DELETE);
    header.session_id = session_id;
    header.selectors = vec![Selector::new(uri::SELECTOR_SHELL_ID, id)];
    if let Err(error) = forget_if_gone(client.request(Message::new(header, Body::Delete)).await) {
        tracing::warn!(endpoint = %client.endpoint(), shell = id, %error, "shell could not be deleted");
    }
}

fn is_shell_quota(error: &winrm_transport::Error) -> bool {
    matches!(error.quota(), Some(Quota::ShellsPerUser | Quota::PluginShellsPerUser | Quota::PluginShells))
}

impl Drop for ShellInner {
    fn drop(&mut self) {
        self.delete_in_background(());
    }
}

/// Clean-up after a reboot or a time-out finds nothing to clean.
pub(crate) fn forget_if_gone(
    result: Result<Message, winrm_transport::Error>,
) -> Result<(), winrm_transport::Error> {
    match result {
        Ok(_) => Ok(()),
        Err(error) if error.is_shell_gone() => Ok(()),
        Err(error) => Err(error),
    }
}
