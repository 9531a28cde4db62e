//! `settings.toml`: what holds for every server that does not say otherwise, and what the whole of ATT keeps.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::parse::position;
use super::settings::BOUNDS;
use super::{ConfigProblem, DriftPolicy, Probe, ProblemLevel, Settings};

/// The settings of a home; what the file does not say is the default.
#[derive(Debug, Clone, PartialEq)]
pub struct GlobalSettings {
    /// `[fleet]`: timings and limits of a server that does not say otherwise.
    pub server: Settings,
    /// `fleet.drift`: what a changed surface leads to.
    pub drift: DriftPolicy,
    /// `fleet.probes_at_once`: how many probes are under way over the whole fleet.
    pub probes_at_once: usize,
    /// `journal.events_kept`: how many events, and how many attempts, are kept.
    pub events_kept: u32,
    /// The keys that the file sets.
    pub set: Vec<String>,
}

impl Default for GlobalSettings {
    fn default() -> Self {
        Self {
            server: Settings::default(),
            drift: DriftPolicy::default(),
            probes_at_once: 64,
            events_kept: 200_000,
            set: Vec::new(),
        }
    }
}

impl GlobalSettings {
    /// Every key with its value, as the file spells both, in the order in which they are shown.
    #[must_use]
    pub fn values(&self) -> Vec<(String, String)> {
        let word = |value: serde_json::Value| {
            value.as_str().map_or_else(|| value.to_string(), |w| format!("\"{w}\""))
        };
        let server = serde_json::to_value(&self.server).unwrap_or_default();
        let numbers = BOUNDS.iter().map(|bound| {
            let value = match server.get(bound.key) {
                Some(value) => value.to_string(),
                // The only one that the file spells in another unit.
                None => format!("{:.0}", self.server.backoff_factor * 100.0),
            };
            (format!("fleet.{}", bound.key), value)
        });
        let words = ["probe", "progress_resets", "wire_log"]
            .into_iter()
            .map(|key| (format!("fleet.{key}"), word(server.get(key).cloned().unwrap_or_default())));
        let rest = [
            ("fleet.drift".to_owned(), word(serde_json::to_value(self.drift).unwrap_or_default())),
            ("fleet.probes_at_once".to_owned(), self.probes_at_once.to_string()),
            ("journal.events_kept".to_owned(), self.events_kept.to_string()),
        ];
        numbers.chain(words).chain(rest).collect()
    }
}

/// Reads the text of a `settings.toml`. A value that is not understood is named, and its default holds.
#[must_use]
pub fn parse_settings(text: &str, file: Option<&str>) -> (GlobalSettings, Vec<ConfigProblem>) {
    let mut reader = Reader { text, file, problems: Vec::new(), found: GlobalSettings::default() };
    match DeTable::parse(text) {
        Ok(root) => reader.root(root.get_ref()),
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            let message = format!("this is not valid TOML: {}", att_core::redact(error.message()));
            reader.problem(
                at,
                message,
                "Correct the text at this place; until then the defaults hold.".into(),
            );
            if let Some(problem) = reader.problems.last_mut() {
                problem.level = ProblemLevel::Error;
            }
        }
    }
    reader.problems.sort_by_key(|problem| (problem.line, problem.column));
    (reader.found, reader.problems)
}

struct Reader<'t> {
    text: &'t str,
    file: Option<&'t str>,
    problems: Vec<ConfigProblem>,
    found: GlobalSettings,
}

