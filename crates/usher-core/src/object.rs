//! One object of a directory, as a connector read it: anchor and attributes, values already normalised.

use indexmap::IndexMap;
use smol_str::SmolStr;
use usher_expr::{Attributes, Value};

use crate::Anchor;

/// Attribute values by name, in the order in which they were read. Nulls are not kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AttributeSet(IndexMap<SmolStr, Value>);

impl AttributeSet {
    /// Sets the value; null removes the attribute.
    pub fn set(&mut self, name: impl Into<SmolStr>, value: Value) {
        let name = name.into();
        if matches!(value, Value::Null) {
            self.0.shift_remove(&name);
        } else {
            self.0.insert(name, value);
        }
    }

    /// The value under exactly this name, else under the name that differs only in case.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).or_else(|| {
            self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        })
    }

    /// All attributes in order.
    pub fn iter(&self) -> impl Iterator<Item = (&SmolStr, &Value)> {
        self.0.iter()
    }

    /// How many attributes have a value.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no attribute has a value.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Attributes for AttributeSet {
    fn get(&self, name: &str) -> Value {
        self.value(name).cloned().unwrap_or_default()
    }
}

impl<N: Into<SmolStr>> FromIterator<(N, Value)> for AttributeSet {
    fn from_iter<I: IntoIterator<Item = (N, Value)>>(pairs: I) -> Self {
        let mut set = Self::default();
        for (name, value) in pairs {
            set.set(name, value);
        }
        set
    }
}

/// One object of a directory.
#[derive(Clone, Debug, PartialEq)]
pub struct DirectoryObject {
    /// The object's name in the synchronization schema, such as `User`.
    pub object_type: SmolStr,
    /// The unchanging identifier in its directory.
    pub anchor: Anchor,
    /// What was read of it.
    pub attributes: AttributeSet,
}
