//! Names of attributes as filters, patches and `attributes` lists write them, resolved against the schema.

use crate::filter::{Filter, Parser};
use crate::schema::{Attribute, ResourceType, Schema};

/// An attribute or a part of one.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// The URN of the extension the attribute belongs to; none for the core schema.
    pub(crate) extension: Option<&'static str>,
    /// The attribute.
    pub(crate) attribute: &'static Attribute,
    /// The sub-attribute, if one is named.
    pub(crate) part: Option<&'static Attribute>,
}

impl Place {
    /// The attribute whose values are meant: the part, or the whole attribute.
    pub(crate) fn leaf(&self) -> &'static Attribute {
        self.part.unwrap_or(self.attribute)
    }
}

/// What a name stands for.
#[derive(Clone, Copy)]
pub(crate) enum Located {
    /// All attributes of an extension.
    Extension(&'static str),
    /// One attribute.
    Place(Place),
}

/// Resolves a name such as `userName`, `name.givenName` or `urn:…:User:department`, without regard to case.
/// An extension's attribute is found without its URN too, because Entra writes a bare `manager`.
pub(crate) fn locate(definition: &'static ResourceType, name: &str) -> Result<Located, String> {
    if let Some(extension) = &definition.extension
        && let Some(rest) = strip_prefix_ignoring_case(name, extension.urn)
    {
        if rest.is_empty() {
            return Ok(Located::Extension(extension.urn));
        }
        if let Some(attribute) = rest.strip_prefix(':') {
            return place(attribute, Some(extension.urn), |name| find(extension, name)).map(Located::Place);
        }
    }
    let short = strip_prefix_ignoring_case(name, definition.core.urn)
        .and_then(|rest| rest.strip_prefix(':'))
        .unwrap_or(name);
    place(short, None, |name| definition.attribute(name))
        .or_else(|error| match &definition.extension {
            Some(extension) => {
                place(short, Some(extension.urn), |name| find(extension, name)).map_err(|_| error)
            }
            None => Err(error),
        })
        .map(Located::Place)
}

/// Where a patch operation applies (RFC 7644 §3.5.2).
pub(crate) enum Target {
    /// All attributes of an extension.
    Extension(&'static str),
    /// An attribute, of which the filter, if there is one, selects the values.
    Place(Place, Option<Filter>),
}

/// Reads the `path` of a patch operation.
pub(crate) fn parse_target(definition: &'static ResourceType, text: &str) -> Result<Target, String> {
    let Some(bracket) = text.find('[') else {
        return Ok(match locate(definition, text.trim())? {
            Located::Extension(urn) => Target::Extension(urn),
            Located::Place(place) => Target::Place(place, None),
        });
    };
    let (name, rest) = text.split_at(bracket);
    let Located::Place(mut place) = locate(definition, name.trim())? else {
        return Err(format!("\"{name}\" has no values to choose from"));
    };
    let mut parser = Parser::new(rest);
    let (filter, part) = parser.value_path(&place)?;
    if !parser.is_at_end() {
        return Err(format!("unexpected text after the path in \"{text}\""));
    }
    place.part = part;
    Ok(Target::Place(place, Some(filter)))
}

/// Resolves a sub-attribute.
pub(crate) fn locate_part(attribute: &'static Attribute, name: &str) -> Result<&'static Attribute, String> {
    attribute.part(name).ok_or_else(|| format!("attribute \"{}\" has no part \"{name}\"", attribute.name))
}

fn place(
    name: &str,
    extension: Option<&'static str>,
    find: impl Fn(&str) -> Option<&'static Attribute>,
) -> Result<Place, String> {
    let (first, part) = match name.split_once('.') {
        Some((first, part)) => (first, Some(part)),
        None => (name, None),
    };
    let attribute = find(first).ok_or_else(|| format!("attribute \"{name}\" is not in the schema"))?;
    let part = part.map(|part| locate_part(attribute, part)).transpose()?;
    Ok(Place { extension, attribute, part })
}

fn find(schema: &'static Schema, name: &str) -> Option<&'static Attribute> {
    schema.attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}
