//! What the host would complete a line by.

use std::time::Duration;

use winrm::powershell::{PsValue, RunspacePool};

/// Longer than anybody likes to wait for it.
const LIMIT: Duration = Duration::from_secs(5);

/// Where the part of `line` begins that is replaced, in bytes, and by what it could be. Hosts that know nothing of it have nothing
/// to say.
pub(super) async fn candidates(pool: &RunspacePool, line: &str, position: usize) -> (usize, Vec<String>) {
    let none = (position, Vec::new());
    let Some(column) = line.get(..position).and_then(|line| i32::try_from(line.encode_utf16().count()).ok())
    else {
        return none;
    };
    let completion = pool.command("TabExpansion2").parameter("inputScript", line);
    let completion = completion.parameter("cursorColumn", column).invoke();
    let Ok(Ok(output)) = tokio::time::timeout(LIMIT, completion).await else { return none };
    output.output.first().and_then(|found| replacement(found, line)).unwrap_or(none)
}

/// Of a `CommandCompletion`. Its indices count UTF-16 units.
fn replacement(found: &PsValue, line: &str) -> Option<(usize, Vec<String>)> {
    let found = found.as_object()?;
    let index = usize::try_from(found.property("ReplacementIndex")?.as_i64()?).ok()?;
    let matches = found.property("CompletionMatches")?.as_object()?.items()?;
    let texts = matches.iter().filter_map(|one| match one.as_object() {
        Some(object) => object.property("CompletionText")?.as_str().map(str::to_owned),
        None => one.as_str().map(str::to_owned),
    });
    Some((byte_at(line, index)?, texts.collect()))
}

/// The byte at which a UTF-16 unit begins.
fn byte_at(line: &str, unit: usize) -> Option<usize> {
    let mut units = 0;
    let ends = line.char_indices().map(|(at, c)| (at, c.len_utf16())).chain([(line.len(), 0)]);
    for (at, len) in ends {
        if units == unit {
            return Some(at);
        }
        units += len;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_units() {
        assert_eq!(byte_at("aé𝄞b", 0), Some(0));
        assert_eq!(byte_at("aé𝄞b", 2), Some(3));
        assert_eq!(byte_at("aé𝄞b", 3), None);
        assert_eq!(byte_at("aé𝄞b", 4), Some(7));
        assert_eq!(byte_at("aé𝄞b", 5), Some(8));
        assert_eq!(byte_at("aé𝄞b", 6), None);
    }
}
