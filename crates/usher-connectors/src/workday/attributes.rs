//! Attributes of workers: names, each with an XPath expression, compiled once and evaluated over every worker.

use indexmap::IndexMap;
use roxmltree::Node;
use serde_json::Value as Json;
use smol_str::SmolStr;
use usher_core::AttributeSet;
use usher_core::schema::{AttributeType, ObjectDefinition};
use usher_expr::Value;

use super::page::{self, Answer, PageError, WORKDAY};
use crate::xpath::{XPath, XPathError};

/// What expressions may be copied with from a tool that shows whole answers.
const ABOVE: &str = "wd:Response_Data/";

/// One attribute.
#[derive(Clone, Debug)]
struct Attribute {
    name: SmolStr,
    path: XPath,
    is_reference: bool,
    is_multivalued: bool,
}

/// A list of attributes, ready to evaluate.
#[derive(Clone, Debug, Default)]
pub struct Attributes {
    list: Vec<Attribute>,
}

/// Why a list of attributes cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AttributesError {
    /// An expression cannot be compiled.
    #[error("the XPath of the attribute '{attribute}' cannot be used")]
    Expression {
        /// The attribute.
        attribute: String,
        /// What is wrong with it.
        source: XPathError,
    },
    /// The file holds no list of attributes.
    #[error("there are no attributes: {0}")]
    Document(String),
}

impl AttributesError {
    /// The whole story in one text.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Expression { source, .. } => format!("{self}: {source}"),
            Self::Document(_) => self.to_string(),
        }
    }
}

impl Attributes {
    /// The attributes of an object definition of a synchronization schema that have an API expression.
    ///
    /// # Errors
    /// An expression cannot be compiled.
    pub fn of_object(object: &ObjectDefinition) -> Result<Self, AttributesError> {
        let mut list = Vec::new();
        for attribute in &object.attributes {
            // The key names the web service; one expression is all that published schemas have.
            let Some((_, text)) = attribute.api_expressions.first() else { continue };
            if text.trim().is_empty() {
                continue;
            }
            list.push(Attribute {
                name: attribute.name.as_str().into(),
                path: compile(&attribute.name, text)?,
                is_reference: attribute.value_type == AttributeType::Reference,
                is_multivalued: attribute.multivalued,
            });
        }
        Ok(Self { list })
    }

    /// The attributes of a file: a list like the published ones (`{"attributes": [{"name", "xpath"}]}`), an object of
    /// names and expressions, or a synchronization schema.
    ///
    /// # Errors
    /// It is none of these, or an expression cannot be compiled.
    pub fn of_document(document: &Json) -> Result<Self, AttributesError> {
        if document["directories"].is_array() {
            let reading = usher_core::schema::read(document.to_string().as_bytes());
            let object = reading
                .schema
                .iter()
                .flat_map(|schema| &schema.directories)
                .flat_map(|directory| &directory.objects)
                .find(|object| object.attributes.iter().any(|one| !one.api_expressions.is_empty()));
            return match object {
                Some(object) => Self::of_object(object),
                None => Err(AttributesError::Document(
                    "no attribute of the schema has an API expression".to_owned(),
                )),
            };
        }
        let named = |one: &Json| Some((one["name"].as_str()?.to_owned(), one["xpath"].as_str()?.to_owned()));
        let pairs: Vec<(String, String)> = match document {
            Json::Array(list) => list.iter().filter_map(named).collect(),
            // Published lists keep those that are often added apart.
            Json::Object(members) if document["attributes"].is_array() => {
                members.values().filter_map(Json::as_array).flatten().filter_map(named).collect()
            }
            Json::Object(members) => members
                .iter()
                .filter_map(|(name, text)| Some((name.clone(), text.as_str()?.to_owned())))
                .collect(),
            _ => Vec::new(),
        };
        if pairs.is_empty() {
            return Err(AttributesError::Document(
                "give a list of objects with name and xpath, an object of names and expressions, or a \
                 synchronization schema"
                    .to_owned(),
            ));
        }
        let mut list = Vec::new();
        for (name, text) in pairs {
            let path = compile(&name, &text)?;
            list.push(Attribute { name: name.into(), path, is_reference: false, is_multivalued: true });
        }
        Ok(Self { list })
    }

