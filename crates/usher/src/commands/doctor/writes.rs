//! What jobs write: users, a manager, a group with members, the recycle bin. Whatever happens, what was made is looked
//! for by its name and deleted again.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::{Value, json};
use usher_core::ports::Clock;

use super::Outcome;
use crate::client::{Client, Refusal, quoted, segment};
use crate::failure::Failure;
use crate::lookup::text;

/// How long a tenant may take to know everywhere what it has made: the pauses between one look and the next, in
/// seconds.
const PAUSES: [u64; 6] = [1, 2, 4, 8, 16, 32];

const USERS: &str = "User.ReadWrite.All";
const GROUPS: &str = "Group.ReadWrite.All";
const RESTORE: &str = "User.DeleteRestore.All, or User.ReadWrite.All";

/// Something that was asked for, and so may be there.
#[derive(Clone)]
struct Made {
    /// `users` or `groups`.
    collection: &'static str,
    /// The property that holds the name, and the name.
    property: &'static str,
    name: String,
    /// Its id, once that is known.
    id: Option<String>,
}

impl Made {
    fn called(&self) -> String {
        let kind = if self.collection == "groups" { "group" } else { "user" };
        match &self.id {
            Some(id) => format!("{kind} {} ({id})", self.name),
            None => format!("{kind} {}", self.name),
        }
    }
}

struct Trial<'t> {
    client: &'t Client,
    root: &'t str,
    clock: &'t dyn Clock,
    made: Mutex<Vec<Made>>,
    outcomes: Mutex<Vec<Outcome>>,
}

/// Makes two users in this domain and a group, changes them, and deletes them again. `root` is the address of the
/// service with the version.
pub(super) async fn run(client: &Client, root: &str, domain: &str, clock: &dyn Clock) -> Vec<Outcome> {
    let trial = Trial { client, root, clock, made: Mutex::default(), outcomes: Mutex::default() };
    tokio::select! {
        _ = trial.steps(domain) => {}
        _ = tokio::signal::ctrl_c() => anstream::eprintln!("interrupted; deleting what was made"),
    }
    let cleaned = trial.clean_up().await;
    trial.tell("deleting what was made", USERS, cleaned);
    trial.outcomes.into_inner().unwrap_or_else(PoisonError::into_inner)
}

