//! Reads `mcp.json`: what is sound is used, what is not is named by file, line and column.

use crate::dto::ConfigProblemDto;
use att_core::{Code, Report};
use att_mcp::config::{ParsedConfig, ProblemLevel, ServerConfig, parse};
use std::io::Read as _;
use std::path::Path;

/// A larger file is not read.
const MAX_CONFIG_BYTES: u64 = 8 * 1024 * 1024;

/// The sound servers of a configuration, and what is wrong with the rest.
#[derive(Debug, Clone, Default)]
pub(crate) struct Configuration {
    pub(crate) servers: Vec<ServerConfig>,
    pub(crate) problems: Vec<ConfigProblemDto>,
}

/// Reads `path`. A file that is not there is an empty configuration.
///
/// # Errors
/// When the file is there and cannot be read at all.
pub(crate) fn read(path: &Path) -> Result<Configuration, Report> {
    let unreadable = |cause: String| {
        Report::new(Code::InvalidConfig, format!("{} cannot be read", path.display()))
            .cause(cause)
            .cure("make it a readable JSON file of at most 8 MiB")
    };
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Configuration::default()),
        Err(error) => return Err(unreadable(error.to_string())),
    };
    let mut bytes = Vec::new();
    file.take(MAX_CONFIG_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() as u64 > MAX_CONFIG_BYTES {
        return Err(unreadable("it is larger than 8 MiB".into()));
    }
    let text = String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8 text".into()))?;
    let name = path.display().to_string();
    let ParsedConfig { servers, problems } = parse(&text, Some(&name));
    let problems = problems
        .into_iter()
        .map(|problem| ConfigProblemDto {
            file: problem.file.unwrap_or_else(|| name.clone()),
            subject: problem.server,
            line: problem.line,
            column: problem.column,
            message: problem.message,
            cure: problem.cure,
            warning: problem.level == ProblemLevel::Warning,
        })
        .collect();
    Ok(Configuration { servers, problems })
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
