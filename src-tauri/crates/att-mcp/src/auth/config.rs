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
    /// The operator's identity provider vouches for them; no page is needed.
    EnterpriseManaged,
}

/// The operator's identity provider, for `enterprise_managed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityProvider {
    /// Its issuer.
    pub issuer: String,
    /// Where it exchanges tokens.
    pub token_endpoint: String,
    /// The client that ATT is there.
    pub client_id: String,
    /// That client's secret, a reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// The operator's ID token, a reference.
    pub id_token: String,
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
    /// The operator's identity provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idp: Option<IdentityProvider>,
}

impl AuthConfig {
    /// The values that hold references.
    pub(crate) fn places(&self) -> impl Iterator<Item = &str> {
        let of_idp = self.idp.iter().flat_map(|idp| idp.client_secret.iter().chain([&idp.id_token]));
        [&self.client_secret, &self.private_key].into_iter().flatten().chain(of_idp).map(String::as_str)
    }

    /// The configured scopes.
    pub(crate) fn scopes(&self) -> Vec<String> {
        self.scope.iter().flat_map(|scope| scope.split_whitespace()).map(str::to_owned).collect()
    }

    /// What is wrong with it, with its cure.
    pub(crate) fn problem(&self) -> Option<(&'static str, &'static str)> {
        if self.places().any(|text| !text.trim_start().starts_with("${")) {
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
        if self.grant == Grant::EnterpriseManaged
            && (self.client_id.is_none() || self.issuer.is_none() || self.idp.is_none())
        {
            return Some((
                "att.auth with enterprise_managed needs client_id, issuer and idp",
                "Add them; idp as {\"issuer\", \"token_endpoint\", \"client_id\", \"id_token\"}.",
            ));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(json: &str) -> Option<&'static str> {
        serde_json::from_str::<AuthConfig>(json).unwrap().problem().map(|(problem, _)| problem)
    }

    #[test]
    fn a_secret_in_the_clear_or_half_a_grant_is_told() {
        let cases = [
            (r#"{"client_id": "a", "client_secret": "hunter2"}"#, "in the clear"),
            (r#"{"client_id": "a", "private_key": "-----BEGIN"}"#, "in the clear"),
            (r#"{"grant": "client_credentials", "client_id": "a"}"#, "needs client_id and"),
            (r#"{"grant": "enterprise_managed", "client_id": "a"}"#, "needs client_id, issuer and idp"),
            (r#"{"algorithm": "none"}"#, "algorithm"),
            (r#"{"client_metadata_url": "http://a.example/c.json"}"#, "https"),
        ];
        for (json, told) in cases {
            assert!(
                problem(json).is_some_and(|problem| problem.contains(told)),
                "{json}: {:?}",
                problem(json)
            );
        }
        let sound = r#"{"grant": "client_credentials", "client_id": "a", "client_secret": "${keyring:a}"}"#;
        assert_eq!((problem(sound), problem("{}")), (None, None));
    }

    #[test]
    fn a_key_that_nobody_knows_is_no_configuration() {
        assert!(serde_json::from_str::<AuthConfig>(r#"{"clientid": "a"}"#).is_err());
    }
}
