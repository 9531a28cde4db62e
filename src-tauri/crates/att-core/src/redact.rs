//! Takes what looks like a secret out of text before it is logged, stored, hashed or shown.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

/// What stands where a secret was.
pub const REDACTED: &str = "[redacted]";

/// Names whose value is a secret, in `name=value`, `name: value` or `"name": "value"`.
const SECRET_NAMES: [&str; 12] = [
    "authorization",
    "password",
    "passwd",
    "secret",
    "token",
    "api_key",
    "apikey",
    "api-key",
    "access_key",
    "private_key",
    "cookie",
    "credential",
];

/// Prefixes by which issued tokens are known, each followed by at least 12 token characters.
const TOKEN_PREFIXES: [&str; 11] =
    ["ghp_", "gho_", "ghs_", "ghu_", "github_pat_", "glpat-", "sk-", "xoxb-", "xoxp-", "nvapi-", "AKIA"];

/// `text` with the values of secret-looking names, bearer tokens, URL passwords and known token forms replaced.
///
/// Errs on the side of taking out too much. It is no licence to pass secrets about: references
/// (`${keyring:NAME}`) are what files and records hold.
#[must_use]
pub fn redact(text: &str) -> String {
    if !may_hold_secret(text) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
        }
        out.push_str(&redact_tokens(&redact_url_passwords(&redact_named(line))));
    }
    out
}

/// Everything without which no text holds what [`redact`] takes out. None if the search could not be built.
static SIGNS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let signs = SECRET_NAMES.into_iter().chain(TOKEN_PREFIXES).chain(["://", "bearer", "eyJ"]);
    AhoCorasick::builder().ascii_case_insensitive(true).build(signs).ok()
});

/// False when [`redact`] would change nothing, told by one quick look. The JSON text of a value will do as well as the
/// texts in it: no sign has a character that JSON escapes.
#[must_use]
pub fn may_hold_secret(text: &str) -> bool {
    SIGNS.as_ref().is_none_or(|signs| signs.is_match(text))
}

fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '+' | '=' | '~')
}

/// True when `name`, a JSON key or a variable's name, names a secret.
#[must_use]
pub fn names_a_secret(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|secret| lower.contains(secret))
}

/// Replaces the value after each secret name on one line.
fn redact_named(line: &str) -> String {
    let lower = line.to_ascii_lowercase();
    let mut out = String::with_capacity(line.len());
    let mut at = 0;
    // Each name's next place is kept until it is passed, or a long hostile line would be read once for every word.
    let mut places = SECRET_NAMES.map(|name| lower.find(name));
    while at < line.len() {
        for (place, name) in places.iter_mut().zip(SECRET_NAMES) {
            if place.is_some_and(|found| found < at) {
                *place = lower[at..].find(name).map(|offset| at + offset);
            }
        }
        let found = places
            .iter()
            .zip(SECRET_NAMES)
            .filter_map(|(place, name)| place.map(|at| (at, at + name.len())))
            .min();
        let Some((_, name_end)) = found else { break };
        // The rest of the name ("token" in "token_file"), a closing quote, blanks, then a separator.
        let bytes = line.as_bytes();
        let mut cursor = name_end;
        while cursor < bytes.len()
            && (bytes[cursor].is_ascii_alphanumeric() || matches!(bytes[cursor], b'_' | b'-'))
        {
            cursor += 1;
        }
        while cursor < bytes.len() && matches!(bytes[cursor], b'"' | b'\'' | b'\\' | b' ' | b'\t') {
            cursor += 1;
        }
        if cursor >= bytes.len() || !matches!(bytes[cursor], b'=' | b':') {
            out.push_str(&line[at..name_end]);
            at = name_end;
            continue;
        }
        cursor += 1;
        while cursor < bytes.len() && matches!(bytes[cursor], b' ' | b'\t') {
            cursor += 1;
        }
        let escaped = line[cursor..].starts_with("\\\"");
        let quote = match bytes.get(cursor) {
            _ if escaped => Some('"'),
            Some(b'"') => Some('"'),
            Some(b'\'') => Some('\''),
            _ => None,
        };
        let start = cursor + usize::from(escaped) + usize::from(quote.is_some());
        out.push_str(&line[at..start]);
        let rest = &line[start..];
        let length = match quote {
            Some(quote) => closing_quote(rest, quote, escaped),
            None => unquoted_length(rest),
        };
        let value = &rest[..length];
        if value.is_empty() || is_reference(value) || value == REDACTED {
            out.push_str(value);
        } else {
            out.push_str(REDACTED);
        }
        at = start + length;
    }
    out.push_str(&line[at..]);
    out
}

fn closing_quote(rest: &str, quote: char, escaped: bool) -> usize {
    if escaped {
        return rest.find("\\\"").unwrap_or(rest.len());
    }
    let mut skip = false;
    for (index, c) in rest.char_indices() {
        if skip {
            skip = false;
        } else if c == '\\' {
            skip = true;
        } else if c == quote {
            return index;
        }
    }
    rest.len()
}

/// The length of an unquoted value: one word, or two when the first is an authorization scheme.
fn unquoted_length(rest: &str) -> usize {
    if rest.starts_with(REDACTED) {
        return REDACTED.len();
    }
    if rest.starts_with("${") {
        return rest.find('}').map_or(rest.len(), |end| end + 1);
    }
    let word_end = |from: usize| {
        rest[from..]
            .find(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '&' | '}' | ']' | '"' | '\''))
            .map_or(rest.len(), |n| from + n)
    };
    let first = word_end(0);
    let scheme = rest[..first].to_ascii_lowercase();
    if matches!(scheme.as_str(), "bearer" | "basic" | "token" | "digest") && rest[first..].starts_with(' ') {
        return word_end(first + 1);
    }
    first
}

