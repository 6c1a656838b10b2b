//! Text of others in the log.

/// Its beginning, with a question mark for each character that is not printable ASCII, and for `` ` ``, which the
/// messages put around it.
pub(crate) fn printable(text: &str, most_characters: usize) -> String {
    let shown = |c: char| if c.is_ascii_graphic() && c != '`' { c } else { '?' };
    text.chars().take(most_characters).map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_printable_ascii_is_shown_and_only_its_beginning() {
        for (text, most_characters, expected) in [
            ("RS256", 5, "RS256"),
            ("RS256", 4, "RS25"),
            ("a`b c", 9, "a?b?c"),
            ("\u{1b}[2J\n\u{202e}\u{e9}~", 9, "?[2J???~"),
            ("", 9, ""),
        ] {
            assert_eq!(printable(text, most_characters), expected);
        }
    }
}
