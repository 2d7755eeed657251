//! The contract of connectors as targets. A failed case panics with what was expected.

use smol_str::SmolStr;
use usher_core::ports::{Connector, ConnectorError, ConnectorErrorKind, GetRequest, MatchQuery};
use usher_core::{Anchor, AttributeChange, Change, DirectoryObject, Operation, OperationKind};
use usher_expr::Value;

/// What the target calls the things that the cases write.
#[derive(Clone, Copy, Debug)]
pub struct Vocabulary {
    /// The name of users in the schema.
    pub user: &'static str,
    /// The name of groups in the schema.
    pub group: &'static str,
    /// The attribute that no two users share; its values look like mail addresses.
    pub user_name: &'static str,
    /// The attribute with the name for people, of users and groups.
    pub display_name: &'static str,
    /// A text attribute of users that may be empty.
    pub title: &'static str,
    /// The reference from a user to the manager, where there is one.
    pub manager: Option<&'static str>,
    /// The references from a group to its members, where groups can be written.
    pub members: Option<&'static str>,
}

impl Vocabulary {
    /// The directory inside.
    pub const DIRECTORY: Self = Self {
        user: "User",
        group: "Group",
        user_name: "userPrincipalName",
        display_name: "displayName",
        title: "jobTitle",
        manager: Some("manager"),
        members: Some("members"),
    };

    /// Active Directory.
    pub const ACTIVE_DIRECTORY: Self = Self {
        user: "user",
        group: "group",
        user_name: "userPrincipalName",
        display_name: "displayName",
        title: "title",
        manager: Some("manager"),
        members: Some("member"),
    };

    /// A directory service without Active Directory's schema, where `uid` names people.
    pub const LDAP: Self = Self {
        user: "inetOrgPerson",
        group: "groupOfNames",
        user_name: "uid",
        display_name: "cn",
        title: "title",
        manager: Some("manager"),
        members: Some("member"),
    };

    /// A SCIM application.
    pub const SCIM: Self = Self {
        user: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        group: "urn:ietf:params:scim:schemas:core:2.0:Group",
        user_name: "userName",
        display_name: "displayName",
        title: "title",
        manager: Some("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"),
        members: Some("members"),
    };
}

/// Runs every case. `prefix` begins every name that is written, so that a target may be used again with another.
///
/// # Panics
/// A case failed.
pub async fn run(connector: &dyn Connector, vocabulary: Vocabulary, prefix: &str) {
    assert!(connector.capabilities().target, "the suite is for targets");
    let suite = Suite { connector, vocabulary, prefix };
    suite.what_is_not_there_is_not_found().await;
    suite.created_object_is_found_by_value_and_anchor().await;
    suite.unique_value_is_taken_once().await;
    suite.attributes_are_added_replaced_and_cleared().await;
    suite.update_of_nobody_is_not_found().await;
    suite.deleted_object_is_gone_and_may_be_deleted_again().await;
    suite.preview_writes_nothing().await;
    if suite.vocabulary.manager.is_some() {
        suite.manager_is_set_replaced_and_cleared().await;
    }
    if suite.vocabulary.members.is_some() {
        suite.member_is_added_and_removed_twice_without_harm().await;
    }
}

/// A change that adds one value of a plain attribute.
pub fn add(attribute: &str, value: impl Into<Value>) -> AttributeChange {
    change(attribute, Change::Add(vec![value.into()]))
}

/// A change of a plain attribute with one value.
pub fn change(attribute: &str, change: Change) -> AttributeChange {
    AttributeChange { attribute: attribute.into(), change, is_reference: false, is_multivalued: false }
}

struct Suite<'a> {
    connector: &'a dyn Connector,
    vocabulary: Vocabulary,
    prefix: &'a str,
}

