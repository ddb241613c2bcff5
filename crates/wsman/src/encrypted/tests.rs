use std::convert::Infallible;

use super::*;
use bytes::BytesMut;

fn xor(bytes: &mut [u8]) {
    for byte in bytes {
        *byte ^= 0xa5;
    }
}

/// Xor stands in for a cipher; the header repeats the length, so that a wrong chunk is noticed.
#[expect(clippy::unnecessary_wraps, reason = "sealing may fail")]
fn wrap(message: &mut [u8]) -> Result<Vec<u8>, Infallible> {
    xor(message);
    Ok(message.len().to_le_bytes().to_vec())
}

fn unwrap(header: &[u8], sealed: &mut [u8]) -> Result<(), &'static str> {
    if header != sealed.len().to_le_bytes() {
        return Err("length");
    }
    xor(sealed);
    Ok(())
}

fn sealed(layout: &Layout, message: &[u8]) -> BytesMut {
    let mut buffer = buffer(message.len());
    buffer.extend_from_slice(message);
    BytesMut::from(seal(layout, buffer, wrap).unwrap())
}

#[test]
fn one_chunk_is_laid_out_to_the_byte() {
    let mut expected = b"--Encrypted Boundary\r\n\
        Content-Type: application/HTTP-SPNEGO-session-encrypted\r\n\
        OriginalContent: type=application/soap+xml;charset=UTF-8;Length=3\r\n\
        --Encrypted Boundary\r\n\
        Content-Type: application/octet-stream\r\n\
        \x08\0\0\0\x03\0\0\0\0\0\0\0"
        .to_vec();
    expected.extend_from_slice(&[b'a' ^ 0xa5, b'b' ^ 0xa5, b'c' ^ 0xa5]);
    expected.extend_from_slice(b"--Encrypted Boundary--\r\n");
    assert_eq!(sealed(&Layout::spnego(), b"abc"), expected);
}

#[test]
fn a_message_in_one_chunk_is_not_moved() {
    let mut buffer = buffer(1000);
    buffer.extend_from_slice(&[7; 1000]);
    let before = buffer.get(HEADROOM..).unwrap().as_ptr();
    let body = seal(&Layout::spnego(), buffer, wrap).unwrap();
    let part = split(&Layout::spnego().content_type(), &body).unwrap().remove(0);
    assert_eq!(body.get(part.sealed.start..).unwrap().as_ptr(), before);
    let opened = open(&Layout::spnego().content_type(), body.into(), unwrap).unwrap();
    assert_eq!(opened.as_ptr(), before);
    assert_eq!(opened, vec![7; 1000]);
}

#[test]
fn chunks_come_back_together() {
    let layout = Layout { chunk_size: Some(10), ..Layout::credssp() };
    for len in [0, 1, 10, 11, 20, 95] {
        let message: Vec<u8> = (0..len).collect();
        let body = sealed(&layout, &message);
        let parts = split(&layout.content_type_for(message.len()), &body).unwrap();
        assert_eq!(parts.len(), message.len().div_ceil(10).max(1));
        assert_eq!(open(&layout.content_type_for(message.len()), body, unwrap).unwrap(), message);
    }
    assert!(layout.content_type_for(11).starts_with("multipart/x-multi-encrypted;protocol="));
    assert!(layout.content_type_for(10).starts_with("multipart/encrypted;protocol="));
}

#[test]
fn boundaries_inside_ciphertext_do_not_count() {
    // Xored, the message reads like the end of the body and the start of another part.
    let message: Vec<u8> = b"--Encrypted Boundary--\r\n--Encrypted Boundary\r\nContent-Type: x\r\n"
        .iter()
        .map(|b| b ^ 0xa5)
        .collect();
    let layout = Layout::spnego();
    let body = sealed(&layout, &message);
    assert!(memchr::memmem::find(&body, b"Content-Type: x\r\n").is_some());
    assert_eq!(open(&layout.content_type(), body, unwrap).unwrap(), message);
}

#[test]
fn an_unusually_long_boundary_or_token_still_fits() {
    let layout = Layout { boundary: "b".repeat(300), ..Layout::spnego() };
    let body = sealed(&layout, b"abc");
    assert_eq!(open(&layout.content_type(), body, unwrap).unwrap(), &b"abc"[..]);
}

#[test]
fn lengthened_and_padded_messages() {
    let mut buffer = buffer(3);
    buffer.extend_from_slice(b"abc");
    let layout = Layout::kerberos();
    let body = seal(&layout, buffer, |_| {
        Ok::<_, Infallible>(Wrapped { header: vec![1; 60], trailer: b"pad".to_vec(), padding: 1 })
    })
    .unwrap();
    let content_type = layout.content_type();
    assert_eq!(split(&content_type, &body).unwrap().remove(0).length, 4);
    let body = BytesMut::from(body);
    let ok = open(&content_type, body.clone(), |header, sealed| {
        assert_eq!((header, &*sealed), (&[1; 60][..], &b"abcpad"[..]));
        Ok::<_, Infallible>(Unwrapped { plaintext: Some(0..3), padding: 1 })
    });
    assert_eq!(ok.unwrap(), &b"abc"[..]);
    let wrong = open(&content_type, body.clone(), |_, _| Ok::<_, Infallible>(0..3));
    assert_eq!(wrong, Err(OpenError::Length { expected: 4, found: 3 }));
    let outside = open(&content_type, body, |_, _| Ok::<_, Infallible>(0..7));
    assert_eq!(outside, Err(OpenError::Range));
}

