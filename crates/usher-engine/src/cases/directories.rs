//! The directories of a synchronization schema: list, add, change, remove, discover.

use serde_json::{Map, Value, json};
use usher_core::ports::{ConnectorSettings, JOB_SETTING};
use usher_core::schema::Schema;
use usher_core::templates::Template;
use usher_core::{Entry, JobId, Secret};

use super::CaseError;
use super::templates::base_of;
use crate::Engine;
use crate::prepared::{SOURCE, TARGET, of_side};

/// Whose schema is meant.
#[derive(Clone, Copy, Debug)]
pub enum SchemaOf<'a> {
    /// A job's.
    Job(&'a JobId),
    /// A template's.
    Template(&'a str),
}

impl Engine {
    /// The schema of a job or template of a service principal.
    ///
    /// # Errors
    /// There is no such job or template.
    pub async fn any_schema(&self, principal: &Entry, of: SchemaOf<'_>) -> Result<Schema, CaseError> {
        match of {
            SchemaOf::Job(job) => self.schema(&principal.id, job).await,
            SchemaOf::Template(id) => self.template_schema(principal, id).await,
        }
    }

    /// Replaces the schema of a job or template.
    ///
    /// # Errors
    /// There is no such job or template, or the document has errors.
    pub async fn replace_any_schema(
        &self,
        principal: &Entry,
        of: SchemaOf<'_>,
        document: &[u8],
    ) -> Result<(), CaseError> {
        match of {
            SchemaOf::Job(job) => self.replace_schema(&principal.id, job, document).await,
            SchemaOf::Template(id) => self.replace_template_schema(principal, id, document).await,
        }
    }

    /// The directories of a schema, as its document has them.
    ///
    /// # Errors
    /// There is no such job or template.
    pub async fn directories(&self, principal: &Entry, of: SchemaOf<'_>) -> Result<Vec<Value>, CaseError> {
        Ok(list(&mut self.any_schema(principal, of).await?.to_json()).clone())
    }

    /// The directory with this id.
    ///
    /// # Errors
    /// There is none.
    pub async fn directory(&self, principal: &Entry, of: SchemaOf<'_>, id: &str) -> Result<Value, CaseError> {
        let found = self.directories(principal, of).await?.into_iter().find(|one| has_id(one, id));
        found.ok_or_else(|| CaseError::not_found("directory definition", id))
    }

    /// Adds a directory; without an id it gets one.
    ///
    /// # Errors
    /// Its name or id is taken, or the schema would have errors.
    pub async fn add_directory(
        &self,
        principal: &Entry,
        of: SchemaOf<'_>,
        mut body: Map<String, Value>,
    ) -> Result<Value, CaseError> {
        super::directory::require("directoryDefinition", &body, &["name"])?;
        if body.get("id").and_then(Value::as_str).is_none_or(str::is_empty) {
            body.insert("id".to_owned(), json!(self.clock.guid().to_string()));
        }
        let mut document = self.any_schema(principal, of).await?.to_json();
        let directories = list(&mut document);
        for name in ["id", "name"] {
            let given = body.get(name).and_then(Value::as_str).unwrap_or_default();
            let is_taken =
                |one: &Value| one[name].as_str().is_some_and(|text| text.eq_ignore_ascii_case(given));
            if directories.iter().any(is_taken) {
                return Err(CaseError::invalid(
                    "Request_BadRequest",
                    format!("the schema has a directory with the {name} '{given}' already"),
                ));
            }
        }
        let added = Value::Object(body);
        directories.push(added.clone());
        self.replace_any_schema(principal, of, document.to_string().as_bytes()).await?;
        Ok(added)
    }

    /// Changes members of a directory; those that are not given stay.
    ///
    /// # Errors
    /// There is no such directory, or the schema would have errors.
    pub async fn update_directory(
        &self,
        principal: &Entry,
        of: SchemaOf<'_>,
        id: &str,
        body: Map<String, Value>,
    ) -> Result<Value, CaseError> {
        let mut document = self.any_schema(principal, of).await?.to_json();
        let found = list(&mut document).iter_mut().find(|one| has_id(one, id)).and_then(Value::as_object_mut);
        let directory = found.ok_or_else(|| CaseError::not_found("directory definition", id))?;
        for (name, value) in body {
            if name == "id" && !value.as_str().is_some_and(|given| given.eq_ignore_ascii_case(id)) {
                return Err(CaseError::invalid(
                    "Request_BadRequest",
                    "the 'id' of a directory cannot be changed",
                ));
            }
            directory.insert(name, value);
        }
        let changed = Value::Object(directory.clone());
        self.replace_any_schema(principal, of, document.to_string().as_bytes()).await?;
        Ok(changed)
    }

    /// Removes a directory.
    ///
    /// # Errors
    /// There is no such directory, or rules refer to it.
    pub async fn remove_directory(
        &self,
        principal: &Entry,
        of: SchemaOf<'_>,
        id: &str,
    ) -> Result<(), CaseError> {
        let schema = self.any_schema(principal, of).await?;
        let mut document = schema.to_json();
        let directories = list(&mut document);
        let Some(place) = directories.iter().position(|one| has_id(one, id)) else {
            return Err(CaseError::not_found("directory definition", id));
        };
        let name = directories[place]["name"].as_str().unwrap_or_default().to_owned();
        let user = schema
            .synchronization_rules
            .iter()
            .find(|rule| rule.source_directory_name == name || rule.target_directory_name == name);
        if let Some(rule) = user {
            return Err(CaseError::invalid(
                "Request_BadRequest",
                format!("the directory '{name}' cannot be removed: the rule '{}' refers to it", rule.name),
            ));
        }
        directories.remove(place);
        self.replace_any_schema(principal, of, document.to_string().as_bytes()).await
    }

    /// Asks a directory for its attributes, and adds those that the schema does not have yet.
    ///
    /// # Errors
    /// There is no such directory, no rule reads or writes it, or it cannot be asked.
    pub async fn discover(&self, principal: &Entry, of: SchemaOf<'_>, id: &str) -> Result<Value, CaseError> {
        let schema = self.any_schema(principal, of).await?;
        let mut document = schema.to_json();
        let found = list(&mut document).iter_mut().find(|one| has_id(one, id)).and_then(Value::as_object_mut);
        let directory = found.ok_or_else(|| CaseError::not_found("directory definition", id))?;
        let name = directory.get("name").and_then(Value::as_str).unwrap_or_default();
        let (template, settings) = self.connection_of(principal, of).await?;
        let rules = &schema.synchronization_rules;
        let (kind, side) = match name {
            name if rules.iter().any(|rule| rule.target_directory_name == name) => (template.target, TARGET),
            name if rules.iter().any(|rule| rule.source_directory_name == name) => (template.source, SOURCE),
            name => {
                return Err(CaseError::invalid(
                    "Request_BadRequest",
                    format!("no rule of the schema reads or writes the directory '{name}'"),
                ));
            }
        };
        let discovered = self.connectors.build(kind, &of_side(&settings, side))?.discover().await?.to_json();
        merge(directory, &discovered);
        directory.insert("discoverabilities".to_owned(), json!("AttributeNames,AttributeDataTypes"));
        directory.insert("discoveryDateTime".to_owned(), json!(self.clock.now().to_string()));
        directory.insert("version".to_owned(), json!(self.clock.guid().to_string()));
        let answer = Value::Object(directory.clone());
        self.replace_any_schema(principal, of, document.to_string().as_bytes()).await?;
        Ok(answer)
    }

    async fn connection_of(
        &self,
        principal: &Entry,
        of: SchemaOf<'_>,
    ) -> Result<(&'static Template, ConnectorSettings), CaseError> {
        let mut settings = self.stored_settings(&principal.id).await?;
        let template = match of {
            SchemaOf::Job(job) => {
                let job = self.job(&principal.id, job).await?;
                settings.set(JOB_SETTING, Secret::new(job.id.as_str()));
                base_of(&job)?
            }
            SchemaOf::Template(id) => self.template(principal, id).await?.base,
        };
        Ok((template, settings))
    }
}

fn has_id(directory: &Value, id: &str) -> bool {
    directory["id"].as_str().is_some_and(|known| known.eq_ignore_ascii_case(id))
}

/// The directories of a schema document.
fn list(document: &mut Value) -> &mut Vec<Value> {
    if !document["directories"].is_array() {
        document["directories"] = json!([]);
    }
    members(&mut document["directories"])
}

fn members(value: &mut Value) -> &mut Vec<Value> {
    if !value.is_array() {
        *value = json!([]);
    }
    value.as_array_mut().expect("it was just made a list")
}

/// Adds the objects and attributes that are new; what the schema says of known ones stays.
fn merge(directory: &mut Map<String, Value>, discovered: &Value) {
    let present = directory.entry("objects").or_insert_with(|| json!([]));
    for object in discovered["objects"].as_array().into_iter().flatten() {
        let objects = members(present);
        match objects.iter_mut().find(|known| same_name(known, object)) {
            None => objects.push(object.clone()),
            Some(known) => {
                let attributes = members(&mut known["attributes"]);
                for attribute in object["attributes"].as_array().into_iter().flatten() {
                    if !attributes.iter().any(|known| same_name(known, attribute)) {
                        attributes.push(attribute.clone());
                    }
                }
            }
        }
    }
}

fn same_name(left: &Value, right: &Value) -> bool {
    match (left["name"].as_str(), right["name"].as_str()) {
        (Some(left), Some(right)) => left.eq_ignore_ascii_case(right),
        _ => false,
    }
}
