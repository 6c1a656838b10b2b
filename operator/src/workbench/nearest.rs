//! What a misspelt name was meant to be.

/// The candidate that is most like `name`, where one is like it at all.
#[must_use]
pub fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let allowed = (name.chars().count() / 3).max(1);
    let by_distance = candidates.into_iter().map(|candidate| (distance(name, candidate), candidate));
    by_distance.filter(|(distance, _)| *distance <= allowed).min_by_key(|(distance, _)| *distance).map(|(_, one)| one)
}

/// `: did you mean X?`, or nothing.
pub(super) fn hint<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> String {
    nearest(name, candidates).map(|one| format!("; did you mean `{one}`?")).unwrap_or_default()
}

/// How many characters have to be put in, taken out, changed, or swapped with the next one.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(MAX_CHARACTERS).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    let mut previous = None;
    for (index, character) in one.chars().take(MAX_CHARACTERS).enumerate() {
        let mut next = vec![index + 1];
        for (position, wanted) in other.iter().enumerate() {
            let at = |row: &[usize], place: usize| row.get(place).copied().unwrap_or(usize::MAX / 2);
            let changed = at(&row, position) + usize::from(character != *wanted);
            let swapped = match position.checked_sub(1) {
                Some(earlier) if other.get(earlier) == Some(&character) && previous == Some(*wanted) => {
                    at(&before, earlier) + 1
                }
                _ => usize::MAX / 2,
            };
            let put_in = at(&next, position) + 1;
            let taken_out = at(&row, position + 1) + 1;
            next.push(changed.min(swapped).min(put_in).min(taken_out));
        }
        before = std::mem::replace(&mut row, next);
        previous = Some(character);
    }
    row.last().copied().unwrap_or_default()
}

/// Of longer names the beginning will do.
const MAX_CHARACTERS: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_keyboard_finds_its_name() {
        let names = ["reader", "writer", "admin", "GET /items", "POST /items"];
        for (typed, expected) in [
            ("raeder", Some("reader")),
            ("reder", Some("reader")),
            ("writter", Some("writer")),
            ("amdin", Some("admin")),
            ("GET /item", Some("GET /items")),
            ("PUT /items", Some("GET /items")),
            ("machine", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, names), expected, "{typed}");
        }
    }

    #[test]
    fn distances_are_counted() {
        for (one, other, expected) in
            [("", "", 0), ("a", "", 1), ("", "ab", 2), ("ab", "ba", 1), ("abc", "abd", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(one, other), expected, "{one} {other}");
        }
    }
}
