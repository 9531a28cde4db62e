//! What `att.auth` of a server says.

use serde::{Deserialize, Serialize};

/// How a token is come by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// A person agrees in a browser.
    #[default]
    AuthorizationCode,
    /// ATT is itself the client; no person is needed.
    ClientCredentials,
}

/// `att.auth`: all of it is optional, and a server that wants a person in a browser needs none of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthConfig {
    /// How a token is come by.
    #[serde(default)]
    pub grant: Grant,
    /// A client that is registered already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Its secret, a reference such as `${keyring:NAME}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// Its private key as PEM, a reference; instead of a secret (`private_key_jwt`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_key: Option<String>,
    /// How that key signs: `ES256` (default), `ES384`, `RS256`, `RS384` or `RS512`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    /// The https address of a client metadata document of the operator's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_metadata_url: Option<String>,
    /// The authorization server that `client_id` belongs to; another one gets none of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Scopes to ask for, separated by blanks; else what the server asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

impl AuthConfig {
    /// The values that hold references.
    pub(crate) fn places(&self) -> impl Iterator<Item = &str> {
        [&self.client_secret, &self.private_key].into_iter().flatten().map(String::as_str)
    }

    /// The configured scopes.
    pub(crate) fn scopes(&self) -> Vec<String> {
        self.scope.iter().flat_map(|scope| scope.split_whitespace()).map(str::to_owned).collect()
    }

    /// What is wrong with it, with its cure.
    pub(crate) fn problem(&self) -> Option<(&'static str, &'static str)> {
        let literal = |value: &Option<String>| {
            value.as_deref().is_some_and(|text| !text.trim_start().starts_with("${"))
        };
        if literal(&self.client_secret) || literal(&self.private_key) {
            return Some((
                "att.auth holds a secret in the clear",
                "Write ${keyring:NAME} and set it with `att secret set NAME`.",
            ));
        }
        if self.algorithm.as_deref().is_some_and(|name| super::grant::algorithm(name).is_none()) {
            return Some((
                "att.auth.algorithm is none that ATT signs with",
                "Write ES256, ES384, RS256, RS384 or RS512.",
            ));
        }
        if self.client_metadata_url.as_deref().is_some_and(|url| !url.starts_with("https://")) {
            return Some((
                "att.auth.client_metadata_url is no https address",
                "Write one that begins with https://.",
            ));
        }
        if self.grant == Grant::ClientCredentials
            && (self.client_id.is_none() || (self.client_secret.is_none() && self.private_key.is_none()))
        {
            return Some((
                "att.auth with client_credentials needs client_id and client_secret or private_key",
                "Add them; the secret as ${keyring:NAME}.",
            ));
        }
        None
    }
}
