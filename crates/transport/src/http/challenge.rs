//! `WWW-Authenticate` as servers really send it (RFC 9110 11.6.1): several headers, or several challenges in one.

use http::{HeaderMap, header};

/// One challenge: a scheme, and what follows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Challenge<'a> {
    pub(crate) scheme: &'a str,
    /// The token68 or the parameters, untouched; empty for a bare scheme.
    pub(crate) rest: &'a str,
}

/// All challenges of an answer, in order.
pub(crate) fn challenges(headers: &HeaderMap) -> Vec<Challenge<'_>> {
    let values = headers.get_all(header::WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(split).collect()
}

/// The rest of the first challenge with `scheme`, in any case.
pub(crate) fn find<'a>(challenges: &[Challenge<'a>], scheme: &str) -> Option<&'a str> {
    challenges.iter().find(|challenge| challenge.scheme.eq_ignore_ascii_case(scheme)).map(|found| found.rest)
}

/// Cuts at commas that begin a new challenge: `scheme`, or `scheme SP …`, but not `name=value`.
fn split(value: &str) -> Vec<Challenge<'_>> {
    let mut found: Vec<Challenge<'_>> = Vec::new();
    for item in split_outside_quotes(value) {
        let item = item.trim();
        let (first, rest) = item.split_once(' ').map_or((item, ""), |(first, rest)| (first, rest.trim()));
        let is_scheme = !first.is_empty() && first.bytes().all(is_token);
        // `realm = "x"` has a blank before its sign; no scheme is followed by one.
        if is_scheme && !rest.starts_with('=') {
            found.push(Challenge { scheme: first, rest });
        }
        // Else a further parameter of the challenge before; nobody here reads those.
    }
    found
}

fn split_outside_quotes(value: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    value.split(move |c: char| {
        if escaped {
            escaped = false;
        } else if quoted && c == '\\' {
            escaped = true;
        } else if c == '"' {
            quoted = !quoted;
        }
        c == ',' && !quoted
    })
}

/// `tchar` of RFC 9110 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> Vec<(&str, &str)> {
        split(value).into_iter().map(|challenge| (challenge.scheme, challenge.rest)).collect()
    }

    #[test]
    fn one_list_or_several() {
        assert_eq!(of("Negotiate"), [("Negotiate", "")]);
        assert_eq!(of("Negotiate oYGZMIGW/+=="), [("Negotiate", "oYGZMIGW/+==")]);
        assert_eq!(of("Negotiate, Kerberos,NTLM"), [("Negotiate", ""), ("Kerberos", ""), ("NTLM", "")]);
        assert_eq!(
            of(r#"Basic realm="a, b \" c", charset="UTF-8", Negotiate YII="#),
            [("Basic", r#"realm="a, b \" c""#), ("Negotiate", "YII=")]
        );
        assert_eq!(of(r#"Basic realm = "x", NTLM"#), [("Basic", r#"realm = "x""#), ("NTLM", "")]);
        assert!(of("").is_empty());
        assert!(of(",,").is_empty());
        assert_eq!(of(r#"Basic realm="unclosed, NTLM"#), [("Basic", r#"realm="unclosed, NTLM"#)]);
    }

    proptest::proptest! {
        #[test]
        fn any_header_is_cut_into_schemes_and_rests(value in "[ -~]{0,60}") {
            for Challenge { scheme, rest } in split(&value) {
                proptest::prop_assert!(!scheme.is_empty() && scheme.bytes().all(is_token));
                proptest::prop_assert!(value.contains(rest));
            }
        }
    }

    #[test]
    fn schemes_match_in_any_case() {
        let mut headers = HeaderMap::new();
        headers.append(header::WWW_AUTHENTICATE, "negotiate YQ==".parse().unwrap());
        headers.append(header::WWW_AUTHENTICATE, "Basic realm=\"WSMAN\"".parse().unwrap());
        let found = challenges(&headers);
        assert_eq!(find(&found, "Negotiate"), Some("YQ=="));
        assert_eq!(find(&found, "BASIC"), Some("realm=\"WSMAN\""));
        assert_eq!(find(&found, "Kerberos"), None);
    }
}
