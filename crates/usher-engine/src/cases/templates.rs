//! The synchronization templates of a service principal: the built-in ones, as it may have changed them, and its own.

use serde_json::{Map, Value, json};
use usher_core::schema::{self, Schema};
use usher_core::templates::{self, Template};
use usher_core::{Entry, EntryId, Job, Secret};

use super::CaseError;
use crate::Engine;

/// A template as a service principal has it.
#[derive(Clone, Debug)]
pub struct OwnTemplate {
    /// The id; job ids begin with it.
    pub id: String,
    /// The built-in template with the same connectors.
    pub base: &'static Template,
    /// The application that it belongs to (`appId`).
    pub application_id: String,
    /// The recommended one.
    pub is_default: bool,
    /// What it is for.
    pub description: Option<String>,
    /// It shows in lists.
    pub discoverable: bool,
    /// Which implementation runs it.
    pub factory_tag: String,
    /// Metadata that was given; the built-in's when none was.
    pub metadata: Option<Vec<Value>>,
}

impl OwnTemplate {
    fn built_in(template: &'static Template, principal: &Entry) -> Self {
        Self {
            id: template.id.to_owned(),
            base: template,
            application_id: principal.text("appId").unwrap_or_default().to_owned(),
            is_default: template.is_default,
            description: Some(template.description.to_owned()),
            discoverable: true,
            factory_tag: template.factory_tag.to_owned(),
            metadata: None,
        }
    }

    /// A template from a document; `None` when its factory tag is not known.
    fn read(id: &str, document: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| document.get(name).and_then(Value::as_str).map(str::to_owned);
        let flag = |name: &str| document.get(name).and_then(Value::as_bool);
        let factory_tag = text("factoryTag")?;
        Some(Self {
            id: id.to_owned(),
            base: factory(&factory_tag)?,
            application_id: text("applicationId")?,
            is_default: flag("default").unwrap_or(false),
            description: text("description"),
            discoverable: flag("discoverable").unwrap_or(false),
            factory_tag,
            metadata: document.get("metadata").and_then(Value::as_array).cloned(),
        })
    }

    fn write(&self) -> Value {
        json!({
            "id": self.id, "applicationId": self.application_id, "default": self.is_default,
            "description": self.description, "discoverable": self.discoverable, "factoryTag": self.factory_tag,
            "metadata": self.metadata,
        })
    }
}

/// The built-in template that a factory tag stands for.
fn factory(tag: &str) -> Option<&'static Template> {
    let tag = if tag.eq_ignore_ascii_case("CustomSCIM") { "scim" } else { tag };
    templates::all().iter().find(|template| template.factory_tag.eq_ignore_ascii_case(tag))
}

fn name_of(principal: &EntryId, template: &str) -> String {
    format!("template/{principal}/{}", template.to_lowercase())
}

fn schema_of(principal: &EntryId, template: &str) -> String {
    format!("template-schema/{principal}/{}", template.to_lowercase())
}

