//! What of a template's values is known before it is deployed.

use super::events;
use super::node::{Expression, Node, Value as Held};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// A scalar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Known(String),
    /// The expression.
    Unknown(String),
}

/// A template, with the values of its parameters that were told.
pub(crate) struct Values<'t> {
    pub(crate) root: &'t Node,
    parameters: &'t BTreeMap<String, String>,
    /// What could not be read, and matters.
    remarks: RefCell<Vec<String>>,
}

impl<'t> Values<'t> {
    pub(crate) fn new(root: &'t Node, parameters: &'t BTreeMap<String, String>) -> Self {
        Self { root, parameters, remarks: RefCell::default() }
    }

    pub(crate) fn into_remarks(self) -> Vec<String> {
        self.remarks.into_inner()
    }

    pub(crate) fn remark(&self, remark: impl Into<String>) {
        let (remark, mut remarks) = (remark.into(), self.remarks.borrow_mut());
        if !remarks.contains(&remark) {
            remarks.push(remark);
        }
    }

    /// The resources of a type, by logical id, with their properties.
    pub(crate) fn resources(&self, kind: &str) -> impl Iterator<Item = (&'t str, &'t Node)> {
        let resources = self.root.get("Resources").map_or(&[][..], Node::entries).iter();
        let of_kind = resources.filter(move |(_, node)| node.get("Type").and_then(Node::text) == Some(kind));
        of_kind.map(|(name, node)| (name.as_str(), node.get("Properties").unwrap_or(node)))
    }

    /// The type of a resource.
    pub(crate) fn type_of(&self, name: &str) -> Option<&'t str> {
        self.root.get("Resources")?.get(name)?.get("Type")?.text()
    }

    /// A scalar; `None` where there is none.
    pub(crate) fn value(&self, node: Option<&Node>) -> Option<Value> {
        let node = node.filter(|node| !node.is_null())?;
        if let Some(text) = node.text() {
            return Some(Value::Known(text.to_owned()));
        }
        match (node.intrinsic(), self.computed(node)) {
            (Some(("Ref", name)), _) if name.text() == Some("AWS::NoValue") => None,
            (_, Some(text)) => Some(Value::Known(text)),
            (_, None) => Some(Value::Unknown(shown(node))),
        }
    }

    /// The text of an expression, where it is known all the same.
    fn computed(&self, node: &Node) -> Option<String> {
        match (node.text(), node.intrinsic()?) {
            (Some(text), _) => Some(text.to_owned()),
            (None, ("Ref", name)) => self.parameters.get(name.text()?).cloned(),
            (None, ("Fn::Sub", text)) => {
                let mut rest = text.text()?;
                let mut computed = String::new();
                while let Some((before, after)) = rest.split_once("${") {
                    let (name, after) = after.split_once('}')?;
                    computed.push_str(before);
                    computed.push_str(self.parameters.get(name)?);
                    rest = after;
                }
                Some(computed + rest)
            }
            (None, _) => None,
        }
    }

    /// A scalar that names a user pool, or another issuer. Where it is not known, all ways to name one pool of the
    /// template are the same, and two expressions are only if they are spelled so.
    pub(crate) fn naming_pools(&self, node: Option<&Node>) -> Option<Value> {
        let value = self.value(node)?;
        let (Value::Unknown(_), Some(node)) = (&value, node) else { return Some(value) };
        let mut names = Vec::new();
        references(node, &mut names);
        names.retain(|name| self.type_of(name) == Some("AWS::Cognito::UserPool"));
        names.dedup();
        Some(Value::Unknown(match names.as_slice() {
            [pool] if is_put_together(node) => format!("{USER_POOL}{pool}"),
            _ => spelled(node),
        }))
    }

    /// The scalars of a list, of what is separated by commas, or of one.
    pub(crate) fn values(&self, node: Option<&Node>) -> Vec<Value> {
        match node {
            Some(Node { value: Held::List(items), .. }) => {
                items.iter().filter_map(|item| self.value(Some(item))).collect()
            }
            node => match self.value(node) {
                Some(Value::Known(text)) => text
                    .split(',')
                    .map(str::trim)
                    .filter(|text| !text.is_empty())
                    .map(|text| Value::Known(text.to_owned()))
                    .collect(),
                unknown => unknown.into_iter().collect(),
            },
        }
    }

    /// A map or list below `node`. Where it is an expression, that is told.
    pub(crate) fn section<'n>(&self, owner: &str, node: &'n Node, key: &str) -> Option<&'n Node> {
        let section = node.get(key).filter(|section| !section.is_null())?;
        if section.intrinsic().is_some() {
            let no_value = section.get("Ref").and_then(Node::text) == Some("AWS::NoValue");
            if !no_value {
                self.remark(format!("{owner}: `{key}` is `{}`, and was not read", shown(section)));
            }
            return None;
        }
        Some(section)
    }

    /// The function that an expression names: its logical id, else its ARN or the
    /// expression for that.
    pub(crate) fn function(&self, node: Option<&Node>) -> String {
        let Some(node) = node else { return "(none)".to_owned() };
        let mut names = Vec::new();
        references(node, &mut names);
        let functions = names.iter().filter_map(|name| self.function_behind(name));
        let mut functions: Vec<&str> = functions.collect();
        functions.dedup();
        match functions.as_slice() {
            [name] => (*name).to_owned(),
            _ => {
                let whole = whole(node);
                // API Gateway is given `arn:...:lambda:path/2015-03-31/functions/<ARN>/invocations`.
                let arn = whole.split_once(":path/2015-03-31/functions/").map(|(_, rest)| rest);
                arn.and_then(|rest| rest.strip_suffix("/invocations")).map(str::to_owned).unwrap_or(whole)
            }
        }
    }

    fn function_behind<'n>(&'n self, name: &'n str) -> Option<&'n str> {
        match self.type_of(name)? {
            "AWS::Serverless::Function" | "AWS::Lambda::Function" => Some(name),
            "AWS::Lambda::Alias" | "AWS::Lambda::Version" => {
                let of = self.root.get("Resources")?.get(name)?.get("Properties")?.get("FunctionName")?;
                let (_, function) = of.intrinsic()?;
                let function = function.text()?.split('.').next()?;
                matches!(self.type_of(function)?, "AWS::Serverless::Function" | "AWS::Lambda::Function")
                    .then_some(function)
            }
            _ => None,
        }
    }

    /// The resource that an expression refers to: its logical id, else the expression.
    pub(crate) fn reference(&self, node: Option<&Node>) -> Option<Value> {
        let node = node.filter(|node| !node.is_null())?;
        let mut names = Vec::new();
        references(node, &mut names);
        match names.as_slice() {
            [name] if self.type_of(name).is_some() || events::is_implicit(name) => Some(Value::Known(name.clone())),
            _ => Some(Value::Unknown(node.text().map_or_else(|| shown(node), str::to_owned))),
        }
    }
}

