//! From configuration to what is really run or dialled: secret references become values here and nowhere else.

use std::collections::HashMap;

use att_core::secret::{SecretError, SecretRef, resolve};
use att_process::CommandSpec;
use http::{HeaderName, HeaderValue};

use crate::config::{Endpoint, ServerConfig};

/// A shorter value is no secret and may be part of any word.
const SHORTEST_HIDDEN_BYTES: usize = 4;

/// Why a configured server cannot be dialled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetError {
    /// A variable of our own environment is not set.
    #[error("the secret {0} is not set; set that environment variable before ATT starts")]
    SecretMissing(String),
    /// The keyring is not read by this version.
    #[error(
        "the secret {0} is in the keyring, which this version of ATT does not read; use ${{env:NAME}} for now"
    )]
    KeyringUnavailable(String),
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
        matches!(self, Self::SecretMissing(_) | Self::KeyringUnavailable(_))
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

/// Resolves `config`.
pub(crate) fn target(config: &ServerConfig) -> Result<Target, TargetError> {
    match &config.endpoint {
        Endpoint::Stdio { .. } => Ok(Target::Stdio(command(config)?)),
        Endpoint::Http { url, headers, start } => {
            let mut resolved = HashMap::new();
            for (name, value) in headers {
                let value = secret(value)?;
                let header = HeaderName::from_bytes(name.as_bytes());
                match (header, HeaderValue::from_str(&value)) {
                    (Ok(name), Ok(mut value)) => {
                        value.set_sensitive(true);
                        resolved.insert(name, value);
                    }
                    _ => return Err(TargetError::Header(name.clone())),
                }
            }
            let start = start.as_ref().map(|_| command(config)).transpose()?;
            Ok(Target::Http { url: secret(url)?, headers: resolved, start })
        }
    }
}

/// The command with a scrubbed environment and what the configuration adds: a server gets no token of ours that
/// it was not given by name.
fn command(config: &ServerConfig) -> Result<CommandSpec, TargetError> {
    let argv = config.command_line().iter().map(|part| secret(part)).collect::<Result<Vec<_>, _>>()?;
    let mut spec = CommandSpec::new(argv).scrubbed();
    for (name, value) in &config.env {
        spec = spec.env(name, secret(value)?);
    }
    if let Some(cwd) = &config.cwd {
        spec = spec.cwd(cwd);
    }
    Ok(spec)
}

/// `text` with the values of the server's secrets turned back into their references: a server, or the system, may
/// repeat what it was given.
pub(crate) fn hide_secrets(config: &ServerConfig, text: &str) -> String {
    let (url, headers) = match &config.endpoint {
        Endpoint::Http { url, headers, .. } => (Some(url), Some(headers)),
        Endpoint::Stdio { .. } => (None, None),
    };
    let command_line = config.command_line();
    let places = command_line.iter().chain(url).chain(headers.into_iter().flatten().map(|(_, value)| value));
    let mut hidden = text.to_owned();
    for place in places.chain(config.env.values()).filter(|place| place.contains("${")) {
        for reference in att_core::secret::references(place).unwrap_or_default() {
            let SecretRef::Env(name) = &reference else { continue };
            // Hiding every "1" of a text would hide the text.
            if let Ok(value) = std::env::var(name)
                && value.len() >= SHORTEST_HIDDEN_BYTES
            {
                hidden = hidden.replace(&value, &reference.to_string());
            }
        }
    }
    hidden
}

fn secret(text: &str) -> Result<String, TargetError> {
    if let Some(keyring) = att_core::secret::references(text)
        .unwrap_or_default()
        .into_iter()
        .find(|reference| matches!(reference, SecretRef::Keyring(_)))
    {
        return Err(TargetError::KeyringUnavailable(keyring.to_string()));
    }
    let lookup = |reference: &SecretRef| match reference {
        SecretRef::Env(name) => std::env::var(name).ok(),
        SecretRef::Keyring(_) => None,
    };
    resolve(text, &lookup).map_err(|error| match error {
        SecretError::Missing(name) => TargetError::SecretMissing(name),
        SecretError::Malformed(_) => TargetError::Malformed(error.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_comes_back_is_shown_as_its_reference() {
        let config = ServerConfig::stdio("a", "/opt/${env:HOME}/prog", ["x"]);
        let home = std::env::var("HOME").unwrap();
        assert_eq!(hide_secrets(&config, &format!("no {home}/prog here")), "no ${env:HOME}/prog here");
        let other = ServerConfig::stdio("b", "prog", ["x"]);
        assert_eq!(hide_secrets(&other, &home), home);
    }

    #[test]
    fn references_are_resolved_only_here_and_a_missing_one_is_named() {
        let mut config = ServerConfig::stdio("a", "prog", ["${env:HOME}"]);
        let Target::Stdio(spec) = target(&config).unwrap() else { panic!("not stdio") };
        assert_eq!(spec.argv, ["prog".to_owned(), std::env::var("HOME").unwrap()]);
        assert!(!spec.inherit_env);
        config.env.insert("T".into(), "${env:ATT_TEST_SURELY_UNSET}".into());
        let error = target(&config).unwrap_err();
        assert!(error.wants_secret() && error.to_string().contains("${env:ATT_TEST_SURELY_UNSET}"));
        config.env.insert("T".into(), "${keyring:files}".into());
        let error = target(&config).unwrap_err();
        assert!(error.wants_secret() && error.to_string().contains("${keyring:files}"));
    }
}
