//! Distinguished names: the text of RFC 4514 in the configuration, DER in a certificate, and whether they are the same.
//!
//! Two names are the same where they have the same attributes with the same texts, in the same order and grouped the
//! same way. Texts are compared character by character: no case folding, no Unicode normalization, no trimming, since
//! each of them would make two subjects one. PrintableString, UTF8String, IA5String and NumericString are only ways to
//! write a text (RFC 5280 7.1); a name with a value of any other type, an empty one or one with a control character equals
//! no name at all.

use der::asn1::{AnyRef, Ia5StringRef, ObjectIdentifier, PrintableStringRef, Utf8StringRef};
use der::{Decode, Reader, SliceReader, Tag};

/// A distinguished name (X.501), in the order of the certificate: the most general part first, unlike its text.
#[derive(Clone, PartialEq, Eq)]
pub struct DistinguishedName(Vec<Rdn>);

/// A relative distinguished name: a set of attributes, nearly always of one; sorted.
type Rdn = Vec<(ObjectIdentifier, String)>;

impl DistinguishedName {
    /// Reads the string representation of RFC 4514, strictly: no white space around `,`, `+` and `=`, and no values in hex.
    ///
    /// # Errors
    /// What is wrong with the text, for the operator.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut text = text.chars();
        let (mut rdns, mut rdn) = (Vec::new(), Rdn::new());
        loop {
            let (attribute, end) = read_attribute(&mut text)?;
            rdn.push(attribute);
            match end {
                Some('+') => {}
                Some(_) => rdns.push(sorted(std::mem::take(&mut rdn))),
                None => {
                    rdns.push(sorted(rdn));
                    // "starting with the last element of the sequence and moving backwards toward the first" (2.1)
                    rdns.reverse();
                    return Ok(Self(rdns));
                }
            }
        }
    }

    /// Reads the value of a `Name` (RFC 5280 4.1.2.4), without its tag and length.
    pub(super) fn from_der(name: &[u8]) -> der::Result<Self> {
        let mut reader = SliceReader::new(name)?;
        let mut rdns = Vec::new();
        while !reader.is_finished() {
            let set = AnyRef::decode(&mut reader)?;
            set.header().tag().assert_eq(Tag::Set)?;
            let (mut members, mut rdn) = (SliceReader::new(set.value())?, Rdn::new());
            while !members.is_finished() {
                let attribute = AnyRef::decode(&mut members)?;
                rdn.push(attribute.sequence(|reader| {
                    Ok::<_, der::Error>((
                        ObjectIdentifier::decode(reader)?,
                        text_of(AnyRef::decode(reader)?)?.to_owned(),
                    ))
                })?);
            }
            rdns.push(sorted(rdn));
        }
        Ok(Self(rdns))
    }

    /// Whether the other is this one, read backwards.
    pub(super) fn is_reverse_of(&self, other: &Self) -> bool {
        self.0.iter().rev().eq(other.0.iter())
    }
}

/// Shows nothing of it: it may be a person's name.
impl std::fmt::Debug for DistinguishedName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DistinguishedName({} parts)", self.0.len())
    }
}

/// A set has no order.
fn sorted(mut rdn: Rdn) -> Rdn {
    rdn.sort();
    rdn
}

fn text_of(value: AnyRef<'_>) -> der::Result<&str> {
    let tag = value.header().tag();
    let text = if tag == Tag::Utf8String {
        value.decode_as::<Utf8StringRef<'_>>()?.as_str()
    } else if tag == Tag::PrintableString {
        value.decode_as::<PrintableStringRef<'_>>()?.as_str()
    } else if tag == Tag::Ia5String {
        value.decode_as::<Ia5StringRef<'_>>()?.as_str()
    } else if tag == Tag::NumericString {
        std::str::from_utf8(value.value())?
    } else {
        return Err(tag.value_error().into());
    };
    let is_numeric = |byte: u8| byte.is_ascii_digit() || byte == b' ';
    if is_comparable(text) && (tag != Tag::NumericString || text.bytes().all(is_numeric)) {
        Ok(text)
    } else {
        Err(tag.value_error().into())
    }
}

fn is_comparable(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}

