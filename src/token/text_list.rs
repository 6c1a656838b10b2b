//! Lists that an issuer writes as one text.

/// How a text holds a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListForm {
    /// `[a, b]`: Cognito's attributes of SAML and OIDC users.
    Brackets,
    /// `a,b`
    Commas,
    /// `["a","b"]`
    Json,
    /// `a b`
    Spaces,
}

impl ListForm {
    /// The elements, without empty ones. A text of another form holds none: half of a list could look
    /// like a whole one. Only the space U+0020 separates or surrounds elements: a group whose name holds another blank,
    /// such as U+00A0, must not read as several.
    #[must_use]
    pub fn read(self, text: &str) -> Vec<String> {
        let text = text.trim_matches(' ');
        match self {
            ListForm::Brackets => {
                let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
                inner.map_or_else(Vec::new, |inner| split(inner, |c| c == ','))
            }
            ListForm::Commas => split(text, |c| c == ','),
            ListForm::Json => {
                let mut elements: Vec<String> = serde_json::from_str(text).unwrap_or_default();
                elements.retain(|element| !element.is_empty());
                elements
            }
            ListForm::Spaces => split(text, |c| c == ' '),
        }
    }
}

/// Brackets and quotes belong to the other forms.
fn split(text: &str, separator: impl Fn(char) -> bool) -> Vec<String> {
    if text.contains(['[', ']', '{', '}', '"']) {
        return Vec::new();
    }
    text.split(separator)
        .map(|element| element.trim_matches(' '))
        .filter(|element| !element.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_the_form_is_a_list_and_one_of_another_form_holds_nothing() {
        use ListForm::{Brackets, Commas, Json, Spaces};
        for (form, text, expected) in [
            (Brackets, "[a, b]", &["a", "b"][..]),
            (Brackets, "[a,b]", &["a", "b"]),
            (Brackets, " [ a ,b ] ", &["a", "b"]),
            (Brackets, "[Domain Admins, x/y]", &["Domain Admins", "x/y"]),
            (Brackets, "[a]", &["a"]),
            (Brackets, "[]", &[]),
            (Brackets, "[,a,,]", &["a"]),
            (Brackets, "a, b", &[]),
            (Brackets, "a", &[]),
            (Brackets, "[a, b", &[]),
            (Brackets, "a]", &[]),
            (Brackets, "[", &[]),
            (Brackets, "[[a]]", &[]),
            (Brackets, r#"["a","b"]"#, &[]),
            (Brackets, "", &[]),
            (Json, r#"["a", "b c"]"#, &["a", "b c"]),
            (Json, r#"["a", ""]"#, &["a"]),
            (Json, "[]", &[]),
            (Json, r#"["a", 7]"#, &[]),
            (Json, r#"["a"] x"#, &[]),
            (Json, r#""a""#, &[]),
            (Json, "[a, b]", &[]),
            (Json, "a", &[]),
            (Commas, "a, b c", &["a", "b c"]),
            (Commas, "a", &["a"]),
            (Commas, ",a,", &["a"]),
            (Commas, "[a, b, c]", &[]),
            (Commas, r#"["a","b"]"#, &[]),
            (Commas, "", &[]),
            (Commas, "a ,  b", &["a", "b"]),
            (Commas, "a,\u{a0}admin", &["a", "\u{a0}admin"]),
            (Commas, "a,\tadmin", &["a", "\tadmin"]),
            (Brackets, "[a,\u{3000}admin]", &["a", "\u{3000}admin"]),
            (Brackets, "\u{a0}[a]", &[]),
            (Spaces, "a  b c ", &["a", "b", "c"]),
            (Spaces, "not\u{a0}admin x", &["not\u{a0}admin", "x"]),
            (Spaces, "not\tadmin", &["not\tadmin"]),
            (Spaces, "not\nadmin\u{85}x\u{2028}y\u{3000}z", &["not\nadmin\u{85}x\u{2028}y\u{3000}z"]),
            (Spaces, "a,b", &["a,b"]),
            (Spaces, "[a b]", &[]),
            (Spaces, " ", &[]),
        ] {
            assert_eq!(form.read(text), expected, "{form:?} {text}");
        }
    }
}
