//! Channel bindings: what ties a log-on to the TLS channel it travels in (MS-NLMP 2.2.2.1, RFC 2744 3.11, RFC 5929).

use subtle::ConstantTimeEq;

use crate::error::EncodeError;
use crate::hash;

/// The structure of RFC 2744 3.11; over TLS only `application_data` is filled.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct GssChannelBindings<'a> {
    /// Type of `initiator_address`, 0 for none.
    pub initiator_addrtype: u32,
    /// Address of the client.
    pub initiator_address: &'a [u8],
    /// Type of `acceptor_address`, 0 for none.
    pub acceptor_addrtype: u32,
    /// Address of the server.
    pub acceptor_address: &'a [u8],
    /// Over TLS: `tls-server-end-point:` and the hash of the server's certificate (RFC 5929 4).
    pub application_data: &'a [u8],
}

impl GssChannelBindings<'_> {
    /// The bytes that `MsvAvChannelBindings` is the MD5 of: five fields in order, each with a 32-bit length.
    ///
    /// # Errors
    /// When a field is longer than its 32-bit length can say.
    pub fn pack(&self) -> Result<Vec<u8>, EncodeError> {
        let mut packed = Vec::new();
        let mut counted = |field: &'static str, bytes: &[u8], addrtype: Option<u32>| {
            let too_long = |_| EncodeError::TooLong { field, len: bytes.len(), max: usize::MAX };
            let len = u32::try_from(bytes.len()).map_err(too_long)?;
            packed.extend(addrtype.into_iter().flat_map(u32::to_le_bytes));
            packed.extend_from_slice(&len.to_le_bytes());
            packed.extend_from_slice(bytes);
            Ok(())
        };
        counted("initiator_address", self.initiator_address, Some(self.initiator_addrtype))?;
        counted("acceptor_address", self.acceptor_address, Some(self.acceptor_addrtype))?;
        counted("application_data", self.application_data, None)?;
        Ok(packed)
    }
}

/// Value of `MsvAvChannelBindings`: MD5 over the packed structure.
///
/// ```
/// use winrm_ntlm::ChannelBindings;
///
/// let certificate_hash = [0x11; 32]; // SHA-256 of the server's certificate, from the TLS library
/// let bindings = ChannelBindings::tls_server_end_point(&certificate_hash)?;
/// assert_ne!(bindings.as_bytes(), &[0; 16]);
/// # Ok::<(), winrm_ntlm::EncodeError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ChannelBindings([u8; 16]);

impl ChannelBindings {
    /// From whole GSS channel bindings.
    ///
    /// # Errors
    /// When a field is longer than its 32-bit length can say.
    pub fn new(bindings: &GssChannelBindings<'_>) -> Result<Self, EncodeError> {
        Ok(Self(hash::md5(&[&bindings.pack()?])))
    }

    /// From application data alone, such as `tls-unique:` and the first Finished message.
    ///
    /// # Errors
    /// When the data is longer than its 32-bit length can say.
    pub fn from_application_data(application_data: &[u8]) -> Result<Self, EncodeError> {
        Self::new(&GssChannelBindings { application_data, ..GssChannelBindings::default() })
    }

    /// From the hash of the server's certificate (RFC 5929 4.1): with the hash of the certificate's signature, but
    /// SHA-256 where that is MD5 or SHA-1.
    ///
    /// # Errors
    /// When the hash is longer than a 32-bit length can say.
    pub fn tls_server_end_point(certificate_hash: &[u8]) -> Result<Self, EncodeError> {
        let mut application_data = b"tls-server-end-point:".to_vec();
        application_data.extend_from_slice(certificate_hash);
        Self::from_application_data(&application_data)
    }

    /// The sixteen bytes of the pair.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Comparison in constant time.
    pub(crate) fn matches(&self, sent: &[u8; 16]) -> bool {
        self.0.ct_eq(sent).into()
    }
}
