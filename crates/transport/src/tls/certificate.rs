//! What TLS clients of WinRM read of a certificate, and no more: odd self-signed ones must still work.

use der::asn1::{AnyRef, ContextSpecific, ObjectIdentifier};
use der::{Decode, Header, Reader, SliceReader, Tag, TagNumber};
use sha2::{Digest, Sha256, Sha384, Sha512};
use winrm_ntlm::{ChannelBindings, EncodeError};

use super::Pin;

const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const SHA384_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
const SHA512_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");
const ECDSA_WITH_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const ECDSA_WITH_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4");

/// A certificate that cannot be read even as far as its signature algorithm.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedCertificate {
    /// It is not DER where it must be.
    #[error("not a certificate in DER")]
    Der(#[source] der::Error),
    /// The hash does not fit its structure.
    #[error("the channel binding cannot be written")]
    Encode(#[source] EncodeError),
}

/// The channel binding `tls-server-end-point` (RFC 5929 section 4) for a server with this certificate (DER), to be used by
/// either side.
///
/// # Errors
/// [`MalformedCertificate`].
pub fn tls_server_end_point(certificate: &[u8]) -> Result<ChannelBindings, MalformedCertificate> {
    let hash = end_point_hash(certificate).map_err(MalformedCertificate::Der)?;
    ChannelBindings::tls_server_end_point(&hash).map_err(MalformedCertificate::Encode)
}

/// The pin of a certificate.
pub(crate) fn pin(certificate: &[u8]) -> Pin {
    Pin::Certificate(Sha256::digest(certificate).into())
}

/// The pin of its public key, where it can be read that far.
pub(crate) fn public_key_pin(certificate: &[u8]) -> Option<Pin> {
    public_key_info(certificate).ok().map(|key| Pin::PublicKey(Sha256::digest(key).into()))
}

/// The hash of `tls-server-end-point` (RFC 5929 section 4.1): that of the certificate's signature, but SHA-256 in
/// place of MD5 and SHA-1, and where none is defined.
///
/// # Errors
/// When `certificate` is not even a SEQUENCE with an algorithm in second place.
pub(crate) fn end_point_hash(certificate: &[u8]) -> der::Result<Vec<u8>> {
    let mut parts = SliceReader::new(AnyRef::from_der(certificate)?.value())?;
    // Skipped by its length: what is in it is none of our business.
    skip(&mut parts)?;
    let algorithm: AnyRef<'_> = parts.decode()?;
    Ok(match signature_hash(algorithm)? {
        Hash::Sha256 => Sha256::digest(certificate).to_vec(),
        Hash::Sha384 => Sha384::digest(certificate).to_vec(),
        Hash::Sha512 => Sha512::digest(certificate).to_vec(),
    })
}

enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

fn signature_hash(algorithm: AnyRef<'_>) -> der::Result<Hash> {
    let mut fields = SliceReader::new(algorithm.value())?;
    let oid = fields.decode::<ObjectIdentifier>()?;
    Ok(match oid {
        SHA384_WITH_RSA | ECDSA_WITH_SHA384 => Hash::Sha384,
        SHA512_WITH_RSA | ECDSA_WITH_SHA512 => Hash::Sha512,
        RSA_PSS if !fields.is_finished() => pss_hash(fields.decode()?)?,
        _ => Hash::Sha256,
    })
}

/// `hashAlgorithm [0]` of RSASSA-PSS-params (RFC 4055 section 3.1); SHA-1 where it is absent.
fn pss_hash(parameters: AnyRef<'_>) -> der::Result<Hash> {
    let mut fields = SliceReader::new(parameters.value())?;
    let Some(hash) = ContextSpecific::<AnyRef<'_>>::decode_explicit(&mut fields, TagNumber(0))? else {
        return Ok(Hash::Sha256);
    };
    Ok(match SliceReader::new(hash.value.value())?.decode::<ObjectIdentifier>()? {
        SHA384 => Hash::Sha384,
        SHA512 => Hash::Sha512,
        _ => Hash::Sha256,
    })
}

/// The DER of subjectPublicKeyInfo (RFC 5280 section 4.1), which a pin of a public key is a hash of.
///
/// # Errors
/// When the certificate does not have that many fields.
pub(crate) fn public_key_info(certificate: &[u8]) -> der::Result<&[u8]> {
    let mut parts = SliceReader::new(AnyRef::from_der(certificate)?.value())?;
    let tbs: AnyRef<'_> = parts.decode()?;
    let mut fields = SliceReader::new(tbs.value())?;
    if Header::peek(&fields)?.tag() == (Tag::ContextSpecific { constructed: true, number: TagNumber(0) }) {
        skip(&mut fields)?; // version
    }
    // serialNumber, signature, issuer, validity, subject
    for _ in 0..5 {
        skip(&mut fields)?;
    }
    fields.tlv_bytes()
}

fn skip(reader: &mut SliceReader<'_>) -> der::Result<()> {
    reader.tlv_bytes().map(|_| ())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WHOLE: &[u8] = include_bytes!("../../tests/certificates/rsa_sha512.der");

    #[test]
    fn only_the_outer_sequence_is_read_for_the_binding() {
        // Garbage where the fields to be signed should be, then the algorithm, and no signature.
        let mut odd = vec![0x30, 0x12, 0x30, 0x03, 0xff, 0xff, 0xff];
        odd.extend_from_slice(&[
            0x30, 0x0b, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c,
        ]);
        assert_eq!(end_point_hash(&odd).unwrap(), Sha384::digest(&odd).to_vec());
        assert_eq!(public_key_pin(&odd), None);
    }

    #[test]
    fn certificates_cut_short_are_refused_wherever_it_is() {
        assert!(tls_server_end_point(WHOLE).is_ok() && public_key_pin(WHOLE).is_some());
        for len in 0..WHOLE.len() {
            let cut = WHOLE.get(..len).unwrap();
            assert!(matches!(tls_server_end_point(cut), Err(MalformedCertificate::Der(_))), "{len}");
            assert_eq!(public_key_pin(cut), None, "{len}");
        }
    }

    #[test]
    fn without_parameters_rsa_pss_is_taken_for_sha_256() {
        let oid = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];
        for parameters in [&[][..], &[0x30, 0x00]] {
            let len = u8::try_from(oid.len() + parameters.len()).unwrap();
            let algorithm = [&[0x30, len][..], &oid, parameters].concat();
            let certificate = [&[0x30, len + 4, 0x30, 0x00][..], &algorithm].concat();
            assert_eq!(end_point_hash(&certificate).unwrap(), Sha256::digest(&certificate).to_vec());
        }
    }

    proptest! {
        #[test]
        fn changed_certificates_do_no_harm(at in 0..WHOLE.len(), byte: u8) {
            let mut changed = WHOLE.to_vec();
            changed[at] = byte;
            let _ = tls_server_end_point(&changed);
            let _ = public_key_pin(&changed);
        }
    }
}