impl Engine {
    /// All templates of a service principal.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn templates(&self, principal: &Entry) -> Result<Vec<OwnTemplate>, CaseError> {
        let prefix = format!("template/{}/", principal.id);
        let mut found = Vec::new();
        let own = self.store.setting_names(&prefix).await?;
        for template in templates::all() {
            if !own.contains(&name_of(&principal.id, template.id)) {
                found.push(OwnTemplate::built_in(template, principal));
            }
        }
        for name in own {
            found.extend(self.stored_template(&name).await?);
        }
        Ok(found)
    }

    /// The template of a service principal with this id, compared without regard to case.
    ///
    /// # Errors
    /// There is none.
    pub async fn template(&self, principal: &Entry, id: &str) -> Result<OwnTemplate, CaseError> {
        let missing = || CaseError::not_found("synchronization template", id);
        let name = name_of(&principal.id, id);
        match self.store.setting(&name).await? {
            Some(_) => self.stored_template(&name).await?.ok_or_else(missing),
            None => {
                let template = templates::find(id).ok_or_else(missing)?;
                Ok(OwnTemplate::built_in(template, principal))
            }
        }
    }

    /// What is stored under a name; `None` for a built-in template that was deleted.
    async fn stored_template(&self, name: &str) -> Result<Option<OwnTemplate>, CaseError> {
        let Some(text) = self.store.setting(name).await? else { return Ok(None) };
        let document: Map<String, Value> = serde_json::from_str(text.expose()).unwrap_or_default();
        let id = document.get("id").and_then(Value::as_str).unwrap_or_default();
        Ok(OwnTemplate::read(id, &document))
    }

    /// Makes a template of a service principal, or with `replaces` replaces one: what the body leaves out is erased.
    ///
    /// # Errors
    /// A required property is missing, the factory tag is not known, the application is another, the template is there
    /// (or is not, with `replaces`), or its schema has errors.
    pub async fn put_template(
        &self,
        principal: &Entry,
        replaces: Option<&str>,
        body: &Map<String, Value>,
    ) -> Result<OwnTemplate, CaseError> {
        super::directory::require("synchronizationTemplate", body, &["applicationId", "factoryTag"])?;
        let bad = |message: String| CaseError::invalid("Request_BadRequest", message);
        let given = body.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
        let id = match (replaces, given) {
            (Some(id), given) => {
                let known = self.template(principal, id).await?;
                if given.is_some_and(|given| !given.eq_ignore_ascii_case(&known.id)) {
                    return Err(bad("the 'id' of a template cannot be changed".to_owned()));
                }
                known.id
            }
            (None, Some(id)) => {
                let fits = id.len() <= 64
                    && id
                        .chars()
                        .all(|character| character.is_ascii_alphanumeric() || "-_".contains(character));
                if !fits {
                    return Err(bad(format!(
                        "'{id}' is no id of a template: at most 64 letters, digits, '-' and '_'"
                    )));
                }
                if self.template(principal, id).await.is_ok() {
                    return Err(CaseError::Conflict {
                        code: "Request_MultipleObjectsWithSameKeyValue",
                        message: format!("there is a template '{id}' already"),
                    });
                }
                id.to_owned()
            }
            (None, None) => {
                return Err(bad(
                    "A value is required for property 'id' of resource 'synchronizationTemplate'.".to_owned(),
                ));
            }
        };
        let template = OwnTemplate::read(&id, body).ok_or_else(|| {
            let tags: Vec<&str> = templates::all().iter().map(|template| template.factory_tag).collect();
            bad(format!("the 'factoryTag' is not known; there are: CustomSCIM, {}", tags.join(", ")))
        })?;
        let application_id = principal.text("appId").unwrap_or_default();
        if !template.application_id.eq_ignore_ascii_case(application_id) {
            return Err(bad(format!(
                "'applicationId' must be '{application_id}', the application of the path"
            )));
        }
        let schema = match body.get("schema").filter(|schema| !schema.is_null()) {
            Some(document) => Some(self.checked(document.to_string().as_bytes())?),
            None => None,
        };
        if let Some(schema) = schema {
            self.store_template_schema(principal, &template.id, schema).await?;
        } else if replaces.is_some() {
            self.store.remove_setting(&schema_of(&principal.id, &template.id)).await?;
        }
        let name = name_of(&principal.id, &template.id);
        self.store.put_setting(&name, &Secret::new(template.write().to_string())).await?;
        Ok(template)
    }

    /// Removes a template; its jobs stay.
    ///
    /// # Errors
    /// There is none.
    pub async fn remove_template(&self, principal: &Entry, id: &str) -> Result<(), CaseError> {
        let template = self.template(principal, id).await?;
        self.store.remove_setting(&schema_of(&principal.id, &template.id)).await?;
        let name = name_of(&principal.id, &template.id);
        if templates::find(&template.id).is_some() {
            // Nothing of a built-in template can be removed but its place in the list.
            self.store.put_setting(&name, &Secret::new("{}")).await?;
        } else {
            self.store.remove_setting(&name).await?;
        }
        Ok(())
    }

    /// The schema of a template: as it was changed, else the default of its factory tag.
    ///
    /// # Errors
    /// There is no such template.
    pub async fn template_schema(&self, principal: &Entry, id: &str) -> Result<Schema, CaseError> {
        let template = self.template(principal, id).await?;
        let mut schema = match self.store.setting(&schema_of(&principal.id, &template.id)).await? {
            Some(document) => schema::read(document.expose().as_bytes()).schema.ok_or_else(|| {
                CaseError::invalid(
                    "BadRequest",
                    format!("the stored schema of template '{id}' cannot be read"),
                )
            })?,
            None => template.base.schema(),
        };
        schema.id = Some(format!("{}.{}", template.id, "0".repeat(32)));
        Ok(schema)
    }

    /// Replaces the schema of a template; refused with all problems when it has errors.
    ///
    /// # Errors
    /// There is no such template, or the document has errors.
    pub async fn replace_template_schema(
        &self,
        principal: &Entry,
        id: &str,
        document: &[u8],
    ) -> Result<(), CaseError> {
        let template = self.template(principal, id).await?;
        let schema = self.checked(document)?;
        self.store_template_schema(principal, &template.id, schema).await
    }

    async fn store_template_schema(
        &self,
        principal: &Entry,
        id: &str,
        mut schema: Schema,
    ) -> Result<(), CaseError> {
        schema.id = Some(format!("{id}.{}", "0".repeat(32)));
        schema.version = Some(self.new_version());
        let document = Secret::new(schema.to_json().to_string());
        Ok(self.store.put_setting(&schema_of(&principal.id, id), &document).await?)
    }

    /// Drops the changes of a template's schema.
    ///
    /// # Errors
    /// There is no such template.
    pub async fn reset_template_schema(&self, principal: &Entry, id: &str) -> Result<(), CaseError> {
        let template = self.template(principal, id).await?;
        self.store.remove_setting(&schema_of(&principal.id, &template.id)).await?;
        Ok(())
    }

    /// The schema document that a new job gets from its template, when the template's was changed.
    pub(crate) async fn changed_template_schema(
        &self,
        principal: &Entry,
        id: &str,
    ) -> Result<Option<String>, CaseError> {
        let stored = self.store.setting(&schema_of(&principal.id, id)).await?;
        Ok(stored.map(|document| document.expose().to_owned()))
    }

    /// Forgets the templates that a service principal has made or changed.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn forget_templates(&self, principal: &EntryId) -> Result<(), CaseError> {
        for prefix in [format!("template/{principal}/"), format!("template-schema/{principal}/")] {
            for name in self.store.setting_names(&prefix).await? {
                self.store.remove_setting(&name).await?;
            }
        }
        Ok(())
    }
}

/// The built-in template that runs a job.
pub(crate) fn base_of(job: &Job) -> Result<&'static Template, CaseError> {
    let id = job.factory.as_deref().unwrap_or(&job.template);
    templates::find(id).ok_or_else(|| CaseError::not_found("synchronization template", id))
}
