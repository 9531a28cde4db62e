//! From bytes to a [`Config`], with every fault named by line and column.

use super::{Ci, Config, ConfiguredCommand, Sources, TargetConfig};
use crate::model::{DeploymentContext, ResolvedPolicy, SourceKind};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;

const DEFAULT_TIMEOUT_MS: i64 = 600_000;
const PROBE_TIMEOUT_MS: i64 = 30_000;
const SOURCE_TIMEOUT_MS: i64 = 5_000;

/// What is wrong with an `att.toml`, where, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct ConfigError {
    /// The file, as it was named.
    pub file: String,
    /// Counted from 1.
    pub line: u32,
    /// Counted from 1, in characters.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub cure: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    project: RawProject,
    tests: Option<RawCommand>,
    ci: Option<RawCi>,
    sources: Option<RawSources>,
    #[serde(default)]
    targets: BTreeMap<Spanned<String>, RawTarget>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProject {
    name: Spanned<String>,
    base: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCommand {
    argv: Spanned<Vec<String>>,
    timeout_ms: Option<Spanned<i64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCi {
    kind: Spanned<String>,
    argv: Option<Spanned<Vec<String>>>,
    timeout_ms: Option<Spanned<i64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSources {
    order: Option<Vec<Spanned<String>>>,
    timeout_ms: Option<Spanned<i64>>,
    command: Option<RawCommand>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTarget {
    deployment_context: Option<DeploymentContext>,
    rollback_on_deploy_failure: Option<bool>,
    rollback_on_restart_watchdog_failure: Option<bool>,
    rollback_on_health_failure: Option<bool>,
    always_ask: Option<bool>,
    auto_merge_on_ci_success: Option<bool>,
    create_pr: Option<bool>,
    health_check_target: Option<String>,
    health_check_retries: Option<u32>,
    health_check_interval_seconds: Option<Spanned<f64>>,
    restart_watchdog_retries: Option<u32>,
    restart_watchdog_interval_seconds: Option<Spanned<f64>>,
    restart_watchdog_successes: Option<u32>,
    ci_timeout_seconds: Option<Spanned<f64>>,
    ci_initial_poll_seconds: Option<Spanned<f64>>,
    ci_max_poll_seconds: Option<Spanned<f64>>,
    runtime_log: Option<String>,
    deploy: Option<RawCommand>,
    observe: Option<RawCommand>,
    health: Option<RawCommand>,
    watchdog: Option<RawCommand>,
    rollback: Option<RawCommand>,
    preflight: Option<RawCommand>,
}

struct Text<'a> {
    file: &'a str,
    text: &'a str,
}

impl Text<'_> {
    fn error(&self, at: Range<usize>, message: impl Into<String>, cure: impl Into<String>) -> ConfigError {
        let before = self.text.get(..at.start.min(self.text.len())).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        ConfigError {
            file: self.file.to_owned(),
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
            message: message.into(),
            cure: cure.into(),
        }
    }

    fn name(&self, given: &Spanned<String>, what: &str) -> Result<String, ConfigError> {
        let name = given.get_ref();
        let fits = !name.is_empty()
            && name.len() <= 64
            && !name.starts_with(['.', '-'])
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        if fits {
            return Ok(name.clone());
        }
        Err(self.error(
            given.span(),
            format!("`{name}` cannot be the name of a {what}"),
            "use up to 64 letters, digits, `.`, `_` or `-`, and begin with a letter or digit",
        ))
    }

    fn timeout(&self, given: Option<Spanned<i64>>, default: i64) -> Result<i64, ConfigError> {
        match given {
            None => Ok(default),
            Some(timeout) if *timeout.get_ref() > 0 => Ok(timeout.into_inner()),
            Some(timeout) => Err(self.error(
                timeout.span(),
                "a time limit must be greater than 0",
                format!("for example `timeout_ms = {default}`"),
            )),
        }
    }

    fn command(&self, raw: RawCommand, default: i64) -> Result<ConfiguredCommand, ConfigError> {
        let timeout_ms = self.timeout(raw.timeout_ms, default)?;
        if raw.argv.get_ref().first().is_none_or(String::is_empty) {
            return Err(self.error(
                raw.argv.span(),
                "the command is empty",
                "give program and arguments, for example `argv = [\"make\", \"test\"]`",
            ));
        }
        Ok(ConfiguredCommand { argv: raw.argv.into_inner(), timeout_ms })
    }

    fn seconds(&self, given: Option<Spanned<f64>>, default_ms: i64) -> Result<i64, ConfigError> {
        let Some(given) = given else { return Ok(default_ms) };
        let seconds = *given.get_ref();
        if !(0.0..=1e9).contains(&seconds) {
            return Err(self.error(given.span(), "not a number of seconds", "use a number from 0 on"));
        }
        // Within the range checked above, so the cast cannot wrap.
        Ok((seconds * 1000.0).round() as i64)
    }

    fn ci(&self, raw: RawCi) -> Result<Ci, ConfigError> {
        match (raw.kind.get_ref().as_str(), raw.argv) {
            ("none", None) => Ok(Ci::None),
            ("none", Some(argv)) => Err(self.error(
                argv.span(),
                "CI of kind `none` runs no command",
                "take `argv` away, or say `kind = \"command\"`",
            )),
            ("command", Some(argv)) => Ok(Ci::Command(
                self.command(RawCommand { argv, timeout_ms: raw.timeout_ms }, DEFAULT_TIMEOUT_MS)?,
            )),
            ("command", None) => Err(self.error(
                raw.kind.span(),
                "CI of kind `command` needs a command",
                "add `argv = [...]` under `[ci]`",
            )),
            ("github", _) => Err(self.error(
                raw.kind.span(),
                "CI of kind `github` is not yet supported",
                "use `kind = \"command\"` with a command that judges the commit, or `kind = \"none\"`",
            )),
            (other, _) => Err(self.error(
                raw.kind.span(),
                format!("`{other}` is no kind of CI{}", did_you_mean(other, &["none", "command", "github"])),
                "use `none` or `command`",
            )),
        }
    }

    fn sources(&self, raw: Option<RawSources>) -> Result<Sources, ConfigError> {
        let default = vec![SourceKind::Ledger, SourceKind::RuntimeLog, SourceKind::Git];
        let Some(raw) = raw else {
            return Ok(Sources { order: default, timeout_ms: SOURCE_TIMEOUT_MS, command: None });
        };
        let timeout_ms = self.timeout(raw.timeout_ms, SOURCE_TIMEOUT_MS)?;
        let command = raw.command.map(|command| self.command(command, SOURCE_TIMEOUT_MS)).transpose()?;
        let words: Vec<_> =
            SourceKind::ALL.iter().filter(|kind| **kind != SourceKind::Request).map(|k| k.as_str()).collect();
        let mut order = Vec::new();
        for name in raw.order.unwrap_or_default() {
            let kind = SourceKind::ALL.iter().find(|kind| kind.as_str() == name.get_ref());
            match kind {
                Some(SourceKind::Command) if command.is_none() => {
                    return Err(self.error(
                        name.span(),
                        "the source `command` has no command",
                        "add `[sources.command]` with `argv = [...]`",
                    ));
                }
                Some(kind) if *kind != SourceKind::Request => order.push(*kind),
                _ => {
                    let hint = did_you_mean(name.get_ref(), &words);
                    return Err(self.error(
                        name.span(),
                        format!("`{}` is no release source{hint}", name.get_ref()),
                        format!("use some of: {}", words.join(", ")),
                    ));
                }
            }
        }
        if order.is_empty() {
            order = default;
            order.extend(command.is_some().then_some(SourceKind::Command));
        }
        Ok(Sources { order, timeout_ms, command })
    }

    fn target(&self, name: &Spanned<String>, raw: RawTarget) -> Result<TargetConfig, ConfigError> {
        let usual = ResolvedPolicy::default();
        let policy = ResolvedPolicy {
            deployment_context: raw.deployment_context.unwrap_or(usual.deployment_context),
            rollback_on_deploy_failure: raw
                .rollback_on_deploy_failure
                .unwrap_or(usual.rollback_on_deploy_failure),
            rollback_on_restart_watchdog_failure: raw
                .rollback_on_restart_watchdog_failure
                .unwrap_or(usual.rollback_on_restart_watchdog_failure),
            rollback_on_health_failure: raw
                .rollback_on_health_failure
                .unwrap_or(usual.rollback_on_health_failure),
            always_ask: raw.always_ask.unwrap_or(usual.always_ask),
            auto_merge_on_ci_success: raw.auto_merge_on_ci_success.unwrap_or(usual.auto_merge_on_ci_success),
            create_pr: raw.create_pr.unwrap_or(usual.create_pr),
            health_check_target: raw.health_check_target,
            health_check_retries: raw.health_check_retries.unwrap_or(usual.health_check_retries),
            health_check_interval_ms: self
                .seconds(raw.health_check_interval_seconds, usual.health_check_interval_ms)?,
            restart_watchdog_retries: raw.restart_watchdog_retries.unwrap_or(usual.restart_watchdog_retries),
            restart_watchdog_interval_ms: self
                .seconds(raw.restart_watchdog_interval_seconds, usual.restart_watchdog_interval_ms)?,
            restart_watchdog_successes: raw
                .restart_watchdog_successes
                .unwrap_or(usual.restart_watchdog_successes)
                .max(1),
            ci_timeout_ms: self.seconds(raw.ci_timeout_seconds, usual.ci_timeout_ms)?,
            ci_initial_poll_ms: self.seconds(raw.ci_initial_poll_seconds, usual.ci_initial_poll_ms)?,
            ci_max_poll_ms: self.seconds(raw.ci_max_poll_seconds, usual.ci_max_poll_ms)?,
        };
        let long =
            |command: Option<RawCommand>| command.map(|c| self.command(c, DEFAULT_TIMEOUT_MS)).transpose();
        let probe =
            |command: Option<RawCommand>| command.map(|c| self.command(c, PROBE_TIMEOUT_MS)).transpose();
        let target = TargetConfig {
            name: self.name(name, "target")?,
            policy,
            deploy: long(raw.deploy)?,
            observe: probe(raw.observe)?,
            health: probe(raw.health)?,
            watchdog: probe(raw.watchdog)?,
            rollback: long(raw.rollback)?,
            preflight: probe(raw.preflight)?,
            runtime_log: raw.runtime_log,
        };
        if target.observe.is_none() {
            return Err(self.error(
                name.span(),
                format!(
                    "target `{}` has no `observe` command, so nobody could tell what runs there",
                    target.name
                ),
                "add `observe = { argv = [...] }`; it prints {\"release_id\": \"...\"}",
            ));
        }
        if target.deploy.is_none() {
            return Err(self.error(
                name.span(),
                format!("target `{}` has no `deploy` command", target.name),
                "add `deploy = { argv = [...] }`",
            ));
        }
        Ok(target)
    }
}

pub(super) fn read(bytes: &[u8], file: &str) -> Result<Config, ConfigError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let sound = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned();
        let end = sound.len();
        Text { file, text: &sound }.error(end..end, "the file is not UTF-8 text", "save it as UTF-8")
    })?;
    let at = Text { file, text };
    let raw: RawConfig = toml::from_str(text).map_err(|error| {
        let message = error.message().trim().to_owned();
        let (hint, cure) = advice(&message);
        at.error(error.span().unwrap_or(0..0), format!("{message}{hint}"), cure)
    })?;
    let targets = raw
        .targets
        .into_iter()
        .map(|(name, target)| Ok((name.get_ref().clone(), at.target(&name, target)?)))
        .collect::<Result<_, _>>()?;
    Ok(Config {
        project: at.name(&raw.project.name, "project")?,
        base: raw.project.base.into_inner(),
        tests: raw.tests.map(|tests| at.command(tests, DEFAULT_TIMEOUT_MS)).transpose()?,
        ci: raw.ci.map(|ci| at.ci(ci)).transpose()?,
        sources: at.sources(raw.sources)?,
        targets,
        digest: att_core::sha256_hex(bytes),
    })
}

