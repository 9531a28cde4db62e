//! Bounded text: the first and the last part are kept, what falls out of the middle is counted.

/// Keeps at most `max_bytes` of what is pushed: the first quarter, and the newest rest.
#[derive(Debug)]
pub(crate) struct Capture {
    head: String,
    tail: std::collections::VecDeque<String>,
    tail_bytes: usize,
    max_bytes: usize,
    dropped_lines: u64,
}

impl Capture {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self {
            head: String::new(),
            tail: std::collections::VecDeque::new(),
            tail_bytes: 0,
            max_bytes,
            dropped_lines: 0,
        }
    }

    pub(crate) fn push(&mut self, line: &str) {
        let head_room = self.max_bytes / 4;
        if self.tail.is_empty() && self.head.len() + line.len() < head_room {
            self.head.push_str(line);
            self.head.push('\n');
            return;
        }
        self.tail_bytes += line.len() + 1;
        self.tail.push_back(line.to_owned());
        while self.tail_bytes > self.max_bytes - head_room {
            let Some(gone) = self.tail.pop_front() else { break };
            self.tail_bytes -= gone.len() + 1;
            self.dropped_lines += 1;
        }
    }

    pub(crate) fn truncated(&self) -> bool {
        self.dropped_lines > 0
    }

    pub(crate) fn into_text(self) -> String {
        let mut text = self.head;
        if self.dropped_lines > 0 {
            text.push_str(&format!("[... {} lines left out ...]\n", self.dropped_lines));
        }
        for line in self.tail {
            text.push_str(&line);
            text.push('\n');
        }
        text
    }
}

/// Cuts a byte stream into lines of at most `MAX_LINE` bytes; what is not UTF-8 is replaced.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    pending: Vec<u8>,
}

/// Longer lines are split.
const MAX_LINE: usize = 16 * 1024;

impl Lines {
    pub(crate) fn feed(&mut self, bytes: &[u8], on_line: &mut dyn FnMut(&str)) {
        for &byte in bytes {
            if byte == b'\n' {
                self.finish(on_line);
            } else {
                self.pending.push(byte);
                if self.pending.len() >= MAX_LINE {
                    self.finish(on_line);
                }
            }
        }
    }

    /// Hands out what is left, also an empty line.
    fn finish(&mut self, on_line: &mut dyn FnMut(&str)) {
        let text = String::from_utf8_lossy(&self.pending);
        on_line(text.trim_end_matches('\r'));
        self.pending.clear();
    }

    /// The stream ended: hands out an unfinished last line.
    pub(crate) fn end(&mut self, on_line: &mut dyn FnMut(&str)) {
        if !self.pending.is_empty() {
            self.finish(on_line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_capture_never_exceeds_its_bound_by_more_than_the_mark(lines in proptest::collection::vec("[a-z]{0,80}", 0..400), max in 100usize..2000) {
            let mut capture = Capture::new(max);
            for line in &lines { capture.push(line); }
            let truncated = capture.truncated();
            let text = capture.into_text();
            proptest::prop_assert!(text.len() <= max + 60, "{} of {}", text.len(), max);
            if !truncated {
                let whole: String = lines.iter().map(|l| format!("{l}\n")).collect();
                proptest::prop_assert_eq!(text, whole);
            }
        }

        #[test]
        fn lines_do_not_depend_on_how_the_bytes_arrive(text in "[a-z\n]{0,200}", cut in 1usize..20) {
            let collect = |chunks: Vec<&[u8]>| {
                let mut lines = Lines::default();
                let mut out = Vec::new();
                for chunk in chunks { lines.feed(chunk, &mut |l| out.push(l.to_owned())); }
                lines.end(&mut |l| out.push(l.to_owned()));
                out
            };
            proptest::prop_assert_eq!(collect(vec![text.as_bytes()]), collect(text.as_bytes().chunks(cut).collect()));
        }
    }
}
