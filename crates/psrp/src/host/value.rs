//! What methods of a host take and give (MS-PSRP 2.2.3.1 to 2.2.3.3, 2.2.3.26, 2.2.3.28).

use std::fmt;

use winrm_clixml::{PsObject, PsValue};

use crate::DecodeError;
use crate::field::Fields;
use crate::value::enumeration;

enumeration! {
    /// A colour of a console (MS-PSRP 2.2.3.3).
    ConsoleColor: "System.ConsoleColor" {
        /// Black.
        BLACK = 0 "Black",
        /// Dark blue.
        DARK_BLUE = 1 "DarkBlue",
        /// Dark green.
        DARK_GREEN = 2 "DarkGreen",
        /// Dark cyan.
        DARK_CYAN = 3 "DarkCyan",
        /// Dark red.
        DARK_RED = 4 "DarkRed",
        /// Dark magenta.
        DARK_MAGENTA = 5 "DarkMagenta",
        /// Dark yellow.
        DARK_YELLOW = 6 "DarkYellow",
        /// Gray.
        GRAY = 7 "Gray",
        /// Dark gray.
        DARK_GRAY = 8 "DarkGray",
        /// Blue.
        BLUE = 9 "Blue",
        /// Green.
        GREEN = 10 "Green",
        /// Cyan.
        CYAN = 11 "Cyan",
        /// Red.
        RED = 12 "Red",
        /// Magenta.
        MAGENTA = 13 "Magenta",
        /// Yellow.
        YELLOW = 14 "Yellow",
        /// White.
        WHITE = 15 "White",
    }
}

/// A struct of 32-bit numbers, each a property.
macro_rules! numbers {
    ($(#[$docs:meta])* $name:ident { $($(#[$field_docs:meta])* $field:ident,)* }) => {
        $(#[$docs])*
        #[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
        pub struct $name {
            $($(#[$field_docs])* pub $field: i32,)*
        }

        impl $name {
            pub(crate) fn from_value(value: &PsValue) -> Result<Self, DecodeError> {
                let fields = Fields::of(stringify!($name), value)?;
                Ok(Self { $($field: fields.i32(stringify!($field))?,)* })
            }

            pub(crate) fn to_value(self) -> PsValue {
                PsObject::new()$(.with_extended(stringify!($field), self.$field))*.into()
            }
        }
    };
}

numbers! {
    /// A place on the screen (MS-PSRP 2.2.3.1).
    Coordinates {
        /// Column, from 0.
        x,
        /// Row, from 0.
        y,
    }
}

numbers! {
    /// Cells (MS-PSRP 2.2.3.2).
    Size {
        /// Columns.
        width,
        /// Rows.
        height,
    }
}

numbers! {
    /// A part of the screen, its edges included.
    Rectangle {
        /// First column.
        left,
        /// First row.
        top,
        /// Last column.
        right,
        /// Last row.
        bottom,
    }
}

/// One cell of the screen (MS-PSRP 2.2.3.28).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BufferCell {
    /// A UTF-16 code unit.
    pub character: u16,
    /// Of the character.
    pub foreground_color: ConsoleColor,
    /// Behind.
    pub background_color: ConsoleColor,
    /// 0: all of a character; 1 and 2: its first and second half (MS-PSRP 2.2.3.29).
    pub buffer_cell_type: i32,
}

impl BufferCell {
    pub(crate) fn from_value(value: &PsValue) -> Result<Self, DecodeError> {
        let fields = Fields::of("BufferCell", value)?;
        Ok(Self {
            character: fields.read("character", "a character", character)?,
            foreground_color: ConsoleColor(fields.i32("foregroundColor")?),
            background_color: ConsoleColor(fields.i32("backgroundColor")?),
            buffer_cell_type: fields.i32("bufferCellType")?,
        })
    }

    pub(crate) fn to_value(self) -> PsValue {
        PsObject::new()
            .with_extended("character", PsValue::Char(self.character))
            .with_extended("foregroundColor", self.foreground_color.0)
            .with_extended("backgroundColor", self.background_color.0)
            .with_extended("bufferCellType", self.buffer_cell_type)
            .into()
    }
}

/// A key that was pressed or let go (MS-PSRP 2.2.3.26).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeyInfo {
    /// As Windows numbers keys.
    pub virtual_key_code: i32,
    /// A UTF-16 code unit.
    pub character: u16,
    /// Bits (MS-PSRP 2.2.3.27): right and left Alt, right and left Ctrl, Shift, Num, Scroll, Caps, enhanced.
    pub control_key_state: i32,
    /// Pressed, not let go.
    pub key_down: bool,
}

impl KeyInfo {
    pub(crate) fn from_value(value: &PsValue) -> Result<Self, DecodeError> {
        let fields = Fields::of("KeyInfo", value)?;
        Ok(Self {
            virtual_key_code: fields.i32("virtualKeyCode")?,
            character: fields.read("character", "a character", character)?,
            control_key_state: fields.i32("controlKeyState")?,
            key_down: fields.bool("keyDown")?,
        })
    }

    pub(crate) fn to_value(self) -> PsValue {
        PsObject::new()
            .with_extended("virtualKeyCode", self.virtual_key_code)
            .with_extended("character", PsValue::Char(self.character))
            .with_extended("controlKeyState", self.control_key_state)
            .with_extended("keyDown", self.key_down)
            .into()
    }
}

fn character(value: &PsValue) -> Option<u16> {
    match value.primitive() {
        PsValue::Char(unit) => Some(*unit),
        _ => None,
    }
}
