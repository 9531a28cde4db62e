//! `att release run|rollback|list|show`.

use crate::args::ReleaseCommand;
use crate::{print, with_room};
use att_api::dto::{CycleDto, ReleaseRequestDto};
use att_api::{ControlRoom, Drive, Home, Report};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A request file larger than this is refused.
const MAX_REQUEST_BYTES: u64 = 16 * 1024 * 1024;

/// One of the release commands.
pub async fn run(home: Home, command: ReleaseCommand, json: bool) -> Result<ExitCode, Report> {
    match command {
        ReleaseCommand::Run { request, project } => {
            let request =
                ReleaseRequestDto { project: project_or_here(project), request: read_request(&request)? };
            with_room(home, Drive::Cycles, async |room| {
                crate::decision::offer_config_approval(&room, &request.project).await?;
                let cycle = room.release_run(request).await?;
                follow(&room, &cycle.id, json).await
            })
            .await
        }
        ReleaseCommand::Rollback { target, release } => {
            with_room(home, Drive::Cycles, async |room| {
                let cycle = room.release_rollback(target, release).await?;
                follow(&room, &cycle.id, json).await
            })
            .await
        }
        ReleaseCommand::List => with_room(home, Drive::Nothing, async |room| list(&room, json).await).await,
        ReleaseCommand::Show { id } => {
            with_room(home, Drive::Nothing, async |room| {
                let cycle = room.cycle_show(id).await?;
                if json {
                    print::json(&cycle);
                } else {
                    show(&cycle);
                }
                Ok(ExitCode::SUCCESS)
            })
            .await
        }
    }
}

fn project_or_here(project: Option<String>) -> String {
    match project {
        Some(text) if Path::new(&text).is_dir() => absolute(Path::new(&text)),
        Some(name) => name,
        None => absolute(Path::new(".")),
    }
}

fn absolute(path: &Path) -> String {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf()).display().to_string()
}

fn read_request(path: &PathBuf) -> Result<String, Report> {
    let unreadable = |error: std::io::Error| {
        print::bad_input(format!("the request {} cannot be read", path.display()))
            .cause(error.to_string())
            .cure("give the path of a JSON file, or `-` for standard input")
    };
    let mut text = String::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().take(MAX_REQUEST_BYTES + 1).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).map_err(unreadable)?.take(MAX_REQUEST_BYTES + 1).read_to_string(&mut text)
    };
    if read.map_err(unreadable)? as u64 > MAX_REQUEST_BYTES {
        return Err(print::bad_input("the request is larger than 16 MiB"));
    }
    Ok(text)
}

/// Prints each stage as it changes until the cycle ends or waits for a person.
pub async fn follow(room: &ControlRoom, cycle_id: &str, json: bool) -> Result<ExitCode, Report> {
    let mut notices = room.notices();
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    loop {
        let cycle = room.cycle_show(cycle_id.to_owned()).await?;
        if !json {
            for stage in &cycle.stages {
                if stage.state != "not_run"
                    && seen.insert(stage.stage.clone(), stage.state.clone()).as_ref() != Some(&stage.state)
                {
                    let detail = stage.detail.as_deref().map(|text| format!(": {text}")).unwrap_or_default();
                    print::line(&print::plain(&format!("{:<20} {}{detail}", stage.stage, stage.state)));
                }
            }
        }
        if cycle.summary.terminal || waits_for_person(&cycle) {
            if json {
                print::json(&cycle);
            } else {
                print::line(&print::plain(&format!("{}: {}", cycle.summary.state, cycle.summary.summary)));
                if let Some(decision) = cycle.summary.decision_id.as_ref().filter(|_| !cycle.summary.terminal)
                {
                    print::line(&format!(
                        "Decide with `att decision show {decision}` and `att decision approve {decision}`."
                    ));
                }
            }
            return Ok(exit_code(&cycle));
        }
        tokio::select! {
            _ = notices.changed() => {}
            () = tokio::time::sleep(std::time::Duration::from_millis(500)) => {}
            _ = tokio::signal::ctrl_c() => return Ok(detached(room, &cycle).await),
        }
    }
}

/// Ctrl-C only detaches: the cycle goes on with whoever drives it, or waits for the next who does.
async fn detached(room: &ControlRoom, cycle: &CycleDto) -> ExitCode {
    let (id, state) = (&cycle.summary.id, &cycle.summary.state);
    if room.drives().await {
        print::remark(&format!(
            "Stopped driving cycle {id}, which is {state}. `att watch` or the desktop takes it up where it stands; \
             a deploy or rollback that runs goes on by itself until then."
        ));
        return ExitCode::from(1);
    }
    print::remark(&format!("Detached from cycle {id}, which is {state}; another process drives it."));
    ExitCode::SUCCESS
}

fn waits_for_person(cycle: &CycleDto) -> bool {
    matches!(cycle.summary.state.as_str(), "awaiting_approval" | "needs_operator")
        || cycle.stages.iter().any(|stage| stage.state == "waiting")
}

fn exit_code(cycle: &CycleDto) -> ExitCode {
    match cycle.summary.state.as_str() {
        "succeeded" | "rolled_back" => ExitCode::SUCCESS,
        "denied" => ExitCode::from(3),
        _ if cycle.summary.terminal => ExitCode::from(1),
        _ => ExitCode::from(3),
    }
}

async fn list(room: &ControlRoom, json: bool) -> Result<ExitCode, Report> {
    let releases = room.releases_list().await?;
    if json {
        print::json(&releases);
        return Ok(ExitCode::SUCCESS);
    }
    for target in &releases.targets {
        print::line(&print::plain(&format!("{} ({})", target.target, target.deployment_context)));
        let rows = target.chain.iter().map(|deployment| {
            vec![
                if deployment.live { "live".to_owned() } else { String::new() },
                deployment.release_id.clone(),
                deployment.kind.clone(),
                deployment.health.clone(),
                print::time(deployment.at_ms),
                deployment.subject.clone().unwrap_or_default(),
            ]
        });
        print::table(
            &["", "release", "how", "health", "since", "commit"],
            rows.collect(),
            "Nothing was deployed yet.",
        );
    }
    let rows = releases.cycles.iter().map(|cycle| {
        vec![
            cycle.id.clone(),
            cycle.state.clone(),
            print::time(cycle.started_at_ms),
            cycle.subject.clone(),
            cycle.summary.clone(),
        ]
    });
    print::table(&["cycle", "state", "started", "change", "summary"], rows.collect(), "No cycles yet.");
    Ok(ExitCode::SUCCESS)
}

fn show(cycle: &CycleDto) {
    let summary = &cycle.summary;
    print::line(&print::plain(&format!("{} {} — {}", summary.kind, summary.id, summary.summary)));
    let rows = cycle.stages.iter().map(|stage| {
        let took = stage.started_at_ms.zip(stage.ended_at_ms).map(|(from, to)| to - from);
        vec![
            stage.stage.clone(),
            stage.state.clone(),
            print::ms(took),
            stage.detail.clone().unwrap_or_default(),
        ]
    });
    print::table(&["stage", "state", "took", "detail"], rows.collect(), "No stages.");
    for field in &cycle.result {
        print::line(&print::plain(&format!("{}: {}", field.name, field.value.as_deref().unwrap_or("-"))));
    }
}
