//! Holding people against a schema: names that it does not know, and values of another type than it gives.

use anyhow::Result;
use smol_str::SmolStr;
use usher_core::AttributeSet;
use usher_core::program::RuleProgram;
use usher_core::schema::{AttributeDefinition, AttributeType, ObjectDefinition, ObjectMapping, Rule, Schema};
use usher_expr::dotnet::dates;
use usher_expr::{Value, nearest};

use super::{Case, People, mistake, unknown};

/// Holds people against schemas: a name that none of them knows is a slip of the pen, and would test nothing; a value
/// of another type is none that the directory would give.
///
/// # Errors
/// The first such name or value.
pub fn check(people: &People, schemas: &[&Schema]) -> Result<()> {
    for (place, case) in people.cases.iter().enumerate() {
        // Two versions of a schema may differ in what they know: one that knows all the person's names suffices.
        let mut slips = schemas.iter().map(|schema| slip(schema, case));
        let first = slips.next().flatten();
        if let Some(what) = first.filter(|_| slips.all(|other| other.is_some())) {
            return Err(mistake(&people.file, &format!("person {} ('{}'): {what}", place + 1, case.name)));
        }
    }
    Ok(())
}

fn slip(schema: &Schema, case: &Case) -> Option<String> {
    let rules = &schema.synchronization_rules;
    if let Some(id) = case.rule.as_deref().filter(|id| !rules.iter().any(|rule| rule.id == *id)) {
        let known = rules.iter().map(|rule| rule.id.as_str());
        return Some(unknown(&format!("the schema has no rule '{id}'"), id, known));
    }
    let person = &case.person;
    let rules = || rules.iter().filter(|rule| case.rule.as_deref().is_none_or(|id| rule.id == id));
    let is_named = |name: &str| name.eq_ignore_ascii_case(&person.object_type);
    let mappings: Vec<(&Rule, &ObjectMapping)> = rules()
        .flat_map(|rule| rule.object_mappings.iter().map(move |mapping| (rule, mapping)))
        .filter(|(_, mapping)| is_named(&mapping.source_object_name))
        .collect();
    let definitions: Vec<&ObjectDefinition> = rules()
        .filter_map(|rule| schema.directory(&rule.source_directory_name)?.object(&person.object_type))
        .collect();
    if mappings.is_empty() && definitions.is_empty() {
        let known = rules().flat_map(|rule| &rule.object_mappings).map(|one| one.source_object_name.as_str());
        let known: Vec<&str> = known.fold(Vec::new(), |mut all, name| {
            if !all.contains(&name) {
                all.push(name);
            }
            all
        });
        let name = &person.object_type;
        return Some(unknown(&format!("the schema has no source object '{name}'"), name, known.into_iter()));
    }
    let programs: Vec<RuleProgram> =
        rules().filter_map(|rule| RuleProgram::compile(schema, rule).ok()).collect();
    let read: Vec<SmolStr> = programs
        .iter()
        .filter_map(|rule| rule.mapping(&person.object_type))
        .flat_map(|mapping| mapping.source_attributes())
        .collect();
    let source = Known { what: person.object_type.as_str(), mapped: read, definitions };
    let targets = mappings.iter().filter_map(|(rule, mapping)| {
        schema.directory(&rule.target_directory_name)?.object(&mapping.target_object_name)
    });
    let written = mappings.iter().flat_map(|(_, mapping)| &mapping.attribute_mappings);
    let account = Known {
        what: "the account",
        mapped: written.map(|one| one.target_attribute_name.as_str().into()).collect(),
        definitions: targets.collect(),
    };
    let taken = person.taken.iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
    source
        .slip_in(person.source.as_ref())
        .or_else(|| account.slip_in(person.account.as_ref()))
        .or_else(|| account.slip_of(person.taken.keys()))
        .or_else(|| taken.into_iter().find_map(|(name, value)| account.type_of(name, value)))
}

/// What a schema knows of the attributes of an object.
struct Known<'a> {
    /// What the object is called in messages.
    what: &'a str,
    /// What mappings and filters name.
    mapped: Vec<SmolStr>,
    /// The definitions, of which each may be meant.
    definitions: Vec<&'a ObjectDefinition>,
}

impl<'a> Known<'a> {
    fn slip_in(&self, attributes: Option<&AttributeSet>) -> Option<String> {
        let attributes = attributes?;
        let names: Vec<&SmolStr> = attributes.iter().map(|(name, _)| name).collect();
        let mut places = names.iter().enumerate();
        let twice =
            places.find(|(place, name)| names[..*place].iter().any(|other| other.eq_ignore_ascii_case(name)));
        if let Some((_, name)) = twice {
            return Some(format!("'{name}' is given twice; the case of names does not count"));
        }
        self.slip_of(names.into_iter())
            .or_else(|| attributes.iter().find_map(|(name, value)| self.type_of(name, value)))
    }

    fn slip_of<'b>(&self, mut names: impl Iterator<Item = &'b SmolStr>) -> Option<String> {
        // A definition without attributes was shortened, and says nothing of them.
        let full = || self.definitions.iter().filter(|object| !object.attributes.is_empty());
        let name = names.find(|name| {
            full().next().is_some()
                && full().all(|object| object.attribute(name).is_none())
                && !self.mapped.iter().any(|known| known.eq_ignore_ascii_case(name))
        })?;
        let defined = full().flat_map(|object| &object.attributes).map(|one| one.name.as_str());
        let near = nearest(name, self.mapped.iter().map(SmolStr::as_str).chain(defined));
        let near = near.map(|near| format!("; did you mean '{near}'?")).unwrap_or_default();
        Some(format!("'{name}' is no attribute of {} in the schema{near}", self.what))
    }

    /// What is wrong with a value, unless one of the definitions takes it.
    fn type_of(&self, name: &str, value: &Value) -> Option<String> {
        let definitions = self.definitions.iter().filter_map(|object| object.attribute(name));
        let wrong: Option<Vec<String>> = definitions.map(|one| misfit(one, value)).collect();
        let (wrong, what) = (wrong?.into_iter().next()?, self.what);
        Some(format!("'{name}' of {what} {wrong}"))
    }
}

/// Why an attribute cannot have the value.
fn misfit(attribute: &AttributeDefinition, value: &Value) -> Option<String> {
    let values = value.values();
    if values.len() > 1 && !attribute.multivalued {
        return Some(format!("takes one value, but has {}", values.len()));
    }
    values.iter().find_map(|value| {
        let wanted = match (attribute.value_type, value) {
            (_, Value::Null | Value::List(_)) => "holds a list or null among its values; give the values alone",
            (AttributeType::Boolean, Value::Boolean(_))
            | (AttributeType::Integer, Value::Integer(_))
            // Assignments to applications are structured.
            | (AttributeType::String, Value::Text(_) | Value::Object(_))
            | (AttributeType::Reference | AttributeType::Binary, Value::Text(_)) => return None,
            (AttributeType::DateTime, Value::Text(text)) if dates::parse_any(text).is_some() => return None,
            (AttributeType::Boolean, _) => "is a boolean: write true or false, without quotes",
            (AttributeType::Integer, _) => "is a whole number: write its digits, without quotes",
            (AttributeType::DateTime, _) => "is a date: write an instant such as \"2026-01-31T08:00:00Z\"",
            (AttributeType::String, _) => "is a text: write it in quotes",
            (AttributeType::Reference, _) => "is a reference: write the id of what it refers to, in quotes",
            (AttributeType::Binary, _) => "is binary: write it in base64, in quotes",
        };
        Some(format!("{wanted}, not {}", value.to_json()))
    })
}
