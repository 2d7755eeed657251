//! The targets: servers behind connectors, and what of people and groups goes to each.

use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Value, json};
use usher_connectors::{AllConnectors, HttpOptions};
use usher_core::ports::Connectors;
use usher_sandbox::{Options, Sandbox};
#[cfg(feature = "real-servers")]
use usher_testkit::servers::{RealServer, Samba, Scim2Options, Slapd, SlapdOptions};
use usher_testkit::wire::{Protocol, Sent, Wire};
use usher_testkit::{ManualClock, MemoryStore};

use crate::tenant::Tenant;

/// What becomes of a person or a group: attributes of the target, expressions, and which of them finds the account.
struct Kind {
    object: &'static str,
    anchor: &'static str,
    can_disable: bool,
    /// Attribute, expression, matching priority.
    attributes: &'static [(&'static str, &'static str, u8)],
    /// Attribute, source attribute, whether it has several.
    references: &'static [(&'static str, &'static str, bool)],
}

const ACTIVE: &str = r#"Switch([IsSoftDeleted], , "False", "True", "True", "False")"#;
const MANAGER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";
const DEPARTMENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";
const SCIM_USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

const SCIM_GROUP: Kind = Kind {
    object: "urn:ietf:params:scim:schemas:core:2.0:Group",
    anchor: "id",
    can_disable: false,
    attributes: &[("displayName", "[displayName]", 1)],
    references: &[("members", "members", true)],
};

const fn scim(
    attributes: &'static [(&'static str, &'static str, u8)],
    references: &'static [(&'static str, &'static str, bool)],
) -> Kind {
    Kind { object: SCIM_USER, anchor: "id", can_disable: true, attributes, references }
}

/// Everything of a person, for an application that knows all of it.
const WHOLE: Kind = scim(
    &[
        ("userName", "[userPrincipalName]", 1),
        ("active", ACTIVE, 0),
        ("displayName", "[displayName]", 0),
        ("title", "[jobTitle]", 0),
        ("name.familyName", "[surname]", 0),
        ("emails[type eq \"work\"].value", "[userPrincipalName]", 0),
        (DEPARTMENT, "[department]", 0),
    ],
    &[(MANAGER, "manager", false)],
);

const ENTRY: Kind = Kind {
    object: "User",
    anchor: "objectId",
    can_disable: true,
    attributes: &[
        ("userPrincipalName", "[userPrincipalName]", 1),
        ("accountEnabled", ACTIVE, 0),
        ("displayName", "[displayName]", 0),
        ("mailNickname", "[mailNickname]", 0),
        ("jobTitle", "[jobTitle]", 0),
        ("department", "[department]", 0),
    ],
    references: &[("manager", "manager", false)],
};

const ENTRY_GROUP: Kind = Kind {
    object: "Group",
    anchor: "objectId",
    can_disable: false,
    attributes: &[("mailNickname", "[mailNickname]", 1), ("displayName", "[displayName]", 0)],
    references: &[("members", "members", true)],
};

/// A server, and how it is reached.
pub struct Target {
    pub connectors: Arc<dyn Connectors>,
    pub kind: &'static str,
    /// How the job reaches it: over the wire that is read along.
    pub settings: Vec<(String, String)>,
    /// How somebody else does.
    pub outside: Vec<(String, String)>,
    /// The attribute that somebody else changes, and what to.
    pub changed: (&'static str, &'static str),
    user: Kind,
    group: Option<Kind>,
    wire: Option<(Wire, Protocol)>,
    _server: Box<dyn Any + Send + Sync>,
}

