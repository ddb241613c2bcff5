//! What was found, for people and as JSON.

use std::fmt::Write;

use serde_json::{Map, Value, json};
use winrm::{IdentifyResponse, Security, TlsChannel};

use super::Found;
use crate::args::Auth;
use crate::report::Failure;
use crate::target::Target;

impl Found {
    pub(super) fn text(&self, url: &str) -> String {
        let mut text = format!("{url}\n");
        let mut line = |name: &str, value: String| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "  {name:<11} {value}");
        };
        let server = self.probe.server.as_deref().unwrap_or("a server without a name");
        line("answers", format!("{server}, HTTP {} without log-on", self.probe.status));
        if let Some(proxy) = &self.probe.proxy {
            line("through", proxy.clone());
        }
        if let Some(tls) = &self.probe.tls {
            line("tls", tls.to_string());
            line("certificate", format!("--pin {}", tls.certificate));
            if let Some(pin) = tls.public_key {
                line("its key", format!("--pin {pin}"));
            }
        }
        line(
            "product",
            match &self.probe.identity {
                Some(identity) => product(identity),
                None => "does not identify itself without log-on".to_owned(),
            },
        );
        if let Some(identity) = &self.probe.identity {
            line("protocol", identity.protocol_versions.join(", "));
        }
        let schemes = &self.probe.schemes;
        line("offers", if schemes.is_empty() { "no scheme".to_owned() } else { schemes.join(", ") });
        line(
            "we choose",
            match self.choice() {
                Some(how) => format!("{}: {how}, {}", self.scheme(), self.reason()),
                None => format!("nothing: we are to speak {} alone", self.scheme()),
            },
        );
        for (scheme, reason) in self.not_chosen() {
            line("not", format!("{scheme}: {reason}"));
        }
        if let Some(Ok(logon)) = &self.logon {
            line("logged on", format!("as {}: {}", logon.user, logon.security));
            line("system", product(&logon.identity));
            if let Some(size) = logon.config.and_then(|config| config.max_envelope_size_kb) {
                line("envelopes", format!("up to {size} KB (MaxEnvelopeSizekb)"));
            }
        }
        text
    }

    pub(super) fn json(&self, target: &Target, url: &str, problem: Option<&Failure>) -> String {
        let probe = &self.probe;
        let others = self.not_chosen().into_iter();
        let mut object = problem.map(Failure::json).unwrap_or_default();
        let mut member = |name: &str, value: Value| object.insert(name.to_owned(), value);
        member("server", json!(probe.server));
        member("proxy", json!(probe.proxy));
        member("tls", probe.tls.as_ref().map_or(Value::Null, tls_json));
        member("status", json!(probe.status.as_u16()));
        member("identity", probe.identity.as_ref().map_or(Value::Null, identity_json));
        member("schemes", json!(probe.schemes));
        member(
            "choice",
            match self.choice() {
                Some(how) => json!({
                    "scheme": self.scheme(),
                    "mechanism": how,
                    "sealed": self.seals(),
                    "channel_bound": matches!(self.auth, Auth::Negotiate | Auth::Ntlm) && probe.tls.is_some(),
                    "reason": self.reason(),
                }),
                None => Value::Null,
            },
        );
        member(
            "not_chosen",
            others.map(|(scheme, reason)| json!({ "scheme": scheme, "reason": reason })).collect(),
        );
        if let Some(Ok(logon)) = &self.logon {
            member(
                "logon",
                json!({
                    "user": logon.user,
                    "identity": identity_json(&logon.identity),
                    "max_envelope_size_kb": logon.config.and_then(|config| config.max_envelope_size_kb),
                    "security": security_json(&logon.security),
                }),
            );
        }
        json_line(object, target, url)
    }
}

fn product(identity: &IdentifyResponse) -> String {
    let parts: Vec<&str> = [&identity.product_vendor, &identity.product_version]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    if parts.is_empty() { "does not say".to_owned() } else { parts.join(", ") }
}

fn identity_json(identity: &IdentifyResponse) -> Value {
    json!({
        "product_vendor": identity.product_vendor,
        "product_version": identity.product_version,
        "protocol_versions": identity.protocol_versions,
        "security_profiles": identity.security_profiles,
    })
}

fn security_json(security: &Security) -> Value {
    let mut object = json!({
        "scheme": security.scheme,
        "spnego": security.spnego,
        "sealed": security.sealed,
        "channel_bound": security.channel_bound,
    });
    if let (Some(ntlm), Some(members)) = (&security.ntlm, object.as_object_mut()) {
        let mut member = |name: &str, value: Value| members.insert(name.to_owned(), value);
        member("mechanism", json!(ntlm.response.to_string()));
        member("key_bits", json!(ntlm.key_bits()));
        member("mic", json!(ntlm.mic));
        member("signed", json!(ntlm.signs()));
        member("key_exchange", json!(ntlm.exchanges_key()));
        member("extended_session_security", json!(ntlm.has_extended_session_security()));
    }
    object
}

fn tls_json(tls: &TlsChannel) -> Value {
    json!({
        "version": tls.version.to_string(),
        "certificate_pin": tls.certificate.to_string(),
        "public_key_pin": tls.public_key.map(|pin| pin.to_string()),
        "verified": tls.trust.to_string(),
    })
}

pub(super) fn json_line(mut object: Map<String, Value>, target: &Target, url: &str) -> String {
    object.insert("host".to_owned(), json!(target.label));
    object.insert("url".to_owned(), json!(url));
    format!("{}\n", Value::from(object))
}
