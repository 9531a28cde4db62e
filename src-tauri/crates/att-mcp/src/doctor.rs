//! `att doctor`: walks from the address to the lists, one step after the other, and names the one that fails.
//!
//! The first steps are made by hand, since a connection that fails says less about where; the last ones are what a
//! fleet finds over a connection of its own.

mod address;
mod program;

use std::sync::Arc;
use std::time::{Duration, Instant};

use att_core::Clock;
use att_core::id::Randomness;
use att_core::secret::SecretStore;
use serde::{Deserialize, Serialize};

use crate::check::{CheckedServer, check_once};
use crate::config::{Endpoint, ServerConfig};
use crate::model::{AdminState, ConnectionState, ErrorCategory, ListStatus};
use crate::target::{KnownSecrets, Target, target};

/// Longest time of one step that is made by hand.
const STEP: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 10 });

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// Nothing is wrong here.
    Ok,
    /// Here it fails.
    Failed,
    /// Not made: it does not apply, or an earlier one failed.
    Skipped,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoctorStep {
    /// `secrets` `dns` `tcp` `tls` `http` `program` `consent` `spawn` `era` `auth` `lists`.
    pub step: String,
    /// How it ended.
    pub outcome: StepOutcome,
    /// How long it took.
    pub took_ms: i64,
    /// What was seen.
    pub seen: String,
    /// What to do, where it failed.
    pub cure: Option<String>,
}

/// What a step found: what was seen, or what was seen and what to do.
pub(crate) type Finding = Result<String, (String, String)>;

/// What the doctor works with.
#[derive(Debug, Clone)]
pub struct Instruments {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub randomness: Arc<dyn Randomness>,
    /// The place of secrets.
    pub secrets: Arc<dyn SecretStore>,
}

struct Walk<'w> {
    steps: Vec<DoctorStep>,
    known: KnownSecrets,
    tell: &'w mut (dyn FnMut(&DoctorStep) + Send),
}

impl Walk<'_> {
    fn note(&mut self, step: &str, started: Instant, outcome: StepOutcome, seen: &str, cure: Option<&str>) {
        let bounded = |text: &str| -> String {
            let text = att_core::redact(&self.known.hide(text));
            text.chars().filter(|c| !c.is_control()).take(500).collect()
        };
        let step = DoctorStep {
            step: step.to_owned(),
            outcome,
            took_ms: i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX),
            seen: bounded(seen),
            cure: cure.map(bounded),
        };
        (self.tell)(&step);
        self.steps.push(step);
    }

    /// Records what `finding` says; true when it was well.
    fn found(&mut self, step: &str, started: Instant, finding: &Finding) -> bool {
        match finding {
            Ok(seen) => self.note(step, started, StepOutcome::Ok, seen, None),
            Err((seen, cure)) => self.note(step, started, StepOutcome::Failed, seen, Some(cure)),
        }
        finding.is_ok()
    }

    fn skip(&mut self, steps: &[&str], why: &str) {
        for step in steps {
            self.note(step, Instant::now(), StepOutcome::Skipped, why, None);
        }
    }
}

const EARLIER: &str = "an earlier step failed";

/// Examines one server; `consented` says whether its command may run. Each step is told as it ends. Every wait is
/// bounded: two minutes in all where a server hangs.
pub async fn examine(
    config: ServerConfig,
    consented: bool,
    instruments: Instruments,
    tell: &mut (dyn FnMut(&DoctorStep) + Send),
) -> Vec<DoctorStep> {
    let mut walk = Walk { steps: Vec::new(), known: KnownSecrets::default(), tell };
    let started = Instant::now();
    let resolved = target(&config, &*instruments.secrets, &walk.known).await;
    let finding = resolved.as_ref().map(|_| "every reference has a value".to_owned()).map_err(|error| {
        (
            error.to_string(),
            "set it: att secret set NAME for ${keyring:NAME}, or the variable of ${env:NAME}".into(),
        )
    });
    let sound = walk.found("secrets", started, &finding);
    let front: &[&str] = match &config.endpoint {
        Endpoint::Http { .. } => &["dns", "tcp", "tls", "http"],
        Endpoint::Stdio { .. } => &["program", "consent", "spawn"],
    };
    let Some(resolved) = resolved.ok().filter(|_| sound) else {
        walk.skip(front, EARLIER);
        walk.skip(&["era", "auth", "lists"], EARLIER);
        return walk.steps;
    };
    let go_on = match &resolved {
        // The command is started with the connection, so there is nothing to knock at before.
        Target::Http { start: Some(_), .. } => {
            walk.skip(front, "ATT starts this server itself (att.start)");
            true
        }
        Target::Http { url, headers, start: None } => {
            address::walk(&mut walk, url, headers, config.sse).await
        }
        Target::Stdio(spec) => {
            let started = Instant::now();
            let found = program::find(&spec.argv, config.env.get("PATH").map(String::as_str));
            walk.found("program", started, &found)
        }
    };
    if !go_on {
        let made: Vec<String> = walk.steps.iter().map(|step| step.step.clone()).collect();
        let left: Vec<&str> =
            front.iter().copied().filter(|step| !made.iter().any(|known| known == step)).collect();
        walk.skip(&left, EARLIER);
        walk.skip(&["era", "auth", "lists"], EARLIER);
        return walk.steps;
    }
    connect(&mut walk, config, consented, instruments).await;
    walk.steps
}