fn settings(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn connectors(authority: Option<&str>) -> Arc<dyn Connectors> {
    let http = HttpOptions {
        extra_ca_pem: authority.map(|pem| pem.as_bytes().to_vec()),
        timeout: std::time::Duration::from_secs(60),
        ..HttpOptions::default()
    };
    let all = AllConnectors::new(Arc::new(MemoryStore::default()), Arc::new(ManualClock::default()), http);
    Arc::new(all.expect("the options are good"))
}

/// A wire before the server of an address, and the address at the wire.
async fn wire(address: &str, protocol: Protocol) -> (Wire, String) {
    let url = url::Url::parse(address).expect("it is an address");
    let port = url.port().expect("it names a port");
    let wire =
        Wire::before(SocketAddr::from(([127, 0, 0, 1], port)), protocol).await.expect("a port is free");
    let mut at = url;
    at.set_port(Some(wire.address().port())).expect("it can have a port");
    let at = at.to_string().trim_end_matches('/').to_owned();
    (wire, at)
}

impl Target {
    async fn scim(
        address: &str,
        flag: &str,
        token: &str,
        kinds: (Kind, Option<Kind>),
        changed: (&'static str, &'static str),
        server: Box<dyn Any + Send + Sync>,
    ) -> Self {
        let (wire, at) = wire(address, Protocol::Http).await;
        let reach =
            |address: &str| settings(&[("BaseAddress", &format!("{address}{flag}")), ("SecretToken", token)]);
        Self {
            connectors: connectors(None),
            kind: "scim",
            settings: reach(&at),
            outside: reach(address),
            changed,
            user: kinds.0,
            group: kinds.1,
            wire: Some((wire, Protocol::Http)),
            _server: server,
        }
    }

    /// The application of our own, which is strict.
    pub async fn sandbox(flag: &str) -> Self {
        // Long enough not to be a part of other words: what is told of requests never holds it.
        let token = "a-token-of-this-test";
        let sandbox = Sandbox::start(Options::new(token), ([127, 0, 0, 1], 0).into()).await;
        let sandbox = sandbox.expect("the sandbox starts");
        let address = sandbox.base_address();
        Self::scim(&address, flag, token, (WHOLE, Some(SCIM_GROUP)), ("title", "by hand"), Box::new(sandbox))
            .await
    }

    /// The directory inside.
    pub async fn directory() -> Self {
        Self {
            connectors: connectors(None),
            kind: "directory",
            settings: Vec::new(),
            outside: Vec::new(),
            changed: ("jobTitle", "by hand"),
            user: ENTRY,
            group: Some(ENTRY_GROUP),
            wire: None,
            _server: Box::new(()),
        }
    }

    /// A tenant, which our own Graph API is.
    pub async fn graph() -> Self {
        let tenant = Tenant::start().await;
        let known: Vec<(String, String)> =
            tenant.settings().iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        let address = known.iter().find(|(key, _)| key == "GraphAddress").expect("it has one").1.clone();
        let (wire, at) = wire(&address, Protocol::Http).await;
        let mut settings = known.clone();
        settings
            .iter_mut()
            .filter(|(key, _)| key == "GraphAddress")
            .for_each(|(_, value)| *value = at.clone());
        Self {
            connectors: connectors(None),
            kind: "entra",
            settings,
            outside: known,
            changed: ("jobTitle", "by hand"),
            user: ENTRY,
            group: Some(ENTRY_GROUP),
            wire: Some((wire, Protocol::Http)),
            _server: Box::new(tenant),
        }
    }

    /// What goes to the target.
    pub fn schema(&self, mut schema: Value) -> Value {
        let kinds =
            || std::iter::once(("User", &self.user)).chain(self.group.iter().map(|one| ("Group", one)));
        let user = self.user.object;
        let group = self.group.as_ref().map(|group| group.object);
        let objects: Vec<Value> = kinds().map(|(_, kind)| object(kind, user, group)).collect();
        schema["directories"][1]["objects"] = objects.into();
        let rule = &mut schema["synchronizationRules"][0];
        let templates = rule["objectMappings"].clone();
        let mappings: Vec<Value> = kinds()
            .enumerate()
            .map(|(place, (_, kind))| {
                let mut mapping = templates[place].clone();
                mapping["targetObjectName"] = kind.object.into();
                mapping["attributeMappings"] = flows(kind);
                mapping
            })
            .collect();
        rule["objectMappings"] = mappings.into();
        schema
    }

    /// What the target calls a person.
    pub fn user(&self) -> &'static str {
        self.user.object
    }

    /// Whether the target has groups.
    pub fn has_groups(&self) -> bool {
        self.group.is_some()
    }

    /// What changes something and went over the wire since this was asked last.
    pub fn sent(&self) -> Option<Vec<Sent>> {
        let (wire, _) = self.wire.as_ref()?;
        Some(wire.sent().into_iter().filter(|sent| !only_reads(sent)).collect())
    }
}

fn only_reads(sent: &Sent) -> bool {
    let is_batch_of_reads = || {
        let body = sent.body.as_deref().and_then(|body| serde_json::from_str::<Value>(body).ok());
        let parts = body.as_ref().and_then(|body| body["requests"].as_array());
        parts.is_some_and(|parts| parts.iter().all(|part| part["method"] == "GET"))
    };
    sent.method == "GET" || sent.path.ends_with("/$batch") && is_batch_of_reads()
}