/// Reads `CN=value` up to the next `,` or `+`, which is told too, or to the end.
fn read_attribute(text: &mut std::str::Chars<'_>) -> Result<((ObjectIdentifier, String), Option<char>), String> {
    let name: String = text.take_while(|c| *c != '=').collect();
    let id = attribute_type(&name).ok_or_else(|| {
        format!("`{name}` is no attribute that is known here: write its OID, as in `2.5.4.3=...`; no blanks beside `,` and `=`")
    })?;
    let (mut value, mut last_is_blank) = (Vec::new(), false);
    let end = loop {
        let Some(c) = text.next() else { break None };
        match c {
            ',' | '+' => break Some(c),
            '\\' => {
                value.extend(escaped(text)?);
                last_is_blank = false;
                continue;
            }
            '"' | ';' | '<' | '>' | '\0' => return Err(format!("`{}` needs a `\\` before it", c.escape_default())),
            ' ' | '#' if value.is_empty() => {
                return Err(format!("a value that begins with `{c}` needs a `\\` before it"));
            }
            _ => value.extend(c.encode_utf8(&mut [0; 4]).bytes()),
        }
        last_is_blank = c == ' ';
    };
    if last_is_blank {
        return Err("a value that ends with a blank needs a `\\` before it".to_owned());
    }
    let value = String::from_utf8(value).map_err(|_| "escaped bytes must be UTF-8".to_owned())?;
    if !is_comparable(&value) {
        return Err(format!("the value of `{name}` must not be empty or have control characters in it"));
    }
    Ok(((id, value), end))
}

/// What follows a backslash: one of the special characters, or two hex digits (RFC 4514 3, `pair`).
fn escaped(text: &mut std::str::Chars<'_>) -> Result<Vec<u8>, String> {
    const NEITHER: &str = "after `\\` stands one of `\"+,;<>\\ #=` or two hex digits";
    let first = text.next().ok_or(NEITHER)?;
    if matches!(first, '"' | '+' | ',' | ';' | '<' | '>' | '\\' | ' ' | '#' | '=') {
        return Ok(first.to_string().into_bytes());
    }
    let digit = |c: Option<char>| c.and_then(|c| c.to_digit(16)).and_then(|digit| u8::try_from(digit).ok());
    let (high, low) = (digit(Some(first)).ok_or(NEITHER)?, digit(text.next()).ok_or(NEITHER)?);
    Ok(vec![high << 4 | low])
}

fn attribute_type(name: &str) -> Option<ObjectIdentifier> {
    let known = ATTRIBUTES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    match known {
        Some((_, id)) => Some(*id),
        None if name.starts_with(|c: char| c.is_ascii_digit()) => ObjectIdentifier::new(name).ok(),
        None => None,
    }
}

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

/// The names of RFC 4514 3, and those that OpenSSL writes.
const ATTRIBUTES: [(&str, ObjectIdentifier); 22] = [
    ("CN", oid("2.5.4.3")),
    ("SN", oid("2.5.4.4")),
    ("serialNumber", oid("2.5.4.5")),
    ("C", oid("2.5.4.6")),
    ("L", oid("2.5.4.7")),
    ("ST", oid("2.5.4.8")),
    ("STREET", oid("2.5.4.9")),
    ("O", oid("2.5.4.10")),
    ("OU", oid("2.5.4.11")),
    ("title", oid("2.5.4.12")),
    ("businessCategory", oid("2.5.4.15")),
    ("postalCode", oid("2.5.4.17")),
    ("GN", oid("2.5.4.42")),
    ("givenName", oid("2.5.4.42")),
    ("initials", oid("2.5.4.43")),
    ("dnQualifier", oid("2.5.4.46")),
    ("pseudonym", oid("2.5.4.65")),
    ("organizationIdentifier", oid("2.5.4.97")),
    ("DC", oid("0.9.2342.19200300.100.1.25")),
    ("UID", oid("0.9.2342.19200300.100.1.1")),
    ("emailAddress", oid("1.2.840.113549.1.9.1")),
    ("E", oid("1.2.840.113549.1.9.1")),
];

#[cfg(test)]
mod tests {
    use super::super::fields::Fields;
    use super::super::fixtures::{CLIENTS, client};
    use super::*;

    fn parsed(text: &str) -> DistinguishedName {
        DistinguishedName::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"))
    }

    fn subject(name: &str) -> Option<DistinguishedName> {
        Fields::read(&client(name)).unwrap().subject_name()
    }

