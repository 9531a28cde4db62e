//! One text of another client's file: its variables become our references, a literal secret becomes one too.

use super::FoundSecret;
use super::entry::Place;
use att_core::secret::SecretValue;

/// What was learnt while texts were turned into ours.
#[derive(Debug, Default)]
pub(super) struct Learnt {
    pub notes: Vec<String>,
    pub secrets: Vec<FoundSecret>,
    pub unusable: Option<String>,
}

impl Learnt {
    pub fn note(&mut self, text: String) {
        if !self.notes.contains(&text) && self.notes.len() < 50 {
            self.notes.push(text);
        }
    }

    /// `value`, a secret of the server `server` under `key`, as a reference.
    pub fn hide(&mut self, server: &str, key: &str, value: &str) -> String {
        let mut name = format!("{}-{}", slug(server), slug(key));
        // Two of one key, such as two `--header`, are two secrets.
        let taken =
            |name: &str| self.secrets.iter().any(|known| known.name == name && known.value.expose() != value);
        if taken(&name) {
            let first = name.clone();
            name = (2_u32..).map(|n| format!("{first}-{n}")).find(|name| !taken(name)).unwrap_or(first);
        }
        if is_placeholder(value) {
            self.note(format!("{key} held a placeholder: set the secret with `att secret set {name}`"));
        } else {
            self.note(format!("{key} held a secret: it is kept as `{name}`, and the file refers to it"));
            let found = FoundSecret { name: name.clone(), value: SecretValue::new(value) };
            if !self.secrets.contains(&found) {
                self.secrets.push(found);
            }
        }
        format!("${{keyring:{name}}}")
    }
}

/// `text` with the other client's variables as ours.
pub(super) fn translate(text: &str, place: Place<'_>, learnt: &mut Learnt) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        out.push_str(&rest[..start]);
        let tail = &rest[start..];
        let Some(end) = tail.find('}') else {
            learnt.unusable = Some("it holds a \"${\" without its \"}\"".into());
            return out;
        };
        let inner = &tail[2..end];
        match variable(inner, place, learnt) {
            Some(ours) => out.push_str(&ours),
            None => {
                let shown: String = att_core::redact(inner).chars().take(60).collect();
                learnt.unusable = Some(format!("it uses ${{{shown}}}, which only its own client knows"));
                return out;
            }
        }
        rest = &tail[end + 1..];
    }
    out.push_str(rest);
    out
}

fn variable(inner: &str, place: Place<'_>, learnt: &mut Learnt) -> Option<String> {
    match inner {
        "workspaceFolder" | "workspaceRoot" => return place.folder.map(str::to_owned),
        "workspaceFolderBasename" => return place.folder?.rsplit('/').next().map(str::to_owned),
        "userHome" => return place.home.map(str::to_owned),
        "pathSeparator" | "/" => return Some("/".into()),
        _ => {}
    }
    if let Some((kind, name)) = inner.split_once(':').filter(|(_, name)| !name.starts_with(['-', '='])) {
        return match kind {
            "env" | "keyring" if !name.is_empty() => Some(format!("${{{inner}}}")),
            "input" if !name.is_empty() => {
                let name = slug(name);
                learnt.note(format!(
                    "its client asks for `{name}` when it starts; here it is a secret: `att secret set {name}`"
                ));
                Some(format!("${{keyring:{name}}}"))
            }
            _ => None,
        };
    }
    let (name, default) = match inner.split_once(":-") {
        Some((name, _)) => (name, true),
        None => (inner, false),
    };
    let mut letters = name.chars();
    let is_name = letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name {
        return None;
    }
    if default {
        learnt.note(format!("the default of ${{{name}}} is left out: set the variable where ATT is started"));
    }
    Some(format!("${{env:{name}}}"))
}

/// True when the value of a variable or header of that name is a secret that stands there as it is.
pub(super) fn is_secret(name: &str, value: &str) -> bool {
    let value = value.trim();
    if value.is_empty() || value.contains("${") {
        return false;
    }
    if att_core::redact(value) != value {
        return true;
    }
    let upper = name.to_ascii_uppercase().replace('-', "_");
    let named = att_core::redact::names_a_secret(name)
        || ["KEY", "PAT", "PWD", "PASS"]
            .iter()
            .any(|last| upper == *last || upper.strip_suffix(last).is_some_and(|rest| rest.ends_with('_')));
    // A path to a secret and a switch are no secrets.
    let plain = value.starts_with(['/', '~', '.'])
        || value.parse::<f64>().is_ok_and(|_| value.len() < 6)
        || matches!(value.to_ascii_lowercase().as_str(), "true" | "false" | "yes" | "no" | "none");
    named && !plain
}

fn is_placeholder(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    value.starts_with('<') || lower.contains("your") || lower.contains("xxxx") || lower.contains("...")
}

/// `text` as a part of a secret's name.
pub(super) fn slug(text: &str) -> String {
    let mut out: String =
        text.chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') { c.to_ascii_lowercase() } else { '-' }
            })
            .take(80)
            .collect();
    if out.is_empty() {
        out.push('x');
    }
    out
}
