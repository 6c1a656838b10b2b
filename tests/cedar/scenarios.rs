//! The table of policies/README.md, through both ways of asking.

use serde_json::Value;

use crate::asked::{Asked, read, token};
use crate::events::Kind;
use crate::stage::{Example, named};
use crate::verdict::Cases;

struct Row {
    who: String,
    claims: Value,
    machine: bool,
    asked: Asked,
    decision: String,
    policies: Vec<String>,
}

impl Row {
    fn parse(line: &str) -> Row {
        let plain = line.replace('`', "");
        let cells: Vec<&str> = plain.trim().trim_start_matches('|').split('|').map(str::trim).collect();
        let [who, claims, request, decision, policies, ..] = cells.as_slice() else { panic!("{line}") };
        let (machine, claims) = claims.strip_prefix("machine ").map_or((false, *claims), |claims| (true, claims));
        let (request, source_ip) = request.split_once(" from ").unwrap_or((request, "192.0.2.1"));
        let (method, path) = request.split_once(' ').unwrap();
        let path =
            path.replacen("D/", "/tenants/acme/documents/ana/", 1).replacen("A/", "/tenants/acme/archive/ana/", 1);
        Row {
            who: (*who).to_owned(),
            claims: serde_json::from_str(claims).unwrap_or_else(|error| panic!("{line}: {error}")),
            machine,
            asked: Asked::new(method, &path).from(source_ip),
            decision: (*decision).to_owned(),
            policies: policies.split(", ").filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        }
    }
}

#[test]
fn each_scenario_is_decided_as_its_row_says_here_and_by_the_service() {
    let example = Example::start();
    let cases = Cases::default();
    let page = read("README.md");
    let rows: Vec<Row> = page
        .lines()
        .skip_while(|line| !line.starts_with("|---"))
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .map(Row::parse)
        .collect();
    assert!(rows.len() > 20, "{} rows", rows.len());
    for row in &rows {
        let token = token(&row.claims, row.machine).text();
        for kind in [Kind::RestRequest, Kind::Http1, Kind::Http2] {
            let event = row.asked.clone().kind(kind).event(&token);
            let local = example.local.ask(&event);
            cases.check(format!("{}, {kind:?}", row.who), &local, &row.decision);
            cases.equal(format!("{}, {kind:?}: policies", row.who), named(&local, "policies"), row.policies.clone());
            let remote = example.remote.ask(&event);
            cases.check(format!("{}, {kind:?}, by the service", row.who), &remote, &row.decision);
            let (local, remote) = (named(&local, "policies").len(), named(&remote, "policies").len());
            cases.equal(format!("{}, {kind:?}: policies of the service", row.who), remote, local);
        }
    }
    cases.is("the service was asked", example.remote.calls() > rows.len());
    cases.equal("and by nobody who has policies of their own", example.local.calls(), 0);
}