fn object(kind: &Kind, user: &str, group: Option<&str>) -> Value {
    let attribute = |name: &str, is_anchor: bool, several: bool, refers_to: &[&str]| {
        let referenced: Vec<Value> = refers_to
            .iter()
            .map(|name| json!({ "referencedObjectName": name, "referencedProperty": null }))
            .collect();
        json!({
            "anchor": is_anchor, "caseExact": true, "defaultValue": null, "flowNullValues": false,
            "multivalued": several, "mutability": if is_anchor { "ReadOnly" } else { "ReadWrite" },
            "name": name, "required": false, "type": match name {
                _ if !refers_to.is_empty() => "Reference",
                "active" | "accountEnabled" | "accountDisabled" => "Boolean",
                _ => "String",
            },
            "apiExpressions": [], "metadata": [], "referencedObjects": referenced,
        })
    };
    let mut attributes = vec![attribute(kind.anchor, true, false, &[])];
    attributes.extend(kind.attributes.iter().map(|(name, ..)| attribute(name, false, false, &[])));
    attributes.extend(kind.references.iter().map(|(name, _, several)| {
        let refers_to: Vec<&str> = std::iter::once(user).chain(group.filter(|_| *several)).collect();
        attribute(name, false, *several, &refers_to)
    }));
    let metadata = json!([{ "key": "IsSoftDeletionSupported", "value": kind.can_disable.to_string() }]);
    json!({ "name": kind.object, "attributes": attributes, "metadata": metadata, "supportedApis": [] })
}

fn flows(kind: &Kind) -> Value {
    let flow = |target: &str, expression: &str, priority: u8| {
        let is_plain = expression.starts_with('[');
        let name = match expression.split_once(['(', ']']) {
            Some((name, _)) => name.trim_start_matches('['),
            None => expression,
        };
        json!({
            "defaultValue": null, "exportMissingReferences": false, "flowBehavior": "FlowWhenChanged",
            "flowType": "Always", "matchingPriority": priority, "targetAttributeName": target,
            "source": {
                "expression": expression, "name": name, "parameters": [],
                "type": if is_plain { "Attribute" } else { "Function" },
            },
        })
    };
    let plain =
        kind.attributes.iter().map(|(target, expression, priority)| flow(target, expression, *priority));
    let references =
        kind.references.iter().map(|(target, source, _)| flow(target, &format!("[{source}]"), 0));
    plain.chain(references).collect()
}

