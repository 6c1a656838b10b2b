//! What was revoked and what was not, in words for whoever did it.

use super::entry::Entry;
use super::printable::printable;
use super::store::Recorded;
use cognito_authorizer::live::Revocation;
use cognito_authorizer::time::rfc3339;
use std::fmt;

/// What a revocation came to.
#[derive(Clone, Debug, Default)]
pub struct Report {
    table: String,
    /// Nothing was done: what would be.
    rehearsal: bool,
    refused: Vec<String>,
    remark: Option<&'static str>,
    at_cognito: Vec<String>,
    limits: Vec<String>,
}

/// Which routes ask the table, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckedRoutes {
    /// `check: all`.
    All,
    /// `check: introspected`.
    Introspected,
    /// No configuration was found.
    Unknown,
}

impl Report {
    /// Of what was done with that table, or would be.
    #[must_use]
    pub fn new(table: &str, rehearsal: bool) -> Self {
        Self { table: table.to_owned(), rehearsal, ..Self::default() }
    }

    /// Tells of an entry that would be written.
    pub fn planned(&mut self, entry: &Entry) {
        self.refused.push(paragraph(entry));
    }

    /// Tells what became of an entry.
    pub fn recorded(&mut self, wanted: &Entry, recorded: &Recorded) {
        let (standing, remark) = match recorded {
            Recorded::Written => (wanted, ""),
            Recorded::Kept(kept) => (kept, "\n      (an entry that stood there refuses at least as much: it was kept)"),
            Recorded::Joined(joined) => (joined, "\n      (joined with the entry that stood there: none is weakened)"),
        };
        self.refused.push(paragraph(standing) + remark);
    }

    /// Tells what is to be known of the entries.
    pub fn remark(&mut self, what: &'static str) {
        self.remark = Some(what);
    }

    /// Tells what Cognito was asked to do, and did.
    pub fn at_cognito(&mut self, what: impl Into<String>) {
        self.at_cognito.push(what.into());
    }

    /// Tells what goes on all the same.
    pub fn limit(&mut self, what: impl Into<String>) {
        self.limits.push(what.into());
    }

    /// Tells which routes the entries do not reach.
    pub fn limit_of_routes(&mut self, checked: CheckedRoutes) {
        match checked {
            CheckedRoutes::All => {}
            CheckedRoutes::Introspected => {
                self.limit("routes without `introspect: true`: they do not ask the table (`revocations.check` is `introspected`)");
            }
            CheckedRoutes::Unknown => {
                self.limit(
                    "routes without `introspect: true`, unless the authorizer has `revocations: { check: all }`",
                );
            }
        }
        self.limit("answers that API Gateway holds in an authorizer's cache, until its TTL ends");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.refused.is_empty() && self.at_cognito.is_empty() {
            return Ok(());
        }
        let table = printable(&self.table);
        let refused = match self.rehearsal {
            true => format!("Would be refused by the table `{table}`"),
            false => format!("Refused by the table `{table}`"),
        };
        section(f, &refused, &self.refused)?;
        if let Some(remark) = self.remark {
            writeln!(f, "  {remark}")?;
        }
        let at_cognito = if self.rehearsal { "Would be done at Cognito" } else { "Done at Cognito" };
        section(f, at_cognito, &self.at_cognito)?;
        section(f, "Not covered", &self.limits)
    }
}

fn section(f: &mut fmt::Formatter<'_>, title: &str, lines: &[String]) -> fmt::Result {
    if !lines.is_empty() {
        writeln!(f, "{title}:")?;
    }
    lines.iter().try_for_each(|line| writeln!(f, "  - {line}"))
}

impl Entry {
    /// What it refuses and until when.
    #[must_use]
    pub fn in_words(&self) -> String {
        let Revocation { not_before, expires_at } = self.revocation;
        let whose = match self.pk.split_once('#') {
            Some(("jti", _)) => "this token",
            Some(("origin_jti", _)) => "tokens of this sign-in",
            Some(("sub", _)) => "tokens of this user",
            Some(("client", _)) => "tokens of this client",
            Some(("cert", _)) => CERTIFICATE,
            _ => return "nothing: the key has none of the forms that the authorizer looks for".to_owned(),
        };
        let which = match not_before {
            Some(at) => format!("{whose} that were issued at or before {}", rfc3339(at)),
            None if whose == "this token" || whose == CERTIFICATE => whose.to_owned(),
            None => format!("all {whose}, later ones too"),
        };
        match expires_at {
            Some(end) => format!("{which}, until {}", rfc3339(end)),
            None => format!("{which}, until the entry is lifted"),
        }
    }
}

