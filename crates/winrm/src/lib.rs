//! Commands on Windows hosts over WinRM, authenticated by NTLM and sealed, from any platform.
//!
//! ```no_run
//! use winrm::{Client, Credentials};
//!
//! # async fn run(password: &str) -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder("web01.example.com")?
//!     .credentials(Credentials::password("EXAMPLE\\ops", password))
//!     .build()?;
//! let output = client.command("ipconfig").arg("/all").output().await?;
//! print!("{}", String::from_utf8_lossy(&output.stdout));
//! println!("{}", output.status);
//! client.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! Nothing has to be prepared on the host: plain HTTP on port 5985, every message sealed, which is what Windows
//! allows out of the box. Over `https://` TLS protects messages, the log-on is bound to the channel, and a self-signed
//! listener is accepted by its [`Pin`]. Clear text over HTTP takes an option that is named so.
//!
//! This crate is thin: [`Client`] and re-exports. Remote processes are `winrm-shell`'s and mirror `tokio::process`,
//! connections are [`transport`]'s. What is dropped is cleaned up behind the caller's back; [`Client::close`] waits
//! for it, so call it before the runtime ends.
//!
//! Left out so far: Kerberos, CredSSP.
//!
//! # Features
//!
//! | feature | default | gives |
//! |---|---|---|
//! | `tls` | yes | `https://` endpoints, by rustls with ring |
//! | `tls-native` | no | a second implementation of TLS, by OpenSSL, for hosts that rustls does not get along with |
//! | `pkcs12` | no | client certificates from PKCS#12 files, beside PEM |
//! | `encoding` | no | `shell::Decoder`, and text of outputs by the code pages of consoles |
//! | `powershell` | yes | [`Client::runspace_pool`]: PowerShell remoting |
//! | `shell` | yes | [`Client::command`], [`Client::raw_command`], [`Client::shell`] |
//! | `fleet` | yes | [`fleet()`]: one action on many hosts |
//! | `files` | yes | [`Client::upload`], [`Client::download`] |
//! | `blocking` | no | `blocking::Client` and `ClientBuilder::build_blocking`, for callers without a runtime |

#[cfg(feature = "blocking")]
pub mod blocking;
mod client;
#[cfg(feature = "fleet")]
mod many;

pub use client::{Client, ClientBuilder};
#[cfg(feature = "fleet")]
pub use many::{dangerous_fleet_without_log_on_guard, fleet};
#[cfg(feature = "fleet")]
pub use winrm_fleet as fleet;
#[cfg(feature = "powershell")]
pub use winrm_powershell::{self as powershell, RunspacePool, RunspacePoolBuilder};
#[cfg(feature = "files")]
pub use winrm_shell::files;
#[cfg(feature = "shell")]
pub use winrm_shell::{
    self as shell, Child, ChildStderr, ChildStdin, ChildStdout, Command, Error as CommandError, ExitStatus,
    Output, PartialOutput, Shell, ShellBuilder, Signals, Stdio,
};
pub use winrm_transport::auth::Security;
pub use winrm_transport::{
    self as transport, AuthMethod, ConfigError, Credentials, Endpoint, EndpointError, Error, ErrorKind,
    LogOnGuard, MessageEncryption, Pin, PinError, Probe, Proxy, ProxyError, ProxyFailure, ProxyMode,
    RetryPolicy, Step, TlsBackend, TlsChannel, TlsError, TlsVersion, TracedEnvelope, Trust, WireTrace,
};
#[cfg(feature = "tls")]
pub use winrm_transport::{ClientCertificate, ClientCertificateError, ClientCertificateProblem};
pub use winrm_wsman::{Fault, FaultCode, IdentifyResponse, Quota, ServiceConfig};

/// The README's example compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// So do those of the guide.
#[cfg(all(doctest, feature = "powershell"))]
#[doc = include_str!("../../../docs/powershell.md")]
struct PowerShellGuide;
