//! Reading and writing header blocks.

use winrm_xml::{Reader, Start};

use crate::codec::{
    Xml, attribute, boolean, bounds, duration, limit, missing, number, optional, optional_value, push, qname,
    qname_text, set, text, trim,
};
use crate::error::{DecodeError, EncodeError};
use crate::header::{Header, Selector, WsOption};
use crate::name::QName;
use crate::uri;

impl Header {
    /// Reads the children of `s:Header`, the innermost open element.
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut header = Self::default();
        let (mut has_options, mut has_selectors) = (None, None);
        while let Some(start) = r.next_child()? {
            match start.name().as_pair() {
                (uri::NS_ADDRESSING, "To") => set(&mut header.to, text(r)?, r, "a:To")?,
                (uri::NS_ADDRESSING, "Action") => set(&mut header.action, text(r)?, r, "a:Action")?,
                (uri::NS_ADDRESSING, "MessageID") => set(&mut header.message_id, text(r)?, r, "a:MessageID")?,
                (uri::NS_ADDRESSING, "RelatesTo") => set(&mut header.relates_to, text(r)?, r, "a:RelatesTo")?,
                (uri::NS_ADDRESSING, "ReplyTo") => {
                    set(&mut header.reply_to, read_address(r, "a:ReplyTo")?, r, "a:ReplyTo")?;
                }
                (uri::NS_ADDRESSING, "FaultTo") => {
                    set(&mut header.fault_to, read_address(r, "a:FaultTo")?, r, "a:FaultTo")?;
                }
                (uri::NS_WSMAN, "ResourceURI") => {
                    set(&mut header.resource_uri, text(r)?, r, "w:ResourceURI")?;
                }
                (uri::NS_WSMAN, "MaxEnvelopeSize") => {
                    let size = number(r, "w:MaxEnvelopeSize")?;
                    set(&mut header.max_envelope_size, size, r, "w:MaxEnvelopeSize")?;
                }
                (uri::NS_WSMAN, "OperationTimeout") => {
                    let timeout = duration(r, "w:OperationTimeout")?;
                    set(&mut header.operation_timeout, timeout, r, "w:OperationTimeout")?;
                }
                (uri::NS_WSMAN, "Locale") => {
                    set(&mut header.locale, read_language(r, &start)?, r, "w:Locale")?;
                }
                (uri::NS_WSMV, "DataLocale") => {
                    set(&mut header.data_locale, read_language(r, &start)?, r, "p:DataLocale")?;
                }
                (uri::NS_WSMV, "SessionId") => set(&mut header.session_id, text(r)?, r, "p:SessionId")?,
                (uri::NS_WSMV, "OperationID") => {
                    header.retransmission = must_understand(&start);
                    set(&mut header.operation_id, text(r)?, r, "p:OperationID")?;
                }
                (uri::NS_WSMV, "SequenceId") => {
                    let sequence_id = number(r, "p:SequenceId")?;
                    set(&mut header.sequence_id, sequence_id, r, "p:SequenceId")?;
                }
                (uri::NS_WSMV, "ActivityId") => set(&mut header.activity_id, text(r)?, r, "p:ActivityId")?,
                (uri::NS_SHELL, "CompressionType") => {
                    set(&mut header.compression_type, text(r)?, r, "rsp:CompressionType")?;
                }
                (uri::NS_WSMAN, "OptionSet") => {
                    set(&mut has_options, (), r, "w:OptionSet")?;
                    header.options = read_options(r)?;
                }
                (uri::NS_WSMAN, "SelectorSet") => {
                    set(&mut has_selectors, (), r, "w:SelectorSet")?;
                    header.selectors = Selector::read_set(r)?;
                }
                (uri::NS_SOAP, "NotUnderstood") => {
                    let name = start.attribute("", "qname").unwrap_or_default();
                    let name = qname(&start, name);
                    push(&mut header.not_understood, name, bounds::NAMES, r, "s:NotUnderstood")?;
                    r.skip_element()?;
                }
                (namespace, local) => {
                    if must_understand(&start) {
                        let name = QName {
                            namespace: Some(namespace.to_owned()).filter(|uri| !uri.is_empty()),
                            local: local.to_owned(),
                            text: local.to_owned(),
                        };
                        push(&mut header.unknown, name, bounds::NAMES, r, "header block")?;
                    }
                    r.skip_element()?;
                }
            }
        }
        Ok(header)
    }

    /// Writes `s:Header` with the `mustUnderstand` that WinRM wants on requests; answers of Windows carry none.
    pub(crate) fn write(&self, w: &mut Xml<'_>) -> Result<(), EncodeError> {
        let must = self.relates_to.is_none();
        w.start("s", "Header").open()?;
        optional(w, "a", "To", self.to.as_deref())?;
        block(w, "w", "ResourceURI", must.then_some(true), self.resource_uri.as_deref())?;
        for (local, address) in [("ReplyTo", &self.reply_to), ("FaultTo", &self.fault_to)] {
            if let Some(address) = address {
                w.start("a", local).open()?;
                block(w, "a", "Address", must.then_some(true), Some(address))?;
                w.end()?;
            }
        }
        block(w, "a", "Action", must.then_some(true), self.action.as_deref())?;
        let size = self.max_envelope_size.map(|size| size.to_string());
        block(w, "w", "MaxEnvelopeSize", Some(true), size.as_deref())?;
        optional(w, "a", "MessageID", self.message_id.as_deref())?;
        optional(w, "a", "RelatesTo", self.relates_to.as_deref())?;
        for (prefix, local, language) in
            [("w", "Locale", &self.locale), ("p", "DataLocale", &self.data_locale)]
        {
            if let Some(language) = language {
                w.start(prefix, local)
                    .attribute("xml", "lang", language)
                    .attribute("s", "mustUnderstand", "false")
                    .empty()?;
            }
        }
        block(w, "p", "ActivityId", None, self.activity_id.as_deref())?;
        block(w, "p", "SessionId", Some(false), self.session_id.as_deref())?;
        block(w, "p", "OperationID", Some(self.retransmission), self.operation_id.as_deref())?;
        let sequence_id = self.sequence_id.map(|id| id.to_string());
        block(w, "p", "SequenceId", Some(false), sequence_id.as_deref())?;
        self.write_options(w)?;
        Selector::write_set(w, &self.selectors)?;
        optional_value(w, "w", "OperationTimeout", self.operation_timeout)?;
        block(w, "rsp", "CompressionType", Some(true), self.compression_type.as_deref())?;
        self.write_names(w)?;
        Ok(w.end()?)
    }

    fn write_options(&self, w: &mut Xml<'_>) -> Result<(), EncodeError> {
        if self.options.is_empty() {
            return Ok(());
        }
        limit(self.options.len(), bounds::OPTIONS, "w:Option")?;
        w.start("w", "OptionSet").attribute("s", "mustUnderstand", "true").open()?;
        for option in &self.options {
            let mut tag = w.start("w", "Option").attribute("", "Name", &option.name);
            if option.must_comply {
                tag = tag.attribute("", "MustComply", "true");
            }
            if let Some(value_type) = &option.value_type {
                tag = tag.attribute("", "Type", value_type);
            }
            tag.text(&option.value)?;
        }
        Ok(w.end()?)
    }

    fn write_names(&self, w: &mut Xml<'_>) -> Result<(), EncodeError> {
        limit(self.not_understood.len(), bounds::NAMES, "s:NotUnderstood")?;
        for name in &self.not_understood {
            let (declaration, text) = qname_text(name);
            let mut tag = w.start("s", "NotUnderstood").attribute("", "qname", text);
            if let Some((prefix, uri)) = declaration {
                tag = tag.declare(prefix, uri);
            }
            tag.empty()?;
        }
        limit(self.unknown.len(), bounds::NAMES, "header block")?;
        for name in &self.unknown {
            let mut tag = match &name.namespace {
                Some(uri) => w.start("u", &name.local).declare("u", uri),
                None => w.start("", &name.local),
            };
            tag = tag.attribute("s", "mustUnderstand", "true");
            tag.empty()?;
        }
        Ok(())
    }
}