/// From "unknown field `depoy`, expected one of `a`, `b`" to a hint and a cure.
fn advice(message: &str) -> (String, String) {
    let mut words = message.split('`').skip(1).step_by(2);
    if message.starts_with("unknown field") || message.starts_with("unknown variant") {
        let given = words.next().unwrap_or_default();
        let known: Vec<_> = words.collect();
        return (did_you_mean(given, &known), format!("use one of: {}", known.join(", ")));
    }
    if message.starts_with("missing field") {
        let field = words.next().unwrap_or_default();
        return (String::new(), format!("add `{field}`"));
    }
    if message.ends_with("expected i64") {
        return (String::new(), "write a whole number without quotes".to_owned());
    }
    (String::new(), "see the section on att.toml in the README for the form of each key".to_owned())
}

fn did_you_mean(given: &str, known: &[&str]) -> String {
    let nearest = known.iter().map(|word| (distance(given, word), word)).min();
    match nearest {
        Some((far, word)) if far <= 2.max(given.len() / 3) => format!("; did you mean `{word}`?"),
        _ => String::new(),
    }
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = (corner + usize::from(x != *y)).min(row[j] + 1).min(row[j + 1] + 1);
            corner = row[j + 1];
            row[j + 1] = cost;
        }
    }
    row[b.len()]
}
