//! Several cells of the screen.

use winrm_clixml::{PsObject, PsValue};

use super::BufferCell;
use crate::DecodeError;
use crate::field::{Fields, array, array_list, i32_of};

const KIND: &str = "cells";

/// A rectangle of cells: an array of two dimensions, which is sent as its elements (`mae`) and lengths (`mal`).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct BufferCells {
    /// Rows.
    pub height: i32,
    /// Columns.
    pub width: i32,
    /// Row by row; `height` times `width` of them.
    pub cells: Vec<BufferCell>,
}

impl BufferCells {
    pub(crate) fn from_value(value: &PsValue) -> Result<Self, DecodeError> {
        let fields = Fields::of(KIND, value)?;
        let cells = fields.items("mae")?.iter().map(BufferCell::from_value).collect::<Result<Vec<_>, _>>()?;
        let lengths: Option<Vec<_>> = fields.items("mal")?.iter().map(i32_of).collect();
        let Some([height, width]) = lengths.as_deref() else {
            return Err(fields.invalid("mal", "two lengths"));
        };
        let product =
            i64::from(*height).checked_mul(i64::from(*width)).filter(|_| *height >= 0 && *width >= 0);
        if product != i64::try_from(cells.len()).ok() {
            return Err(fields.invalid("mae", "as many cells as the lengths say"));
        }
        Ok(Self { height: *height, width: *width, cells })
    }

    pub(crate) fn to_value(&self) -> PsValue {
        let cells = self.cells.iter().map(|cell| cell.to_value()).collect();
        let lengths = vec![PsValue::I32(self.height), PsValue::I32(self.width)];
        PsObject::new()
            .with_extended("mae", array_list(cells))
            .with_extended("mal", array("System.Int32[]", lengths))
            .into()
    }
}
