//! A tour of the whole API: every published operation succeeds once, and its answer is as described.

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use usher_core::EntryKind;
use usher_testkit::suites;

use crate::stage::{ROLE, Stage, TEMPLATE, on_demand};

/// Published, and refused always: a list of deleted items needs the type of what was deleted.
const ALWAYS_REFUSED: &str = "/directory/deletedItems";

/// The description that Microsoft publishes of this area in beta does not have these.
const IN_V1_ONLY: [&str; 2] =
    ["POST /beta/servicePrincipals/{id}/addPassword", "POST /beta/servicePrincipals/{id}/removePassword"];

/// Who goes on the tour, in one version of the API.
struct Tour<'a> {
    stage: &'a Stage,
    version: &'static str,
}

impl Tour<'_> {
    async fn call(&self, method: &str, path: &str, body: Value) -> Value {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/{}{path}", self.version))
            .header("authorization", format!("Bearer {}", self.stage.token))
            .header("consistencylevel", "eventual");
        if !body.is_null() {
            let media =
                if path.contains("bulkUpload") { "application/scim+json" } else { "application/json" };
            request = request.header("content-type", media);
        }
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let reply = self.stage.raw(request.body(body).expect("it can be sent")).await;
        assert!(reply.status.is_success(), "{method} {path}: {} {}", reply.status, reply.body);
        reply.body
    }

    async fn get(&self, path: &str) -> Value {
        self.call("GET", path, Value::Null).await
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.call("POST", path, body).await
    }

    async fn make(&self, path: &str, body: Value) -> String {
        text(&self.post(path, body).await["id"])
    }

    async fn delete(&self, path: &str) {
        self.call("DELETE", path, Value::Null).await;
    }

    async fn user(&self, name: &str) -> String {
        let body = json!({
            "accountEnabled": true, "displayName": name, "mailNickname": name,
            "userPrincipalName": format!("{name}.{}@x.example", self.version), "passwordProfile": { "password": "x" },
        });
        self.make("/users", body).await
    }

    async fn group(&self, name: &str) -> String {
        let body = json!({
            "displayName": name, "mailEnabled": false, "mailNickname": name, "securityEnabled": true,
        });
        self.make("/groups", body).await
    }

    fn reference(id: &str) -> Value {
        json!({ "@odata.id": format!("https://usher.test/v1.0/directoryObjects/{id}") })
    }

    /// Adds a reference and removes it, by its address and by the query.
    async fn references(&self, path: &str, id: &str) {
        self.post(&format!("{path}/$ref"), Self::reference(id)).await;
        for way in [path.to_owned(), format!("{path}/$ref")] {
            self.get(&way).await;
        }
        self.delete(&format!("{path}/{id}/$ref")).await;
        self.post(&format!("{path}/$ref"), Self::reference(id)).await;
        self.delete(&format!("{path}/$ref?@id=https://usher.test/v1.0/directoryObjects/{id}")).await;
    }

    /// Contacts come by provisioning alone.
    async fn contacts(&self) {
        let properties = json!({ "displayName": "Ann Outside", "mail": "ann@outside.example" });
        let contact =
            suites::store::entry(EntryKind::Contact, &format!("contact-{}", self.version), properties);
        self.stage.engine.store.put_entry(&contact).await.expect("it is written");
        for path in ["/contacts", "/contacts/$count", "/contacts/delta()"] {
            self.get(path).await;
        }
        let read = self.get(&format!("/contacts/{}", contact.id)).await;
        assert_eq!(read["mail"], "ann@outside.example");
    }

    async fn collections(&self, ids: [(&str, &str); 4]) {
        for (collection, id) in ids {
            self.get(&format!("/{collection}")).await;
            self.get(&format!("/{collection}/$count")).await;
            self.get(&format!("/{collection}/delta()")).await;
            self.get(&format!("/{collection}/{id}")).await;
            self.post(&format!("/{collection}/getByIds"), json!({ "ids": [id] })).await;
            let body = json!({ "displayName": format!("{collection} of the tour") });
            self.call("PATCH", &format!("/{collection}/{id}"), body).await;
        }
        self.get("/directoryObjects/delta()").await;
        self.contacts().await;
        self.post("/directoryObjects/getByIds", json!({ "ids": [ids[0].1] })).await;
        self.get(&format!("/directoryObjects/{}", ids[0].1)).await;
    }

    async fn people(&self, user: &str, other: &str) {
        let manager = format!("/users/{user}/manager");
        self.call("PUT", &format!("{manager}/$ref"), Self::reference(other)).await;
        for path in [manager.clone(), format!("{manager}/$ref")] {
            self.get(&path).await;
        }
        self.delete(&format!("{manager}/$ref")).await;
        for name in
            ["directReports", "directReports/$count", "memberOf", "memberOf/$count", "transitiveMemberOf"]
        {
            self.get(&format!("/users/{user}/{name}")).await;
        }
        self.casts(&format!("/users/{user}")).await;
        self.get(&format!("/users/{user}/ownedObjects")).await;
        for name in ["getMemberGroups", "getMemberObjects"] {
            self.post(&format!("/users/{user}/{name}"), json!({ "securityEnabledOnly": false })).await;
        }
    }

    async fn casts(&self, of: &str) {
        for name in ["memberOf", "transitiveMemberOf"] {
            self.get(&format!("{of}/{name}/microsoft.graph.group")).await;
        }
    }

    async fn groups(&self, group: &str, user: &str) {
        let of = |name: &str| format!("/groups/{group}/{name}");
        for name in ["members", "owners"] {
            self.references(&of(name), user).await;
            self.get(&of(&format!("{name}/$count"))).await;
        }
        for name in ["members", "transitiveMembers"] {
            for kind in ["user", "group"] {
                self.get(&of(&format!("{name}/microsoft.graph.{kind}"))).await;
            }
        }
        for name in ["transitiveMembers", "transitiveMembers/$count", "memberOf", "transitiveMemberOf"] {
            self.get(&of(name)).await;
        }
        self.casts(&format!("/groups/{group}")).await;
        self.post(&of("getMemberGroups"), json!({ "securityEnabledOnly": false })).await;
        for of in [format!("/groups/{group}"), format!("/users/{user}")] {
            self.post(&format!("{of}/checkMemberGroups"), json!({ "groupIds": [group] })).await;
        }
    }

    async fn applications(&self, application: &str, principal: &str, owner: &str) {
        for of in [format!("/applications/{application}"), format!("/servicePrincipals/{principal}")] {
            self.references(&format!("{of}/owners"), owner).await;
            if self.version == "beta" && of.starts_with("/servicePrincipals") {
                continue;
            }
            let password = self.post(&format!("{of}/addPassword"), json!({})).await;
            self.post(&format!("{of}/removePassword"), json!({ "keyId": password["keyId"] })).await;
        }
        self.casts(&format!("/servicePrincipals/{principal}")).await;
        for name in ["memberOf", "transitiveMemberOf", "ownedObjects"] {
            self.get(&format!("/servicePrincipals/{principal}/{name}")).await;
        }
    }

    async fn assignments(&self, resource: &str, principals: [(&str, &str); 3]) {
        let assigned = format!("/servicePrincipals/{resource}/appRoleAssignedTo");
        let body = |id: &str| json!({ "principalId": id, "resourceId": resource, "appRoleId": ROLE });
        let made = self.make(&assigned, body(principals[0].1)).await;
        for path in [assigned.clone(), format!("{assigned}/$count"), format!("{assigned}/{made}")] {
            self.get(&path).await;
        }
        self.delete(&format!("{assigned}/{made}")).await;
        for (collection, id) in principals {
            let of = format!("/{collection}/{id}/appRoleAssignments");
            let made = self.make(&of, body(id)).await;
            self.get(&of).await;
            self.get(&format!("{of}/{made}")).await;
            self.delete(&format!("{of}/{made}")).await;
        }
    }

    async fn schema(&self, of: &str) {
        let schema = self.get(of).await;
        self.call("PUT", of, schema.clone()).await;
        self.call("PATCH", of, schema).await;
        let all = format!("{of}/directories");
        let listed = self.get(&all).await;
        self.get(&format!("{all}/$count")).await;
        let target = listed["value"].as_array().and_then(|list| list.last()).expect("it has directories");
        let target = format!("{all}/{}", text(&target["id"]));
        self.get(&target).await;
        self.call("PATCH", &target, json!({ "readOnly": false })).await;
        self.post(&format!("{target}/discover"), Value::Null).await;
        let spare = json!({ "name": "Spare", "objects": [], "discoverabilities": "None", "readOnly": false });
        let spare = self.make(&all, spare).await;
        self.delete(&format!("{all}/{spare}")).await;
        let operators = self.get(&format!("{of}/filterOperators")).await;
        assert!(operators["value"].as_array().is_some_and(|list| list.len() >= 8));
        let functions = self.get(&format!("{of}/functions")).await;
        assert!(functions["value"].as_array().is_some_and(|list| list.len() >= 14));
        self.post(&format!("{of}/parseExpression"), json!({ "expression": "[mail]" })).await;
        self.delete(of).await;
    }

    async fn synchronization(&self, parent: &str) {
        let base = format!("{parent}/synchronization");
        self.get(&base).await;
        self.call("PUT", &base, json!({ "secrets": [], "jobs": [] })).await;
        if self.version == "beta" {
            self.get(&format!("{base}/Ping()")).await;
        }
        let secrets = json!({ "value": [{ "key": "BaseAddress", "value": "https://app.example" }] });
        self.call("PUT", &format!("{base}/secrets"), secrets).await;
        self.get(&format!("{base}/secrets/$count")).await;
        self.post(&format!("{base}/acquireAccessToken"), json!({ "credentials": [] })).await;
        let templates = format!("{base}/templates");
        let listed = self.get(&templates).await;
        self.get(&format!("{templates}/$count")).await;
        let own = json!({
            "id": "own", "applicationId": listed["value"][0]["applicationId"], "factoryTag": "CustomSCIM",
        });
        self.post(&templates, own.clone()).await;
        self.get(&format!("{templates}/own")).await;
        self.call("PATCH", &format!("{templates}/own"), own).await;
        self.schema(&format!("{templates}/own/schema")).await;
        self.delete(&format!("{templates}/own")).await;

        let jobs = format!("{base}/jobs");
        self.post(&format!("{jobs}/validateCredentials"), json!({ "templateId": "scim" })).await;
        let job = self.make(&jobs, json!({ "templateId": "scim" })).await;
        self.get(&jobs).await;
        self.get(&format!("{jobs}/$count")).await;
        let job = format!("{jobs}/{job}");
        self.get(&job).await;
        self.call("PATCH", &job, json!({ "schedule": { "interval": "PT1H" } })).await;
        self.post(&format!("{job}/validateCredentials"), json!({ "useSavedCredentials": true })).await;
        let schema = self.get(&format!("{job}/schema")).await;
        let rule = text(&schema["synchronizationRules"][0]["id"]);
        self.stage.clock.advance(std::time::Duration::from_secs(11));
        self.stage.person("adele");
        self.post(&format!("{job}/provisionOnDemand"), on_demand(&rule, "adele")).await;
        self.schema(&format!("{job}/schema")).await;
        for verb in ["start", "pause", "restart"] {
            self.post(&format!("{job}/{verb}"), Value::Null).await;
        }
        self.delete(&job).await;

        let feed = self.make(&jobs, json!({ "templateId": "API2AAD" })).await;
        let feed = format!("{jobs}/{feed}/bulkUpload");
        let user = "urn:ietf:params:scim:schemas:core:2.0:User";
        let bulk = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [{
                "method": "POST", "bulkId": "1", "path": "/Users",
                "data": { "schemas": [user], "externalId": "1", "userName": "1" },
            }],
        });
        self.post(&feed, bulk.clone()).await;
        self.call("PUT", &format!("{feed}/$value"), bulk).await;
        for path in [feed.clone(), format!("{feed}/$value")] {
            self.get(&path).await;
            self.delete(&path).await;
        }
        self.call("PATCH", &feed, json!({})).await;
    }

    async fn logs(&self) {
        let events = self.get("/auditLogs/provisioning").await;
        self.get("/auditLogs/provisioning/$count").await;
        self.get(&format!("/auditLogs/provisioning/{}", text(&events["value"][0]["id"]))).await;
    }

    /// Everything goes, comes back, and goes for good.
    async fn bin(&self, ids: [(&str, &str); 4]) {
        for (collection, id) in ids {
            let gone = format!("/directory/deletedItems/{id}");
            self.delete(&format!("/{collection}/{id}")).await;
            let kind = collection.trim_end_matches('s');
            self.get(&format!("/directory/deletedItems/microsoft.graph.{kind}")).await;
            self.get(&gone).await;
            self.post(&format!("{gone}/restore"), Value::Null).await;
            self.delete(&format!("/directoryObjects/{id}")).await;
            self.delete(&gone).await;
        }
    }

    async fn whole(&self) {
        self.get("/applicationTemplates").await;
        self.get("/applicationTemplates/$count").await;
        self.get(&format!("/applicationTemplates/{TEMPLATE}")).await;
        let body = json!({ "displayName": format!("Tour {}", self.version) });
        let made = self.post(&format!("/applicationTemplates/{TEMPLATE}/instantiate"), body).await;
        let (application, principal) =
            (text(&made["application"]["id"]), text(&made["servicePrincipal"]["id"]));
        let bare = self.make("/applications", json!({ "displayName": "Bare" })).await;
        let app_id = self.get(&format!("/applications/{bare}")).await["appId"].clone();
        let client = self.make("/servicePrincipals", json!({ "appId": app_id })).await;
        let (user, other, group) =
            (self.user("adele").await, self.user("megan").await, self.group("team").await);
        self.collections([
            ("users", &user),
            ("groups", &group),
            ("applications", &application),
            ("servicePrincipals", &principal),
        ])
        .await;
        self.people(&user, &other).await;
        self.groups(&group, &user).await;
        self.applications(&application, &principal, &user).await;
        let principals = [("users", &*user), ("groups", &*group), ("servicePrincipals", &*client)];
        self.assignments(&principal, principals).await;
        for parent in [format!("/applications/{application}"), format!("/servicePrincipals/{principal}")] {
            self.synchronization(&parent).await;
        }
        self.logs().await;
        for parent in [format!("/applications/{application}"), format!("/servicePrincipals/{principal}")] {
            self.delete(&format!("{parent}/synchronization")).await;
        }
        self.bin([
            ("users", &user),
            ("groups", &group),
            ("servicePrincipals", &client),
            ("applications", &bare),
        ])
        .await;
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("it is a text").to_owned()
}

#[tokio::test]
async fn every_published_operation_succeeds_once() {
    let stage = Stage::new().await;
    for version in ["v1.0", "beta"] {
        Tour { stage: &stage, version }.whole().await;
    }
    let seen = stage.seen.lock().expect("nobody panics");
    let left: Vec<String> = crate::contract::published()
        .into_iter()
        .filter(|address| !seen.contains(address) && !address.ends_with(ALWAYS_REFUSED))
        .filter(|address| !IN_V1_ONLY.contains(&address.as_str()))
        .collect();
    assert!(left.is_empty(), "these never succeeded: {left:#?}");
}
