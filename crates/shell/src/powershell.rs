//! PowerShell as a process, `powershell.exe`, without PowerShell remoting.
//!
//! A script goes on the command line by `-EncodedCommand`. Where it is too long for that, the line has a few words in its place
//! that read it from standard input; so there is no length that fails.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use winrm_clixml::stderr::{ErrorStream, Item};

use crate::child::Output;

impl Output {
    /// Standard error of PowerShell: records, where it is CLIXML, and the rest as it came. What PowerShell writes there begins with
    /// `#< CLIXML` unless it was told otherwise; what programs write that it starts may stand anywhere in between.
    pub fn error_records(&self) -> Vec<Item> {
        let mut stream = ErrorStream::new();
        let mut items = stream.push(&self.stderr);
        items.extend(stream.finish());
        items
    }

    /// Standard error as a console would have shown it: CLIXML as text, without progress, and the rest as UTF-8.
    pub fn error_text(&self) -> String {
        let mut bytes = Vec::with_capacity(self.stderr.len());
        for item in self.error_records() {
            match item {
                Item::Text(text) => bytes.extend_from_slice(&text),
                Item::Record(record) => bytes.extend_from_slice(record.to_text().as_bytes()),
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Characters that `cmd` takes on a line; WinRS hands every command to it.
pub(crate) const CMD_LINE_LIMIT: usize = 8191;
/// What else is on a line: the path of `cmd` and its options, as the host writes them.
const LINE_ROOM: usize = 191;

/// Reads a number and a line feed, then as many bytes, and runs them as a script in the same scope; what is left of standard
/// input is the script's.
const WAIT: &str = "$i=[Console]::OpenStandardInput();$n=0;\
while(($b=$i.ReadByte())-ne 10){if($b -lt 48){exit 255};$n=$n*10+$b-48};\
$t=New-Object byte[] $n;$o=0;\
while($o -lt $n){$r=$i.Read($t,$o,$n-$o);if($r -le 0){exit 255};$o+=$r};\
. ([ScriptBlock]::Create([Text.Encoding]::UTF8.GetString($t)))";

/// The argument of `-EncodedCommand`: the script in UTF-16LE, in base64.
pub fn encoded_command(script: &str) -> String {
    let bytes: Vec<u8> = script.encode_utf16().flat_map(u16::to_le_bytes).collect();
    BASE64.encode(bytes)
}

/// The command line by which `program` runs a script, where that is short enough for one.
pub(crate) fn line(program: &str, script: &str) -> Option<String> {
    let line = with_encoded(program, "", script);
    (line.len() + LINE_ROOM <= CMD_LINE_LIMIT).then_some(line)
}

/// The command line by which `program` waits for a script on standard input, as [`through_stdin`] writes it.
pub(crate) fn waiting_line(program: &str) -> String {
    // PowerShell would read standard input itself, as text, and leave nothing to the script.
    with_encoded(program, "-InputFormat None ", WAIT)
}

fn with_encoded(program: &str, options: &str, script: &str) -> String {
    format!(
        "{program} -NoLogo -NoProfile -NonInteractive {options}-EncodedCommand {}",
        encoded_command(script)
    )
}

/// A script on its way through standard input.
pub(crate) fn through_stdin(script: &str) -> Vec<u8> {
    let mut bytes = format!("{}\n", script.len()).into_bytes();
    bytes.extend_from_slice(script.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_utf_16_in_base64() {
        assert_eq!(encoded_command("dir"), "ZABpAHIA");
        assert_eq!(encoded_command("é𝄞"), "6QA02B7d");
    }

    #[test]
    fn what_is_too_long_for_a_line_has_none() {
        let fits = "x".repeat(2_900);
        assert!(line("powershell.exe", &fits).unwrap().len() <= CMD_LINE_LIMIT - LINE_ROOM);
        assert_eq!(line("powershell.exe", &"x".repeat(3_100)), None);
        assert!(waiting_line("powershell.exe").len() < 2000);
    }

    #[test]
    fn errors_are_read_as_a_console_shows_them() {
        let stderr =
            b"before\r\n#< CLIXML\r\n<Objs Version=\"1.1.0.1\"><S S=\"Error\">it broke_x000D__x000A_</S>\
            <Obj S=\"progress\" RefId=\"0\"/><S S=\"warning\">mind that</S></Objs>after";
        let output =
            Output { status: crate::ExitStatus::terminated(), stdout: Vec::new(), stderr: stderr.to_vec() };
        assert_eq!(output.error_text(), "before\r\nit broke\r\nWARNING: mind that\r\nafter");
        let records = output.error_records();
        assert_eq!(records.iter().filter(|item| matches!(item, Item::Record(_))).count(), 3);
    }

    #[test]
    fn a_script_through_standard_input_has_its_length_before_it() {
        assert_eq!(through_stdin("é"), b"2\n\xc3\xa9");
    }
}
