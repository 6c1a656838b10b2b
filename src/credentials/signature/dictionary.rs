//! A dictionary of structured fields (RFC 8941 3.2), with every member and parameter as often as it occurs.
//!
//! `sfv` parses; its own maps are not used, since they keep the last of two members of one name, as RFC 8941 has it. Who
//! decides by a signature must see both.

use sfv::visitor::{DictionaryVisitor, EntryVisitor, InnerListVisitor, ItemVisitor, ParameterVisitor};
use sfv::{BareItemFromInput, KeyRef, Parser, Version};
use std::convert::Infallible;

/// A member.
#[derive(Debug)]
pub(super) struct Member<'f> {
    pub(super) key: &'f str,
    pub(super) content: Content<'f>,
    pub(super) parameters: Vec<Parameter<'f>>,
}

#[derive(Debug)]
pub(super) enum Content<'f> {
    Item(Bare),
    List(Vec<Item<'f>>),
}

/// An item of an inner list.
#[derive(Debug)]
pub(super) struct Item<'f> {
    pub(super) bare: Bare,
    pub(super) parameters: Vec<Parameter<'f>>,
}

pub(super) type Parameter<'f> = (&'f str, Bare);

/// A value; of what no signature uses only that it is there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Bare {
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
    Other,
}

/// Reads a whole field; `None` for what is not a dictionary.
pub(super) fn parse(field: &str) -> Option<Vec<Member<'_>>> {
    // RFC 9421 refers to RFC 8941, which has neither dates nor display strings.
    let parser = Parser::new(field).with_version(Version::Rfc8941);
    parser.parse_dictionary_with_visitor(Members(Vec::new())).ok()
}

impl From<BareItemFromInput<'_>> for Bare {
    fn from(item: BareItemFromInput<'_>) -> Self {
        match item {
            BareItemFromInput::Integer(integer) => Bare::Integer(i64::from(integer)),
            BareItemFromInput::String(text) => Bare::Text(text.as_str().to_owned()),
            BareItemFromInput::ByteSequence(bytes) => Bare::Bytes(bytes),
            BareItemFromInput::Decimal(_)
            | BareItemFromInput::Boolean(_)
            | BareItemFromInput::Token(_)
            | BareItemFromInput::Date(_)
            | BareItemFromInput::DisplayString(_) => Bare::Other,
        }
    }
}

struct Members<'f>(Vec<Member<'f>>);

impl<'f> DictionaryVisitor<'f> for Members<'f> {
    type Out = Vec<Member<'f>>;
    type Error = Infallible;

    fn entry(&mut self, key: &'f KeyRef) -> Result<impl EntryVisitor<'f>, Infallible> {
        let content = Content::Item(Bare::Other);
        Ok(Entry(self.0.push_mut(Member { key: key.as_str(), content, parameters: Vec::new() })))
    }

    fn finish(self) -> Result<Self::Out, Infallible> {
        Ok(self.0)
    }
}

struct Entry<'e, 'f>(&'e mut Member<'f>);

impl<'f> EntryVisitor<'f> for Entry<'_, 'f> {
    type Error = Infallible;

    fn item(self) -> Result<impl ItemVisitor<'f>, Infallible> {
        Ok(self)
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'f>, Infallible> {
        Ok(List { member: self.0, items: Vec::new() })
    }
}

impl<'f> ItemVisitor<'f> for Entry<'_, 'f> {
    type Out = ();
    type Error = Infallible;

    fn bare_item(self, bare: BareItemFromInput<'f>) -> Result<impl ParameterVisitor<'f, Out = ()>, Infallible> {
        self.0.content = Content::Item(bare.into());
        Ok(Parameters(&mut self.0.parameters))
    }
}

struct List<'e, 'f> {
    member: &'e mut Member<'f>,
    items: Vec<Item<'f>>,
}

impl<'f> InnerListVisitor<'f> for List<'_, 'f> {
    type Error = Infallible;

    fn item(&mut self) -> Result<impl ItemVisitor<'f>, Infallible> {
        Ok(ItemOfList(self.items.push_mut(Item { bare: Bare::Other, parameters: Vec::new() })))
    }

    fn finish(self) -> Result<impl ParameterVisitor<'f>, Infallible> {
        self.member.content = Content::List(self.items);
        Ok(Parameters(&mut self.member.parameters))
    }
}

struct ItemOfList<'e, 'f>(&'e mut Item<'f>);

impl<'f> ItemVisitor<'f> for ItemOfList<'_, 'f> {
    type Out = ();
    type Error = Infallible;

    fn bare_item(self, bare: BareItemFromInput<'f>) -> Result<impl ParameterVisitor<'f, Out = ()>, Infallible> {
        self.0.bare = bare.into();
        Ok(Parameters(&mut self.0.parameters))
    }
}

struct Parameters<'e, 'f>(&'e mut Vec<Parameter<'f>>);

impl<'f> ParameterVisitor<'f> for Parameters<'_, 'f> {
    type Out = ();
    type Error = Infallible;

    fn parameter(&mut self, key: &'f KeyRef, value: BareItemFromInput<'f>) -> Result<(), Infallible> {
        self.0.push((key.as_str(), value.into()));
        Ok(())
    }

    fn finish(self) -> Result<(), Infallible> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_parameters_are_kept_as_often_as_they_occur() {
        let members = parse(r#"a=("x";n="1";n="2" "y");p=1;p=2, a=:AQI=:"#).unwrap();
        let [first, second] = members.as_slice() else { panic!("{members:?}") };
        assert_eq!((first.key, second.key), ("a", "a"));
        let Content::List(items) = &first.content else { panic!("{first:?}") };
        assert_eq!(items[0].parameters, [("n", Bare::Text("1".into())), ("n", Bare::Text("2".into()))]);
        assert_eq!(items[1].bare, Bare::Text("y".into()));
        assert_eq!(first.parameters, [("p", Bare::Integer(1)), ("p", Bare::Integer(2))]);
        assert!(matches!(&second.content, Content::Item(Bare::Bytes(bytes)) if bytes == &[1, 2]));
    }

    #[test]
    fn what_is_not_a_dictionary_is_not_read() {
        for field in
            ["(", "a=(", "a=(\"x)", "a=:AQI", "a,", "A=1", "a=@1", "a=%\"x\"", "a=1 b=2", "\u{e9}=1", "a=(x)(y)"]
        {
            assert!(parse(field).is_none(), "{field}");
        }
        assert_eq!(parse("").map(|members| members.len()), Some(0));
    }
}
