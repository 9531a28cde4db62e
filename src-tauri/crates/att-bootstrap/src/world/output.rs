//! What a stage prints: shown live, kept bounded in a file, redacted.

use super::World;
use crate::model::{Cycle, OutputLog, Stage};
use att_core::id::CycleId;
use std::collections::VecDeque;
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

/// Most bytes kept of one stage.
const MAX_LOG_BYTES: u64 = 1024 * 1024;
const TAIL_LINES: usize = 20;
const MAX_LINE_CHARS: usize = 2_000;

/// One line that a stage printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputLine {
    /// The cycle.
    pub cycle_id: CycleId,
    /// The stage.
    pub stage: Stage,
    /// When.
    pub at_ms: i64,
    /// The line, redacted and bounded.
    pub line: String,
}

/// Takes the lines of one stage.
#[derive(Debug)]
pub struct OutputSink {
    world: World,
    cycle_id: CycleId,
    stage: Stage,
    relative: PathBuf,
    file: Option<File>,
    bytes: u64,
    truncated: bool,
    tail: VecDeque<String>,
}

impl World {
    /// Opens the log of a stage; what is there already is kept, as a stage may be taken up again.
    #[must_use]
    pub fn output(&self, cycle: &Cycle, stage: Stage) -> OutputSink {
        let folder = PathBuf::from("logs").join("cycles").join(cycle.id.as_str());
        let relative = folder.join(format!("{stage}.log"));
        // Output is a convenience: a stage does not fail because its log cannot be written.
        let file = std::fs::create_dir_all(self.home.join(&folder))
            .and_then(|()| File::options().create(true).append(true).open(self.home.join(&relative)))
            .inspect_err(|error| tracing::warn!(%error, "a stage's log cannot be written"))
            .ok();
        let bytes = file.as_ref().and_then(|file| file.metadata().ok()).map_or(0, |meta| meta.len());
        OutputSink {
            world: self.clone(),
            cycle_id: cycle.id.clone(),
            stage,
            relative,
            file,
            bytes,
            truncated: false,
            tail: VecDeque::new(),
        }
    }
}

impl OutputSink {
    /// Takes one line.
    pub fn line(&mut self, text: &str) {
        let mut line = att_core::redact(text);
        if let Some((end, _)) = line.char_indices().nth(MAX_LINE_CHARS) {
            line.truncate(end);
            self.truncated = true;
        }
        self.tail.push_back(line.clone());
        if self.tail.len() > TAIL_LINES {
            self.tail.pop_front();
        }
        let length = line.len() as u64 + 1;
        if self.bytes + length > MAX_LOG_BYTES {
            self.truncated = true;
        } else if let Some(file) = self.file.as_mut()
            && writeln!(file, "{line}").is_ok()
        {
            self.bytes += length;
        }
        let at_ms = self.world.now_ms();
        let shown = OutputLine { cycle_id: self.cycle_id.clone(), stage: self.stage, at_ms, line };
        // Nobody listening is fine.
        let _ = self.world.lines.send(shown);
    }

    /// The row that says where it is kept; none when nothing was printed.
    #[must_use]
    pub fn row(&self) -> Option<OutputLog> {
        if self.tail.is_empty() {
            return None;
        }
        Some(OutputLog {
            cycle_id: self.cycle_id.clone(),
            stage: self.stage,
            path: self.relative.to_string_lossy().into_owned(),
            bytes: self.bytes,
            truncated: self.truncated,
            tail: self.tail.iter().cloned().collect::<Vec<_>>().join("\n"),
            updated_at_ms: self.world.now_ms(),
        })
    }
}