const CERTIFICATE: &str = "requests with this certificate, and tokens bound to it";

fn paragraph(entry: &Entry) -> String {
    format!("{}\n      {}", printable(&entry.pk), entry.in_words())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revoking::Mark;
    use cognito_authorizer::request::UnixSeconds;

    fn entry(pk: &str, not_before: Option<f64>, expires_at: Option<f64>) -> Entry {
        let at = |seconds: Option<f64>| seconds.and_then(UnixSeconds::new);
        let revocation = Revocation { not_before: at(not_before), expires_at: at(expires_at) };
        Entry { pk: pk.to_owned(), revocation, mark: Mark::default() }
    }

    #[test]
    fn an_entry_says_what_it_refuses_and_until_when() {
        for (entry, expected) in [
            (entry("jti#j", None, Some(60.0)), "this token, until 1970-01-01T00:01:00Z"),
            (entry("jti#j", None, None), "this token, until the entry is lifted"),
            (
                entry("origin_jti#o", None, Some(60.0)),
                "all tokens of this sign-in, later ones too, until 1970-01-01T00:01:00Z",
            ),
            (
                entry("sub#https://i.example#s", Some(1.0), Some(60.0)),
                "tokens of this user that were issued at or before 1970-01-01T00:00:01Z, until 1970-01-01T00:01:00Z",
            ),
            (
                entry("client#https://i.example#c", None, None),
                "all tokens of this client, later ones too, until the entry is lifted",
            ),
            (entry("user#x", None, None), "nothing: the key has none of the forms that the authorizer looks for"),
        ] {
            assert_eq!(entry.in_words(), expected);
        }
    }

    #[test]
    fn a_report_tells_what_is_refused_what_was_done_and_what_goes_on() {
        let mut report = Report::new("revocations", false);
        report.recorded(&entry("jti#j", None, Some(60.0)), &Recorded::Written);
        report.recorded(&entry("jti#k", None, Some(60.0)), &Recorded::Kept(entry("jti#k", None, Some(120.0))));
        report.remark("The token was not verified.");
        report.at_cognito("the user is signed out");
        report.limit_of_routes(CheckedRoutes::Unknown);
        let expected = "\
Refused by the table `revocations`:
  - jti#j
      this token, until 1970-01-01T00:01:00Z
  - jti#k
      this token, until 1970-01-01T00:02:00Z
      (an entry that stood there refuses at least as much: it was kept)
  The token was not verified.
Done at Cognito:
  - the user is signed out
Not covered:
  - routes without `introspect: true`, unless the authorizer has `revocations: { check: all }`
  - answers that API Gateway holds in an authorizer's cache, until its TTL ends
";
        assert_eq!(report.to_string(), expected);
    }

    #[test]
    fn where_nothing_was_done_there_is_nothing_to_limit() {
        let mut report = Report::new("revocations", false);
        report.limit_of_routes(CheckedRoutes::Unknown);
        assert_eq!(report.to_string(), "");
    }

    #[test]
    fn a_rehearsal_says_that_it_is_one() {
        let mut report = Report::new("revocations", true);
        report.planned(&entry("jti#j", None, None));
        report.at_cognito("the user is signed out");
        let text = report.to_string();
        assert!(text.contains("Would be refused") && text.contains("Would be done at Cognito"), "{text}");
    }

    #[test]
    fn the_table_is_asked_on_the_routes_that_the_configuration_says() {
        let limits = |checked| {
            let mut report = Report::new("revocations", false);
            report.planned(&entry("jti#j", None, None));
            report.limit_of_routes(checked);
            report.to_string()
        };
        assert!(!limits(CheckedRoutes::All).contains("introspect"));
        assert!(limits(CheckedRoutes::Introspected).contains("they do not ask the table"));
    }
}
