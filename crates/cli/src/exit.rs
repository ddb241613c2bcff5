//! Exit statuses: 0 to 254 are the remote command's, 255 is ours.

/// The client failed, as with ssh.
pub(crate) const CLIENT_FAILED: i32 = 255;

/// What the exit status of this process can show of the remote one.
///
/// Unix gives us eight bits and 255 is taken: everything above 254 is shown as 254. Windows has all 32 bits.
pub(crate) fn shown(raw: u32) -> i32 {
    if cfg!(windows) { raw.cast_signed() } else { i32::try_from(raw.min(254)).unwrap_or(254) }
}

/// As people name it: NTSTATUS values are only known by their hexadecimal form.
pub(crate) fn named(raw: u32) -> String {
    if raw > 0xffff { format!("0x{raw:08X}") } else { raw.to_string() }
}

/// For stderr, where the exit status does not show the remote one.
pub(crate) fn note(raw: u32) -> Option<String> {
    let shown = shown(raw);
    // NTSTATUS values are only known by their hexadecimal form.
    (shown.cast_unsigned() != raw)
        .then(|| format!("remote exit code {raw} (0x{raw:08X}) is shown as {shown}"))
}

/// The exit status for several targets, of which some may have failed (`None`).
pub(crate) fn of_all(codes: impl IntoIterator<Item = Option<u32>>) -> i32 {
    let highest = codes.into_iter().try_fold(0, |highest: u32, code| code.map(|code| highest.max(code)));
    highest.map_or(CLIENT_FAILED, shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_client_wins_then_the_highest() {
        assert_eq!(of_all([Some(0), Some(7), Some(3)]), 7);
        assert_eq!(of_all([Some(0), None, Some(3)]), CLIENT_FAILED);
        assert_eq!(of_all([Some(0)]), 0);
    }

    #[cfg(unix)]
    #[test]
    fn what_eight_bits_cannot_show_is_254_and_noted() {
        assert_eq!((shown(0), note(0)), (0, None));
        assert_eq!((shown(254), note(254)), (254, None));
        assert_eq!(shown(255), 254);
        assert!(note(255).unwrap().contains("255 (0x000000FF)"));
        assert_eq!(shown(0xc000_013a), 254);
        assert!(note(0xc000_013a).unwrap().contains("3221225786 (0xC000013A)"));
    }
}
