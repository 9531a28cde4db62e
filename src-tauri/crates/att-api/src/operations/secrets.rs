//! Secrets by name. A value goes in and never comes out again: no operation answers one.

use crate::dto::{SecretListDto, SecretSetDto};
use crate::requests::{Ask, tell};
use crate::room::ControlRoom;
use att_core::secret::{OWN_SECRET_PREFIX, SecretStoreError, SecretValue, check_secret_name};
use att_core::{Code, Report};

impl ControlRoom {
    /// Keeps `value` under `name`, for `${keyring:NAME}`. Servers that wait for it are tried again.
    ///
    /// # Errors
    /// When the name or the value is refused, or the place of secrets cannot be used.
    pub async fn secret_set(&self, name: String, value: String) -> Result<SecretSetDto, Report> {
        self.may_act()?;
        check_secret_name(&name).map_err(|error| secret_report(&error))?;
        let value = SecretValue::new(value);
        if value.expose().is_empty() {
            return Err(Report::new(Code::InvalidInput, "the secret is empty")
                .cure("to remove a secret, use `att secret delete`"));
        }
        self.0.secrets.put(&name, &value).await.map_err(|error| secret_report(&error))?;
        tell(self, Ask::SecretChanged { name: name.clone() }).await;
        Ok(SecretSetDto { name, place: self.0.secrets.place().await })
    }

    /// The names of the kept secrets and where they are kept.
    ///
    /// # Errors
    /// When the place of secrets cannot be used.
    pub async fn secrets_list(&self) -> Result<SecretListDto, Report> {
        let mut names = self.0.secrets.names().await.map_err(|error| secret_report(&error))?;
        names.retain(|name| !name.starts_with(OWN_SECRET_PREFIX));
        Ok(SecretListDto { names, place: self.0.secrets.place().await })
    }

    /// Removes a secret.
    ///
    /// # Errors
    /// When there is none of that name, or the place of secrets cannot be used.
    pub async fn secret_delete(&self, name: String) -> Result<(), Report> {
        self.may_act()?;
        check_secret_name(&name).map_err(|error| secret_report(&error))?;
        match self.0.secrets.delete(&name).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Report::new(Code::NotFound, format!("no secret is called `{name}`"))
                .cure("see `att secret list` for the names")),
            Err(error) => Err(secret_report(&error)),
        }
    }
}

pub(crate) fn secret_report(error: &SecretStoreError) -> Report {
    match error {
        SecretStoreError::Refused(text) => Report::new(Code::InvalidInput, text.clone()),
        SecretStoreError::Unavailable(text) => {
            Report::new(Code::ServerFailed, "the place of secrets cannot be used").cause(text.clone()).cure(
                "unlock the keyring; or set ATT_SECRETS_PASSPHRASE, and the encrypted file is used instead",
            )
        }
        SecretStoreError::Damaged(text) => Report::new(Code::ServerFailed, "the kept secrets cannot be read")
            .cause(text.clone())
            .cure("bring secrets.enc back from a copy, or move it away and set the secrets again"),
    }
}
