//! Information (MS-PSRP 2.2.2.26).

use std::sync::Arc;

use winrm_clixml::{DateTime, PsObject, PsString, PsValue};

use super::record;
use crate::field::{list, set, strings};
use crate::host::ConsoleColor;

record! {
    /// What `Write-Information` and `Write-Host` write (MS-PSRP 2.2.2.26), since version 2.3 of the protocol.
    InformationRecord, "INFORMATION_RECORD"
}

/// What `Write-Host` writes, by way of an [`InformationRecord`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HostInformation {
    /// The text.
    pub message: PsString,
    /// Whether the line does not end.
    pub no_new_line: bool,
    /// The colour of the text.
    pub foreground_color: Option<ConsoleColor>,
    /// The colour behind.
    pub background_color: Option<ConsoleColor>,
}

impl InformationRecord {
    /// Something to tell, by whom and when.
    pub fn new(
        message_data: impl Into<PsValue>,
        source: impl Into<PsString>,
        time_generated: DateTime,
    ) -> Self {
        let object = PsObject::new()
            .with_extended("MessageData", message_data)
            .with_extended("Source", source.into())
            .with_extended("TimeGenerated", time_generated)
            .with_extended("Tags", tags(&[]))
            .with_extended("User", "")
            .with_extended("Computer", "")
            .with_extended("ProcessId", 0_u32)
            .with_extended("NativeThreadId", 0_u32)
            .with_extended("ManagedThreadId", 0_u32);
        Self { object: Arc::new(object) }
    }

    /// Sets what it can be found by.
    pub fn with_tags<T: Into<PsString>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        let names: Vec<PsString> = names.into_iter().map(Into::into).collect();
        set(&mut self.object, "Tags", tags(&names));
        self
    }

    /// What there is to tell: any object.
    pub fn message_data(&self) -> Option<&PsValue> {
        self.property("MessageData")
    }

    /// By whom.
    pub fn source(&self) -> Option<&PsString> {
        self.text("Source")
    }

    /// When.
    pub fn time_generated(&self) -> Option<&DateTime> {
        match self.property("TimeGenerated")?.primitive() {
            PsValue::DateTime(time) => Some(time),
            _ => None,
        }
    }

    /// What it can be found by.
    pub fn tags(&self) -> impl Iterator<Item = &PsString> {
        let items = self.property("Tags").and_then(|tags| tags.as_object()?.items());
        items.unwrap_or_default().iter().filter_map(PsValue::as_ps_string)
    }

    /// Who ran the script.
    pub fn user(&self) -> Option<&PsString> {
        self.text("User")
    }

    /// Where.
    pub fn computer(&self) -> Option<&PsString> {
        self.text("Computer")
    }

    /// In which process.
    pub fn process_id(&self) -> Option<u32> {
        self.unsigned("ProcessId")
    }

    /// In which thread of the system.
    pub fn native_thread_id(&self) -> Option<u32> {
        self.unsigned("NativeThreadId")
    }

    /// In which thread of .NET.
    pub fn managed_thread_id(&self) -> Option<u32> {
        self.unsigned("ManagedThreadId")
    }

    /// What `Write-Host` wrote, if it was that.
    pub fn host_information(&self) -> Option<HostInformation> {
        let data = self.message_data()?.as_object()?;
        let color = |name| ConsoleColor::from_value(data.property(name)?);
        Some(HostInformation {
            message: data.property("Message")?.as_ps_string()?.clone(),
            no_new_line: data.property("NoNewLine")?.as_bool()?,
            foreground_color: color("ForegroundColor"),
            background_color: color("BackgroundColor"),
        })
    }

    fn unsigned(&self, name: &str) -> Option<u32> {
        u32::try_from(self.property(name)?.as_i64()?).ok()
    }
}

fn tags(names: &[PsString]) -> PsValue {
    const TYPE: &str = "System.Collections.Generic.List`1[[System.String, mscorlib, Version=4.0.0.0, \
                        Culture=neutral, PublicKeyToken=b77a5c561934e089]]";
    list([TYPE, "System.Object"], strings(names))
}
