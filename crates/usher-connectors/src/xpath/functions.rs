//! The core function library (XPath 1.0 §4). `FUNCTIONS` is the table.

use roxmltree::Node;

use super::evaluate::{Context, Outcome};
use super::value::{Item, Value};

/// A function: its name, how many arguments it takes, what it does.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) least: usize,
    /// `None`: as many as one likes.
    pub(super) most: Option<usize>,
    pub(super) call: for<'d, 'i> fn(&[Value<'d, 'i>], &Context<'d, 'i>) -> Outcome<Value<'d, 'i>>,
}

macro_rules! function {
    ($name:literal, $least:literal..$most:expr, $call:expr) => {
        Function { name: $name, least: $least, most: $most, call: $call }
    };
}

const FUNCTIONS: &[Function] = &[
    function!("boolean", 1..Some(1), |values, _| Ok(Value::Boolean(values[0].to_boolean()))),
    function!("ceiling", 1..Some(1), |values, _| Ok(Value::Number(values[0].to_number().ceil()))),
    function!("concat", 2..None, |values, _| Ok(Value::Text(values.iter().map(Value::to_text).collect()))),
    function!("contains", 2..Some(2), |values, _| {
        Ok(Value::Boolean(values[0].to_text().contains(&values[1].to_text())))
    }),
    function!("count", 1..Some(1), |values, _| Ok(Value::Number(nodes(&values[0], "count")?.len() as f64))),
    function!("false", 0..Some(0), |_, _| Ok(Value::Boolean(false))),
    function!("floor", 1..Some(1), |values, _| Ok(Value::Number(values[0].to_number().floor()))),
    function!("id", 1..Some(1), id),
    function!("lang", 1..Some(1), lang),
    function!("last", 0..Some(0), |_, context| Ok(Value::Number(context.size as f64))),
    function!("local-name", 0..Some(1), |values, context| {
        Ok(Value::Text(
            named(values, context, "local-name")?.map(|(_, name)| name).unwrap_or_default().to_owned(),
        ))
    }),
    function!("name", 0..Some(1), name),
    function!("namespace-uri", 0..Some(1), |values, context| {
        let name = named(values, context, "namespace-uri")?;
        Ok(Value::Text(name.and_then(|(namespace, _)| namespace).unwrap_or_default().to_owned()))
    }),
    function!("normalize-space", 0..Some(1), |values, context| {
        let text = text(values, context);
        let words: Vec<&str> = text.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()).collect();
        Ok(Value::Text(words.join(" ")))
    }),
    function!("not", 1..Some(1), |values, _| Ok(Value::Boolean(!values[0].to_boolean()))),
    function!("number", 0..Some(1), |values, context| {
        Ok(Value::Number(match values.first() {
            Some(value) => value.to_number(),
            None => Value::Nodes(vec![context.node]).to_number(),
        }))
    }),
    function!("position", 0..Some(0), |_, context| Ok(Value::Number(context.position as f64))),
    function!("round", 1..Some(1), |values, _| Ok(Value::Number(round(values[0].to_number())))),
    function!("starts-with", 2..Some(2), |values, _| {
        Ok(Value::Boolean(values[0].to_text().starts_with(&values[1].to_text())))
    }),
    function!("string", 0..Some(1), |values, context| Ok(Value::Text(text(values, context)))),
    function!("string-length", 0..Some(1), |values, context| {
        Ok(Value::Number(text(values, context).chars().count() as f64))
    }),
    function!("substring", 2..Some(3), substring),
    function!("substring-after", 2..Some(2), |values, _| {
        let (text, mark) = (values[0].to_text(), values[1].to_text());
        Ok(Value::Text(text.split_once(&mark).map(|(_, after)| after).unwrap_or_default().to_owned()))
    }),
    function!("substring-before", 2..Some(2), |values, _| {
        let (text, mark) = (values[0].to_text(), values[1].to_text());
        Ok(Value::Text(text.split_once(&mark).map(|(before, _)| before).unwrap_or_default().to_owned()))
    }),
    function!("sum", 1..Some(1), |values, _| {
        let nodes = nodes(&values[0], "sum")?;
        Ok(Value::Number(nodes.iter().map(|node| super::value::number_of(&node.text())).sum()))
    }),
    function!("translate", 3..Some(3), translate),
    function!("true", 0..Some(0), |_, _| Ok(Value::Boolean(true))),
];

/// The function with this name.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

fn nodes<'v, 'd, 'i>(value: &'v Value<'d, 'i>, function: &str) -> Outcome<&'v [Item<'d, 'i>]> {
    match value {
        Value::Nodes(nodes) => Ok(nodes),
        _ => Err(format!("{function} takes a set of nodes")),
    }
}

