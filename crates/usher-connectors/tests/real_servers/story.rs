//! A story on one server: what is done to it and what it answers, line by line.

use std::sync::Arc;

use usher_connectors::{AllConnectors, HttpOptions};
use usher_core::ports::{
    Connector, ConnectorError, ConnectorSettings, Connectors, GetRequest, MatchQuery, Written,
};
use usher_core::{Anchor, AttributeChange, Change, Operation, OperationKind, Secret};
use usher_expr::Value;
use usher_testkit::servers::RealServer;
use usher_testkit::{ManualClock, MemoryStore};

pub const MANAGER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";
pub const DEPARTMENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";
pub const USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub const WORK_EMAIL: &str = r#"emails[type eq "work"].value"#;
pub const MOBILE: &str = r#"phoneNumbers[type eq "mobile"].value"#;
pub const USER_ATTRIBUTES: [&str; 8] =
    ["userName", "active", "displayName", "name.givenName", "title", WORK_EMAIL, MOBILE, DEPARTMENT];

/// One story told on one server; each act adds its lines.
pub struct Story {
    pub connector: Arc<dyn Connector>,
    names: Vec<(String, &'static str)>,
    pub text: String,
}

impl Story {
    pub fn on(server: &RealServer, flag: &str) -> Self {
        let mut settings = ConnectorSettings::default();
        settings.set("BaseAddress", Secret::new(format!("{}{flag}", server.base_address)));
        settings.set("SecretToken", Secret::new(server.token.clone()));
        let all = AllConnectors::new(
            Arc::new(MemoryStore::default()),
            Arc::new(ManualClock::default()),
            HttpOptions::default(),
        )
        .unwrap();
        Self { connector: all.build("scim", &settings).unwrap(), names: Vec::new(), text: String::new() }
    }

    fn line(&mut self, act: &str, outcome: &str) {
        let mut outcome = outcome.to_owned();
        for (id, name) in &self.names {
            outcome = outcome.replace(id, name);
        }
        let blank = if outcome.starts_with('\n') { "" } else { " " };
        self.text.push_str(&format!("{act}:{blank}{outcome}\n"));
    }

    fn written(&mut self, act: &str, result: &Result<Written, ConnectorError>) {
        let outcome = match result {
            Ok(written) if written.left_out.is_empty() => "done".to_owned(),
            Ok(written) => written.left_out.iter().map(|(name, _)| format!("\n  left out {name}")).collect(),
            Err(error) => shown(error),
        };
        self.line(act, &outcome);
    }

    pub async fn make(
        &mut self,
        act: &str,
        name: &'static str,
        object_type: &str,
        changes: Vec<AttributeChange>,
    ) -> Anchor {
        let operation =
            Operation { kind: OperationKind::Create, object_type: object_type.into(), anchor: None, changes };
        let result = self.connector.write(&operation).await;
        let anchor = result.as_ref().map_or_else(|_| Anchor::new("nobody"), |written| written.anchor.clone());
        if result.is_ok() {
            // Ids may be short numbers: told apart by the quotes that `read` and `find` put around them.
            self.names.push((format!("<{anchor}>"), name));
        }
        self.written(act, &result);
        anchor
    }

    pub async fn change(
        &mut self,
        act: &str,
        object_type: &str,
        anchor: &Anchor,
        changes: Vec<AttributeChange>,
    ) {
        let operation = Operation {
            kind: OperationKind::Update,
            object_type: object_type.into(),
            anchor: Some(anchor.clone()),
            changes,
        };
        let result = self.connector.write(&operation).await;
        self.written(act, &result);
    }

    pub async fn delete(&mut self, act: &str, object_type: &str, anchor: &Anchor) {
        let operation = Operation {
            kind: OperationKind::Delete,
            object_type: object_type.into(),
            anchor: Some(anchor.clone()),
            changes: Vec::new(),
        };
        let result = self.connector.write(&operation).await;
        self.written(act, &result);
    }

