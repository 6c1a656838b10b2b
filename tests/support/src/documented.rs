//! Tables of cases in the documents: a row of a test must be a row of the page with the same decision, and each row of
//! the page must have been tested.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::repository;
use crate::verdict::{Cases, Verdict};

/// One table of the page. What does not fit is told when it is dropped.
pub struct Table {
    page: &'static str,
    heading: &'static str,
    /// The decision by the answer, both without backticks.
    rows: BTreeMap<String, String>,
    tested: RefCell<BTreeSet<String>>,
    pub cases: Cases,
}

impl Table {
    /// The tables of that page, under that heading, whose second column is called `decision`.
    pub fn under(page: &'static str, heading: &'static str) -> Table {
        let file = repository().join(page);
        let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{page}: {error}"));
        let is_heading = |line: &str| line.starts_with('#');
        let is_this = |line: &str| is_heading(line) && line.trim_start_matches('#').replace('`', "").trim() == heading;
        let mut section = text.lines().skip_while(|line| !is_this(line));
        assert!(section.next().is_some(), "{page} has no heading \"{heading}\"");
        let mut rows = BTreeMap::new();
        let mut inside = false;
        for line in section.take_while(|line| !is_heading(line)) {
            let plain = line.replace('`', "");
            let cells: Vec<&str> = plain.trim_matches('|').split('|').map(str::trim).collect();
            inside = line.starts_with('|') && (inside || cells.get(1) == Some(&"decision"));
            if inside && cells[1] != "decision" && !cells[0].starts_with("---") {
                let earlier = rows.insert(cells[0].to_owned(), cells[1].to_owned());
                assert!(earlier.is_none(), "\"{heading}\" has `{}` twice", cells[0]);
            }
        }
        assert!(!rows.is_empty(), "no table under \"{heading}\"");
        Table { page, heading, rows, tested: RefCell::default(), cases: Cases::default() }
    }

    /// Expects this decision, from the function and from the page.
    #[track_caller]
    pub fn check(&self, row: &str, verdict: &Verdict, expected: &str) {
        self.cases.check(row, verdict, expected);
        self.says(row, expected);
    }

    /// Expects the page to say this of a row that was tested.
    #[track_caller]
    pub fn says(&self, row: &str, expected: &str) {
        self.cases.equal(format!("{row}: {}", self.page), self.rows.get(row).map(String::as_str), Some(expected));
        self.tested.borrow_mut().insert(row.to_owned());
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        for row in self.rows.keys().filter(|row| !self.tested.borrow().contains(*row)) {
            let Table { page, heading, .. } = self;
            self.cases.is(format!("\"{heading}\": `{row}` is in {page} and is not tested"), false);
        }
    }
}
