//! The four types of XPath 1.0 and how they become one another (§3.2, §4.2 to §4.4).

use std::cmp::Ordering;

use roxmltree::{Attribute, Node};

/// A node of the data model: one of the tree, or an attribute, which the tree keeps apart.
#[derive(Clone, Copy, Debug)]
pub enum Item<'d, 'i> {
    /// A node of the tree.
    Node(Node<'d, 'i>),
    /// An attribute: its element and its place.
    Attribute(Node<'d, 'i>, usize),
}

impl<'d, 'i> From<Node<'d, 'i>> for Item<'d, 'i> {
    fn from(node: Node<'d, 'i>) -> Self {
        Self::Node(node)
    }
}

impl PartialEq for Item<'_, '_> {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl<'d, 'i> Item<'d, 'i> {
    /// The place in document order: an element, then its attributes, then its children (§5).
    fn place(&self) -> (u32, usize) {
        match self {
            Self::Node(node) => (node.id().get(), 0),
            Self::Attribute(node, place) => (node.id().get(), place + 1),
        }
    }

    pub(super) fn order(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }

    pub(super) fn attribute(&self) -> Option<Attribute<'d, 'i>> {
        match self {
            Self::Node(_) => None,
            Self::Attribute(node, place) => node.attributes().nth(*place),
        }
    }

    /// Namespace and local name, where it has a name.
    pub(super) fn name(&self) -> Option<(Option<&'d str>, &'d str)> {
        match self {
            Self::Node(node) if node.is_element() => {
                let name = node.tag_name();
                Some((name.namespace(), name.name()))
            }
            Self::Node(node) if node.is_pi() => node.pi().map(|pi| (None, pi.target)),
            Self::Node(_) => None,
            Self::Attribute(..) => self.attribute().map(|one| (one.namespace(), one.name())),
        }
    }

    /// The string-value (§5).
    pub(super) fn text(&self) -> String {
        match self {
            Self::Attribute(..) => self.attribute().map(|one| one.value().to_owned()).unwrap_or_default(),
            Self::Node(node) if node.is_element() || node.is_root() => {
                node.descendants().filter(Node::is_text).filter_map(|text| text.text()).collect()
            }
            Self::Node(node) if node.is_pi() => {
                node.pi().and_then(|pi| pi.value).unwrap_or_default().to_owned()
            }
            Self::Node(node) => node.text().unwrap_or_default().to_owned(),
        }
    }

    /// The element or root that it belongs to.
    pub(super) fn parent(&self) -> Option<Node<'d, 'i>> {
        match self {
            Self::Node(node) => node.parent(),
            Self::Attribute(node, _) => Some(*node),
        }
    }
}

/// What an expression yields.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'d, 'i> {
    /// Nodes in document order, each once.
    Nodes(Vec<Item<'d, 'i>>),
    /// A truth value.
    Boolean(bool),
    /// A number (IEEE 754).
    Number(f64),
    /// A text.
    Text(String),
}

impl Value<'_, '_> {
    /// As a text (§4.2): of nodes, that of the first.
    pub fn to_text(&self) -> String {
        match self {
            Self::Nodes(nodes) => nodes.first().map(Item::text).unwrap_or_default(),
            Self::Boolean(value) => value.to_string(),
            Self::Number(number) => text_of(*number),
            Self::Text(text) => text.clone(),
        }
    }

    /// As a number (§4.4); what is none is NaN.
    pub fn to_number(&self) -> f64 {
        match self {
            Self::Nodes(_) => number_of(&self.to_text()),
            Self::Boolean(value) => f64::from(u8::from(*value)),
            Self::Number(number) => *number,
            Self::Text(text) => number_of(text),
        }
    }

    /// As a truth value (§4.3).
    pub fn to_boolean(&self) -> bool {
        match self {
            Self::Nodes(nodes) => !nodes.is_empty(),
            Self::Boolean(value) => *value,
            Self::Number(number) => *number != 0.0 && !number.is_nan(),
            Self::Text(text) => !text.is_empty(),
        }
    }
}

/// A number as a text: never with an exponent; zero has no sign.
fn text_of(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else if number == 0.0 {
        "0".to_owned()
    } else {
        number.to_string()
    }
}

/// A text as a number: blanks, a minus, digits with at most one point; no plus, no exponent.
pub(super) fn number_of(text: &str) -> f64 {
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && digits.bytes().filter(|byte| *byte == b'.').count() <= 1
        && digits.bytes().any(|byte| byte.is_ascii_digit());
    if is_number { text.parse().unwrap_or(f64::NAN) } else { f64::NAN }
}
