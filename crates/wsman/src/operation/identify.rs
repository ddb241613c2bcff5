//! Identify: who are you? (DSP0226 section 11.) The one request without addressing.

/// What the service says about itself.
///
/// Without log-on Windows leaves the version of the operating system out: `OS: 0.0.0 SP: 0.0 Stack: 3.0`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct IdentifyResponse {
    /// The namespaces of the protocol versions spoken, usually one.
    pub protocol_versions: Vec<String>,
    /// For instance `Microsoft Corporation`.
    pub product_vendor: Option<String>,
    /// For instance `OS: 10.0.17763 SP: 0.0 Stack: 3.0`.
    pub product_version: Option<String>,
    /// URIs of security profiles offered.
    pub security_profiles: Vec<String>,
}