/// The text of the argument, or of the context node.
fn text(values: &[Value<'_, '_>], context: &Context<'_, '_>) -> String {
    values.first().map_or_else(|| context.node.text(), Value::to_text)
}

/// The name of the first node of the argument, or of the context node.
fn named<'d>(
    values: &[Value<'d, '_>],
    context: &Context<'d, '_>,
    function: &str,
) -> Outcome<Option<(Option<&'d str>, &'d str)>> {
    match values.first() {
        Some(value) => Ok(nodes(value, function)?.first().and_then(Item::name)),
        None => Ok(context.node.name()),
    }
}

fn name<'d, 'i>(values: &[Value<'d, 'i>], context: &Context<'d, 'i>) -> Outcome<Value<'d, 'i>> {
    let item = match values.first() {
        Some(value) => nodes(value, "name")?.first().copied(),
        None => Some(context.node),
    };
    let Some((item, (namespace, local))) = item.and_then(|item| Some((item, item.name()?))) else {
        return Ok(Value::Text(String::new()));
    };
    // The prefix is the document's own (§4.1); elements may have none, attributes of a namespace always have one.
    let owner = match item {
        Item::Node(node) | Item::Attribute(node, _) => node,
    };
    let is_attribute = matches!(item, Item::Attribute(..));
    let prefix = namespace.and_then(|namespace| {
        if namespace == roxmltree::NS_XML_URI {
            return Some("xml");
        }
        if !is_attribute && owner.default_namespace() == Some(namespace) {
            return None;
        }
        owner
            .namespaces()
            .find(|one| one.uri() == namespace && one.name().is_some())
            .and_then(|one| one.name())
    });
    Ok(Value::Text(prefix.map_or_else(|| local.to_owned(), |prefix| format!("{prefix}:{local}"))))
}

/// Elements by the ids that a text lists. Without a DTD, which is refused, no attribute is an id but `xml:id`.
fn id<'d, 'i>(values: &[Value<'d, 'i>], context: &Context<'d, 'i>) -> Outcome<Value<'d, 'i>> {
    let listed = match &values[0] {
        Value::Nodes(nodes) => nodes.iter().map(Item::text).collect::<Vec<_>>().join(" "),
        other => other.to_text(),
    };
    let wanted: Vec<&str> = listed.split_ascii_whitespace().collect();
    let (Item::Node(node) | Item::Attribute(node, _)) = context.node;
    let is_wanted = |node: &Node<'d, 'i>| {
        node.attribute((roxmltree::NS_XML_URI, "id")).is_some_and(|id| wanted.contains(&id))
    };
    let found = node.document().descendants().filter(is_wanted).map(Item::from).collect();
    Ok(Value::Nodes(found))
}

fn lang<'d, 'i>(values: &[Value<'d, 'i>], context: &Context<'d, 'i>) -> Outcome<Value<'d, 'i>> {
    let (Item::Node(node) | Item::Attribute(node, _)) = context.node;
    let found = node.ancestors().find_map(|one| one.attribute((roxmltree::NS_XML_URI, "lang")));
    let wanted = values[0].to_text().to_lowercase();
    let is_it = found.is_some_and(|found| {
        let found = found.to_lowercase();
        found.strip_prefix(&wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    });
    Ok(Value::Boolean(is_it))
}

/// Half goes up, also below zero (§4.4).
fn round(number: f64) -> f64 {
    if number.fract() == 0.0 || !number.is_finite() { number } else { (number + 0.5).floor() }
}

/// Characters from a position counted from 1; start and length are rounded (§4.2).
fn substring<'d, 'i>(values: &[Value<'d, 'i>], _: &Context<'d, 'i>) -> Outcome<Value<'d, 'i>> {
    let start = round(values[1].to_number());
    let end = values.get(2).map_or(f64::INFINITY, |length| start + round(length.to_number()));
    let text = values[0].to_text();
    let is_in = |index: usize| {
        let position = (index + 1) as f64;
        position >= start && position < end
    };
    let cut = text.chars().enumerate().filter(|(index, _)| is_in(*index)).map(|(_, one)| one).collect();
    Ok(Value::Text(cut))
}

fn translate<'d, 'i>(values: &[Value<'d, 'i>], _: &Context<'d, 'i>) -> Outcome<Value<'d, 'i>> {
    let from: Vec<char> = values[1].to_text().chars().collect();
    let to: Vec<char> = values[2].to_text().chars().collect();
    let text = values[0].to_text();
    let translated = text.chars().filter_map(|one| match from.iter().position(|known| *known == one) {
        Some(place) => to.get(place).copied(),
        None => Some(one),
    });
    Ok(Value::Text(translated.collect()))
}
