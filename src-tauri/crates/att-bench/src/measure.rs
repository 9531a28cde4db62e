//! Clocks, percentiles, what the kernel says of this process, and the table.

use crate::peers::Result;
use std::io::Write as _;
use std::time::Duration;

/// The value below which `percent` of all lie; sorts `all`.
pub fn percentile(all: &mut [Duration], percent: usize) -> Duration {
    all.sort_unstable();
    let last = all.len().saturating_sub(1);
    all.get((all.len() * percent / 100).min(last)).copied().unwrap_or_default()
}

/// CPU time of this process so far, user and system; the kernel counts in ticks of 10 ms.
pub fn cpu_ms() -> Result<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The program's name, in parentheses, may hold spaces.
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let field =
        |at: usize| -> Result<u64> { Ok(fields.get(at).ok_or("/proc/self/stat is too short")?.parse()?) };
    Ok((field(11)? + field(12)?) * 10)
}

/// Resident memory of this process, in KiB.
pub fn rss_kib() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS in /proc/self/status")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
}

/// A small table on standard output.
pub struct Table(String);

impl Table {
    /// An empty one under `title`.
    pub fn new(title: &str) -> Self {
        Self(format!("{title}\n"))
    }

    /// A line of bare, ours and their ratio.
    pub fn compare(&mut self, name: &str, bare: Duration, ours: Duration) {
        let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
        let ratio = ms(ours) / ms(bare).max(f64::MIN_POSITIVE);
        self.row(
            name,
            &format!("bare rmcp {:>9.3} ms   ATT {:>9.3} ms   ratio {ratio:>5.2}", ms(bare), ms(ours)),
        );
    }

    /// A line of its own.
    pub fn row(&mut self, name: &str, value: &str) {
        self.0.push_str(&format!("  {name:<26} {value}\n"));
    }

    /// Prints it.
    pub fn print(self) -> Result<()> {
        Ok(writeln!(std::io::stdout(), "{}", self.0)?)
    }
}