#[cfg(feature = "real-servers")]
impl Target {
    /// Active Directory.
    pub async fn active_directory() -> Self {
        let samba = Samba::start().await.expect("the domain controller starts");
        samba
            .change(
                "dn: OU=East,DC=corp,DC=example\nobjectClass: organizationalUnit\n\n\
                 dn: OU=West,DC=corp,DC=example\nobjectClass: organizationalUnit\n",
            )
            .expect("the places are taken");
        let own = settings(&[
            ("BaseAddress", &samba.ldaps()),
            ("UserName", Samba::ADMINISTRATOR),
            ("Password", samba.password()),
            ("SyncAgentADContainer", "OU=West,DC=corp,DC=example"),
        ]);
        // The wire is encrypted: whoever reads along stands between, and is trusted too.
        let server = SocketAddr::from((samba.ip, 636));
        let wire = Wire::before_tls(server, Protocol::Ldap, &samba.authority).await.expect("a port is free");
        let trusted = format!("{}{}", samba.authority, wire.authority().expect("it speaks TLS"));
        let at = format!("ldaps://{}", wire.address());
        let along = own
            .iter()
            .map(|(key, value)| (key.clone(), if key == "BaseAddress" { &at } else { value }.clone()));
        let along = along.collect();
        Self {
            connectors: connectors(Some(&trusted)),
            kind: "ldap",
            settings: along,
            outside: own,
            changed: ("title", "by hand"),
            user: Kind {
                object: "user",
                anchor: "objectGUID",
                can_disable: true,
                attributes: &[
                    ("sAMAccountName", "[mailNickname]", 1),
                    ("cn", "[displayName]", 0),
                    ("displayName", "[displayName]", 0),
                    (
                        "parentDistinguishedName",
                        r#"Switch([city], "OU=West,DC=corp,DC=example", "East", "OU=East,DC=corp,DC=example")"#,
                        0,
                    ),
                    ("accountDisabled", r#"Switch([IsSoftDeleted], , "False", "False", "True", "True")"#, 0),
                    ("title", "[jobTitle]", 0),
                    ("department", "[department]", 0),
                ],
                references: &[("manager", "manager", false)],
            },
            group: Some(Kind {
                object: "group",
                anchor: "objectGUID",
                can_disable: false,
                attributes: &[("cn", "[displayName]", 1), ("sAMAccountName", "[mailNickname]", 0)],
                references: &[("member", "members", true)],
            }),
            wire: Some((wire, Protocol::Ldap)),
            _server: Box::new(samba),
        }
    }

    /// OpenLDAP without TLS, so that the wire can be read.
    pub async fn openldap() -> Self {
        let options = SlapdOptions { is_without_tls: true, ..SlapdOptions::default() };
        let slapd = Slapd::start(&options).await.expect("the server starts");
        let (wire, at) = wire(&slapd.ldap(), Protocol::Ldap).await;
        let reach = |address: &str| {
            settings(&[
                ("BaseAddress", address),
                ("UserName", Slapd::ADMINISTRATOR),
                ("Password", slapd.password()),
                ("SyncAgentADContainer", "ou=people,dc=example,dc=org"),
            ])
        };
        Self {
            connectors: connectors(Some(&slapd.authority)),
            kind: "ldap",
            settings: reach(&at),
            outside: reach(&slapd.ldap()),
            changed: ("title", "by hand"),
            user: Kind {
                object: "inetOrgPerson",
                anchor: "entryUUID",
                can_disable: false,
                attributes: &[
                    ("uid", "[mailNickname]", 1),
                    ("cn", "[displayName]", 0),
                    ("sn", "[surname]", 0),
                    (
                        "parentDistinguishedName",
                        r#"Switch([city], "ou=people,dc=example,dc=org", "East", "ou=groups,dc=example,dc=org")"#,
                        0,
                    ),
                    ("title", "[jobTitle]", 0),
                    ("departmentNumber", "[department]", 0),
                ],
                references: &[("manager", "manager", false)],
            },
            group: Some(Kind {
                object: "groupOfNames",
                anchor: "entryUUID",
                can_disable: false,
                attributes: &[("cn", "[displayName]", 1)],
                references: &[("member", "members", true)],
            }),
            wire: Some((wire, Protocol::Ldap)),
            _server: Box::new(slapd),
        }
    }

    /// scim2-server refuses the usual form of managers, and groups without members.
    pub async fn scim2_server() -> Self {
        let server = RealServer::scim2_server(&Scim2Options::default()).await.expect("the server starts");
        let (address, token) = (server.base_address.clone(), server.token.clone());
        let user = scim(
            &[
                ("userName", "[userPrincipalName]", 1),
                ("active", ACTIVE, 0),
                ("displayName", "[displayName]", 0),
                ("title", "[jobTitle]", 0),
                (DEPARTMENT, "[department]", 0),
            ],
            &[],
        );
        let flag = "?aadOptscim062020";
        Self::scim(&address, flag, &token, (user, None), ("title", "by hand"), Box::new(server)).await
    }

    /// better-auth keeps few attributes.
    pub async fn better_auth() -> Self {
        let server = RealServer::better_auth().await.expect("the server starts");
        let (address, token) = (server.base_address.clone(), server.token.clone());
        let user = scim(
            &[
                ("userName", "[userPrincipalName]", 1),
                ("active", ACTIVE, 0),
                ("displayName", "[displayName]", 0),
                ("emails[type eq \"work\"].value", "[userPrincipalName]", 0),
            ],
            &[],
        );
        let flag = "?aadOptscim062020";
        let kinds = (user, Some(SCIM_GROUP));
        Self::scim(&address, flag, &token, kinds, ("displayName", "by hand"), Box::new(server)).await
    }

    /// django-scim2 changes nothing of a person but whether the account is in use.
    pub async fn django() -> Self {
        let server = RealServer::django().await.expect("the server starts");
        let (address, token) = (server.base_address.clone(), server.token.clone());
        let user = scim(&[("userName", "[userPrincipalName]", 1), ("active", ACTIVE, 0)], &[]);
        let flag = "?aadOptscim062020";
        Self::scim(&address, flag, &token, (user, None), ("active", "False"), Box::new(server)).await
    }
}
