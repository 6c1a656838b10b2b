//! A line in CloudWatch's embedded metric format, held to each rule of its specification:
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::collections::BTreeMap;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// What CloudWatch makes of a line.
#[derive(Debug)]
pub struct Emf {
    pub namespace: String,
    /// By dimension.
    pub labels: BTreeMap<String, String>,
    /// By name.
    pub metrics: BTreeMap<String, Metric>,
}

#[derive(Debug, PartialEq)]
pub struct Metric {
    pub unit: String,
    /// Sets of dimensions, an empty one for the metric without any.
    pub dimensions: Vec<Vec<String>>,
    pub values: Vec<f64>,
}

impl Emf {
    /// Panics with the rule that the line breaks.
    #[track_caller]
    pub fn parse(line: &str) -> Emf {
        read(line).unwrap_or_else(|rule| panic!("{rule}:\n{line}"))
    }

    /// The values of a metric, none where the line has none.
    pub fn values(&self, metric: &str) -> &[f64] {
        self.metrics.get(metric).map_or(&[], |metric| &metric.values)
    }

    /// The sum of a metric's values.
    pub fn sum(&self, metric: &str) -> f64 {
        self.values(metric).iter().sum()
    }
}

/// `Err` holds the broken rule.
fn read(line: &str) -> Result<Emf, String> {
    hold("a log event has at most 256 KiB", line.len() <= 256 * 1024)?;
    hold("a line is one line", !line.chars().any(char::is_control))?;
    let Members(members) = serde_json::from_str(line).map_err(|error| format!("not a JSON object: {error}"))?;
    let count = members.len();
    let mut root: BTreeMap<String, Value> = members.into_iter().collect();
    hold("no duplicate members", root.len() == count)?;
    let metadata = root.remove("_aws").ok_or("no `_aws`")?;
    only(&metadata, &["Timestamp", "CloudWatchMetrics"])?;
    let timestamp = metadata["Timestamp"].as_u64().ok_or("`Timestamp` is a whole number of milliseconds")?;
    let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    hold("`Timestamp` is now", now.abs_diff(timestamp) < 60_000)?;

    let mut emf = Emf { namespace: String::new(), labels: BTreeMap::new(), metrics: BTreeMap::new() };
    for directive in list(&metadata["CloudWatchMetrics"])? {
        only(directive, &["Namespace", "Dimensions", "Metrics"])?;
        let namespace = text(&directive["Namespace"], 1024)?;
        hold("one line speaks of one namespace", emf.namespace.is_empty() || emf.namespace == namespace)?;
        emf.namespace = namespace;
        let mut sets = Vec::new();
        for set in list(&directive["Dimensions"])? {
            let set: Vec<String> = set
                .as_array()
                .ok_or("a set of dimensions is a list")?
                .iter()
                .map(|key| text(key, 250))
                .collect::<Result<_, _>>()?;
            hold("at most 30 dimensions", set.len() <= 30)?;
            for key in &set {
                let value = root.get(key).ok_or(format!("no member for the dimension `{key}`"))?;
                emf.labels.insert(key.clone(), text(value, 1024)?);
            }
            sets.push(set);
        }
        let definitions = list(&directive["Metrics"])?;
        hold("at most 100 metrics", definitions.len() <= 100)?;
        for definition in definitions {
            only(definition, &["Name", "Unit"])?;
            let name = text(&definition["Name"], 255)?;
            let unit = text(&definition["Unit"], 255)?;
            hold(format!("`{unit}` is a unit"), ["Count", "Microseconds"].contains(&unit.as_str()))?;
            let value = root.get(&name).ok_or(format!("no member for the metric `{name}`"))?;
            let values: Vec<f64> = match value.as_array() {
                Some(values) => values.iter().filter_map(Value::as_f64).collect(),
                None => value.as_f64().into_iter().collect(),
            };
            let count = value.as_array().map_or(1, Vec::len);
            hold(format!("`{name}` has 1 to 100 numbers"), values.len() == count && (1..=100).contains(&count))?;
            let metric = Metric { unit, dimensions: sets.clone(), values };
            hold(format!("`{name}` is defined once"), emf.metrics.insert(name, metric).is_none())?;
        }
    }
    // Ours, not the specification's: nothing else is told.
    for member in root.keys() {
        let is_used = emf.labels.contains_key(member) || emf.metrics.contains_key(member);
        hold(format!("`{member}` is a metric or a dimension"), is_used)?;
    }
    Ok(emf)
}

fn hold(rule: impl Into<String>, holds: bool) -> Result<(), String> {
    if holds { Ok(()) } else { Err(rule.into()) }
}

fn only(object: &Value, members: &[&str]) -> Result<(), String> {
    let object = object.as_object().ok_or("not an object")?;
    let unknown = object.keys().find(|member| !members.contains(&member.as_str()));
    hold(format!("{members:?} alone stand here, and not {unknown:?}"), unknown.is_none())
}

fn list(value: &Value) -> Result<&Vec<Value>, String> {
    let list = value.as_array().ok_or("not a list")?;
    hold("a list without items", !list.is_empty())?;
    Ok(list)
}

/// Of that many characters at most, ASCII as CloudWatch has it for names and dimensions.
fn text(value: &Value, most: usize) -> Result<String, String> {
    let text = value.as_str().ok_or(format!("not a text: {value}"))?;
    let is_good = !text.is_empty() && text.len() <= most && text.chars().all(|c| c.is_ascii_graphic());
    hold(format!("1 to {most} characters: {text}"), is_good && !text.starts_with(':'))?;
    Ok(text.to_owned())
}

/// An object with each of its members, repeated ones too.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;

        impl<'de> Visitor<'de> for Each {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Each)
    }
}

#[test]
fn the_checker_refuses_what_breaks_a_rule() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let good = format!(
        r#"{{"_aws":{{"Timestamp":{now},"CloudWatchMetrics":[{{"Namespace":"N","Dimensions":[["D"],[]],"Metrics":[{{"Name":"M","Unit":"Count"}}]}}]}},"D":"d","M":[1,2]}}"#
    );
    assert_eq!(Emf::parse(&good).sum("M"), 3.0);
    for (part, instead) in [
        ("{\"_aws\"", "x{\"_aws\""),
        ("\"_aws\"", "\"_awz\""),
        (now.to_string().as_str(), "1"),
        (now.to_string().as_str(), "\"now\""),
        ("\"N\"", "\"\""),
        ("\"N\"", "7"),
        ("[[\"D\"],[]]", "[]"),
        ("[[\"D\"],[]]", "[\"D\"]"),
        ("[\"D\"]", "[\"E\"]"),
        ("\"Unit\":\"Count\"", "\"Unit\":\"Sheep\""),
        ("\"Unit\"", "\"Units\""),
        ("\"D\":\"d\"", "\"D\":7"),
        ("\"D\":\"d\"", "\"D\":\"\""),
        ("\"D\":\"d\"", "\"D\":\"d\",\"D\":\"d\""),
        ("\"D\":\"d\"", "\"D\":\"d\",\"E\":\"d\""),
        ("\"M\":[1,2]", "\"M\":[1,\"2\"]"),
        ("\"M\":[1,2]", "\"M\":[]"),
        ("\"M\":[1,2]", "\"L\":[1,2]"),
    ] {
        let bad = good.replacen(part, instead, 1);
        assert!(bad != good && read(&bad).is_err(), "{bad}");
    }
    let many = format!("[{}1]", "1,".repeat(100));
    assert!(read(&good.replace("[1,2]", &many)).is_err());
}
