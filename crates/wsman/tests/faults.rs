//! The faults that a service answers with say what their readers look for.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests may fail")]

use winrm_wsman::{Fault, FaultCode, Header, Message, QName, uri};

/// Wire and back, as a client sees it.
fn received(request: &Header, fault: Fault) -> (Header, Fault) {
    let message = Message::fault(request, fault);
    let read = Message::decode(&message.encode().unwrap()).unwrap();
    assert_eq!(read, message);
    assert!(read.header.relates_to(request));
    (read.header.clone(), read.as_fault().unwrap().clone())
}

#[test]
fn each_fault_carries_its_subcode_number_and_action() {
    let request = Header::request("http://host/wsman", uri::RESOURCE_URI_CMD, uri::ACTION_RECEIVE);
    let machine = "127.0.0.1";
    let cases = [
        (Fault::shell_not_found(machine), "Sender", "InvalidSelectors", FaultCode(2_150_858_843)),
        (Fault::command_not_found(machine), "Sender", "InvalidSelectors", FaultCode(2_150_858_843)),
        (Fault::timed_out(machine), "Receiver", "TimedOut", FaultCode(2_150_858_793)),
        (Fault::invalid_parameter(machine), "Sender", "InvalidParameter", FaultCode(87)),
        (
            Fault::schema_validation(machine, "rsp:Receive"),
            "Sender",
            "SchemaValidationError",
            FaultCode(2_150_858_817),
        ),
        (Fault::invalid_option(machine, "X"), "Sender", "InvalidOptions", FaultCode(2_150_858_809)),
        (Fault::envelope_too_large(machine, 512_000), "Sender", "EncodingLimit", FaultCode(2_150_859_025)),
        (Fault::session_id_mismatch(machine), "Sender", "InvalidParameter", FaultCode(2_150_859_023)),
        (Fault::too_many_shells(machine), "Sender", "QuotaLimit", FaultCode(2_150_859_173)),
        (Fault::too_many_operations(machine), "Sender", "QuotaLimit", FaultCode(2_150_859_174)),
        (Fault::access_denied(machine), "Sender", "AccessDenied", FaultCode(5)),
        (
            Fault::internal_error(machine, FaultCode::PROVIDER_FAILURE, "no shell"),
            "Receiver",
            "InternalError",
            FaultCode(2_150_858_755),
        ),
    ];
    for (fault, code, subcode, number) in cases {
        let (header, fault) = received(&request, fault);
        assert!(fault.code.is(uri::NS_SOAP, code), "{subcode}");
        assert!(fault.subcode.as_ref().unwrap().is(uri::NS_WSMAN, subcode), "{subcode}");
        assert_eq!(fault.wsman_code(), Some(number), "{subcode}");
        assert_eq!(header.action(), uri::ACTION_FAULT, "{subcode}");
        assert!(number.meaning().is_some(), "{number}");
        assert!(!fault.reason().is_empty() && !fault.message().is_empty());
        assert_eq!(fault.wsman_fault.unwrap().machine.as_deref(), Some(machine));
    }
    for (fault, subcode, number) in [
        (Fault::resource_not_found(machine), "DestinationUnreachable", FaultCode(2_150_858_752)),
        (Fault::action_not_supported(machine, "urn:x"), "ActionNotSupported", FaultCode(2_150_858_771)),
        (
            Fault::header_required(machine, "a:Action"),
            "MessageInformationHeaderRequired",
            FaultCode(2_150_858_769),
        ),
    ] {
        let (header, fault) = received(&request, fault);
        assert!(fault.subcode.as_ref().unwrap().is(uri::NS_ADDRESSING, subcode), "{subcode}");
        assert_eq!(fault.wsman_code(), Some(number));
        assert_eq!(header.action(), uri::ACTION_ADDRESSING_FAULT);
    }
}

#[test]
fn headers_not_understood_are_named() {
    let document = br#"<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"
        xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"><s:Header>
        <a:MessageID>uuid:1</a:MessageID>
        <x:New xmlns:x="urn:x" s:mustUnderstand="true"><x:Deep/></x:New>
        <x:Old xmlns:x="urn:x" s:mustUnderstand="false"/>
        <x:Bare xmlns:x="urn:x" mustUnderstand="1"/>
        </s:Header><s:Body/></s:Envelope>"#;
    let request = Message::decode(document).unwrap().header;
    assert_eq!(request.unknown, [QName::new("urn:x", "", "New"), QName::new("urn:x", "", "Bare")]);
    let (header, fault) = received(&request, Fault::not_understood());
    assert!(fault.code.is(uri::NS_SOAP, "MustUnderstand"));
    assert_eq!(header.not_understood, request.unknown);
    assert_eq!(header.action(), uri::ACTION_ADDRESSING_FAULT);
}

#[test]
fn numbers_say_whether_input_is_still_read() {
    let closed = [109, 232, 0x8007_006d, 0x8007_00e8, 2_150_859_087, 2_150_859_212];
    let gone = [2_150_858_843, 2_147_943_418, 995, 1223];
    for number in closed.into_iter().chain(gone).map(FaultCode) {
        assert!(number.is_input_closed(), "{number}");
        assert_eq!(number.is_shell_gone(), gone.contains(&number.0), "{number}");
        assert!(number.meaning().is_some() && number.name().is_some(), "{number}");
    }
    let open: Vec<_> = FaultCode::KNOWN.iter().filter(|number| !number.is_input_closed()).collect();
    assert_eq!(open.len(), FaultCode::KNOWN.len() - closed.len() - gone.len());
    // Busy is no end: the same block may be sent again.
    assert!(!FaultCode(170).is_input_closed() && FaultCode(170).quota().is_none());
    assert_eq!(FaultCode(170).name(), Some("BUSY"));
    assert!(FaultCode(170).meaning().unwrap().ends_with("try again"));
    assert_eq!(FaultCode::BROKEN_PIPE_HRESULT, FaultCode(2_147_942_509));
    assert_eq!(FaultCode::NO_DATA_HRESULT, FaultCode(2_147_942_632));
}

#[test]
fn numbers_say_what_to_do() {
    assert!(FaultCode::INVALID_SELECTORS.is_shell_gone());
    assert!(!FaultCode::TIMED_OUT.is_shell_gone());
    assert!(FaultCode(2_150_859_173).quota().is_some() && FaultCode(2_150_859_236).quota().is_some());
    assert!(FaultCode(2_150_859_025).is_too_large());
    assert_eq!(FaultCode::TIMED_OUT.to_string(), "2150858793 (0x80338029)");
    assert_eq!(FaultCode::TIMED_OUT.name(), Some("TIMED_OUT"));
    assert_eq!(FaultCode(1).meaning(), None);
    let mut numbers: Vec<_> = FaultCode::KNOWN.to_vec();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), FaultCode::KNOWN.len());
}