/// The steps that a connection tells.
async fn connect(walk: &mut Walk<'_>, config: ServerConfig, consented: bool, instruments: Instruments) {
    let stdio = matches!(config.endpoint, Endpoint::Stdio { .. });
    let name = config.name.clone();
    let command = config.command_digest().is_some();
    let started = Instant::now();
    if command && !consented {
        let cure = format!("look at it and approve it: att consent approve {name}");
        walk.found("consent", started, &Err(("nobody approved its command".into(), cure)));
        walk.skip(
            if stdio { &["spawn", "era", "auth", "lists"] } else { &["era", "auth", "lists"] },
            EARLIER,
        );
        return;
    }
    if command {
        walk.found("consent", started, &Ok("its command is approved".into()));
    }
    let started = Instant::now();
    // The doctor looks at servers that are switched off too.
    let config = ServerConfig { disabled: false, ..config };
    let Instruments { clock, randomness, secrets } = instruments;
    let checked = match check_once(vec![config], |_, _| consented, clock, randomness, secrets).await {
        Ok(checked) => checked.into_iter().next(),
        Err(error) => {
            walk.found("era", started, &Err((error.to_string(), "see the log".into())));
            walk.skip(&["auth", "lists"], EARLIER);
            return;
        }
    };
    let Some(checked) = checked else { return };
    judge(walk, &checked, stdio, started, &name);
}

fn judge(walk: &mut Walk<'_>, checked: &CheckedServer, stdio: bool, started: Instant, name: &str) {
    let state = &checked.state;
    let failure = || -> (String, String) {
        match &state.error {
            Some(fault) => {
                (format!("{}: {}", fault.category.code(), fault.message), fault.category.cure().to_owned())
            }
            None => (state.summary.clone(), format!("see `att events --server {name}`")),
        }
    };
    let category = state.error.as_ref().map(|fault| fault.category);
    if stdio {
        if category == Some(ErrorCategory::ProcessExit) {
            walk.found("spawn", started, &Err(failure()));
            walk.skip(&["era", "auth", "lists"], EARLIER);
            return;
        }
        walk.found("spawn", started, &Ok("the process runs".into()));
    }
    let wants_auth =
        matches!(state.facets.connection.state, ConnectionState::AuthRequired | ConnectionState::Authorizing);
    if wants_auth || category == Some(ErrorCategory::AuthRequired) {
        walk.skip(&["era"], "the server wants to know who asks first");
        let (seen, _) = failure();
        let cure = format!(
            "run `att authorize {name}`, or give it the header that it wants: att server set {name} headers.Authorization 'Bearer ${{keyring:NAME}}'"
        );
        walk.found("auth", started, &Err((seen, cure)));
        walk.skip(&["lists"], EARLIER);
        return;
    }
    if !checked.reached_ready() || state.facets.admin.state != AdminState::Enabled {
        walk.found("era", started, &Err(failure()));
        walk.skip(&["auth", "lists"], EARLIER);
        return;
    }
    let era = state.era.map(|era| word(&era)).unwrap_or_default();
    let version = state.protocol_version.as_deref().unwrap_or("unknown");
    walk.found("era", started, &Ok(format!("{era}, protocol {version}")));
    walk.found("auth", started, &Ok("the server lets ATT in".into()));
    let failed: Vec<String> = checked
        .snapshot
        .iter()
        .flat_map(|snapshot| {
            let lists = &snapshot.lists;
            [
                ("tools", &lists.tools),
                ("resources", &lists.resources),
                ("resource templates", &lists.resource_templates),
                ("prompts", &lists.prompts),
            ]
        })
        .filter_map(|(list, found)| match &found.status {
            ListStatus::Failed { reason } => Some(format!("{list}: {reason}")),
            ListStatus::Ok | ListStatus::Unsupported => None,
        })
        .collect();
    let finding = if failed.is_empty() {
        let counts = &state.counts;
        let count = |count: Option<u32>, what: &str| count.map(|count| format!("{count} {what}"));
        let seen: Vec<String> = [
            count(counts.tools, "tools"),
            count(counts.resources, "resources"),
            count(counts.resource_templates, "templates"),
            count(counts.prompts, "prompts"),
        ]
        .into_iter()
        .flatten()
        .collect();
        Ok(if seen.is_empty() { "it offers nothing".to_owned() } else { seen.join(", ") })
    } else {
        Err((
            failed.join("; "),
            "the server breaks on this list: see its own log, or raise list_timeout_ms".into(),
        ))
    };
    walk.found("lists", started, &finding);
}

/// The word of a closed set, as JSON spells it.
fn word<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
