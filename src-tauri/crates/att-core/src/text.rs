//! Text from outside as it may be shown.

/// `text` with every control and direction character replaced by a blank: it cannot move a cursor, hide a part of
/// itself or turn the order of what is read.
#[must_use]
pub fn visible(text: &str) -> String {
    text.chars().map(|c| if is_visible(c) { c } else { ' ' }).collect()
}

/// False for what controls, turns or hides text. A line's end controls as well.
#[must_use]
pub fn is_visible(c: char) -> bool {
    let misleads = matches!(
        c,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    );
    !c.is_control() && !misleads
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_turns_or_hides_text_is_replaced_and_letters_of_every_script_stay() {
        assert_eq!(visible("a\u{1b}[2J\rb\nc\u{202e}d\u{200b}e\u{feff}f\u{2066}g"), "a [2J b c d e f g");
        assert_eq!(visible("grün 東京 שלום 🙂"), "grün 東京 שלום 🙂");
    }
}
