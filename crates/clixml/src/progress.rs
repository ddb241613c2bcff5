//! Progress records in the short form that `powershell.exe` writes.

use crate::PsString;

/// A progress record as the `PR` element has it. Sessions send the same as an object with properties.
///
/// `powershell.exe` writes it to standard error whenever output is serialized; -1 says that a number is not known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProgressRecord {
    /// `AV`: what is being done.
    pub activity: PsString,
    /// `AI`: tells activities apart.
    pub activity_id: i32,
    /// A bare `S` or `Nil`: what is being done right now.
    pub current_operation: Option<PsString>,
    /// `PI`: the activity that this one is a part of.
    pub parent_activity_id: i32,
    /// `PC`.
    pub percent_complete: i32,
    /// `T`: `Processing` or `Completed`.
    pub record_type: PsString,
    /// `SR`.
    pub seconds_remaining: i32,
    /// `SD`.
    pub status_description: PsString,
}
