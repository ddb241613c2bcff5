//! Colours and sizes of a host (MS-PSRP 2.2.3.14: `_hostDefaultData`).

use winrm_clixml::{Content, PsObject, PsString, PsValue};

use crate::fields::Fields;
use crate::message::MessageError;

/// A place, counted from 0.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Coordinates {
    /// Column.
    pub x: i32,
    /// Row.
    pub y: i32,
}

/// Columns and rows.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Size {
    /// Columns.
    pub width: i32,
    /// Rows.
    pub height: i32,
}

/// What a host tells of itself beforehand, so that it need not be asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HostData {
    /// The text's colour, a number of `System.ConsoleColor`.
    pub foreground: i32,
    /// The background's.
    pub background: i32,
    /// Where the cursor is.
    pub cursor_position: Coordinates,
    /// Where the window is in the buffer.
    pub window_position: Coordinates,
    /// In percent of a cell.
    pub cursor_size: i32,
    /// Of the buffer.
    pub buffer_size: Size,
    /// Of the window.
    pub window_size: Size,
    /// The largest window.
    pub max_window_size: Size,
    /// The largest window on this display.
    pub max_physical_window_size: Size,
    /// The window's title.
    pub title: PsString,
}

/// White on black, 120 by 30.
impl Default for HostData {
    fn default() -> Self {
        let window = Size { width: 120, height: 30 };
        Self {
            foreground: 7,
            background: 0,
            cursor_position: Coordinates::default(),
            window_position: Coordinates::default(),
            cursor_size: 25,
            buffer_size: Size { width: 120, height: 3000 },
            window_size: window,
            max_window_size: window,
            max_physical_window_size: window,
            title: PsString::default(),
        }
    }
}

impl Coordinates {
    /// As values of hosts are written (MS-PSRP 2.2.6).
    pub fn to_value(self) -> PsValue {
        PsObject::new().with_extended("x", self.x).with_extended("y", self.y).into()
    }

    /// Reads what [`to_value`](Self::to_value) writes.
    pub fn from_value(value: &PsValue) -> Option<Self> {
        let (x, y) = pair(value, "x", "y")?;
        Some(Self { x, y })
    }
}

impl Size {
    /// As values of hosts are written (MS-PSRP 2.2.6).
    pub fn to_value(self) -> PsValue {
        PsObject::new().with_extended("width", self.width).with_extended("height", self.height).into()
    }

    /// Reads what [`to_value`](Self::to_value) writes.
    pub fn from_value(value: &PsValue) -> Option<Self> {
        let (width, height) = pair(value, "width", "height")?;
        Some(Self { width, height })
    }
}

fn pair(value: &PsValue, first: &str, second: &str) -> Option<(i32, i32)> {
    let object = value.as_object()?;
    let number = |name| i32::try_from(object.property(name)?.as_i64()?).ok();
    Some((number(first)?, number(second)?))
}

const FIELD: &str = "_hostDefaultData";

impl HostData {
    pub(super) fn read(fields: Fields<'_>) -> Result<Self, MessageError> {
        let entries = fields.value("data")?.as_object().and_then(PsObject::dictionary);
        let entries = entries.ok_or_else(|| fields.invalid(FIELD, "a dictionary"))?;
        let value = |key: i64| {
            let found = entries.iter().find(|(found, _)| found.as_i64() == Some(key));
            found.and_then(|(_, typed)| typed.as_object()?.property("V"))
        };
        let number = |key| i32::try_from(value(key)?.as_i64()?).ok();
        let place = |key| Coordinates::from_value(value(key)?);
        let size = |key| Size::from_value(value(key)?);
        let read = || {
            Some(Self {
                foreground: number(0)?,
                background: number(1)?,
                cursor_position: place(2)?,
                window_position: place(3)?,
                cursor_size: number(4)?,
                buffer_size: size(5)?,
                window_size: size(6)?,
                max_window_size: size(7)?,
                max_physical_window_size: size(8)?,
                title: value(9)?.as_ps_string()?.clone(),
            })
        };
        read().ok_or_else(|| fields.invalid(FIELD, "colours, places, sizes and a title"))
    }

    pub(super) fn to_object(&self) -> PsObject {
        const COLOR: &str = "System.ConsoleColor";
        const PLACE: &str = "System.Management.Automation.Host.Coordinates";
        const SIZE: &str = "System.Management.Automation.Host.Size";
        let entries = [
            (COLOR, self.foreground.into()),
            (COLOR, self.background.into()),
            (PLACE, self.cursor_position.to_value()),
            (PLACE, self.window_position.to_value()),
            ("System.Int32", self.cursor_size.into()),
            (SIZE, self.buffer_size.to_value()),
            (SIZE, self.window_size.to_value()),
            (SIZE, self.max_window_size.to_value()),
            (SIZE, self.max_physical_window_size.to_value()),
            ("System.String", PsValue::String(self.title.clone())),
        ];
        let entries = (0_i32..).zip(entries).map(|(key, (type_name, value))| {
            let typed = PsObject::new().with_extended("T", type_name).with_extended("V", value);
            (PsValue::from(key), typed.into())
        });
        let data = PsObject::new()
            .with_type_names(["System.Collections.Hashtable", "System.Object"])
            .with_content(Content::Dictionary(entries.collect()));
        PsObject::new().with_extended("data", data)
    }
}
