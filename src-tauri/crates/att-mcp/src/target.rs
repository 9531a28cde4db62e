//! From configuration to what is really run or dialled: secret references become values here and nowhere else.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use att_core::secret::{SecretError, SecretRef, SecretStore, resolve};
use att_process::CommandSpec;
use http::{HeaderName, HeaderValue};

use crate::auth::AuthConfig;
use crate::config::{Endpoint, ServerConfig};

/// A shorter value is no secret and may be part of any word.
const SHORTEST_HIDDEN_BYTES: usize = 4;

/// Why a configured server cannot be dialled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetError {
    /// A variable of our own environment is not set.
    #[error("the secret {0} is not set; set that environment variable before ATT starts")]
    SecretMissing(String),
    /// The place of secrets has none of that name.
    #[error("the secret {0} is not set; set it with `att secret set`")]
    NotKept(String),
    /// The place of secrets did not answer.
    #[error("the secret {name} cannot be read: {why}")]
    KeyringUnavailable { name: String, why: String },
    /// A reference that is none.
    #[error("{0}")]
    Malformed(String),
    /// A header value that HTTP does not allow.
    #[error("the value of the header {0} holds characters that HTTP does not allow")]
    Header(String),
}

impl TargetError {
    /// True when the operator has to provide a secret.
    pub fn wants_secret(&self) -> bool {
        matches!(self, Self::SecretMissing(_) | Self::NotKept(_) | Self::KeyringUnavailable { .. })
    }
}

/// What is dialled.
#[derive(Debug)]
pub(crate) enum Target {
    /// A child over its stdio.
    Stdio(CommandSpec),
    /// An address, and perhaps a command that serves it.
    Http { url: String, headers: HashMap<HeaderName, HeaderValue>, start: Option<CommandSpec> },
}

/// The values of a server's secrets by reference, so that they can be turned back wherever text comes out again: a
/// server, or the system, may repeat what it was given. Clones share what is known.
#[derive(Clone, Default)]
pub(crate) struct KnownSecrets(Arc<RwLock<BTreeMap<String, String>>>);

impl std::fmt::Debug for KnownSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KnownSecrets")
    }
}

impl KnownSecrets {
    /// Remembers that `value` is to be shown as `reference`.
    pub fn learn(&self, reference: impl Into<String>, value: impl Into<String>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(reference.into(), value.into());
    }

    /// `text` with every known value turned back into its reference.
    pub fn hide(&self, text: &str) -> String {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut hidden = text.to_owned();
        // Hiding every "1" of a text would hide the text.
        let mut found: Vec<_> = known
            .iter()
            .filter(|(_, value)| value.len() >= SHORTEST_HIDDEN_BYTES && text.contains(value.as_str()))
            .collect();
        // The longest first: a value inside another one must not leave the rest of that standing.
        found.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
        for (reference, value) in found {
            hidden = hidden.replace(value.as_str(), reference);
        }
        // Inside of JSON a quote or a backslash of a value stands escaped.
        for (reference, value) in known.iter().filter(|(_, value)| value.len() >= SHORTEST_HIDDEN_BYTES) {
            if value.contains(['"', '\\']) || value.chars().any(char::is_control) {
                let escaped = serde_json::Value::from(value.as_str()).to_string();
                hidden = hidden.replace(&escaped[1..escaped.len() - 1], reference);
            }
        }
        hidden
    }
}

/// Resolves `config`; the values go to `known`.
pub(crate) async fn target(
    config: &ServerConfig,
    secrets: &dyn SecretStore,
    known: &KnownSecrets,
) -> Result<Target, TargetError> {
    let values = values(config, secrets, known).await?;
    match &config.endpoint {
        Endpoint::Stdio { .. } => Ok(Target::Stdio(command(config, &values)?)),
        Endpoint::Http { url, headers, start } => {
            let mut resolved = HashMap::new();
            for (name, value) in headers {
                let value = secret(value, &values)?;
                let header = HeaderName::from_bytes(name.as_bytes());
                match (header, HeaderValue::from_str(&value)) {
                    (Ok(name), Ok(mut value)) => {
                        value.set_sensitive(true);
                        resolved.insert(name, value);
                    }
                    _ => return Err(TargetError::Header(name.clone())),
                }
            }
            let start = start.as_ref().map(|_| command(config, &values)).transpose()?;
            Ok(Target::Http { url: secret(url, &values)?, headers: resolved, start })
        }
    }
}

type Values = HashMap<String, String>;

/// One configured string with its references resolved.
pub(crate) async fn resolved(
    text: &str,
    secrets: &dyn SecretStore,
    known: &KnownSecrets,
) -> Result<String, TargetError> {
    let mut values = Values::new();
    look_up(text, secrets, &mut values, known).await?;
    secret(text, &values)
}

/// True when `config` refers to the kept secret `name`.
pub(crate) fn refers_to(config: &ServerConfig, name: &str) -> bool {
    let wanted = SecretRef::Keyring(name.to_owned());
    let of_auth = config.auth.iter().flat_map(AuthConfig::places);
    places(config).into_iter().chain(of_auth).any(|place| {
        place.contains("${") && att_core::secret::references(place).is_ok_and(|found| found.contains(&wanted))
    })
}