impl Trial<'_> {
    /// Notes how a step went; the value of one that went well.
    fn tell<T>(&self, what: &'static str, permission: &'static str, result: Result<T>) -> Option<T> {
        let (value, result) = match result {
            Ok(value) => (Some(value), Ok(())),
            Err(error) => (None, Err(error)),
        };
        let mut outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        outcomes.push(Outcome { what, permission, result });
        value
    }

    async fn steps(&self, domain: &str) -> Option<()> {
        let nonce = self.clock.guid().simple().to_string();
        let name = format!("usher-doctor-{}", &nonce[..12]);
        let user = self.tell("making a user", USERS, self.user(&name, domain, &nonce).await)?;
        let path = format!("/v1.0/users/{}", segment(&user));
        let changed = self.known(async || self.client.patch(&path, &json!({ "jobTitle": "Clerk" })).await);
        self.tell("changing a user", USERS, changed.await);
        let boss = self.user(&format!("{name}-m"), domain, &nonce).await;
        if let Some(boss) = self.tell("making a manager", USERS, boss) {
            self.tell("setting and clearing a manager", USERS, self.manager(&path, &boss).await);
            let linked = self.group(&name, &user, &boss).await;
            self.tell("a group, its members one by one and in blocks", GROUPS, linked);
        }
        self.tell("deleting and restoring a user", RESTORE, self.restored(&path, &user).await);
        Some(())
    }

    async fn user(&self, name: &str, domain: &str, nonce: &str) -> Result<String> {
        let upn = format!("{name}@{domain}");
        let body = json!({
            "accountEnabled": false, "displayName": name, "mailNickname": name, "userPrincipalName": upn,
            "passwordProfile": { "password": format!("Pw1!{nonce}") },
        });
        self.make("users", "userPrincipalName", upn, &body).await
    }

    async fn manager(&self, user: &str, boss: &str) -> Result<()> {
        let path = format!("{user}/manager/$ref");
        let reference = json!({ "@odata.id": format!("{}/users/{boss}", self.root) });
        self.known(async || self.client.put(&path, &reference).await).await?;
        self.known(async || self.client.delete(&path).await.map(|()| Value::Null)).await.map(drop)
    }

    async fn group(&self, name: &str, user: &str, boss: &str) -> Result<()> {
        let body = json!({
            "displayName": name, "mailNickname": name, "mailEnabled": false, "securityEnabled": true,
        });
        let group = self.make("groups", "mailNickname", name.to_owned(), &body).await?;
        let path = format!("/v1.0/groups/{}", segment(&group));
        let address = |id: &str| format!("{}/directoryObjects/{id}", self.root);
        let (members, one) = (format!("{path}/members/$ref"), json!({ "@odata.id": address(user) }));
        self.known(async || linked(self.client.post(&members, &one).await)).await?;
        let block = json!({ "members@odata.bind": [address(boss)] });
        self.known(async || linked(self.client.patch(&path, &block).await)).await?;
        let link = format!("{path}/members/{}/$ref", segment(user));
        self.known(async || self.client.delete(&link).await.map(|()| Value::Null)).await.map(drop)
    }

    async fn restored(&self, path: &str, id: &str) -> Result<()> {
        self.known(async || self.client.delete(path).await.map(|()| Value::Null)).await?;
        let restore = format!("/v1.0/directory/deletedItems/{}/restore", segment(id));
        self.known(async || self.client.post(&restore, &Value::Null).await).await.map(drop)
    }

    /// Asks again, for a while, where a new object is not known yet.
    async fn known(&self, mut ask: impl AsyncFnMut() -> Result<Value>) -> Result<Value> {
        for pause in PAUSES {
            match ask().await {
                Err(error) if is_missing(&error) => self.clock.wait(Duration::from_secs(pause)).await,
                other => return other,
            }
        }
        ask().await
    }

    /// Makes an object. When the answer is lost, the object is looked for by its name, which nobody else has.
    async fn make(
        &self,
        collection: &'static str,
        property: &'static str,
        name: String,
        body: &Value,
    ) -> Result<String> {
        let place = {
            let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
            made.push(Made { collection, property, name, id: None });
            made.len() - 1
        };
        let answer = self.client.post(&format!("/v1.0/{collection}"), body).await;
        let id = match answer {
            Ok(answer) if !text(&answer, "id").is_empty() => text(&answer, "id").to_owned(),
            Err(error) if is_surely_refused(&error) => {
                self.made.lock().unwrap_or_else(PoisonError::into_inner).pop();
                return Err(error);
            }
            other => {
                let one = self.made.lock().unwrap_or_else(PoisonError::into_inner)[place].clone();
                match (self.find(&one).await, other) {
                    (Ok(Some(id)), _) => id,
                    (_, Err(error)) => return Err(error),
                    (_, Ok(_)) => bail!("the answer has no 'id'"),
                }
            }
        };
        self.made.lock().unwrap_or_else(PoisonError::into_inner)[place].id = Some(id.clone());
        Ok(id)
    }

    /// The id of what has this name, looked for until it is known.
    async fn find(&self, one: &Made) -> Result<Option<String>> {
        let Made { collection, property, name, .. } = one;
        let path = format!("/v1.0/{collection}?$filter={property}%20eq%20{}&$select=id", quoted(name));
        let mut last = Ok(None);
        for pause in std::iter::once(0).chain(PAUSES) {
            if pause > 0 {
                self.clock.wait(Duration::from_secs(pause)).await;
            }
            last =
                self.client.list(&path).await.map(|found| {
                    found.first().map(|one| text(one, "id").to_owned()).filter(|id| !id.is_empty())
                });
            if matches!(last, Ok(Some(_))) {
                return last;
            }
        }
        last
    }

    /// Deletes all that was made, the newest first; an error names what may be left.
    async fn clean_up(&self) -> Result<()> {
        let made = std::mem::take(&mut *self.made.lock().unwrap_or_else(PoisonError::into_inner));
        let mut left = Vec::new();
        for mut one in made.into_iter().rev() {
            if one.id.is_none() {
                match self.find(&one).await {
                    Ok(Some(id)) => one.id = Some(id),
                    Ok(None) => left.push(format!("perhaps {}, which is not known (yet)", one.called())),
                    Err(error) => left.push(format!("perhaps {} ({error:#})", one.called())),
                }
            }
            if let Err(error) = self.removed(&one).await {
                left.push(format!("{} ({error:#})", one.called()));
            }
        }
        if left.is_empty() {
            return Ok(());
        }
        bail!("these are left, delete them yourself: {}", left.join("; "))
    }

    async fn removed(&self, one: &Made) -> Result<()> {
        let Some(id) = &one.id else { return Ok(()) };
        let path = format!("/v1.0/{}/{}", one.collection, segment(id));
        let binned = format!("/v1.0/directory/deletedItems/{}", segment(id));
        let deleted = self.known(async || self.client.delete(&path).await.map(|()| Value::Null)).await;
        // What never came back from the bin is there still, and as good as deleted.
        match deleted {
            Err(error) if !is_missing(&error) || self.client.get(&binned).await.is_err() => {
                return Err(error);
            }
            _ => {}
        }
        // From the recycle bin it goes by itself after thirty days; to take it out needs one right more.
        if let Err(error) = self.client.delete(&binned).await {
            tracing::debug!("{} stays in the recycle bin: {error:#}", one.called());
        }
        Ok(())
    }
}

/// What is linked already is as good.
fn linked(answer: Result<Value>) -> Result<Value> {
    match answer {
        Err(error)
            if refused(&error).is_some_and(|refusal| {
                refusal.status == 400 && refusal.message.contains("added object references already exist")
            }) =>
        {
            Ok(Value::Null)
        }
        other => other,
    }
}

fn refused(error: &anyhow::Error) -> Option<&Refusal> {
    error.downcast_ref::<Refusal>()
}

fn is_missing(error: &anyhow::Error) -> bool {
    refused(error).is_some_and(|refusal| refusal.status == 404)
}

/// Whether nothing can have been made: the service said no, or was never asked.
fn is_surely_refused(error: &anyhow::Error) -> bool {
    match refused(error) {
        // Whoever is not let in makes nothing, whatever the answer looks like.
        Some(refusal) if matches!(refusal.status, 401 | 403 | 407) => true,
        Some(refusal) => {
            refusal.is_published && (400..500).contains(&refusal.status) && refusal.status != 408
        }
        None => error.downcast_ref::<Failure>().is_some_and(|failure| failure.is_unsent),
    }
}

#[cfg(test)]
mod tests;
