//! What pipelines write besides output: errors, and the streams around them.
//!
//! A record is the object as it was sent, with the parts that it is known to have. What else is in it stays in reach by
//! `object`, and is written again as it was read.

mod error_record;
mod information;
mod informational;
mod progress;

pub use error_record::ErrorRecord;
pub use information::{HostInformation, InformationRecord};
pub use informational::InformationalRecord;
pub use progress::ProgressRecord;

/// A record around an object that any message of its type may have.
macro_rules! record {
    ($(#[$docs:meta])* $name:ident, $kind:literal) => {
        $(#[$docs])*
        #[derive(Clone, PartialEq)]
        pub struct $name {
            object: std::sync::Arc<winrm_clixml::PsObject>,
        }

        impl $name {
            /// The object as it was sent, or will be.
            pub fn object(&self) -> &std::sync::Arc<winrm_clixml::PsObject> {
                &self.object
            }

            pub(crate) fn from_value(value: winrm_clixml::PsValue) -> Result<Self, crate::DecodeError> {
                match value {
                    winrm_clixml::PsValue::Object(object) => Ok(Self { object }),
                    _ => Err(crate::DecodeError::Invalid { kind: $kind, field: "data", expected: "an object" }),
                }
            }

            pub(crate) fn to_value(&self) -> winrm_clixml::PsValue {
                winrm_clixml::PsValue::Object(self.object.clone())
            }

            /// A property, unless it is missing or `Nil`.
            pub fn property(&self, name: &str) -> Option<&winrm_clixml::PsValue> {
                self.object.property(name).filter(|value| !value.is_nil())
            }

            #[allow(dead_code, reason = "not every record has strings")]
            fn text(&self, name: &str) -> Option<&winrm_clixml::PsString> {
                self.property(name)?.as_ps_string()
            }

            #[allow(dead_code, reason = "not every record has numbers")]
            fn number(&self, name: &str) -> Option<i32> {
                crate::field::i32_of(self.property(name)?)
            }
        }

        /// Names and kinds of the properties, without their texts.
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.object).finish()
            }
        }
    };
}

use record;
