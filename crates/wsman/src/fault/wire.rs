//! Reading and writing `s:Fault`.

use winrm_xml::{Event, Reader, Start};

use crate::codec::{
    Xml, attribute, bounds, invalid, leaf, limit, missing, optional, push, qname, qname_text, set, text,
    trimmed,
};
use crate::error::{DecodeError, EncodeError};
use crate::fault::{Fault, FaultCode, ProviderFault, Reason, WsManFault};
use crate::name::QName;
use crate::uri;

impl Fault {
    /// Reads the children of `s:Fault`, the innermost open element.
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut code = None;
        let mut fault = Self {
            code: QName::default(),
            subcode: None,
            reason: Vec::new(),
            fault_detail: None,
            wsman_fault: None,
            details: Vec::new(),
        };
        while let Some(start) = r.next_child()? {
            match start.name().as_pair() {
                (uri::NS_SOAP, "Code") => fault.read_code(r, &mut code)?,
                (uri::NS_SOAP, "Reason") => fault.read_reason(r)?,
                (uri::NS_SOAP, "Detail") => fault.read_detail(r)?,
                _ => r.skip_element()?,
            }
        }
        fault.code = code.ok_or_else(|| missing(r, "s:Code"))?;
        Ok(fault)
    }

    fn read_code(&mut self, r: &mut Reader<'_>, code: &mut Option<QName>) -> Result<(), DecodeError> {
        while let Some(start) = r.next_child()? {
            match start.name().as_pair() {
                (uri::NS_SOAP, "Value") => set(code, read_name(r, &start)?, r, "s:Value")?,
                (uri::NS_SOAP, "Subcode") => {
                    // Subcodes may nest; nobody does that.
                    while let Some(start) = r.next_child()? {
                        if start.is(uri::NS_SOAP, "Value") {
                            set(&mut self.subcode, read_name(r, &start)?, r, "s:Subcode")?;
                        } else {
                            r.skip_element()?;
                        }
                    }
                }
                _ => r.skip_element()?,
            }
        }
        Ok(())
    }

    fn read_reason(&mut self, r: &mut Reader<'_>) -> Result<(), DecodeError> {
        while let Some(start) = r.next_child()? {
            if start.is(uri::NS_SOAP, "Text") {
                let lang = start.attribute(uri::NS_XML, "lang").map(str::to_owned);
                let reason = Reason { lang, text: text(r)? };
                push(&mut self.reason, reason, bounds::FEW, r, "s:Text")?;
            } else {
                r.skip_element()?;
            }
        }
        Ok(())
    }

    fn read_detail(&mut self, r: &mut Reader<'_>) -> Result<(), DecodeError> {
        while let Some(start) = r.next_child()? {
            match start.name().as_pair() {
                (uri::NS_WSMAN, "FaultDetail") => set(&mut self.fault_detail, text(r)?, r, "w:FaultDetail")?,
                (uri::NS_FAULT, "WSManFault") => {
                    let fault = WsManFault::read(r, &start)?;
                    set(&mut self.wsman_fault, fault, r, "f:WSManFault")?;
                }
                _ => {
                    let element = r.read_element(start)?;
                    push(&mut self.details, element, bounds::FEW, r, "element of s:Detail")?;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn write(&self, w: &mut Xml<'_>) -> Result<(), EncodeError> {
        limit(self.reason.len(), bounds::FEW, "s:Text")?;
        limit(self.details.len(), bounds::FEW, "element of s:Detail")?;
        w.start("s", "Fault").open()?;
        w.start("s", "Code").open()?;
        write_name(w, &self.code)?;
        if let Some(subcode) = &self.subcode {
            w.start("s", "Subcode").open()?;
            write_name(w, subcode)?;
            w.end()?;
        }
        w.end()?;
        if !self.reason.is_empty() {
            w.start("s", "Reason").open()?;
            for Reason { lang, text } in &self.reason {
                let mut tag = w.start("s", "Text");
                if let Some(lang) = lang {
                    tag = tag.attribute("xml", "lang", lang);
                }
                tag.text(text)?;
            }
            w.end()?;
        }
        if self.fault_detail.is_some() || self.wsman_fault.is_some() || !self.details.is_empty() {
            w.start("s", "Detail").open()?;
            optional(w, "w", "FaultDetail", self.fault_detail.as_deref())?;
            if let Some(fault) = &self.wsman_fault {
                fault.write(w)?;
            }
            for element in &self.details {
                w.element(element)?;
            }
            w.end()?;
        }
        Ok(w.end()?)
    }
}

impl WsManFault {
    fn read(r: &mut Reader<'_>, start: &Start) -> Result<Self, DecodeError> {
        let code = attribute(start, "Code").ok_or_else(|| missing(r, "f:WSManFault/@Code"))?;
        let code = code.parse().map_err(|_| invalid(r, "f:WSManFault/@Code", "a number of 32 bits"))?;
        let mut fault = Self {
            code: FaultCode(code),
            machine: attribute(start, "Machine"),
            message: None,
            provider_fault: None,
        };
        while let Some(start) = r.next_child()? {
            if start.is(uri::NS_FAULT, "Message") {
                fault.read_message(r)?;
            } else {
                r.skip_element()?;
            }
        }
        Ok(fault)
    }

    /// `f:Message` holds a text, or a provider's fault, or both.
    fn read_message(&mut self, r: &mut Reader<'_>) -> Result<(), DecodeError> {
        let mut message = String::new();
        loop {
            match r.next()? {
                Event::Text(text) => message.push_str(&text),
                Event::Start(start) if start.is(uri::NS_FAULT, "ProviderFault") => {
                    let fault = ProviderFault::read(r, &start)?;
                    set(&mut self.provider_fault, Box::new(fault), r, "f:ProviderFault")?;
                }
                Event::Start(_) => r.skip_element()?,
                Event::End(_) | Event::Eof => break,
            }
        }
        self.message = some_text(message).or_else(|| self.message.take());
        Ok(())
    }

    fn write(&self, w: &mut Xml<'_>) -> Result<(), EncodeError> {
        let mut tag = w.start("f", "WSManFault").declare("f", uri::NS_FAULT);
        tag = tag.attribute("", "Code", self.code.0.to_string());
        if let Some(machine) = &self.machine {
            tag = tag.attribute("", "Machine", machine);
        }
        tag.open()?;
        match &self.provider_fault {
            Some(provider) => {
                w.start("f", "Message").open()?;
                w.text(self.message.as_deref().unwrap_or_default())?;
                provider.write(w)?;
                w.end()?;
            }
            None => optional(w, "f", "Message", self.message.as_deref())?,
        }
        Ok(w.end()?)
    }
}

impl ProviderFault {
    fn read(r: &mut Reader<'_>, start: &Start) -> Result<Self, DecodeError> {
        let mut fault = Self {
            provider: attribute(start, "provider"),
            path: attribute(start, "path"),
            ..Self::default()
        };
        let mut message = String::new();
        loop {
            match r.next()? {
                Event::Text(text) => message.push_str(&text),
                Event::Start(start) => match start.name().as_pair() {
                    // Nests as deep as the document may (winrm_xml::Limits::depth).
                    (uri::NS_FAULT, "WSManFault") => {
                        let inner = WsManFault::read(r, &start)?;
                        set(&mut fault.wsman_fault, Box::new(inner), r, "f:WSManFault")?;
                    }
                    (uri::NS_FAULT, "ExtendedError") => {
                        let element = r.read_element(start)?;
                        set(&mut fault.extended_error, element, r, "f:ExtendedError")?;
                    }
                    _ => r.skip_element()?,
                },
                Event::End(_) | Event::Eof => break,
            }
        }
        fault.message = some_text(message);
        Ok(fault)
    }

    fn write(&self, w: &mut Xml<'_>) -> Result<(), EncodeError> {
        let mut tag = w.start("f", "ProviderFault");
        if let Some(provider) = &self.provider {
            tag = tag.attribute("", "provider", provider);
        }
        if let Some(path) = &self.path {
            tag = tag.attribute("", "path", path);
        }
        tag.open()?;
        w.text(self.message.as_deref().unwrap_or_default())?;
        if let Some(fault) = &self.wsman_fault {
            fault.write(w)?;
        }
        if let Some(element) = &self.extended_error {
            w.element(element)?;
        }
        Ok(w.end()?)
    }
}

fn some_text(text: String) -> Option<String> {
    Some(trimmed(text.into()).into_owned()).filter(|text| !text.is_empty())
}

fn read_name(r: &mut Reader<'_>, start: &Start) -> Result<QName, DecodeError> {
    Ok(qname(start, &r.read_text()?))
}

fn write_name(w: &mut Xml<'_>, name: &QName) -> Result<(), EncodeError> {
    let (declaration, text) = qname_text(name);
    match declaration {
        Some((prefix, uri)) => Ok(w.start("s", "Value").declare(prefix, uri).text(&text)?),
        None => leaf(w, "s", "Value", &text),
    }
}