impl Selector {
    /// Reads the children of `w:SelectorSet`, the innermost open element.
    pub(crate) fn read_set(r: &mut Reader<'_>) -> Result<Vec<Self>, DecodeError> {
        let mut selectors = Vec::new();
        while let Some(start) = r.next_child()? {
            if !start.is(uri::NS_WSMAN, "Selector") {
                r.skip_element()?;
                continue;
            }
            let name = attribute(&start, "Name").ok_or_else(|| missing(r, "w:Selector/@Name"))?;
            let selector = Self { name, value: text(r)? };
            push(&mut selectors, selector, bounds::SELECTORS, r, "w:Selector")?;
        }
        Ok(selectors)
    }

    /// Writes `w:SelectorSet`, if there are any.
    pub(crate) fn write_set(w: &mut Xml<'_>, selectors: &[Self]) -> Result<(), EncodeError> {
        if selectors.is_empty() {
            return Ok(());
        }
        limit(selectors.len(), bounds::SELECTORS, "w:Selector")?;
        w.start("w", "SelectorSet").open()?;
        for Self { name, value } in selectors {
            w.start("w", "Selector").attribute("", "Name", name).text(value)?;
        }
        Ok(w.end()?)
    }
}

/// Reads the children of `w:OptionSet`, the innermost open element.
fn read_options(r: &mut Reader<'_>) -> Result<Vec<WsOption>, DecodeError> {
    let mut options = Vec::new();
    while let Some(start) = r.next_child()? {
        if !start.is(uri::NS_WSMAN, "Option") {
            r.skip_element()?;
            continue;
        }
        let name = attribute(&start, "Name").ok_or_else(|| missing(r, "w:Option/@Name"))?;
        let must_comply = boolean(&start, r, "MustComply", "w:Option/@MustComply")?;
        let value_type = attribute(&start, "Type");
        let option = WsOption { name, must_comply, value_type, value: text(r)? };
        push(&mut options, option, bounds::OPTIONS, r, "w:Option")?;
    }
    Ok(options)
}

