//! Why there is no token, in words, and who can cure it.

use att_core::secret::SecretStoreError;
use rmcp::transport::auth::AuthError;

use crate::model::AuthNeed;
use crate::target::TargetError;

/// Why an authorization failed. Never holds a token, a code or a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AuthProblem {
    /// The server was not dialled yet.
    #[error("the server was not dialled yet; connect it first")]
    NoAddress,
    /// The server's configuration holds the header, or it is no HTTP server.
    #[error("this server is not authorized in a browser: {0}")]
    NotForBrowser(&'static str),
    /// A secret that the configuration names is not set.
    #[error("{0}")]
    Secret(String),
    /// The place of secrets failed.
    #[error("{0}")]
    Store(String),
    /// An address that is neither https nor loopback.
    #[error("the {what} `{address}` is neither https nor loopback; ATT sends no credential there")]
    Insecure { what: &'static str, address: String },
    /// The server names another authorization server than the one that is trusted.
    #[error("the server names the authorization server `{found}`, but {expected}")]
    OtherIssuer { found: String, expected: String },
    /// rmcp's flow failed.
    #[error("{0}")]
    Flow(String),
    /// Nothing but an operator's look at the server can help.
    #[error("{0}")]
    Refused(String),
    /// The person took too long.
    #[error("nobody answered in the browser within 5 minutes; authorize again")]
    TooLate,
    /// The person, or another click, ended it.
    #[error("the authorization was cancelled")]
    Cancelled,
    /// The loopback port failed.
    #[error("no answer can be taken from the browser: {0}")]
    Loopback(String),
    /// Another process renews the token and does not end.
    #[error("another process has been renewing the token for 40 s; end it, or try again")]
    Locked,
}

impl AuthProblem {
    /// Who can cure it.
    pub fn need(&self) -> AuthNeed {
        match self {
            Self::Secret(_) => AuthNeed::Secret,
            Self::Insecure { .. } | Self::OtherIssuer { .. } | Self::Refused(_) => AuthNeed::Refused,
            _ => AuthNeed::Authorize,
        }
    }
}

impl From<SecretStoreError> for AuthProblem {
    fn from(error: SecretStoreError) -> Self {
        Self::Store(error.to_string())
    }
}

impl From<TargetError> for AuthProblem {
    fn from(error: TargetError) -> Self {
        Self::Secret(error.to_string())
    }
}

impl From<AuthError> for AuthProblem {
    fn from(error: AuthError) -> Self {
        let cure = match &error {
            AuthError::NoAuthorizationSupport | AuthError::MetadataError(_) => {
                "; the server publishes no usable authorization metadata: ask whoever runs it"
            }
            AuthError::DiscoveryRequestFailed { .. } | AuthError::AuthorizationServersUnavailable { .. } => {
                "; its authorization server cannot be reached: see whether it runs"
            }
            AuthError::ProtectedResourceMetadataInvalid { .. } => {
                "; the server's metadata is for another address: correct \"url\", or ask whoever runs it"
            }
            AuthError::PkceUnsupported => "; its authorization server must offer PKCE with S256",
            AuthError::RegistrationFailed(_) => {
                "; give a registered client as att.auth.client_id, if it takes no new clients"
            }
            AuthError::AuthorizationServerMismatch { .. }
            | AuthError::AuthorizationServerMissingIssuer { .. } => {
                "; the answer may come from another authorization server (mix-up): nothing was sent to it"
            }
            AuthError::ClientCredentialsError(_) => "; see client_id and client_secret under att.auth",
            AuthError::JwtSigningError(_) => "; see private_key and algorithm under att.auth",
            _ => "",
        };
        let mut text: String = error.to_string().chars().filter(|c| !c.is_control()).take(600).collect();
        text = att_core::redact(&text);
        text.push_str(cure);
        match error {
            AuthError::AuthorizationServerMismatch { .. }
            | AuthError::AuthorizationServerMissingIssuer { .. }
            | AuthError::ProtectedResourceMetadataInvalid { .. }
            | AuthError::PkceUnsupported => Self::Refused(text),
            AuthError::CredentialStoreError(text) => Self::Store(text),
            _ => Self::Flow(text),
        }
    }
}
