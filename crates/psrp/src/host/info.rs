//! What the client tells of its host beforehand (MS-PSRP 2.2.3.14).

use winrm_clixml::{Content, PsObject, PsString, PsValue};

use super::{ConsoleColor, Coordinates, Size};
use crate::DecodeError;
use crate::field::{Fields, i32_of, string_of};

const KIND: &str = "HostInfo";

/// What there is of a host at the client (MS-PSRP 2.2.3.14).
///
/// The names on the wire begin with an underscore, which the specification leaves out.
#[allow(clippy::struct_excessive_bools, reason = "as the specification has them")]
#[derive(Clone, Debug, PartialEq)]
pub struct HostInfo {
    /// No host: calls of it fail at the server.
    pub is_host_null: bool,
    /// No user interface.
    pub is_host_ui_null: bool,
    /// No raw user interface.
    pub is_host_raw_ui_null: bool,
    /// For a pipeline: that of the pool is taken.
    pub use_runspace_host: bool,
    /// What the server need not ask for.
    pub default_data: Option<HostDefaultData>,
}

impl HostInfo {
    /// No host; for a pipeline: that of the pool.
    pub fn none() -> Self {
        Self {
            is_host_null: true,
            is_host_ui_null: true,
            is_host_raw_ui_null: true,
            use_runspace_host: true,
            default_data: None,
        }
    }

    /// A host with all of its interfaces.
    pub fn full(default_data: HostDefaultData) -> Self {
        Self {
            is_host_null: false,
            is_host_ui_null: false,
            is_host_raw_ui_null: false,
            use_runspace_host: false,
            default_data: Some(default_data),
        }
    }

    pub(crate) fn from_value(value: &PsValue) -> Result<Self, DecodeError> {
        let fields = Fields::of(KIND, value)?;
        Ok(Self {
            is_host_null: fields.bool("_isHostNull")?,
            is_host_ui_null: fields.bool("_isHostUINull")?,
            is_host_raw_ui_null: fields.bool("_isHostRawUINull")?,
            use_runspace_host: fields.bool("_useRunspaceHost")?,
            default_data: fields.optional("_hostDefaultData").map(HostDefaultData::from_value).transpose()?,
        })
    }

    pub(crate) fn to_value(&self) -> PsValue {
        let mut object = PsObject::new();
        if let Some(data) = &self.default_data {
            object = object.with_extended("_hostDefaultData", data.to_value());
        }
        object
            .with_extended("_isHostNull", self.is_host_null)
            .with_extended("_isHostUINull", self.is_host_ui_null)
            .with_extended("_isHostRawUINull", self.is_host_raw_ui_null)
            .with_extended("_useRunspaceHost", self.use_runspace_host)
            .into()
    }
}

/// What the raw user interface of the host says at the beginning (MS-PSRP 2.2.3.14).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HostDefaultData {
    /// Of text.
    pub foreground_color: ConsoleColor,
    /// Behind.
    pub background_color: ConsoleColor,
    /// Of the cursor.
    pub cursor_position: Coordinates,
    /// Of the window in the buffer.
    pub window_position: Coordinates,
    /// Percent of a cell.
    pub cursor_size: i32,
    /// Of the buffer.
    pub buffer_size: Size,
    /// Of the window: what output is formatted for.
    pub window_size: Size,
    /// The largest in this buffer.
    pub max_window_size: Size,
    /// The largest on this screen.
    pub max_physical_window_size: Size,
    /// Above the window.
    pub window_title: PsString,
}

/// A console of 120 columns and 50 rows.
impl Default for HostDefaultData {
    fn default() -> Self {
        let size = Size { width: 120, height: 50 };
        Self {
            foreground_color: ConsoleColor::GRAY,
            background_color: ConsoleColor::BLACK,
            cursor_position: Coordinates::default(),
            window_position: Coordinates::default(),
            cursor_size: 25,
            buffer_size: size,
            window_size: size,
            max_window_size: size,
            max_physical_window_size: size,
            window_title: PsString::default(),
        }
    }
}

impl HostDefaultData {
    fn from_value(value: &PsValue) -> Result<Self, DecodeError> {
        let fields = Fields::of(KIND, value)?;
        let entries = fields.read("data", "a dictionary", |value| value.as_object()?.dictionary())?;
        // Each is an object with its type (T) and value (V); keys are numbers.
        let entry = |key: i64, field| {
            let entry = entries.iter().find(|(found, _)| found.as_i64() == Some(key));
            let (_, value) = entry.ok_or(DecodeError::Missing { kind: KIND, field })?;
            Fields::of(KIND, value)?.required("V")
        };
        let invalid = |field, expected| DecodeError::Invalid { kind: KIND, field, expected };
        let number =
            |key, field| i32_of(entry(key, field)?).ok_or(invalid(field, "a signed integer of 32 bits"));
        Ok(Self {
            foreground_color: ConsoleColor(number(0, "ForegroundColor")?),
            background_color: ConsoleColor(number(1, "BackgroundColor")?),
            cursor_position: Coordinates::from_value(entry(2, "CursorPosition")?)?,
            window_position: Coordinates::from_value(entry(3, "WindowPosition")?)?,
            cursor_size: number(4, "CursorSize")?,
            buffer_size: Size::from_value(entry(5, "BufferSize")?)?,
            window_size: Size::from_value(entry(6, "WindowSize")?)?,
            max_window_size: Size::from_value(entry(7, "MaxWindowSize")?)?,
            max_physical_window_size: Size::from_value(entry(8, "MaxPhysicalWindowSize")?)?,
            window_title: string_of(entry(9, "WindowTitle")?).ok_or(invalid("WindowTitle", "a string"))?,
        })
    }

    fn to_value(&self) -> PsValue {
        const COLOR: &str = "System.ConsoleColor";
        const COORDINATES: &str = "System.Management.Automation.Host.Coordinates";
        const SIZE: &str = "System.Management.Automation.Host.Size";
        let values = [
            (COLOR, PsValue::I32(self.foreground_color.0)),
            (COLOR, PsValue::I32(self.background_color.0)),
            (COORDINATES, self.cursor_position.to_value()),
            (COORDINATES, self.window_position.to_value()),
            ("System.Int32", PsValue::I32(self.cursor_size)),
            (SIZE, self.buffer_size.to_value()),
            (SIZE, self.window_size.to_value()),
            (SIZE, self.max_window_size.to_value()),
            (SIZE, self.max_physical_window_size.to_value()),
            ("System.String", PsValue::String(self.window_title.clone())),
        ];
        let entries = (0..).map(PsValue::I32).zip(values.into_iter().map(|(type_name, value)| {
            PsValue::from(PsObject::new().with_extended("T", type_name).with_extended("V", value))
        }));
        let data = PsObject::new()
            .with_type_names(["System.Collections.Hashtable", "System.Object"])
            .with_content(Content::Dictionary(entries.collect()));
        PsObject::new().with_extended("data", data).into()
    }
}
