//! Object identifiers of SPNEGO and of the mechanisms met inside it.

use const_oid::ObjectIdentifier;

/// SPNEGO itself, in the GSS framing of a first token (RFC 4178 section 3).
pub const SPNEGO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.2");
/// NTLM (MS-NLMP 1.9).
pub const NTLMSSP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.2.2.10");
/// Kerberos 5 (RFC 4121 section 1).
pub const KERBEROS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113554.1.2.2");
/// Kerberos 5 as Windows 2000 miscounted it; Windows still offers and selects it.
pub const MS_KERBEROS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.48018.1.2.2");
/// Kerberos 5 user to user.
pub const KERBEROS_USER_TO_USER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113554.1.2.2.3");
/// NEGOEX (MS-NEGOEX), which Windows acceptors list first.
pub const NEGOEX: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.2.2.30");

/// Whether both name the same mechanism: the two Kerberos identifiers are one.
pub fn same_mechanism(a: ObjectIdentifier, b: ObjectIdentifier) -> bool {
    let canonical = |oid| if oid == MS_KERBEROS { KERBEROS } else { oid };
    canonical(a) == canonical(b)
}
