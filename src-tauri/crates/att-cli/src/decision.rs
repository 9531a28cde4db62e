//! `att decision list|show|approve|reject`.

use crate::args::DecisionCommand;
use crate::{ask, print, release, with_room};
use att_api::dto::{ApproveDto, DecisionDto};
use att_api::{Code, ControlRoom, Drive, Home, Report};
use serde_json::json;
use std::process::ExitCode;

/// One of the decision commands.
pub async fn run(home: Home, command: DecisionCommand, as_json: bool) -> Result<ExitCode, Report> {
    match command {
        DecisionCommand::List => {
            with_room(home, Drive::Nothing, async |room| list(&room, as_json).await).await
        }
        DecisionCommand::Show { id } => {
            with_room(home, Drive::Nothing, async |room| {
                let decision = room.decision_show(id).await?;
                if as_json {
                    print::json(&as_designed(&decision));
                } else {
                    show(&decision);
                }
                Ok(ExitCode::SUCCESS)
            })
            .await
        }
        DecisionCommand::Approve { id } => {
            ask::need_terminal("an approval")?;
            with_room(home, Drive::Cycles, async |room| approve(&room, id, as_json).await).await
        }
        DecisionCommand::Reject { id } => {
            ask::need_terminal("a rejection")?;
            with_room(home, Drive::Cycles, async |room| {
                let decision = room.decision_show(id.clone()).await?;
                show(&decision);
                let reason =
                    ask::line(&format!("Why not ({} characters at least): ", decision.reason_min_chars))?;
                let decision = room.decision_reject(id, decision.summary.version, reason).await?;
                release::follow(&room, &decision.summary.cycle_id, as_json).await?;
                Ok(ExitCode::SUCCESS)
            })
            .await
        }
    }
}

async fn approve(room: &ControlRoom, id: String, as_json: bool) -> Result<ExitCode, Report> {
    let decision = room.decision_show(id.clone()).await?;
    show(&decision);
    if !decision.actions.iter().any(|action| action == "approve") {
        return Err(Report::new(
            Code::Denied,
            format!("this decision is {} and cannot be approved", decision.summary.state),
        )
        .cause(decision.summary.verdict.clone())
        .cure("see `att decision show` for what would have allowed it"));
    }
    let typed_release_id = if decision.typed_id_required {
        Some(ask::line("Type the id of the release to go back to: ")?)
    } else {
        None
    };
    let reason = ask::line(&format!("Why ({} characters at least): ", decision.reason_min_chars))?;
    let approval = ApproveDto {
        decision_id: id,
        version: decision.summary.version,
        digest: decision.digest.clone(),
        typed_release_id,
        reason,
    };
    match room.decision_approve(approval).await {
        Ok(decision) => release::follow(room, &decision.summary.cycle_id, as_json).await,
        Err(report) => {
            // A changed world sends the cycle back to deciding. Where nobody else drives, this process does, and
            // leaving now would leave the new question unasked.
            if report.code == Code::Conflict {
                release::follow(room, &decision.summary.cycle_id, as_json).await?;
            }
            Err(report)
        }
    }
}

/// Where the project's `att.toml` was never approved and a person is at the terminal: shows what it would run and asks.
pub async fn offer_config_approval(room: &ControlRoom, project: &str) -> Result<(), Report> {
    let project = room.project_show(project.to_owned()).await?;
    let Some(digest) = project.config_digest.clone().filter(|_| !project.config_approved) else {
        return Ok(());
    };
    ask::need_terminal("approving the project's att.toml")?;
    print::remark(&format!("{} has an att.toml that nobody approved. It lets ATT run:", project.project));
    for command in &project.config_commands {
        print::remark(&format!("  {command}"));
    }
    let reason = ask::line("Approve these commands? Say why, or press Enter to stop: ")?;
    if reason.is_empty() {
        return Err(Report::new(Code::Denied, "the project's att.toml was not approved"));
    }
    room.project_approve_config(project.project, digest, reason).await
}

