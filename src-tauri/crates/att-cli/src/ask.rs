//! Questions on a terminal. Without a terminal nothing is answered for anybody.

use att_api::{Code, Report};
use std::io::{BufRead as _, IsTerminal as _, Write as _};

/// Refuses unless both ends are a terminal.
///
/// # Errors
/// [`Code::WaitsForPerson`] otherwise.
pub fn need_terminal(what: &str) -> Result<(), Report> {
    if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        return Ok(());
    }
    Err(Report::new(Code::WaitsForPerson, format!("{what} needs a person at a terminal"))
        .cause("standard input or standard error is not a terminal")
        .cure("run the same command in a terminal, or use the desktop"))
}

/// Asks `question` on stderr; answers the line without its end.
///
/// # Errors
/// When the terminal is closed.
pub fn line(question: &str) -> Result<String, Report> {
    let _ = write!(std::io::stderr(), "{question}");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    match read {
        Ok(n) if n > 0 => Ok(answer.trim().to_owned()),
        _ => Err(Report::new(Code::WaitsForPerson, "no answer was given")),
    }
}