    /// The expressions as they were written.
    pub fn expressions(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|attribute| attribute.path.text())
    }

    /// All texts that each attribute selects of a worker; attributes that select nothing are left out. `parent` is the
    /// worker's parent.
    ///
    /// # Errors
    /// An expression costs too much or is applied to what it does not fit.
    pub fn all(&self, parent: Node<'_, '_>) -> Result<IndexMap<SmolStr, Vec<String>>, XPathError> {
        let mut found = IndexMap::new();
        for attribute in &self.list {
            let texts = attribute.path.texts(parent)?;
            if !texts.is_empty() {
                found.insert(attribute.name.clone(), texts);
            }
        }
        Ok(found)
    }

    /// The values of the wanted attributes. A single-valued attribute takes the first node in document order.
    ///
    /// # Errors
    /// As `all`.
    pub(super) fn values(
        &self,
        parent: Node<'_, '_>,
        wanted: &[SmolStr],
        own: &str,
    ) -> Result<AttributeSet, XPathError> {
        let mut set = AttributeSet::default();
        for attribute in &self.list {
            if !wanted.iter().any(|name| name.eq_ignore_ascii_case(&attribute.name)) {
                continue;
            }
            let texts = attribute.path.texts(parent)?.into_iter().filter(|text| !text.is_empty());
            let value = |text: String| match attribute.is_reference {
                true => Value::Reference(text.into()),
                false => Value::from(text.as_str()),
            };
            // Nobody is their own manager: heads of an organisation are named as its manager in their own chain.
            let mut texts = texts.filter(|text| !attribute.is_reference || text != own);
            let value = match attribute.is_multivalued {
                true => Value::list(texts.map(value)),
                false => texts.next().map(value).unwrap_or_default(),
            };
            if !matches!(&value, Value::List(list) if list.is_empty()) {
                set.set(attribute.name.clone(), value);
            }
        }
        Ok(set)
    }
}

fn compile(name: &str, text: &str) -> Result<XPath, AttributesError> {
    let relative = text.rsplit_once(ABOVE).map_or(text, |(_, rest)| rest).trim();
    XPath::compile(relative, &[("wd", WORKDAY)])
        .map_err(|source| AttributesError::Expression { attribute: name.to_owned(), source })
}

/// Why a saved answer cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum ShowError {
    /// The answer cannot be read.
    #[error(transparent)]
    Page(#[from] PageError),
    /// An expression failed.
    #[error(transparent)]
    Expression(#[from] XPathError),
    /// The answer is a fault.
    #[error("the answer is a fault: {0}")]
    Fault(String),
}

/// What the attributes select of each worker of a saved answer, in document order.
///
/// # Errors
/// The answer cannot be read or is a fault, or an expression failed.
pub fn show(
    answer: &[u8],
    attributes: &Attributes,
) -> Result<Vec<IndexMap<SmolStr, Vec<String>>>, ShowError> {
    let mut workers = Vec::new();
    match page::read(answer, |parent| {
        workers.push(attributes.all(parent)?);
        Ok::<(), ShowError>(())
    })? {
        Answer::Workers(_) => Ok(workers),
        Answer::Fault(fault) => Err(ShowError::Fault(fault.text)),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::json;

    use super::*;

    const ANSWER: &str = r#"<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:x="urn:com.workday/bsvc">
        <e:Body><x:Get_Workers_Response x:version="v43.0"><x:Response_Data>
        <x:Worker><x:Worker_Reference><x:ID x:type="WID">w1</x:ID><x:ID x:type="Employee_ID">7</x:ID></x:Worker_Reference>
          <x:Worker_Data><x:Line>a &amp; b</x:Line><x:Line>c</x:Line><x:Empty/></x:Worker_Data></x:Worker>
        <x:Worker><x:Worker_Reference><x:ID x:type="WID">w2</x:ID></x:Worker_Reference></x:Worker>
        </x:Response_Data></x:Get_Workers_Response></e:Body></e:Envelope>"#;

    fn check(document: Json, expected: Expect) {
        let shown = Attributes::of_document(&document)
            .map_err(|error| error.told())
            .and_then(|attributes| show(ANSWER.as_bytes(), &attributes).map_err(|error| error.to_string()));
        expected.assert_eq(&match shown {
            Ok(workers) => serde_json::to_string(&workers).expect("it is JSON"),
            Err(message) => message,
        });
    }

    #[test]
    fn every_selected_value_is_shown_worker_by_worker() {
        check(
            json!({ "attributes": [
                { "name": "WID", "xpath": "wd:Worker/wd:Worker_Reference/wd:ID[@wd:type='WID']/text()" },
                { "name": "Lines", "xpath": "wd:Worker/wd:Worker_Data/wd:Line/text()" },
                { "name": "Empty", "xpath": "wd:Worker/wd:Worker_Data/wd:Empty/text()" },
            ], "more": [{ "name": "Kind", "xpath": "wd:Worker//wd:ID[2]/@wd:type" }] }),
            expect![[r#"[{"WID":["w1"],"Lines":["a & b","c"],"Kind":["Employee_ID"]},{"WID":["w2"]}]"#]],
        );
    }

    #[test]
    fn expressions_may_be_copied_with_what_is_above_the_workers() {
        check(
            json!({ "Id": "/env:Envelope/env:Body/wd:Get_Workers_Response/wd:Response_Data/wd:Worker/wd:Worker_Reference/wd:ID[1]" }),
            expect![[r#"[{"Id":["w1"]},{"Id":["w2"]}]"#]],
        );
    }

    #[test]
    fn mistakes_are_told_with_the_attribute() {
        check(
            json!({ "Bad": "wd:Worker[" }),
            expect![
                "the XPath of the attribute 'Bad' cannot be used: an expression is expected at character 11 of 'wd:Worker['"
            ],
        );
        check(
            json!(7),
            expect![
                "there are no attributes: give a list of objects with name and xpath, an object of names and expressions, or a synchronization schema"
            ],
        );
    }
}
