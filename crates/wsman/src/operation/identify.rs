//! Identify: who are you? (DSP0226 section 11.) The one request without addressing.

use winrm_xml::Reader;

use crate::codec::{Xml, bounds, leaf, limit, optional, push, set, text};
use crate::error::{DecodeError, EncodeError};
use crate::uri;

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

impl IdentifyResponse {
    /// OMI puts the elements into the namespace of SOAP.
    pub(crate) fn is_namespace(namespace: &str) -> bool {
        namespace == uri::NS_IDENTITY || namespace == uri::NS_SOAP
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut response = Self::default();
        while let Some(start) = r.next_child()? {
            match start.name().as_pair() {
                (ns, "ProtocolVersion") if Self::is_namespace(ns) => {
                    let version = text(r)?;
                    push(&mut response.protocol_versions, version, bounds::FEW, r, "wsmid:ProtocolVersion")?;
                }
                (ns, "ProductVendor") if Self::is_namespace(ns) => {
                    set(&mut response.product_vendor, text(r)?, r, "wsmid:ProductVendor")?;
                }
                (ns, "ProductVersion") if Self::is_namespace(ns) => {
                    set(&mut response.product_version, text(r)?, r, "wsmid:ProductVersion")?;
                }
                (ns, "SecurityProfiles") if Self::is_namespace(ns) => {
                    while let Some(start) = r.next_child()? {
                        if Self::is_namespace(start.name().namespace()) {
                            let name = text(r)?;
                            push(
                                &mut response.security_profiles,
                                name,
                                bounds::FEW,
                                r,
                                "wsmid:SecurityProfileName",
                            )?;
                        } else {
                            r.skip_element()?;
                        }
                    }
                }
                _ => r.skip_element()?,
            }
        }
        Ok(response)
    }

    pub(crate) fn write(&self, w: &mut Xml<'_>) -> Result<(), EncodeError> {
        limit(self.protocol_versions.len(), bounds::FEW, "wsmid:ProtocolVersion")?;
        limit(self.security_profiles.len(), bounds::FEW, "wsmid:SecurityProfileName")?;
        w.start("wsmid", "IdentifyResponse").open()?;
        for version in &self.protocol_versions {
            leaf(w, "wsmid", "ProtocolVersion", version)?;
        }
        optional(w, "wsmid", "ProductVendor", self.product_vendor.as_deref())?;
        optional(w, "wsmid", "ProductVersion", self.product_version.as_deref())?;
        if !self.security_profiles.is_empty() {
            w.start("wsmid", "SecurityProfiles").open()?;
            for profile in &self.security_profiles {
                leaf(w, "wsmid", "SecurityProfileName", profile)?;
            }
            w.end()?;
        }
        Ok(w.end()?)
    }
}
