//! What pipelines give.

use winrm_clixml::PsValue;
use winrm_psrp::record::{ErrorRecord, InformationRecord, InformationalRecord, ProgressRecord};

/// One thing that a pipeline gave, on one of its streams.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Record {
    /// An object of its output.
    Output(PsValue),
    /// An error that did not end it.
    Error(ErrorRecord),
    /// A warning.
    Warning(InformationalRecord),
    /// A verbose record.
    Verbose(InformationalRecord),
    /// A debug record.
    Debug(InformationalRecord),
    /// Progress.
    Progress(ProgressRecord),
    /// An information record; `Write-Host` makes these too.
    Information(InformationRecord),
}

/// All that a pipeline gave, by streams.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct PsOutput {
    /// Objects.
    pub output: Vec<PsValue>,
    /// Errors that did not end it.
    pub errors: Vec<ErrorRecord>,
    /// Warnings.
    pub warnings: Vec<InformationalRecord>,
    /// Verbose records.
    pub verbose: Vec<InformationalRecord>,
    /// Debug records.
    pub debug: Vec<InformationalRecord>,
    /// Progress.
    pub progress: Vec<ProgressRecord>,
    /// Information records.
    pub information: Vec<InformationRecord>,
}

impl PsOutput {
    /// Adds a record to its stream.
    pub fn push(&mut self, record: Record) {
        match record {
            Record::Output(value) => self.output.push(value),
            Record::Error(record) => self.errors.push(record),
            Record::Warning(record) => self.warnings.push(record),
            Record::Verbose(record) => self.verbose.push(record),
            Record::Debug(record) => self.debug.push(record),
            Record::Progress(record) => self.progress.push(record),
            Record::Information(record) => self.information.push(record),
        }
    }

    /// The objects as a type of the caller's.
    ///
    /// # Errors
    /// The first that is of another type, with its place.
    #[cfg(feature = "serde")]
    pub fn deserialize<T: serde::de::DeserializeOwned>(&self) -> Result<Vec<T>, winrm_clixml::ConvertError> {
        winrm_clixml::from_values(&self.output)
    }

    /// Whether there were errors that did not end it: `$ps.HadErrors`.
    pub fn had_errors(&self) -> bool {
        !self.errors.is_empty()
    }
}
