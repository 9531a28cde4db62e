//! Medians, ratios, a table and a file.

use super::fault_word;
use super::job::{Measured, Subject};
use crate::measure::Table;
use crate::peers::Result;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// One client's run.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// The client.
    pub subject: Subject,
    /// So many servers.
    pub servers: usize,
    /// Every fifth of them faulty.
    pub faulty: bool,
    /// What came of it.
    pub measured: Measured,
}

/// Prints the medians and their ratios to bare rmcp; every single figure goes to `json`.
pub fn report(figures: &[Figure], json: Option<&Path>) -> Result<()> {
    if let Some(path) = json {
        std::fs::write(path, serde_json::to_vec_pretty(figures)?)?;
    }
    let mut groups: BTreeMap<(usize, bool), BTreeMap<Subject, Vec<&Measured>>> = BTreeMap::new();
    for figure in figures {
        let group = groups.entry((figure.servers, figure.faulty)).or_default();
        group.entry(figure.subject).or_default().push(&figure.measured);
    }
    for ((servers, faulty), subjects) in &groups {
        let mut table = Table::new(&format!(
            "until every healthy one of {servers} servers is ready, {}",
            fault_word(*faulty)
        ));
        compare(&mut table, subjects, "ms", |m| Some(m.ready_ms));
        table.print()?;
    }
    type Of = fn(&Measured) -> Option<f64>;
    let calls: [(&str, &str, Of); 3] = [
        ("a call, p50", "us", |m| m.p50_us),
        ("a call, p99", "us", |m| m.p99_us),
        ("calls, 64 at once", "/s", |m| m.per_second),
    ];
    for (title, unit, of) in calls {
        for subjects in
            groups.values().filter(|subjects| subjects.values().flatten().any(|m| of(m).is_some()))
        {
            let mut table = Table::new(title);
            compare(&mut table, subjects, unit, of);
            table.print()?;
        }
    }
    if let Some(((servers, _), subjects)) = groups.iter().rfind(|((_, faulty), _)| !faulty) {
        let mut table = Table::new(&format!("memory for each of {servers} idle servers"));
        compare(&mut table, subjects, "KiB", |m| m.memory_kib.map(|all| all / *servers as f64));
        table.print()?;
    }
    Ok(())
}

fn compare(
    table: &mut Table,
    subjects: &BTreeMap<Subject, Vec<&Measured>>,
    unit: &str,
    of: impl Fn(&Measured) -> Option<f64>,
) {
    let value = |subject: &Subject| median(subjects.get(subject)?.iter().filter_map(|m| of(m)).collect());
    let bare = value(&Subject::Rmcp);
    for subject in subjects.keys() {
        let Some(value) = value(subject) else { continue };
        let ratio = match bare {
            Some(bare) if bare > 0.0 => format!("   {:>7.2} x bare rmcp", value / bare),
            _ => String::new(),
        };
        table.row(subject.as_str(), &format!("{value:>12.2} {unit:<3}{ratio}"));
    }
}

fn median(mut all: Vec<f64>) -> Option<f64> {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied()
}