impl Suite<'_> {
    async fn what_is_not_there_is_not_found(&self) {
        let probe = self.query("nobody");
        self.connector.check(&probe).await.expect("the probe is answered");
        assert!(self.connector.find(&probe).await.expect("the search is answered").is_empty());
        let nobody = self.get(self.vocabulary.user, &nobody()).await;
        assert_eq!(nobody, None);
    }

    async fn created_object_is_found_by_value_and_anchor(&self) {
        let anchor = self.user("found").await;
        let hits = self.connector.find(&self.query("found")).await.expect("the search is answered");
        let [hit] = hits.as_slice() else { panic!("one object was expected, not {hits:?}") };
        assert_eq!(hit.anchor, anchor);
        assert_eq!(hit.object_type, self.vocabulary.user);
        let object = self.get(self.vocabulary.user, &anchor).await.expect("it is there");
        assert_eq!(object.anchor, anchor);
        assert_eq!(object.object_type, self.vocabulary.user);
        for object in [hit, &object] {
            assert_eq!(text(object, self.vocabulary.user_name), self.name("found"));
            assert_eq!(text(object, self.vocabulary.display_name), "found");
            assert_eq!(object.attributes.value(self.vocabulary.title), None, "what has no value is absent");
        }
    }

    async fn unique_value_is_taken_once(&self) {
        let first = self.user("unique").await;
        let second = self.create(self.vocabulary.user, self.person("unique")).await;
        let error = second.expect_err("a second object with the same name was made");
        assert_eq!(error.kind, ConnectorErrorKind::AlreadyExists, "{error}");
        let hits = self.connector.find(&self.query("unique")).await.expect("the search is answered");
        assert_eq!(hits.iter().map(|hit| &hit.anchor).collect::<Vec<_>>(), [&first]);
    }

    async fn attributes_are_added_replaced_and_cleared(&self) {
        let anchor = self.user("changed").await;
        let title = self.vocabulary.title;
        let cases = [
            (Change::Add(vec![Value::from("Engineer")]), Some("Engineer")),
            (Change::Replace(vec![Value::from("Architect")]), Some("Architect")),
            (Change::Replace(vec![Value::from("Architect")]), Some("Architect")),
            (Change::Remove(Vec::new()), None),
        ];
        for (index, (wanted, expected)) in cases.into_iter().enumerate() {
            let written = self.update(self.vocabulary.user, &anchor, vec![change(title, wanted)]).await;
            written.unwrap_or_else(|error| panic!("change {index} of {title} failed: {error}"));
            let object = self.get(self.vocabulary.user, &anchor).await.expect("it is there");
            let value = object.attributes.value(title).map(Value::to_text);
            assert_eq!(value.as_deref(), expected, "after change {index} of {title}");
            assert_eq!(text(&object, self.vocabulary.display_name), "changed", "nothing else has changed");
        }
    }

    async fn update_of_nobody_is_not_found(&self) {
        let changes = vec![add(self.vocabulary.title, "Engineer")];
        let error = self
            .update(self.vocabulary.user, &nobody(), changes)
            .await
            .expect_err("there is nobody to update");
        assert_eq!(error.kind, ConnectorErrorKind::NotFound, "{error}");
    }

    async fn deleted_object_is_gone_and_may_be_deleted_again(&self) {
        let anchor = self.user("deleted").await;
        for time in ["first", "second"] {
            let deleted =
                self.operate(OperationKind::Delete, self.vocabulary.user, Some(&anchor), Vec::new()).await;
            deleted.unwrap_or_else(|error| panic!("the {time} delete failed: {error}"));
        }
        assert_eq!(self.get(self.vocabulary.user, &anchor).await, None);
        assert!(
            self.connector.find(&self.query("deleted")).await.expect("the search is answered").is_empty()
        );
        let again = self.user("deleted").await;
        assert_ne!(again, anchor, "a new object has an anchor of its own");
    }

    async fn preview_writes_nothing(&self) {
        let operation =
            self.operation(OperationKind::Create, self.vocabulary.user, None, self.person("previewed"));
        let requests = self.connector.preview(&operation);
        assert!(!requests.is_empty(), "a create sends something");
        assert!(
            self.connector.find(&self.query("previewed")).await.expect("the search is answered").is_empty()
        );
    }

    async fn manager_is_set_replaced_and_cleared(&self) {
        let manager = self.vocabulary.manager.unwrap_or_default();
        let (report, first, second) =
            (self.user("report").await, self.user("chief").await, self.user("head").await);
        let steps = [
            (Change::Add(vec![reference(&first)]), Some(&first)),
            (Change::Replace(vec![reference(&second)]), Some(&second)),
            (Change::Remove(vec![reference(&second)]), None),
        ];
        for (index, (wanted, expected)) in steps.into_iter().enumerate() {
            let written =
                self.update(self.vocabulary.user, &report, vec![link(manager, wanted, false)]).await;
            written.unwrap_or_else(|error| panic!("change {index} of the manager failed: {error}"));
            let object = self.get(self.vocabulary.user, &report).await.expect("it is there");
            let value = object.attributes.value(manager).map(Value::to_text);
            assert_eq!(value.as_deref(), expected.map(Anchor::as_str), "after change {index} of the manager");
        }
    }

    async fn member_is_added_and_removed_twice_without_harm(&self) {
        let members = self.vocabulary.members.unwrap_or_default();
        let (one, two) = (self.user("member-one").await, self.user("member-two").await);
        let named = vec![add(self.vocabulary.display_name, format!("{}group", self.prefix))];
        let group = self.create(self.vocabulary.group, named).await.expect("a group is made");
        let steps: [(Change, &[&Anchor]); 5] = [
            (Change::Add(vec![reference(&one)]), &[&one]),
            (Change::Add(vec![reference(&one)]), &[&one]),
            (Change::Add(vec![reference(&two)]), &[&one, &two]),
            (Change::Remove(vec![reference(&one)]), &[&two]),
            (Change::Remove(vec![reference(&one)]), &[&two]),
        ];
        for (index, (wanted, expected)) in steps.into_iter().enumerate() {
            let written = self.update(self.vocabulary.group, &group, vec![link(members, wanted, true)]).await;
            written.unwrap_or_else(|error| panic!("change {index} of the members failed: {error}"));
            let object = self.get(self.vocabulary.group, &group).await.expect("it is there");
            let mut held: Vec<SmolStr> = object
                .attributes
                .value(members)
                .map(|value| value.values().iter().map(Value::to_text).collect())
                .unwrap_or_default();
            let mut expected: Vec<SmolStr> = expected.iter().map(|anchor| anchor.as_str().into()).collect();
            held.sort();
            expected.sort();
            assert_eq!(held, expected, "after change {index} of the members");
        }
    }

    fn name(&self, name: &str) -> String {
        format!("{}{name}@contract.example", self.prefix)
    }

    fn person(&self, name: &str) -> Vec<AttributeChange> {
        vec![add(self.vocabulary.user_name, self.name(name)), add(self.vocabulary.display_name, name)]
    }

    async fn user(&self, name: &str) -> Anchor {
        let created = self.create(self.vocabulary.user, self.person(name)).await;
        created.unwrap_or_else(|error| panic!("{name} was not made: {error}"))
    }

    async fn create(
        &self,
        object_type: &str,
        changes: Vec<AttributeChange>,
    ) -> Result<Anchor, ConnectorError> {
        self.operate(OperationKind::Create, object_type, None, changes).await
    }

    async fn update(
        &self,
        object_type: &str,
        anchor: &Anchor,
        changes: Vec<AttributeChange>,
    ) -> Result<Anchor, ConnectorError> {
        self.operate(OperationKind::Update, object_type, Some(anchor), changes).await
    }

    async fn operate(
        &self,
        kind: OperationKind,
        object_type: &str,
        anchor: Option<&Anchor>,
        changes: Vec<AttributeChange>,
    ) -> Result<Anchor, ConnectorError> {
        let operation = self.operation(kind, object_type, anchor, changes);
        let written = self.connector.write(&operation).await?;
        assert_eq!(written.left_out, [], "the attributes of the suite are taken");
        Ok(written.anchor)
    }

    fn operation(
        &self,
        kind: OperationKind,
        object_type: &str,
        anchor: Option<&Anchor>,
        changes: Vec<AttributeChange>,
    ) -> Operation {
        Operation { kind, object_type: object_type.into(), anchor: anchor.cloned(), changes }
    }

    fn query(&self, name: &str) -> MatchQuery {
        MatchQuery {
            object_type: self.vocabulary.user.into(),
            attribute: self.vocabulary.user_name.into(),
            value: Value::from(self.name(name)),
            attributes: self.attributes(self.vocabulary.user),
        }
    }

    async fn get(&self, object_type: &str, anchor: &Anchor) -> Option<DirectoryObject> {
        let attributes = self.attributes(object_type);
        let request = GetRequest { object_type: object_type.into(), anchor: anchor.clone(), attributes };
        match self.connector.get(&request).await {
            // Where parts lag behind one another, nobody may be there all the same.
            Err(error) if error.kind == ConnectorErrorKind::Unsettled => None,
            answer => answer.expect("the read is answered"),
        }
    }

    fn attributes(&self, object_type: &str) -> Vec<SmolStr> {
        let Vocabulary { group, user_name, display_name, title, manager, members, .. } = self.vocabulary;
        let own: Vec<&str> = if object_type == group {
            members.into_iter().collect()
        } else {
            [user_name, title].into_iter().chain(manager).collect()
        };
        [display_name].into_iter().chain(own).map(SmolStr::from).collect()
    }
}

/// An anchor that no object has.
fn nobody() -> Anchor {
    Anchor::new("8f1f0d0e-0000-4000-8000-00000000dead")
}

fn reference(anchor: &Anchor) -> Value {
    Value::Reference(anchor.as_str().into())
}

fn link(attribute: &str, change: Change, is_multivalued: bool) -> AttributeChange {
    AttributeChange { attribute: attribute.into(), change, is_reference: true, is_multivalued }
}

fn text(object: &DirectoryObject, attribute: &str) -> SmolStr {
    object.attributes.value(attribute).map(Value::to_text).unwrap_or_default()
}