#[test]
fn variants_of_the_framing_are_read() {
    let plain = "--Encrypted Boundary\r\nContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n\
        OriginalContent: type=application/soap+xml;charset=UTF-8;Length=3\r\n\
        --Encrypted Boundary\r\nContent-Type: application/octet-stream\r\n\x02\0\0\0hhabc--Encrypted Boundary--\r\n";
    let content_type = Layout::spnego().content_type();
    for (from, to) in [
        ("", ""),
        ("--Encrypted", "-- Encrypted"),
        ("Content-Type", "CONTENT-TYPE"),
        ("OriginalContent", "originalcontent"),
        ("\nContent", "\n\tContent"),
        (";charset=UTF-8", ""),
        ("Length", "length"),
        ("\r\n", "\n"),
        ("Boundary--\r\n", "Boundary--"),
        ("Boundary--\r\n", "Boundary\r\n"),
        ("Boundary--\r\n", "Boundary"),
        ("Boundary--\r\n", "Boundary--\r\n\r\n"),
    ] {
        let body = BytesMut::from(plain.replace(from, to).as_bytes());
        let opened = open(&content_type, body, |header, _| {
            assert_eq!(header, b"hh");
            Ok::<_, Infallible>(())
        });
        assert_eq!(opened.unwrap(), &b"abc"[..], "{from:?} -> {to:?}");
    }
    // A closing boundary after each chunk.
    let twice = plain.repeat(2);
    let opened = open(&content_type, BytesMut::from(twice.as_bytes()), |_, _| Ok::<_, Infallible>(()));
    assert_eq!(opened.unwrap(), &b"abcabc"[..]);
}

#[test]
fn damaged_bodies_are_refused() {
    let content_type = Layout::spnego().content_type();
    let body = sealed(&Layout::spnego(), b"message");
    let open_all = |body: &[u8]| open(&content_type, BytesMut::from(body), unwrap);
    let complete = body.len() - "--\r\n".len();
    for end in 0..complete {
        assert!(open_all(body.get(..end).unwrap()).is_err(), "accepted {end} of {} bytes", body.len());
    }
    let text = |from: &str, to: &str| {
        let at = memchr::memmem::find(&body, from.as_bytes()).unwrap();
        let mut damaged = body.get(..at).unwrap().to_vec();
        damaged.extend_from_slice(to.as_bytes());
        damaged.extend_from_slice(body.get(at + from.len()..).unwrap());
        open_all(&damaged).unwrap_err()
    };
    assert!(matches!(text("Length=7", "Length=6"), OpenError::Length { expected: 6, found: 7 }));
    assert!(matches!(text("Length=7", "Length=8"), OpenError::Frame(FrameError::Length { length: 8, .. })));
    assert!(matches!(
        text("Length=7", "Length=18446744073709551615"),
        OpenError::Frame(FrameError::Truncated { .. })
    ));
    for length in ["Length=", "Length=-7", "Length=+7", "Length=x", "Size=7", "Length=99999999999999999999"] {
        assert!(
            matches!(
                text("Length=7", length),
                OpenError::Frame(FrameError::Header { field: "OriginalContent", .. })
            ),
            "{length}"
        );
    }
    assert!(matches!(text("\x08\0\0\0", "\x09\0\0\0"), OpenError::Frame(_) | OpenError::Unwrap(_)));
    let huge = text("octet-stream\r\n\x08\0\0\0", "octet-stream\r\n~~~~");
    assert!(matches!(huge, OpenError::Frame(FrameError::Truncated { field: "token header", .. })));
    assert!(matches!(
        text("--Encrypted", "++Encrypted"),
        OpenError::Frame(FrameError::Boundary { offset: 0 })
    ));
    let mut longer = body.to_vec();
    longer.extend_from_slice(b"more");
    assert!(matches!(open_all(&longer).unwrap_err(), OpenError::Frame(FrameError::Boundary { .. })));
}

#[test]
fn buffers_without_room_are_refused() {
    let layout = Layout::spnego();
    let short = BytesMut::from(&b"<s:Envelope/>"[..]);
    assert_eq!(seal(&layout, short, wrap), Err(SealError::NoHeadroom { len: 13 }));
    let zero = Layout { chunk_size: Some(0), ..layout };
    assert_eq!(seal(&zero, buffer(0), wrap), Err(SealError::ZeroChunk));
}

#[test]
fn content_types() {
    let layout = Layout::spnego();
    assert_eq!(
        layout.content_type(),
        "multipart/encrypted;protocol=\"application/HTTP-SPNEGO-session-encrypted\";boundary=\"Encrypted Boundary\""
    );
    for layout in [Layout::spnego(), Layout::kerberos(), Layout::credssp()] {
        assert_eq!(Layout::from_content_type(&layout.content_type()), Some(layout));
    }
    let odd = "Multipart/Encrypted; Boundary=b; PROTOCOL=application/HTTP-SPNEGO-session-encrypted";
    assert_eq!(Layout::from_content_type(odd).unwrap().boundary, "b");
    for other in [
        "",
        "application/soap+xml;charset=UTF-8",
        "text/html",
        "multipart/encrypted",
        "multipart/encrypted;x",
    ] {
        assert_eq!(Layout::from_content_type(other), None, "{other}");
    }
}
