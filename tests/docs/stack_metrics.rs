//! The dashboard and the alarms of template.yaml read what the functions write, under the names that they write it, and
//! whatever they write is shown. That the functions do write it is what tests/it, tests/live and operator/tests/revoking prove.

use crate::read;
use cognito_authorizer::metrics::{self, Metric};
use serde_json::Value;
use std::collections::BTreeSet;

const NAMESPACE: &str = "CognitoAuthorizer/${AWS::StackName}";

/// A metric that something looks at, with its dimensions and their values; a search has no values.
#[derive(Debug)]
struct Looked {
    at: String,
    dimensions: Vec<(String, Option<String>)>,
}

/// The resources of the template, each as its name and its text.
fn resources() -> Vec<(String, String)> {
    let template = read("template.yaml");
    let (_, rest) = template.split_once("\nResources:\n").unwrap();
    let section = rest.split("\nOutputs:\n").next().unwrap();
    let mut resources: Vec<(String, String)> = Vec::new();
    for line in section.lines() {
        if let Some(name) = line.strip_prefix("  ").filter(|rest| rest.starts_with(char::is_alphabetic)) {
            resources.push((name.trim_end_matches(':').to_owned(), String::new()));
        }
        if let Some((_, text)) = resources.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    resources
}

fn resource(name: &str) -> String {
    resources().into_iter().find(|(found, _)| found == name).unwrap_or_else(|| panic!("no {name}")).1
}

fn property<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": "))
}

/// What the alarms look at, but for those on AWS's own metrics and on those that are counted in AWS's lines of the log.
fn alarms() -> Vec<(String, Looked)> {
    let is_alarm = |text: &String| property(text, "Type") == Some("AWS::CloudWatch::Alarm");
    let alarms = resources().into_iter().filter(|(_, text)| is_alarm(text));
    alarms
        .filter(|(_, text)| {
            let namespace = property(text, "Namespace").unwrap();
            !namespace.starts_with("AWS/") && !namespace.ends_with("/Platform")
        })
        .map(|(name, text)| {
            assert_eq!(property(&text, "Namespace").unwrap(), format!("!Sub {NAMESPACE}"), "{name}");
            let dimensions = text.lines().filter_map(|line| {
                let pair = line.trim().strip_prefix("- { Name: ")?.strip_suffix(" }")?;
                let (dimension, value) = pair.split_once(", Value: ")?;
                Some((dimension.to_owned(), Some(value.to_owned())))
            });
            (name, Looked { at: property(&text, "MetricName").unwrap().to_owned(), dimensions: dimensions.collect() })
        })
        .collect()
}

/// The dashboard's body, as CloudFormation would hand it over.
fn dashboard() -> Value {
    let text = resource("Dashboard");
    let (_, body) = text.split_once("DashboardBody: !Sub |\n").unwrap();
    // `${!x}` is how Fn::Sub writes `${x}`.
    serde_json::from_str(&body.replace("${!", "${")).unwrap()
}

/// The rows of metrics of all widgets.
fn rows() -> Vec<Vec<Value>> {
    let body = dashboard();
    let widgets = body["widgets"].as_array().unwrap().clone();
    let rows = widgets.iter().flat_map(|widget| widget["properties"]["metrics"].as_array().unwrap().clone());
    rows.map(|row| row.as_array().unwrap().clone()).collect()
}

/// What the dashboard looks at.
fn shown() -> Vec<Looked> {
    rows()
        .iter()
        .map(|row| match row.as_slice() {
            [search] => searched(search["expression"].as_str().unwrap()),
            [namespace, metric, dimensions @ .., options] => {
                assert_eq!(namespace, NAMESPACE);
                assert!(options.is_object(), "{row:?}");
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                let pairs = dimensions.chunks(2).map(|pair| (text(&pair[0]), Some(text(&pair[1]))));
                Looked { at: text(metric), dimensions: pairs.collect() }
            }
            row => panic!("{row:?}"),
        })
        .collect()
}

/// `SEARCH('{"<namespace>",<dimension>} MetricName="<metric>"', ...)`
fn searched(expression: &str) -> Looked {
    let rest =
        expression.strip_prefix(&format!("SEARCH('{{\"{NAMESPACE}\",")).unwrap_or_else(|| panic!("{expression}"));
    let (dimension, rest) = rest.split_once("} MetricName=\"").unwrap();
    let (metric, _) = rest.split_once('"').unwrap();
    Looked { at: metric.to_owned(), dimensions: vec![(dimension.to_owned(), None)] }
}

/// Whether this is a set of dimensions under which the metric is written.
fn written_so(metric: &Metric, looked: &Looked) -> bool {
    let names: Vec<&str> = looked.dimensions.iter().map(|(name, _)| name.as_str()).collect();
    metric.dimensions.contains(&names.as_slice())
}

