//! What jobs and commands read, each request as they send it.

use anyhow::{Result, anyhow, bail};
use serde_json::{Value, json};

use super::told;
use crate::client::{Client, Refusal, segment};
use crate::failure::{Failure, UNREACHABLE};
use crate::lookup::text;

/// What the answer must hold.
#[derive(Clone, Copy)]
enum Wants {
    /// `value`.
    List,
    /// `@odata.deltaLink`, at the end of the pages.
    Link,
    /// `id`.
    Object,
}

/// How many pages of a delta are followed to its link.
const PAGES: usize = 20;

/// A request: what for, where, the least permission that allows it, and what it gives. `{user}`, `{group}` and `{app}`
/// stand for the first of each that the tenant has.
type Read = (&'static str, &'static str, &'static str, Wants);

const USERS: Read = ("users", "/v1.0/users?$select=id,userPrincipalName&$top=1", USER, Wants::List);
const GROUPS: Read = ("groups", "/v1.0/groups?$select=id,displayName&$top=1", GROUP, Wants::List);
const APPLICATIONS: Read =
    ("applications", "/v1.0/servicePrincipals?$select=id,displayName&$top=1", APPLICATION, Wants::List);

const USER: &str = "User.Read.All";
const GROUP: &str = "GroupMember.Read.All";
const APPLICATION: &str = "Application.Read.All";

const READS: &[Read] = &[
    (
        "one user with the manager",
        "/v1.0/users/{user}?$select=id,accountEnabled,deletedDateTime,onPremisesSyncEnabled,displayName\
         &$expand=manager($select=id)",
        USER,
        Wants::Object,
    ),
    ("managers", "/v1.0/users?$select=id&$expand=manager($select=id)&$top=1", USER, Wants::List),
    (
        "changes of users",
        "/v1.0/users/delta?$select=displayName,manager&$deltatoken=latest",
        USER,
        Wants::Link,
    ),
    (
        "users by userPrincipalName",
        "/v1.0/users?$filter=userPrincipalName%20eq%20'usher-doctor'&$select=id&$top=2",
        USER,
        Wants::List,
    ),
    (
        "users by onPremisesImmutableId",
        "/v1.0/users?$filter=onPremisesImmutableId%20eq%20'usher-doctor'&$select=id&$top=2",
        USER,
        Wants::List,
    ),
    (
        "users by employeeId",
        "/v1.0/users?$filter=employeeId%20eq%20'usher-doctor'&$select=id&$top=2",
        USER,
        Wants::List,
    ),
    ("users by mail", "/v1.0/users?$filter=mail%20eq%20'usher-doctor'&$select=id&$top=2", USER, Wants::List),
    (
        "users by proxyAddresses",
        "/v1.0/users?$filter=proxyAddresses/any(p:p%20eq%20'smtp:usher-doctor')&$select=id&$top=2",
        USER,
        Wants::List,
    ),
    (
        "users by businessPhones",
        "/v1.0/users?$filter=businessPhones/any(p:p%20eq%20'usher-doctor')&$select=id&$top=2&$count=true",
        USER,
        Wants::List,
    ),
    (
        "users by extensionAttribute1",
        "/v1.0/users?$filter=onPremisesExtensionAttributes/extensionAttribute1%20eq%20'usher-doctor'&$select=id&$top=2\
         &$count=true",
        USER,
        Wants::List,
    ),
    (
        "deleted users",
        "/v1.0/directory/deletedItems/microsoft.graph.user?$select=id&$top=1",
        USER,
        Wants::List,
    ),
    (
        "deleted users by userPrincipalName",
        "/v1.0/directory/deletedItems/microsoft.graph.user?$filter=endsWith(userPrincipalName,'usher-doctor')&$select=id\
         &$count=true",
        USER,
        Wants::List,
    ),
    (
        "deleted users by onPremisesImmutableId",
        "/v1.0/directory/deletedItems/microsoft.graph.user?$filter=onPremisesImmutableId%20eq%20'usher-doctor'&$select=id\
         &$count=true",
        USER,
        Wants::List,
    ),
    (
        "deleted users by employeeId",
        "/v1.0/directory/deletedItems/microsoft.graph.user?$filter=employeeId%20eq%20'usher-doctor'&$select=id&$count=true",
        USER,
        Wants::List,
    ),
    (
        "deleted users by mail",
        "/v1.0/directory/deletedItems/microsoft.graph.user?$filter=mail%20eq%20'usher-doctor'&$select=id&$count=true",
        USER,
        Wants::List,
    ),
    (
        "groups of a user",
        "/v1.0/users/{user}/memberOf?$select=id,securityEnabled&$top=999",
        GROUP,
        Wants::List,
    ),
    (
        "one group",
        "/v1.0/groups/{group}?$select=id,deletedDateTime,displayName,mailNickname",
        GROUP,
        Wants::Object,
    ),
    ("members of a group", "/v1.0/groups/{group}/members?$select=id&$top=999", GROUP, Wants::List),
    ("owners of a group", "/v1.0/groups/{group}/owners?$select=id&$top=999", GROUP, Wants::List),
    (
        "changes of groups",
        "/v1.0/groups/delta?$select=displayName,members&$deltatoken=latest",
        GROUP,
        Wants::Link,
    ),
    (
        "groups by displayName",
        "/v1.0/groups?$filter=displayName%20eq%20'usher-doctor'&$select=id&$top=2",
        GROUP,
        Wants::List,
    ),
    (
        "groups by mailNickname",
        "/v1.0/groups?$filter=mailNickname%20eq%20'usher-doctor'&$select=id&$top=2",
        GROUP,
        Wants::List,
    ),
    (
        "roles of an application",
        "/v1.0/servicePrincipals/{app}?$select=id,appId,appRoles",
        APPLICATION,
        Wants::Object,
    ),
    (
        "who is assigned to an application",
        "/v1.0/servicePrincipals/{app}/appRoleAssignedTo?$top=999",
        APPLICATION,
        Wants::List,
    ),
    (
        "assignments of a user",
        "/v1.0/users/{user}/appRoleAssignments?$filter=resourceId%20eq%20{app}&$top=999",
        "AppRoleAssignment.ReadWrite.All, or Directory.Read.All",
        Wants::List,
    ),
    (
        "assignments of a group",
        "/v1.0/groups/{group}/appRoleAssignments?$filter=resourceId%20eq%20{app}&$top=999",
        "AppRoleAssignment.ReadWrite.All, or Directory.Read.All",
        Wants::List,
    ),
    (
        "synchronization jobs",
        "/v1.0/servicePrincipals/{app}/synchronization/jobs",
        "Synchronization.Read.All",
        Wants::List,
    ),
    ("provisioning log", "/v1.0/auditLogs/provisioning?$top=1", "AuditLog.Read.All", Wants::List),
];

/// Tries them one after the other; the number says how many did not work.
///
/// # Errors
/// There is no connection at all: there is no use in the next one.
pub(super) async fn run(client: &Client) -> Result<usize> {
    let mut failed = 0;
    let mut ids: Vec<(&str, Option<String>)> = Vec::new();
    for (name, (what, path, permission, _)) in
        [("{user}", USERS), ("{group}", GROUPS), ("{app}", APPLICATIONS)]
    {
        let found = first_of(client, path).await;
        let id = found.as_ref().ok().and_then(|items| items.first()).map(|one| text(one, "id").to_owned());
        let result = match (&id, found) {
            (Some(id), Ok(_)) if id.is_empty() => Err(anyhow!("what is listed has no 'id'")),
            (_, found) => found.map(drop),
        };
        failed += tell(what, permission, result)?;
        ids.push((name, id.filter(|id| !id.is_empty())));
    }
    for (what, path, permission, wants) in READS {
        let mut path = (*path).to_owned();
        let mut missing = None;
        for (name, id) in &ids {
            if !path.contains(name) {
                continue;
            }
            match id {
                Some(id) => path = path.replace(name, &segment(id)),
                None => missing = Some(name.trim_matches(['{', '}'])),
            }
        }
        if let Some(missing) = missing {
            anstream::println!("skipped {what}: no {missing} is known to try it on");
            continue;
        }
        failed += tell(what, permission, read(client, &path, *wants).await)?;
    }
    let batch = json!({ "requests": [{ "id": "1", "method": "GET", "url": "/users?$select=id&$top=1" }] });
    let answer = client.act("/v1.0/$batch", &batch).await;
    failed += tell("batches", USER, answer.and_then(|answer| batched(&answer)))?;
    const WHAT: &str = "directory extensions";
    let answer = client.act("/v1.0/directoryObjects/getAvailableExtensionProperties", &json!({})).await;
    match answer {
        Ok(answer) if answer["value"].is_array() => failed += tell(WHAT, APPLICATION, Ok(()))?,
        Ok(_) => failed += tell(WHAT, APPLICATION, Err(anyhow!("the answer has no list 'value'")))?,
        // Jobs do without them there.
        Err(error)
            if error.downcast_ref::<Refusal>().is_some_and(|one| matches!(one.status, 404 | 405 | 501)) =>
        {
            anstream::println!("skipped {WHAT}: this service does not list them");
        }
        Err(error) => failed += tell(WHAT, APPLICATION, Err(error))?,
    }
    Ok(failed)
}

/// The first item of a list, of which pages may be empty; nobody needs the others.
async fn first_of(client: &Client, path: &str) -> Result<Vec<Value>> {
    let mut next = Some(path.to_owned());
    for _ in 0..PAGES {
        let Some(path) = next else { break };
        let (items, following) = client.list_page(&path).await?;
        if !items.is_empty() {
            return Ok(items);
        }
        next = following;
    }
    Ok(Vec::new())
}

fn tell(what: &str, permission: &str, result: Result<()>) -> Result<usize> {
    match result {
        Err(error) if error.downcast_ref::<Failure>().is_some_and(|failure| failure.code == UNREACHABLE) => {
            Err(error)
        }
        result => Ok(usize::from(!told(what, permission, &result))),
    }
}

async fn read(client: &Client, path: &str, wants: Wants) -> Result<()> {
    match wants {
        Wants::List => client.list_page(path).await.map(drop),
        Wants::Object => match client.get(path).await? {
            object if text(&object, "id").is_empty() => bail!("the answer has no 'id'"),
            _ => Ok(()),
        },
        Wants::Link => {
            let mut next = path.to_owned();
            for _ in 0..PAGES {
                let page = client.get(&next).await?;
                if page["@odata.deltaLink"].is_string() {
                    return Ok(());
                }
                match page["@odata.nextLink"].as_str() {
                    Some(link) => next = crate::client::relative(link),
                    None => bail!("the answer has no '@odata.deltaLink'"),
                }
            }
            bail!("no '@odata.deltaLink' came on {PAGES} pages")
        }
    }
}

fn batched(answer: &Value) -> Result<()> {
    let part = &answer["responses"][0];
    match part["status"].as_u64() {
        Some(200) if part["body"]["value"].is_array() => Ok(()),
        Some(200) => bail!("the answer to its part has no list 'value'"),
        Some(status) => bail!("its part was answered with {status}"),
        None => bail!("the answer has no 'responses'"),
    }
}