async fn list(room: &ControlRoom, as_json: bool) -> Result<ExitCode, Report> {
    let decisions = room.decisions_list().await?;
    if as_json {
        print::json(&decisions);
        return Ok(ExitCode::SUCCESS);
    }
    let rows = decisions.interruptions.iter().map(|waiting| {
        vec![
            waiting.kind.clone(),
            print::time(waiting.since_ms),
            waiting.title.clone(),
            waiting.decision_id.clone().unwrap_or_default(),
        ]
    });
    print::table(&["waits", "since", "what", "decision"], rows.collect(), "Nothing waits for a person.");
    let rows = decisions.decisions.iter().map(|decision| {
        vec![
            decision.id.clone(),
            decision.state.clone(),
            print::time(decision.at_ms),
            decision.target.clone(),
            decision.verdict.clone(),
        ]
    });
    print::table(&["decision", "state", "made", "target", "verdict"], rows.collect(), "No decisions yet.");
    Ok(ExitCode::SUCCESS)
}

/// The shape of design 4, "`att decision show --json`".
fn as_designed(decision: &DecisionDto) -> serde_json::Value {
    let mut head = json!({
        "id": decision.summary.id,
        "version": decision.summary.version,
        "state": decision.summary.state,
        "cycle_id": decision.summary.cycle_id,
        "target": decision.summary.target,
        "generation": decision.generation,
        "rule": decision.rule,
        "digest": decision.digest,
        "verdict": decision.summary.verdict,
    });
    if let Some(head) = head.as_object_mut() {
        for field in &decision.result {
            let value = field.value.as_deref().map_or(serde_json::Value::Null, |text| match text {
                "true" => true.into(),
                "false" => false.into(),
                text => text.into(),
            });
            head.insert(field.name.clone(), value);
        }
    }
    json!({
        "decision": head,
        "facts": decision.facts,
        "guardrails": decision.guardrails,
        "sources": decision.sources,
        "would_allow_if": decision.would_allow_if,
        "diff": decision.diff,
        "plan": decision.plan,
        "approval": decision.approval,
        "history": decision.history,
    })
}

fn show(decision: &DecisionDto) {
    let summary = &decision.summary;
    print::line(&print::plain(&summary.verdict));
    if let Some(detail) = &decision.failure_detail {
        print::line(&print::plain(&format!("What failed: {detail}")));
    }
    print::line(&print::plain(&format!(
        "Rule {}: {} ({})",
        decision.rule, decision.rule_text, decision.reason
    )));
    // Sources and guardrails are facts too; they have tables of their own.
    let plain = decision.facts.iter().filter(|fact| !fact.id.contains('.'));
    let rows = plain.map(|fact| {
        vec![
            fact.id.clone(),
            fact.value.clone().unwrap_or_else(|| "-".into()),
            fact.source.clone(),
            print::time(fact.observed_at_ms),
        ]
    });
    print::table(&["fact", "value", "source", "observed"], rows.collect(), "No facts.");
    let rows = decision.sources.iter().map(|source| {
        let id = |id: &Option<String>| id.clone().unwrap_or_else(|| "-".into());
        vec![
            source.source.clone(),
            source.outcome.clone(),
            id(&source.current_release_id),
            id(&source.previous_release_id),
            source.detail.clone().unwrap_or_default(),
        ]
    });
    print::table(
        &["source", "outcome", "current", "previous", "detail"],
        rows.collect(),
        "No source was asked.",
    );
    let rows = decision.guardrails.iter().map(|guard| {
        vec![
            guard.id.clone(),
            guard.outcome.clone(),
            guard.evidence.clone(),
            guard.would_allow_if.clone().unwrap_or_default(),
        ]
    });
    print::table(&["guardrail", "outcome", "evidence", "would pass if"], rows.collect(), "No guardrails.");
    let rows = decision.diff.commits.iter().map(|commit| {
        vec![
            commit.id.get(..12).unwrap_or(&commit.id).to_owned(),
            commit.subject.clone(),
            commit.author.clone(),
        ]
    });
    print::table(&["commit", "subject", "author"], rows.collect(), "No commits between the two releases.");
    for file in &decision.diff.files {
        print::line(&print::plain(&format!(
            "  {:<9} {} (+{} -{})",
            file.status, file.path, file.insertions, file.deletions
        )));
    }
    for step in &decision.plan {
        print::line(&print::plain(&format!(
            "Will run: {:?} in {} for at most {} ms",
            step.argv, step.cwd, step.timeout_ms
        )));
    }
    for condition in &decision.would_allow_if {
        print::line(&print::plain(&format!("Would be allowed if {condition}")));
    }
}
