//! Reads `mcp.json`: what is sound is used, what is not is named by file, line and column.

use crate::dto::ConfigProblemDto;
use crate::home::Home;
use att_core::Report;
use att_mcp::config::{
    ConfigProblem, GlobalSettings, ParsedConfig, ProblemLevel, ServerConfig, parse_settings, parse_with,
};
use std::path::Path;

/// The sound servers of a configuration, and what is wrong with the rest.
#[derive(Debug, Clone, Default)]
pub(crate) struct Configuration {
    pub(crate) servers: Vec<ServerConfig>,
    pub(crate) problems: Vec<ConfigProblemDto>,
    pub(crate) global: GlobalSettings,
}

/// Reads the `mcp.json` at `path` with the settings of `home`. A file that is not there is empty.
///
/// # Errors
/// When a file is there and cannot be read at all.
pub(crate) fn read(home: &Home, path: &Path) -> Result<Configuration, Report> {
    let (global, mut problems) = settings(home)?;
    let Some(text) = crate::editing::read_text(path)? else {
        return Ok(Configuration { global, problems, ..Configuration::default() });
    };
    let name = path.display().to_string();
    let ParsedConfig { servers, problems: found } = parse_with(&text, Some(&name), &global);
    problems.extend(found.into_iter().map(|problem| shown(problem, &name)));
    Ok(Configuration { servers, problems, global })
}

/// The settings of `home`, and what is wrong with their file. Nothing in it keeps a server from being used.
pub(crate) fn settings(home: &Home) -> Result<(GlobalSettings, Vec<ConfigProblemDto>), Report> {
    let path = home.settings_toml();
    let text = crate::editing::read_text(&path)?.unwrap_or_default();
    let name = path.display().to_string();
    let (global, problems) = parse_settings(&text, Some(&name));
    let problems =
        problems.into_iter().map(|problem| ConfigProblemDto { warning: true, ..shown(problem, &name) });
    Ok((global, problems.collect()))
}

fn shown(problem: ConfigProblem, name: &str) -> ConfigProblemDto {
    ConfigProblemDto {
        file: problem.file.unwrap_or_else(|| name.to_owned()),
        subject: problem.server,
        line: problem.line,
        column: problem.column,
        message: problem.message,
        cure: problem.cure,
        warning: problem.level == ProblemLevel::Warning,
    }
}

/// What holds from now on: `fresh`, with the earlier server in the place of an entry that is broken now. A file that is
/// broken as a whole, or gone, ends no server: nobody asked for that.
pub(crate) fn over(earlier: &Configuration, mut fresh: Configuration, path: &Path) -> Configuration {
    if fresh.servers.is_empty() && !earlier.servers.is_empty() && !path.exists() {
        fresh.problems.push(ConfigProblemDto {
            file: path.display().to_string(),
            subject: None,
            line: 1,
            column: 1,
            message: "the file is gone; the servers are watched as they were".into(),
            cure: "bring it back, or write {\"mcpServers\": {}} to watch none".into(),
            warning: false,
        });
    }
    let errors: Vec<Option<String>> = fresh
        .problems
        .iter()
        .filter(|problem| !problem.warning)
        .map(|problem| problem.subject.clone())
        .collect();
    let whole = errors.contains(&None);
    for server in &earlier.servers {
        let broken = whole || errors.contains(&Some(server.name.clone()));
        if broken && !fresh.servers.iter().any(|known| known.name == server.name) {
            fresh.servers.push(server.clone());
        }
    }
    fresh
}

/// The problem to show for a file that cannot be read at all.
pub(crate) fn as_problem(path: &Path, report: &Report) -> ConfigProblemDto {
    ConfigProblemDto {
        file: path.display().to_string(),
        subject: None,
        line: 1,
        column: 1,
        message: report.cause.clone().unwrap_or_else(|| report.message.clone()),
        cure: report.cure.clone().unwrap_or_default(),
        warning: false,
    }
}
