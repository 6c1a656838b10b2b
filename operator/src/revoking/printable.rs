//! Text of others on an operator's terminal: keys, reasons, what AWS says.

/// The text, fit for a terminal: what could move the cursor or turn the line around is
/// written as an escape.
#[must_use]
pub fn printable(text: &str) -> String {
    let is_odd = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        if is_odd(c) {
            printable.extend(c.escape_unicode());
        } else {
            printable.push(c);
        }
    }
    printable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_cannot_move_the_cursor() {
        assert_eq!(printable("jti#\u{1b}[2Ja\u{202e}\nb\u{e9}"), "jti#\\u{1b}[2Ja\\u{202e}\\u{a}b\u{e9}");
    }
}