    pub async fn read(&mut self, act: &str, object_type: &str, anchor: &Anchor, attributes: &[&str]) {
        let request = GetRequest {
            object_type: object_type.into(),
            anchor: anchor.clone(),
            attributes: attributes.iter().map(|name| (*name).into()).collect(),
        };
        let outcome = match self.connector.get(&request).await {
            Ok(None) => "gone".to_owned(),
            Ok(Some(object)) => object
                .attributes
                .iter()
                .map(|(name, value)| {
                    let name_of = |id: &str| {
                        self.names.iter().find(|(known, _)| known == id).map(|(_, name)| (*name).to_owned())
                    };
                    let mut texts: Vec<String> =
                        value.values().iter().map(text).map(|text| name_of(&text).unwrap_or(text)).collect();
                    texts.sort();
                    format!("\n  {name} = {}", texts.join(", "))
                })
                .collect(),
            Err(error) => shown(&error),
        };
        self.line(act, &outcome);
    }

    pub async fn find(&mut self, act: &str, object_type: &str, attribute: &str, value: &str) {
        let query = MatchQuery {
            object_type: object_type.into(),
            attribute: attribute.into(),
            value: value.into(),
            attributes: vec![attribute.into()],
        };
        let outcome = match self.connector.find(&query).await {
            Ok(found) => format!(
                "found [{}]",
                found.iter().map(|object| format!("<{}>", object.anchor)).collect::<Vec<_>>().join(", ")
            ),
            Err(error) => shown(&error),
        };
        self.line(act, &outcome);
    }

    pub async fn check(&mut self) {
        let probe = MatchQuery {
            object_type: USER.into(),
            attribute: "userName".into(),
            value: "6b6a0c9e-2b0d-4a0b-8f3a-7a1f7b0a4f39".into(),
            attributes: Vec::new(),
        };
        let outcome = match self.connector.check(&probe).await {
            Ok(()) => "done".to_owned(),
            Err(error) => shown(&error),
        };
        self.line("test connection", &outcome);
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Reference(id) => format!("<{id}>"),
        other => other.to_text().to_string(),
    }
}

/// Kind and code; what the servers say is theirs and changes with their versions.
fn shown(error: &ConnectorError) -> String {
    let attribute = error.attribute.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
    format!("{:?} {}{attribute}", error.kind, error.code)
}

pub fn plain(attribute: &str, change: Change) -> AttributeChange {
    AttributeChange { attribute: attribute.into(), change, is_reference: false, is_multivalued: false }
}

pub fn add(attribute: &str, value: &str) -> AttributeChange {
    plain(attribute, Change::Add(vec![value.into()]))
}

pub fn replace(attribute: &str, value: &str) -> AttributeChange {
    plain(attribute, Change::Replace(vec![value.into()]))
}

pub fn active(is_active: bool) -> AttributeChange {
    plain("active", Change::Replace(vec![Value::Boolean(is_active)]))
}

pub fn manager(anchor: &Anchor) -> AttributeChange {
    let id = Value::Reference(anchor.as_str().into());
    AttributeChange { is_reference: true, ..plain(MANAGER, Change::Add(vec![id])) }
}

pub fn members(change: fn(Vec<Value>) -> Change, anchors: &[&Anchor]) -> AttributeChange {
    let ids = anchors.iter().map(|anchor| Value::Reference(anchor.as_str().into())).collect();
    AttributeChange { is_reference: true, is_multivalued: true, ..plain("members", change(ids)) }
}

pub fn person(user_name: &str, given_name: &str) -> Vec<AttributeChange> {
    vec![
        add("userName", user_name),
        plain("active", Change::Add(vec![Value::Boolean(true)])),
        add("displayName", given_name),
        add("name.givenName", given_name),
        add("name.familyName", "Lee"),
        add(WORK_EMAIL, user_name),
        add(DEPARTMENT, "Sales"),
    ]
}

/// The acts of a told story, each with its outcome: a line, and the indented lines that belong to it.
pub fn acts(text: &str) -> Vec<String> {
    let mut acts: Vec<String> = Vec::new();
    for line in text.lines() {
        match acts.last_mut().filter(|_| line.starts_with("  ")) {
            Some(act) => act.push_str(&format!("{line}\n")),
            None => acts.push(format!("{line}\n")),
        }
    }
    acts
}
