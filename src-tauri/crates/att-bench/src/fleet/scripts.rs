//! How each client is started: ours by this program, the SDKs by small scripts where they are installed.

use super::job::Subject;
use crate::peers::Result;
use att_process::CommandSpec;
use clap::ValueEnum as _;
use std::path::Path;

const PYTHON: &str = include_str!("../../peers/python_sdk.py");
const FASTMCP: &str = include_str!("../../peers/fastmcp_client.py");
const TYPESCRIPT: &str = include_str!("../../peers/typescript_sdk.mjs");

/// The clients that can be run here, of those asked for; tells which are left out.
pub fn available(folder: &Path, only: &[Subject]) -> Result<Vec<(Subject, CommandSpec)>> {
    let own = std::env::current_exe()?.display().to_string();
    let script = |name: &str, text: &str| -> Result<String> {
        let path = folder.join(name);
        std::fs::write(&path, text)?;
        Ok(path.display().to_string())
    };
    let (python, modules) = (std::env::var("ATT_PEER_FASTMCP"), std::env::var("ATT_PEER_TS_SDK"));
    let node = std::env::var("ATT_PEER_NODE").unwrap_or_else(|_| "node".to_owned());
    let mut found = Vec::new();
    for &subject in Subject::value_variants() {
        if !only.is_empty() && !only.contains(&subject) {
            continue;
        }
        let argv = match subject {
            Subject::Raw | Subject::Rmcp | Subject::AttCold | Subject::AttWarm | Subject::AttMemory => {
                let name = subject.to_possible_value().map(|value| value.get_name().to_owned());
                Some(vec![own.clone(), "subject".to_owned(), name.unwrap_or_default()])
            }
            Subject::Python | Subject::PythonShared => match &python {
                Ok(python) => {
                    let how = if subject == Subject::Python { "default" } else { "shared" };
                    Some(vec![python.clone(), script("python_sdk.py", PYTHON)?, how.to_owned()])
                }
                Err(_) => None,
            },
            Subject::Fastmcp => match &python {
                Ok(python) => Some(vec![python.clone(), script("fastmcp_client.py", FASTMCP)?]),
                Err(_) => None,
            },
            Subject::Typescript => match &modules {
                Ok(_) => Some(vec![node.clone(), script("typescript_sdk.mjs", TYPESCRIPT)?]),
                Err(_) => None,
            },
        };
        match argv {
            Some(argv) => found.push((subject, CommandSpec::new(argv))),
            None => eprintln!("{} is left out: `export $(scripts/install-peers)` first", subject.as_str()),
        }
    }
    Ok(found)
}