/// The values that a dimension can have: words of the code.
fn values(dimension: &str) -> BTreeSet<String> {
    let (file, function) = match dimension {
        "Decision" => ("src/gateway/handler.rs", "fn decision("),
        "Reason" => ("src/denial.rs", "fn reason("),
        other => panic!("{other}"),
    };
    let code = read(file);
    let (_, rest) = code.split_once(function).unwrap_or_else(|| panic!("no {function} in {file}"));
    let body = rest.split("\n    /// ").next().unwrap();
    let words = body.split('"').skip(1).step_by(2);
    let is_word = |word: &&str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    words.filter(is_word).map(str::to_owned).collect()
}

#[test]
fn the_dashboard_and_the_alarms_look_at_what_is_written() {
    let alarms = alarms();
    assert!(alarms.len() > 3, "{alarms:?}");
    let looked: Vec<Looked> = shown().into_iter().chain(alarms.into_iter().map(|(_, looked)| looked)).collect();
    for looked in &looked {
        let metric = metrics::ALL.iter().find(|metric| metric.name == looked.at);
        let metric = metric.unwrap_or_else(|| panic!("nobody writes {looked:?}"));
        assert!(written_so(metric, looked), "it has no such dimensions: {looked:?}");
        for (dimension, value) in &looked.dimensions {
            let known = values(dimension);
            assert!(value.as_ref().is_none_or(|value| known.contains(value)), "{looked:?}: one of {known:?}");
        }
    }
}

#[test]
fn whatever_is_written_is_shown() {
    let shown = shown();
    for metric in metrics::ALL {
        for set in metric.dimensions {
            let is_shown = |looked: &&Looked| {
                looked.at == metric.name
                    && looked.dimensions.iter().map(|(name, _)| name.as_str()).eq(set.iter().copied())
            };
            let by_value: Vec<&Looked> = shown.iter().filter(is_shown).collect();
            assert!(!by_value.is_empty(), "{} by {set:?}", metric.name);
        }
    }
    // Reasons are searched for; decisions stand there one by one.
    let decisions: BTreeSet<String> = shown
        .iter()
        .flat_map(|looked| &looked.dimensions)
        .filter(|(name, _)| name == "Decision")
        .filter_map(|(_, value)| value.clone())
        .collect();
    assert_eq!(decisions, values("Decision"));
    assert_eq!(values("Decision").len(), 4);
    assert_eq!(values("Reason").len(), 35);
}

#[test]
fn both_functions_write_where_the_dashboard_looks() {
    for function in ["AuthorizerFunction", "RevokerFunction"] {
        let namespace = resource(function);
        let namespace = property(&namespace, "METRICS_NAMESPACE").unwrap_or_else(|| panic!("{function}: none"));
        assert_eq!(namespace.split(" #").next().unwrap(), format!("!Sub {NAMESPACE}"), "{function}");
    }
    // The authorizer has it from its configuration, the revoker from its environment.
    assert!(read("authorizer.yaml").contains("metrics: { namespace: \"${METRICS_NAMESPACE:-"));
    assert!(read("operator/src/bin/revoker.rs").contains("environment.get(\"METRICS_NAMESPACE\")"));
}

#[test]
fn each_alarm_is_silent_without_data_and_tells_the_topic() {
    let names: Vec<String> = alarms().into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "UnavailableAlarm",
            "BadSignatureAlarm",
            "UnknownKeyAlarm",
            "IntrospectionThrottledAlarm",
            "RevocationCheckThrottledAlarm"
        ]
    );
    for name in names {
        let text = resource(&name);
        assert_eq!(property(&text, "TreatMissingData"), Some("notBreaching"), "{name}");
        assert_eq!(property(&text, "Statistic"), Some("Sum"), "{name}");
        assert_eq!(property(&text, "AlarmActions"), Some("!If [HasAlarmTopic, [!Ref AlarmTopic], !Ref AWS::NoValue]"));
        assert!(property(&text, "AlarmDescription").unwrap().contains("docs/"), "{name}");
    }
}

#[test]
fn no_widget_lies_on_another() {
    let body = dashboard();
    let widgets = body["widgets"].as_array().unwrap();
    let mut taken = BTreeSet::new();
    for widget in widgets {
        let number = |name: &str| widget[name].as_u64().unwrap();
        assert!(number("x") + number("width") <= 24, "{widget}");
        for x in number("x")..number("x") + number("width") {
            for y in number("y")..number("y") + number("height") {
                assert!(taken.insert((x, y)), "{widget}");
            }
        }
    }
}
