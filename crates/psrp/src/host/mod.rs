//! The client's host: what a script at the server may ask of the user's side (MS-PSRP 2.2.3.17).

mod call;
mod cells;
mod info;
mod method;
mod prompt;
mod returned;
mod value;

pub use call::HostCall;
pub use cells::BufferCells;
pub use info::{HostDefaultData, HostInfo};
pub use method::HostMethodId;
pub use prompt::{ChoiceDescription, Credential, FieldDescription};
pub use returned::HostReturn;
pub use value::{BufferCell, ConsoleColor, Coordinates, KeyInfo, Rectangle, Size};