/// What a value that names a user pool of the template begins with.
pub(crate) const USER_POOL: &str = "the user pool ";

/// Whether an expression only puts texts together, and chooses none.
fn is_put_together(node: &Node) -> bool {
    match node.intrinsic() {
        Some(("Ref" | "Fn::GetAtt" | "Fn::Sub", _)) => true,
        Some(("Fn::Join", parts)) => parts
            .items()
            .iter()
            .flat_map(|part| match part.items() {
                [] => std::slice::from_ref(part),
                items => items,
            })
            .all(is_put_together),
        Some(_) => false,
        None => node.text().is_some(),
    }
}

/// All of an expression, as [`shown`] writes it.
fn spelled(node: &Node) -> String {
    let mut text = String::new();
    show(node, &mut text, usize::MAX);
    text
}

/// The names that an expression refers to.
fn references(node: &Node, names: &mut Vec<String>) {
    let first = |text: &str| text.split('.').next().unwrap_or_default().to_owned();
    match node.intrinsic() {
        Some(("Ref", name)) => names.extend(name.text().map(str::to_owned)),
        Some(("Fn::GetAtt", of)) => names.extend(of.text().or_else(|| of.items().first()?.text()).map(first)),
        Some(("Fn::Sub", text)) => {
            let (pattern, given) = match text.items() {
                [pattern, given, ..] => (pattern.text(), Some(given)),
                _ => (text.text(), None),
            };
            let inserted = pattern.unwrap_or_default().split("${").skip(1);
            names.extend(inserted.filter_map(|rest| rest.split_once('}')).map(|(name, _)| first(name)));
            given.into_iter().for_each(|given| references(given, names));
        }
        _ => {
            node.items().iter().for_each(|item| references(item, names));
            node.entries().iter().for_each(|(_, value)| references(value, names));
        }
    }
}

/// An expression as one text, in which `${...}` stands for what is not known: the same
/// for all ways to write it.
fn whole(node: &Node) -> String {
    match (node.text(), node.intrinsic()) {
        (Some(text), _) => text.to_owned(),
        (None, Some(("Fn::Sub", pattern))) if pattern.text().is_some() => pattern.text().unwrap_or_default().to_owned(),
        (None, Some(("Fn::Join", parts))) => match parts.items() {
            [separator, parts] => {
                let parts: Vec<String> = parts.items().iter().map(whole).collect();
                parts.join(separator.text().unwrap_or_default())
            }
            _ => shown(node),
        },
        (None, Some(("Ref", name))) => format!("${{{}}}", name.text().unwrap_or_default()),
        (None, _) => shown(node),
    }
}