/// Every configured string that may hold a reference.
fn places(config: &ServerConfig) -> Vec<&str> {
    let mut places: Vec<&str> = config.env.values().map(String::as_str).collect();
    match &config.endpoint {
        Endpoint::Stdio { command, args } => {
            places.push(command);
            places.extend(args.iter().map(String::as_str));
        }
        Endpoint::Http { url, headers, start } => {
            places.push(url);
            places.extend(headers.values().map(String::as_str));
            places.extend(start.iter().flatten().map(String::as_str));
        }
    }
    places
}

async fn values(
    config: &ServerConfig,
    secrets: &dyn SecretStore,
    known: &KnownSecrets,
) -> Result<Values, TargetError> {
    let mut values = Values::new();
    for place in places(config) {
        look_up(place, secrets, &mut values, known).await?;
    }
    Ok(values)
}

async fn look_up(
    text: &str,
    secrets: &dyn SecretStore,
    values: &mut Values,
    known: &KnownSecrets,
) -> Result<(), TargetError> {
    if !text.contains("${") {
        return Ok(());
    }
    let references =
        att_core::secret::references(text).map_err(|error| TargetError::Malformed(error.to_string()))?;
    for reference in references {
        let shown = reference.to_string();
        if values.contains_key(&shown) {
            continue;
        }
        let value = match &reference {
            SecretRef::Env(name) => {
                std::env::var(name).map_err(|_| TargetError::SecretMissing(shown.clone()))?
            }
            SecretRef::Keyring(name) => match secrets.get(name).await {
                Ok(Some(value)) => value.expose().to_owned(),
                Ok(None) => return Err(TargetError::NotKept(shown)),
                Err(error) => {
                    return Err(TargetError::KeyringUnavailable { name: shown, why: error.to_string() });
                }
            },
        };
        known.learn(shown.clone(), value.clone());
        values.insert(shown, value);
    }
    Ok(())
}

/// The command with a scrubbed environment and what the configuration adds: a server gets no token of ours that
/// it was not given by name.
fn command(config: &ServerConfig, values: &Values) -> Result<CommandSpec, TargetError> {
    let argv =
        config.command_line().iter().map(|part| secret(part, values)).collect::<Result<Vec<_>, _>>()?;
    let mut spec = CommandSpec::new(argv).scrubbed();
    for (name, value) in &config.env {
        spec = spec.env(name, secret(value, values)?);
    }
    if let Some(cwd) = &config.cwd {
        spec = spec.cwd(cwd);
    }
    Ok(spec)
}

fn secret(text: &str, values: &Values) -> Result<String, TargetError> {
    let lookup = |reference: &SecretRef| values.get(&reference.to_string()).cloned();
    resolve(text, &lookup).map_err(|error| match error {
        SecretError::Missing(name) => TargetError::SecretMissing(name),
        SecretError::Malformed(_) => TargetError::Malformed(error.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use att_core::secret::{MemorySecrets, SecretValue};

    use super::*;

    #[tokio::test]
    async fn a_value_that_comes_back_is_shown_as_its_reference() {
        let config = ServerConfig::stdio("a", "/opt/${env:HOME}/${keyring:files}/prog", ["x"]);
        let (secrets, known) = (MemorySecrets::default(), KnownSecrets::default());
        secrets.put("files", &SecretValue::new("hunter2")).await.unwrap();
        target(&config, &secrets, &known).await.unwrap();
        let home = std::env::var("HOME").unwrap();
        let said = known.hide(&format!("no {home}/hunter2/prog here"));
        assert_eq!(said, "no ${env:HOME}/${keyring:files}/prog here");
        assert_eq!(KnownSecrets::default().hide(&home), home);
        assert!(!format!("{known:?}").contains("hunter2"));
    }

    #[tokio::test]
    async fn references_are_resolved_only_here_and_a_missing_one_is_named() {
        let (secrets, known) = (MemorySecrets::default(), KnownSecrets::default());
        let mut config = ServerConfig::stdio("a", "prog", ["${env:HOME}"]);
        let Target::Stdio(spec) = target(&config, &secrets, &known).await.unwrap() else {
            panic!("not stdio")
        };
        assert_eq!(spec.argv, ["prog".to_owned(), std::env::var("HOME").unwrap()]);
        assert!(!spec.inherit_env);
        config.env.insert("T".into(), "${env:ATT_TEST_SURELY_UNSET}".into());
        let error = target(&config, &secrets, &known).await.unwrap_err();
        assert!(error.wants_secret() && error.to_string().contains("${env:ATT_TEST_SURELY_UNSET}"));
        config.env.insert("T".into(), "${keyring:files}".into());
        assert!(refers_to(&config, "files") && !refers_to(&config, "file"));
        let error = target(&config, &secrets, &known).await.unwrap_err();
        assert!(error.wants_secret() && error.to_string().contains("${keyring:files}"));
        secrets.put("files", &SecretValue::new("hunter2")).await.unwrap();
        let Target::Stdio(spec) = target(&config, &secrets, &known).await.unwrap() else {
            panic!("not stdio")
        };
        assert_eq!(spec.env.get("T").map(String::as_str), Some("hunter2"));
    }
}
