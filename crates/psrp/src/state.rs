//! States of runspace pools and pipelines.

use std::fmt;

macro_rules! states {
    ($(#[$docs:meta])* $name:ident { $($(#[$variant_docs:meta])* $variant:ident = $code:literal),* $(,)? }) => {
        $(#[$docs])*
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum $name {
            $($(#[$variant_docs])* $variant),*
        }

        impl $name {
            /// By its number on the wire.
            pub fn from_code(code: i32) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// Its number on the wire.
            pub fn code(self) -> i32 {
                match self {
                    $(Self::$variant => $code),*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$variant => stringify!($variant)),*
                })
            }
        }
    };
}

states! {
    /// State of a runspace pool (MS-PSRP 2.2.3.4).
    PoolState {
        /// Nothing was sent yet.
        BeforeOpen = 0,
        /// It is on its way.
        Opening = 1,
        /// Pipelines may run.
        Opened = 2,
        /// It ended as it was asked to.
        Closed = 3,
        /// It is about to.
        Closing = 4,
        /// It ended by an error.
        Broken = 5,
        /// Capabilities were sent (MS-PSRP 3.1.1.2).
        NegotiationSent = 6,
        /// Capabilities were agreed on.
        NegotiationSucceeded = 7,
        /// Another client connects to it.
        Connecting = 8,
        /// Its client has left, and it goes on.
        Disconnected = 9,
    }
}

states! {
    /// State of a pipeline (MS-PSRP 2.2.3.5).
    PipelineState {
        /// It has not been sent.
        NotStarted = 0,
        /// It runs.
        Running = 1,
        /// It was asked to stop.
        Stopping = 2,
        /// It stopped because it was asked to.
        Stopped = 3,
        /// It ran to its end.
        Completed = 4,
        /// An error ended it.
        Failed = 5,
        /// Its client has left, and it goes on.
        Disconnected = 6,
    }
}

impl PoolState {
    /// Whether nothing comes after it.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Closed | Self::Broken)
    }
}

impl PipelineState {
    /// Whether nothing comes after it.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Stopped | Self::Completed | Self::Failed)
    }
}
