//! `settings.toml`: what holds for the whole home.

use crate::dto::{SettingDto, Topic};
use crate::editing::{edit_file, read_text};
use crate::requests::{Ask, tell};
use crate::room::ControlRoom;
use att_core::{Code, Report};
use att_mcp::config::{GlobalSettings, parse_settings};
use toml_edit::{DocumentMut, Item, Table, Value};

impl ControlRoom {
    /// Every setting with its value, its default and where the value comes from.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub async fn settings_list(&self) -> Result<Vec<SettingDto>, Report> {
        let text = read_text(&self.0.home.settings_toml())?.unwrap_or_default();
        let (global, _) = parse_settings(&text, None);
        let defaults = GlobalSettings::default().values();
        let values = global.values().into_iter().zip(defaults);
        Ok(values
            .map(|((key, value), (_, default))| SettingDto {
                set: global.set.contains(&key),
                key,
                value,
                default,
            })
            .collect())
    }

    /// Sets one value of `settings.toml`, or takes it out. Comments and order stay.
    ///
    /// # Errors
    /// [`Code::InvalidInput`] with the words of the file's reader; [`Code::InvalidConfig`] when the file is broken.
    pub async fn settings_set(&self, key: String, value: Option<String>) -> Result<(), Report> {
        self.may_act()?;
        edit_file(&self.0.home, &self.0.home.settings_toml(), |text| {
            Ok((edited(text, &key, value.as_deref())?, ()))
        })
        .await?;
        self.read_configuration();
        self.0.notices.tell(&[Topic::System, Topic::Fleet]);
        tell(self, Ask::Reload).await;
        Ok(())
    }
}

fn edited(text: &str, key: &str, value: Option<&str>) -> Result<String, Report> {
    let unknown = || {
        Report::new(Code::InvalidInput, format!("`{}` is not a setting", att_core::redact(key)))
            .cure("see `att settings list` for the keys")
    };
    if !GlobalSettings::default().values().iter().any(|(known, _)| known == key) {
        return Err(unknown());
    }
    let (table, name) = key.split_once('.').ok_or_else(unknown)?;
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        Report::new(Code::InvalidConfig, "settings.toml is broken, so it is not edited")
            .cause(att_core::redact(error.message()))
            .cure("correct it by hand")
    })?;
    match value {
        Some(value) => {
            let entry = document.entry(table).or_insert_with(|| Item::Table(Table::new()));
            let inner = entry.as_table_like_mut().ok_or_else(|| {
                Report::new(Code::InvalidConfig, format!("\"{table}\" in settings.toml is no table"))
                    .cure("correct it by hand")
            })?;
            // A word may be typed without its quotes.
            let mut value: Value = value.parse().unwrap_or_else(|_| Value::from(value));
            // A comment behind the value belongs to the line, not to the value.
            if let Some(old) = inner.get(name).and_then(Item::as_value) {
                *value.decor_mut() = old.decor().clone();
            }
            inner.insert(name, Item::Value(value));
        }
        None => {
            if let Some(inner) = document.get_mut(table).and_then(Item::as_table_like_mut) {
                inner.remove(name);
            }
        }
    }
    let after = document.to_string();
    let (_, old) = parse_settings(text, None);
    let (_, new) = parse_settings(&after, None);
    match new.into_iter().find(|problem| !old.iter().any(|known| known.message == problem.message)) {
        Some(problem) => {
            Err(Report::new(Code::InvalidInput, problem.message).cure("see `att settings list`"))
        }
        None => Ok(after),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_written_and_taken_out_while_comments_stay() {
        let text = "# mine\n[fleet]\nfall = 3 # why\nrise = 2\n";
        let set = edited(text, "fleet.fall", Some("5")).unwrap();
        assert_eq!(set, "# mine\n[fleet]\nfall = 5 # why\nrise = 2\n");
        let set = edited(&set, "fleet.probe", Some("none")).unwrap();
        assert!(set.contains("probe = \"none\""), "{set}");
        assert_eq!(edited(&set, "fleet.probe", None).unwrap(), "# mine\n[fleet]\nfall = 5 # why\nrise = 2\n");
        assert_eq!(
            edited("", "journal.events_kept", Some("5000")).unwrap(),
            "[journal]\nevents_kept = 5000\n"
        );
    }

    #[test]
    fn a_value_that_the_reader_refuses_is_not_written() {
        let error = edited("", "fleet.fall", Some("0")).unwrap_err();
        assert!(error.message.contains("fleet.fall must be a whole number from 1 to 100"), "{error:?}");
        assert_eq!(edited("", "fleet.speed", Some("1")).unwrap_err().code, Code::InvalidInput);
        assert_eq!(edited("[fleet", "fleet.fall", Some("1")).unwrap_err().code, Code::InvalidConfig);
    }
}
