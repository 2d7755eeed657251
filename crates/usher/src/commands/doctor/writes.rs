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

/// How often a create is sent that the service puts off.
const TRIES: usize = 3;
/// The longest time to wait before that.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

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
    /// An answer was lost: there may be one more of the name.
    is_open: bool,
    /// Something was done with it, so that the tenant knows it.
    is_known: bool,
}

impl Made {
    fn kind(&self) -> &'static str {
        if self.collection == "groups" { "Group" } else { "User" }
    }

    fn called(&self, id: Option<&str>) -> String {
        let kind = self.kind().to_lowercase();
        match id {
            Some(id) => format!("{kind} {} ({id})", self.name),
            None => format!("{kind} {}", self.name),
        }
    }

    /// The command that deletes it.
    fn removal(&self, id: &str) -> String {
        let kind = self.kind();
        format!("`usher Remove-Mg{kind} -{kind}Id {id}`")
    }

    /// The command that shows what has its name.
    fn search(&self) -> String {
        format!("`usher Get-Mg{} -Filter \"{} eq '{}'\"`", self.kind(), self.property, self.name)
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
        let changed =
            self.known(&user, async || self.client.patch(&path, &json!({ "jobTitle": "Clerk" })).await);
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
        self.known(boss, async || self.client.put(&path, &reference).await).await?;
        self.known(boss, async || self.client.delete(&path).await.map(|()| Value::Null)).await.map(drop)
    }

    async fn group(&self, name: &str, user: &str, boss: &str) -> Result<()> {
        let body = json!({
            "displayName": name, "mailNickname": name, "mailEnabled": false, "securityEnabled": true,
        });
        let group = self.make("groups", "mailNickname", name.to_owned(), &body).await?;
        let path = format!("/v1.0/groups/{}", segment(&group));
        let address = |id: &str| format!("{}/directoryObjects/{id}", self.root);
        let (members, one) = (format!("{path}/members/$ref"), json!({ "@odata.id": address(user) }));
        self.known(&group, async || linked(self.client.post(&members, &one).await)).await?;
        let block = json!({ "members@odata.bind": [address(boss)] });
        self.known(&group, async || linked(self.client.patch(&path, &block).await)).await?;
        let link = format!("{path}/members/{}/$ref", segment(user));
        self.known(&group, async || self.client.delete(&link).await.map(|()| Value::Null)).await.map(drop)
    }

    async fn restored(&self, path: &str, id: &str) -> Result<()> {
        self.known(id, async || self.client.delete(path).await.map(|()| Value::Null)).await?;
        let restore = format!("/v1.0/directory/deletedItems/{}/restore", segment(id));
        self.known(id, async || self.client.post(&restore, &Value::Null).await).await?;
        // Who has come back has to become known everywhere once more.
        self.set_known(id, false);
        Ok(())
    }

    fn set_known(&self, id: &str, is_known: bool) {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.iter_mut().filter(|one| one.id.as_deref() == Some(id)).for_each(|one| one.is_known = is_known);
    }

    /// Asks again, for a while, where a new object is not known yet.
    async fn known(&self, id: &str, ask: impl AsyncFnMut() -> Result<Value>) -> Result<Value> {
        let answer = self.waited(&PAUSES, ask).await;
        if answer.is_ok() {
            self.set_known(id, true);
        }
        answer
    }

    async fn waited(&self, pauses: &[u64], mut ask: impl AsyncFnMut() -> Result<Value>) -> Result<Value> {
        for pause in pauses {
            match ask().await {
                Err(error) if is_missing(&error) => self.clock.wait(Duration::from_secs(*pause)).await,
                other => return other,
            }
        }
        ask().await
    }

    /// Makes an object. When the answer is lost, the object is looked for by its name, which nobody else has, before the
    /// request is sent again: a service that says to come back later may have made it.
    async fn make(
        &self,
        collection: &'static str,
        property: &'static str,
        name: String,
        body: &Value,
    ) -> Result<String> {
        let one = Made { collection, property, name, id: None, is_open: false, is_known: false };
        let place = {
            let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
            made.push(one.clone());
            made.len() - 1
        };
        let change = |change: &dyn Fn(&mut Made)| {
            change(&mut self.made.lock().unwrap_or_else(PoisonError::into_inner)[place]);
        };
        let mut is_open = false;
        for attempt in 1.. {
            let error = match self.client.post_once(&format!("/v1.0/{collection}"), body).await {
                Ok(answer) if !text(&answer, "id").is_empty() => {
                    let id = text(&answer, "id");
                    change(&|made| made.id = Some(id.to_owned()));
                    return Ok(id.to_owned());
                }
                Ok(_) => anyhow::anyhow!("the answer has no 'id'"),
                Err(error) if is_surely_refused(&error) && !is_open => {
                    self.made.lock().unwrap_or_else(PoisonError::into_inner).pop();
                    return Err(error);
                }
                Err(error) => error,
            };
            is_open = true;
            change(&|made| made.is_open = true);
            if let Some(id) = self.find(&one).await.ok().and_then(|found| found.into_iter().next()) {
                change(&|made| made.id = Some(id.clone()));
                return Ok(id);
            }
            let pause = refused(&error).filter(|refusal| refusal.status == 503);
            match pause.and_then(|refusal| refusal.retry_after) {
                Some(pause) if attempt < TRIES => self.clock.wait(pause.min(LONGEST_PAUSE)).await,
                _ => return Err(error),
            }
        }
        unreachable!("the last try ends the loop")
    }

    /// The ids of what has this name, looked for until something is known.
    async fn find(&self, one: &Made) -> Result<Vec<String>> {
        let Made { collection, property, name, .. } = one;
        let path = format!("/v1.0/{collection}?$filter={property}%20eq%20{}&$select=id", quoted(name));
        let mut last = Ok(Vec::new());
        for pause in std::iter::once(0).chain(PAUSES) {
            if pause > 0 {
                self.clock.wait(Duration::from_secs(pause)).await;
            }
            last = self.client.list(&path).await.map(|found| {
                let ids = found.iter().map(|one| text(one, "id").to_owned());
                ids.filter(|id| !id.is_empty()).collect::<Vec<_>>()
            });
            if last.as_ref().is_ok_and(|found| !found.is_empty()) {
                return last;
            }
        }
        last
    }

    /// Deletes all that was made, the newest first; an error names what may be left, and how to delete it.
    async fn clean_up(&self) -> Result<()> {
        let made = std::mem::take(&mut *self.made.lock().unwrap_or_else(PoisonError::into_inner));
        let mut left = Vec::new();
        for one in made.into_iter().rev() {
            let mut ids: Vec<String> = one.id.iter().cloned().collect();
            if one.is_open || ids.is_empty() {
                let why = match self.find(&one).await {
                    Ok(found) => {
                        let more: Vec<String> = found.into_iter().filter(|id| !ids.contains(id)).collect();
                        ids.extend(more);
                        "which is not known (yet)".to_owned()
                    }
                    Err(error) => format!("{error:#}"),
                };
                if ids.is_empty() {
                    let (called, search, removal) = (one.called(None), one.search(), one.removal("ID"));
                    left.push(format!(
                        "perhaps {called}, {why}: look with {search}, and delete with {removal}"
                    ));
                }
            }
            for id in ids {
                if let Err(error) = self.removed(&one, &id).await {
                    left.push(format!("{}: {} ({error:#})", one.called(Some(&id)), one.removal(&id)));
                }
            }
        }
        if left.is_empty() {
            return Ok(());
        }
        bail!("these are left, delete them yourself: {}", left.join("; "))
    }

    async fn removed(&self, one: &Made, id: &str) -> Result<()> {
        let path = format!("/v1.0/{}/{}", one.collection, segment(id));
        let binned = format!("/v1.0/directory/deletedItems/{}", segment(id));
        // What was known before is gone when it is not known now: an answer was lost.
        let is_known = one.is_known && one.id.as_deref() == Some(id);
        let pauses = if is_known { &PAUSES[..2] } else { &PAUSES };
        let deleted =
            self.waited(pauses, async || self.client.delete(&path).await.map(|()| Value::Null)).await;
        match deleted {
            Err(error) if !is_missing(&error) => return Err(error),
            // What never came back from the bin is there still, and as good as deleted.
            Err(error) if !is_known && self.client.get(&binned).await.is_err() => return Err(error),
            _ => {}
        }
        // From the recycle bin it goes by itself after thirty days; to take it out needs one right more.
        if let Err(error) = self.client.delete(&binned).await {
            tracing::debug!("{} stays in the recycle bin: {error:#}", one.called(Some(id)));
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
