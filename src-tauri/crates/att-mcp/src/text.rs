//! Text from a server as it may be shown: bounded, without secrets, without characters that mislead the eye.

/// `text` with secrets taken out, control and direction characters replaced, and at most `limit` characters.
pub(crate) fn shown(text: &str, limit: usize) -> String {
    // Cut before the search for secrets: its cost must not grow with what a server sends.
    let some: String = text.chars().take(limit.saturating_mul(2)).collect();
    let mut out: String =
        att_core::redact(&some).chars().map(|c| if is_plain(c) { c } else { ' ' }).take(limit).collect();
    if text.chars().nth(limit).is_some() {
        out.push('…');
    }
    out
}

fn is_plain(c: char) -> bool {
    c == '\n' || att_core::text::is_visible(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_misleads_the_eye_is_replaced_and_what_is_long_is_cut() {
        assert_eq!(shown("a\u{202e}b\u{1b}[31mc\nd", 100), "a b [31mc\nd");
        assert_eq!(shown("abcdef", 3), "abc…");
        assert!(shown(&"x".repeat(1_000_000), 10).chars().count() == 11);
    }
}