    #[test]
    fn a_text_is_the_subject_that_it_writes() {
        for (text, name) in [
            ("CN=partner-a,O=Example", "partner-a"),
            ("cn=partner-a,o=Example", "partner-a"),
            ("2.5.4.3=partner-a,2.5.4.10=Example", "partner-a"),
            ("CN=\\70artner\\2da,O=Example", "partner-a"),
            ("CN=partner-a,O=Example", "printable-string"),
            ("CN=partner\\+a,O=Example\\, Inc.", "comma"),
            ("CN=partner\\2Ba,O=Example\\2c Inc.", "comma"),
            ("CN=partner-c+OU=Sales,O=Example", "multi-valued-unit"),
            ("OU=Sales+CN=partner-c,O=Example", "multi-valued-unit"),
            ("CN=partner-a\\,O\\=Example", "subject-in-one-value"),
            ("CN=partner-a\\\\\\,O=Example", "subject-in-one-value-escaped"),
            ("CN=\\ partner-a,O=Example", "leading-blank"),
            ("CN=partner-a\\ ,O=Example", "trailing-blank"),
            ("CN=p\u{430}rtner-a,O=Example", "cyrillic"),
            ("CN=p\\d0\\b0rtner-a,O=Example", "cyrillic"),
            ("O=Example,CN=partner-a", "order-reversed"),
        ] {
            assert_eq!(Some(parsed(text)), subject(name), "{text}");
        }
    }

    #[test]
    fn only_the_whole_subject_is_the_subject() {
        let same =
            ["partner-a", "printable-string", "rsa", "p384", "ed25519", "by-intermediate", "expired", "for-servers"];
        let partner_a = parsed("CN=partner-a,O=Example");
        let names = CLIENTS.lines().filter_map(|line| line.strip_prefix("# "));
        let (equal, different): (Vec<_>, Vec<_>) = names.partition(|name| subject(name) == Some(partner_a.clone()));
        for name in same {
            assert!(equal.contains(&name), "{name}");
        }
        for name in [
            "partner-b",
            "subject-in-one-value",
            "subject-in-one-value-escaped",
            "subject-in-organization",
            "longer-name",
            "other-unit-too",
            "without-organization",
            "name-elsewhere",
            "order-reversed",
            "multi-valued",
            "second-common-name",
            "first-common-name",
            "two-common-names-in-one",
            "upper-case",
            "leading-blank",
            "trailing-blank",
            "nul",
            "nul-inside",
            "line-break",
            "cyrillic",
            "full-width",
            "zero-width",
            "bmp-string",
            "teletex-string",
            "no-subject",
            "comma",
            "multi-valued-unit",
        ] {
            assert!(different.contains(&name), "{name}");
        }
    }

    #[test]
    fn what_is_no_plain_text_equals_nothing() {
        for name in ["nul", "nul-inside", "line-break", "bmp-string", "teletex-string"] {
            assert_eq!(subject(name), None, "{name}");
        }
        assert_eq!(subject("no-subject"), Some(DistinguishedName(Vec::new())));
    }

    #[test]
    fn only_the_order_differs() {
        let partner_a = parsed("CN=partner-a,O=Example");
        assert!(partner_a.is_reverse_of(&subject("order-reversed").unwrap()));
        assert!(!partner_a.is_reverse_of(&subject("partner-a").unwrap()));
        assert!(!partner_a.is_reverse_of(&subject("partner-b").unwrap()));
    }

    #[test]
    fn a_text_that_could_be_read_in_two_ways_is_refused() {
        for (text, why) in [
            ("", "no attribute"),
            ("partner-a", "no attribute"),
            ("CN", "must not be empty"),
            ("CN=", "must not be empty"),
            ("CN=a,", "no attribute"),
            ("CN=a,,O=b", "no attribute"),
            ("CN=a+", "no attribute"),
            (",CN=a", "no attribute"),
            ("CN=a, O=b", "no blanks"),
            ("CN = a", "no blanks"),
            ("CN= a", "begins with"),
            ("CN=a ", "ends with a blank"),
            ("CN=a ,O=b", "ends with a blank"),
            ("CN=#04024869", "begins with `#`"),
            ("CN=\"a\"", "needs a `\\`"),
            ("CN=a;O=b", "needs a `\\`"),
            ("CN=<a>", "needs a `\\`"),
            ("CN=a\\", "two hex digits"),
            ("CN=a\\4", "two hex digits"),
            ("CN=a\\zz", "two hex digits"),
            ("CN=a\\ff", "UTF-8"),
            ("CN=a\\00", "control characters"),
            ("CN=a\0", "needs a `\\`"),
            ("CN=a\\0a", "control characters"),
            ("XYZ=a", "no attribute"),
            ("1.=a", "no attribute"),
            ("9.9.9=a", "no attribute"),
            ("C\u{39d}=a", "no attribute"),
        ] {
            let fault = DistinguishedName::parse(text).err();
            assert!(fault.as_ref().is_some_and(|fault| fault.contains(why)), "{text}: {fault:?}");
        }
    }
}
