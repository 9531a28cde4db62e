//! The last `release_id` / `previous_release_id` in the runtime's log: JSON lines or `key=value`. Outside text.

use super::{ReleaseAnswer, ReleaseSource, ReleaseSourceContext, SourceError};
use crate::model::SourceKind;
use crate::world::Checkout;
use async_trait::async_trait;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// How much of the log's end is read.
const MAX_BYTES: u64 = 256 * 1024;
const MAX_ID_CHARS: usize = 200;

pub(super) struct RuntimeLog;

#[async_trait]
impl ReleaseSource for RuntimeLog {
    fn kind(&self) -> SourceKind {
        SourceKind::RuntimeLog
    }

    async fn ask(&self, context: ReleaseSourceContext<'_>) -> Result<ReleaseAnswer, SourceError> {
        let Some(log) = &context.target_config.runtime_log else { return Ok(ReleaseAnswer::default()) };
        let path = context.world.checkout_dir(&context.cycle.id, Checkout::Base).join(log);
        // A log on a hanging mount must not hold up the engine's own threads.
        let shown = path.display().to_string();
        let text = tokio::task::spawn_blocking(move || end_of(&path))
            .await
            .map_err(|error| SourceError(error.to_string()))?
            .map_err(|error| SourceError(format!("{shown}: {error}")))?;
        Ok(last_release(&text))
    }
}

fn end_of(path: &Path) -> std::io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(std::io::Error::other("it is not a plain file"));
    }
    let skipped = meta.len().saturating_sub(MAX_BYTES);
    file.seek(SeekFrom::Start(skipped))?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    // The first line is cut off when something was skipped.
    Ok(if skipped == 0 {
        text
    } else {
        text.split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap_or_default()
    })
}

/// The last release that `log` names. The previous one counts only from that line or a later one: on an earlier
/// line it belongs to an earlier release.
#[must_use]
pub fn last_release(log: &str) -> ReleaseAnswer {
    let mut previous = None;
    for line in log.lines().rev() {
        let (found, before) = ids_in(line);
        previous = previous.or(before);
        if let Some(current) = found {
            let detail: String = att_core::redact(line.trim()).chars().take(300).collect();
            return ReleaseAnswer {
                current_release_id: Some(current),
                previous_release_id: previous,
                detail: Some(detail),
            };
        }
    }
    ReleaseAnswer::default()
}

fn ids_in(line: &str) -> (Option<String>, Option<String>) {
    let line = line.trim();
    if let Ok(serde_json::Value::Object(object)) = serde_json::from_str(line) {
        let field = |name: &str| object.get(name).and_then(|value| value.as_str()).and_then(usable);
        return (field("release_id"), field("previous_release_id"));
    }
    (value_of(line, "release_id"), value_of(line, "previous_release_id"))
}

/// The last `name=value` on a line; the value may be quoted.
fn value_of(line: &str, name: &str) -> Option<String> {
    let mut found = None;
    let mut from = 0;
    while let Some(at) = line[from..].find(name).map(|offset| from + offset) {
        from = at + name.len();
        let whole_word = !line[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
        let Some(rest) = line[from..].strip_prefix('=').filter(|_| whole_word) else { continue };
        let value = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next(),
            None => rest.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';')).next(),
        };
        found = value.and_then(usable).or(found);
    }
    found
}

fn usable(text: &str) -> Option<String> {
    let fits =
        !text.is_empty() && text.chars().count() <= MAX_ID_CHARS && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(log: &str) -> (Option<String>, Option<String>) {
        let answer = last_release(log);
        (answer.current_release_id, answer.previous_release_id)
    }

    fn pair(current: &str, previous: Option<&str>) -> (Option<String>, Option<String>) {
        (Some(current.to_owned()), previous.map(str::to_owned))
    }

    #[test]
    fn the_last_release_is_read_from_json_lines_and_from_key_value_lines() {
        let json = "{\"release_id\":\"r1\"}\nnoise\n{\"level\":\"info\",\"release_id\":\"r2\",\"previous_release_id\":\"r1\"}\n";
        assert_eq!(ids(json), pair("r2", Some("r1")));
        let plain = "t=1 release_id=r1\nt=2 starting release_id=r2, previous_release_id=\"r 1\" ok\nGET /\n";
        assert_eq!(ids(plain), pair("r2", Some("r 1")));
    }

    #[test]
    fn a_previous_id_of_an_earlier_release_is_not_taken() {
        assert_eq!(ids("release_id=r2 previous_release_id=r1\nrelease_id=r3\n"), pair("r3", None));
        assert_eq!(ids("release_id=r3\nprevious_release_id=r2\n"), pair("r3", Some("r2")));
    }

    #[test]
    fn lines_that_only_look_alike_are_not_taken() {
        for log in
            ["", "release_id=", "old_release_id=r1", "release_id: r1", "{\"release_id\": 5}", "release_id"]
        {
            assert_eq!(ids(log), (None, None), "{log}");
        }
        assert_eq!(ids(&format!("release_id={}", "x".repeat(500))), (None, None));
    }

    proptest::proptest! {
        #[test]
        fn no_log_makes_reading_panic(log in "\\PC{0,300}") {
            let _ = last_release(&log);
        }
    }
}