impl Reader<'_> {
    fn root(&mut self, root: &DeTable<'_>) {
        for (name, value) in root {
            let (table, at) = (name.get_ref().as_ref(), name.span().start);
            match (table, value.get_ref()) {
                ("fleet" | "journal", DeValue::Table(inner)) => {
                    for (key, value) in inner {
                        let path = format!("{table}.{}", key.get_ref());
                        match self.set(&path, value) {
                            Ok(()) => self.found.set.push(path),
                            Err((message, cure)) => self.problem(value.span().start, message, cure),
                        }
                    }
                }
                _ => self.problem(
                    at,
                    format!("{table} is not a table of settings"),
                    "Write [fleet] or [journal]; `att settings list` names the keys.".into(),
                ),
            }
        }
        if self.found.server.backoff_cap_ms < self.found.server.backoff_base_ms {
            self.found.server.backoff_cap_ms = self.found.server.backoff_base_ms;
            self.problem(
                0,
                "fleet.backoff_cap_ms is smaller than fleet.backoff_base_ms".into(),
                "Make the cap at least as large as the base; the base is used for both.".into(),
            );
        }
    }

    fn set(&mut self, path: &str, value: &Spanned<DeValue<'_>>) -> Result<(), (String, String)> {
        let default = || "The default is used until it is corrected.".to_owned();
        let whole = |min: i64, max: i64| match value.get_ref() {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .ok()
                .filter(|number| (min..=max).contains(number)),
            _ => None,
        };
        let number = |min: i64, max: i64| {
            whole(min, max)
                .ok_or_else(|| (format!("{path} must be a whole number from {min} to {max}"), default()))
        };
        let flag = || match value.get_ref() {
            DeValue::Boolean(flag) => Ok(*flag),
            _ => Err((format!("{path} must be true or false"), default())),
        };
        let word = match value.get_ref() {
            DeValue::String(word) => word.as_ref(),
            _ => "",
        };
        let key = path.strip_prefix("fleet.").unwrap_or_default();
        if let Some(bound) = BOUNDS.iter().find(|bound| bound.key == key) {
            let value = number(bound.min, bound.max)?;
            (bound.set)(&mut self.found.server, value);
            return Ok(());
        }
        match path {
            "fleet.probes_at_once" => {
                self.found.probes_at_once = usize::try_from(number(1, 1_000)?).unwrap_or(64);
            }
            "journal.events_kept" => {
                self.found.events_kept = u32::try_from(number(1_000, 10_000_000)?).unwrap_or(200_000);
            }
            "fleet.wire_log" => self.found.server.wire_log = flag()?,
            "fleet.progress_resets" => self.found.server.progress_resets = flag()?,
            "fleet.probe" => {
                self.found.server.probe = match word {
                    "ping" => Probe::Ping,
                    "none" => Probe::None,
                    _ => return Err((format!("{path} must be \"ping\" or \"none\""), default())),
                };
            }
            "fleet.drift" => {
                self.found.drift = match word {
                    "notify" => DriftPolicy::Notify,
                    "quarantine_items" => DriftPolicy::QuarantineItems,
                    "quarantine_server" => DriftPolicy::QuarantineServer,
                    _ => {
                        let words = "\"notify\", \"quarantine_items\" or \"quarantine_server\"";
                        return Err((format!("{path} must be {words}"), default()));
                    }
                };
            }
            _ => {
                let cure = "Remove it or correct its spelling; `att settings list` names the keys.";
                return Err((format!("{path} is not a setting"), cure.into()));
            }
        }
        Ok(())
    }

    fn problem(&mut self, at: usize, message: String, cure: String) {
        let (line, column) = position(self.text, at);
        let file = self.file.map(str::to_owned);
        let level = ProblemLevel::Warning;
        self.problems.push(ConfigProblem { file, server: None, line, column, level, message, cure });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{parse, parse_with};
    use proptest::prelude::*;

    #[test]
    fn a_server_wins_over_the_settings_and_they_over_the_defaults() {
        let text = "[fleet]\nfall = 7 # patient\nprobe = \"none\"\ndrift = \"quarantine_items\"\n";
        let (global, problems) = parse_settings(text, None);
        assert!(problems.is_empty(), "{problems:?}");
        let file = r#"{"mcpServers": {"a": {"url": "http://h/"}, "b": {"url": "http://h/", "att": {"fall": 2, "drift": "notify"}}}}"#;
        let servers = parse_with(file, None, &global).servers;
        assert_eq!((servers[0].settings.fall, servers[1].settings.fall, servers[1].settings.rise), (7, 2, 2));
        assert_eq!((servers[0].settings.probe, servers[1].settings.probe), (Probe::None, Probe::None));
        assert_eq!((servers[0].drift, servers[1].drift), (DriftPolicy::QuarantineItems, DriftPolicy::Notify));
        assert_eq!(parse(file, None).servers[0].settings.fall, 3);
    }

    #[test]
    fn what_is_wrong_is_named_by_line_and_column_and_the_rest_holds() {
        let (global, problems) = parse_settings(
            "[fleet]\nfall = 0\nrise = 4\nspeed = 1\n[journal]\nevents_kept = 5_000\n",
            Some("s"),
        );
        assert_eq!((global.server.fall, global.server.rise, global.events_kept), (3, 4, 5_000));
        let places: Vec<(u32, u32)> = problems.iter().map(|problem| (problem.line, problem.column)).collect();
        assert_eq!(places, [(2, 8), (4, 9)], "{problems:?}");
        assert_eq!(global.set, ["fleet.rise", "journal.events_kept"]);
        let (global, problems) = parse_settings("[fleet\n", None);
        assert_eq!((global, problems.len()), (GlobalSettings::default(), 1));
    }

    #[test]
    fn every_key_that_is_listed_can_be_written_with_the_value_that_is_listed() {
        for (path, value) in GlobalSettings::default().values() {
            let (table, key) = path.split_once('.').unwrap();
            let (global, problems) = parse_settings(&format!("[{table}]\n{key} = {value}\n"), None);
            assert!(problems.is_empty(), "{path}: {problems:?}");
            assert_eq!(GlobalSettings { set: Vec::new(), ..global }, GlobalSettings::default(), "{path}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in ".{0,200}") {
            let _ = parse_settings(&text, None);
        }
    }
}