/// The address of an endpoint reference.
fn read_address(r: &mut Reader<'_>, field: &'static str) -> Result<String, DecodeError> {
    let mut address = None;
    while let Some(start) = r.next_child()? {
        if start.is(uri::NS_ADDRESSING, "Address") {
            set(&mut address, text(r)?, r, "a:Address")?;
        } else {
            r.skip_element()?;
        }
    }
    address.ok_or_else(|| missing(r, field))
}

/// The language that `w:Locale` and `p:DataLocale` carry as attribute.
fn read_language(r: &mut Reader<'_>, start: &Start) -> Result<String, DecodeError> {
    let language = start.attribute(uri::NS_XML, "lang").map(trim).unwrap_or_default().to_owned();
    r.skip_element()?;
    Ok(language)
}

/// SOAP 1.2 part 1, section 5.2.3; pywinrm writes the attribute without a prefix.
fn must_understand(start: &Start) -> bool {
    let value =
        start.attribute(uri::NS_SOAP, "mustUnderstand").or_else(|| start.attribute("", "mustUnderstand"));
    value.map(trim).is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1")
}

/// A header block with text, if there is one.
fn block(
    w: &mut Xml<'_>,
    prefix: &str,
    local: &str,
    must_understand: Option<bool>,
    text: Option<&str>,
) -> Result<(), EncodeError> {
    let Some(text) = text else { return Ok(()) };
    let mut tag = w.start(prefix, local);
    if let Some(must) = must_understand {
        tag = tag.attribute("s", "mustUnderstand", if must { "true" } else { "false" });
    }
    Ok(tag.text(text)?)
}