/// An expression in short.
pub(crate) fn shown(node: &Node) -> String {
    let mut text = String::new();
    show(node, &mut text, MAX_SHOWN);
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn show(node: &Node, text: &mut String, limit: usize) {
    if text.len() > limit {
        return;
    }
    match (&node.value, node.intrinsic()) {
        (Held::Scalar { text: own, .. }, _) => text.push_str(own),
        (_, Some((name, argument))) => {
            text.push_str(&format!("!{} ", name.trim_start_matches("Fn::")));
            show(argument, text, limit);
        }
        (Held::List(items), None) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                text.push_str(if index > 0 { ", " } else { "" });
                show(item, text, limit);
            }
            text.push(']');
        }
        (Held::Map(_), None) if limit == MAX_SHOWN => text.push_str("{...}"),
        (Held::Map(entries), None) => {
            text.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                text.push_str(if index > 0 { ", " } else { "" });
                text.push_str(&format!("{key}: "));
                show(value, text, limit);
            }
            text.push('}');
        }
    }
}

const MAX_SHOWN: usize = 60;

#[cfg(test)]
mod tests {
    use super::super::node::parse;
    use super::*;

    const TEMPLATE: &str = "
Resources:
  F: { Type: AWS::Serverless::Function }
  G: { Type: AWS::Lambda::Function }
  A: { Type: AWS::Lambda::Alias, Properties: { FunctionName: !Ref G } }
  B: { Type: AWS::S3::Bucket }
";

    #[track_caller]
    fn check<T: std::fmt::Debug + PartialEq>(node: &str, ask: impl Fn(&Values<'_>, Option<&Node>) -> T, expected: T) {
        let (root, node) = (parse(TEMPLATE).unwrap(), parse(node).unwrap());
        let parameters = BTreeMap::from([("P".to_owned(), "7".to_owned())]);
        assert_eq!(ask(&Values::new(&root, &parameters), Some(&node)), expected, "{node:?}");
    }

    #[test]
    fn a_value_is_known_or_is_not() {
        let known = |text: &str| Some(Value::Known(text.to_owned()));
        let unknown = |text: &str| Some(Value::Unknown(text.to_owned()));
        for (node, expected) in [
            ("a", known("a")),
            ("!Ref P", known("7")),
            ("!Sub 'x${P}y'", known("x7y")),
            ("!Sub x", known("x")),
            ("!Ref Q", unknown("!Ref Q")),
            ("!Sub 'x${Q}'", unknown("!Sub x${Q}")),
            ("!If [C, 1, !Ref P]", unknown("!If [C, 1, !Ref P]")),
            ("~", None),
            ("!Ref AWS::NoValue", None),
        ] {
            check(node, |values, node| values.value(node), expected);
        }
    }

    #[test]
    fn a_function_is_found_in_whatever_names_it() {
        for (node, expected) in [
            ("!GetAtt F.Arn", "F"),
            ("!Ref F", "F"),
            ("{ Fn::GetAtt: [F, Arn] }", "F"),
            ("!Sub 'arn:${AWS::Partition}:functions/${F.Arn}/invocations'", "F"),
            ("!Sub ['functions/${X}/invocations', { X: !GetAtt F.Arn }]", "F"),
            ("!Join ['', ['arn:', !Ref AWS::Region, !GetAtt G.Arn, /invocations]]", "G"),
            ("!Ref A", "G"),
            ("!ImportValue authorizer", "!ImportValue authorizer"),
            ("!GetAtt B.Arn", "!GetAtt B.Arn"),
            ("arn:aws:lambda:x", "arn:aws:lambda:x"),
            ("arn:aws:apigateway:r:lambda:path/2015-03-31/functions/arn:aws:lambda:x/invocations", "arn:aws:lambda:x"),
            ("!Join ['', ['arn:', !Ref P, ':lambda:path/2015-03-31/functions/', !Ref Q, /invocations]]", "${Q}"),
            ("!Sub 'arn:${AWS::Partition}:apigateway:r:lambda:path/2015-03-31/functions/${Q}/invocations'", "${Q}"),
            ("!Ref Q", "${Q}"),
        ] {
            check(node, |values, node| values.function(node), expected.to_owned());
        }
    }
}