fn is_reference(value: &str) -> bool {
    value.starts_with("${") && value.ends_with('}')
}

/// Replaces the password in `scheme://user:password@host`.
fn redact_url_passwords(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(scheme) = rest.find("://") {
        let authority_start = scheme + 3;
        let authority_end = rest[authority_start..]
            .find(|c: char| c == '/' || c.is_whitespace() || c == '"' || c == '\'')
            .map_or(rest.len(), |n| authority_start + n);
        let authority = &rest[authority_start..authority_end];
        out.push_str(&rest[..authority_start]);
        match authority.rfind('@').map(|sign| (sign, authority[..sign].find(':'))) {
            Some((sign, Some(colon))) => {
                out.push_str(&authority[..=colon]);
                out.push_str(REDACTED);
                out.push_str(&authority[sign..]);
            }
            _ => out.push_str(authority),
        }
        rest = &rest[authority_end..];
    }
    out.push_str(rest);
    out
}

/// Replaces words of a known token form, and what follows `Bearer `.
fn redact_tokens(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    let mut after_bearer = false;
    while !rest.is_empty() {
        let length = rest.find(|c: char| !is_token_char(c)).unwrap_or(rest.len());
        if length == 0 {
            let next = rest.chars().next().map_or(0, char::len_utf8);
            out.push_str(&rest[..next]);
            rest = &rest[next..];
            continue;
        }
        let word = &rest[..length];
        let known = TOKEN_PREFIXES.iter().any(|prefix| holds_token(word, prefix));
        let jwt = word.starts_with("eyJ") && word.matches('.').count() == 2;
        if known || jwt || (after_bearer && word.len() >= 8 && word != "redacted") {
            out.push_str(REDACTED);
        } else {
            out.push_str(word);
        }
        after_bearer = word.eq_ignore_ascii_case("bearer");
        rest = &rest[length..];
    }
    out
}

/// True when a token with `prefix` begins in `word`, at its start or after a sign: `flask-server` holds no `sk-...`.
fn holds_token(word: &str, prefix: &str) -> bool {
    word.match_indices(prefix).any(|(at, _)| {
        let begins = word[..at].chars().next_back().is_none_or(|before| !before.is_ascii_alphanumeric());
        begins && word[at + prefix.len()..].bytes().take_while(|byte| *byte != b'/').take(12).count() == 12
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secret_names_go_and_the_rest_stays() {
        for (given, want) in [
            ("GITHUB_TOKEN=abc123 make", "GITHUB_TOKEN=[redacted] make"),
            (
                "{\"password\": \"hun\\\"ter2\", \"user\": \"ann\"}",
                "{\"password\": \"[redacted]\", \"user\": \"ann\"}",
            ),
            ("Authorization: Bearer abc.def.ghi", "Authorization: [redacted]"),
            ("clone https://ann:pw@host/repo", "clone https://ann:[redacted]@host/repo"),
            ("use ghp_abcdefghijklmnop now", "use [redacted] now"),
            ("the token bucket is empty", "the token bucket is empty"),
            (
                "/srv/flask-application-server/task-management-server",
                "/srv/flask-application-server/task-management-server",
            ),
            ("key is sk-abcdefghijklmnop.", "key is [redacted]"),
            ("token=${keyring:files}", "token=${keyring:files}"),
            ("wire {\\\"api_key\\\":\\\"s3cr3t\\\"}", "wire {\\\"api_key\\\":\\\"[redacted]\\\"}"),
        ] {
            assert_eq!(redact(given), want);
        }
    }

    #[test]
    fn a_long_line_full_of_secret_names_is_read_in_a_moment() {
        let started = std::time::Instant::now();
        for line in ["token password ".repeat(70_000), "ask-".repeat(250_000)] {
            assert_eq!(redact(&line), line);
        }
        let took = started.elapsed();
        assert!(took < std::time::Duration::from_secs(5), "{took:?}");
    }

    proptest::proptest! {
        #[test]
        fn what_passes_the_quick_look_holds_nothing_to_take_out(
            text in "((tok|en|pass|word|Bear|er |:/|/|a:b@|[=:\" ,.]|sk|-|AKI|A|ghp|_|eyJ)|[a-zA-Z0-9]|\\PC)*",
        ) {
            if !may_hold_secret(&text) {
                let slow: Vec<_> =
                    text.split('\n').map(|line| redact_tokens(&redact_url_passwords(&redact_named(line)))).collect();
                proptest::prop_assert_eq!(slow.join("\n"), text);
            }
        }

        #[test]
        fn text_of_any_shape_is_redacted_without_a_panic(text in "((token|password|Bearer |://a:b@|[=:\" ,]|sk-)|\\PC)*") {
            let _ = redact(&text);
        }

        #[test]
        fn redacting_plain_lines_twice_changes_nothing_more(name in "(token|password|user)", value in "[a-z0-9-]{0,20}") {
            let once = redact(&format!("{name}: {value}; Bearer {value}"));
            proptest::prop_assert_eq!(redact(&once), once);
        }

        #[test]
        fn a_named_secret_is_never_left_in_place(secret in "[a-zA-Z0-9]{8,40}", name in "(api_key|password|TOKEN|Secret)") {
            let text = format!("{name}={secret} tail");
            let redacted = redact(&text);
            proptest::prop_assert!(!redacted.contains(&secret), "{}", redacted);
        }
    }
}
