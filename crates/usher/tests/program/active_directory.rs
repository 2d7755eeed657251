//! From an Active Directory domain controller to the directory inside: one person on demand, then everybody in cycles.

use std::process::Child;

use tempfile::TempDir;
use usher::profile::{Profile, ProfileCredential};
use usher_testkit::servers::Samba;

use crate::local::{profile, serve_with};
use crate::world::{Ran, finish, program};

const PEOPLE: &str = "dn: OU=Staff,DC=corp,DC=example\nobjectClass: organizationalUnit\n\n\
    dn: CN=MeganB,OU=Staff,DC=corp,DC=example\nobjectClass: user\nsAMAccountName: MeganB\ndisplayName: Megan Bowen\n\n\
    dn: CN=AdeleV,OU=Staff,DC=corp,DC=example\nobjectClass: user\nsAMAccountName: AdeleV\n\
    userPrincipalName: adelev@corp.example\ndisplayName: Adele Vance\ntitle: Retail Manager\n\
    adminDescription: User_made-elsewhere\nmanager: CN=MeganB,OU=Staff,DC=corp,DC=example\n\n\
    dn: CN=Retail,OU=Staff,DC=corp,DC=example\nobjectClass: group\nmember: CN=MeganB,OU=Staff,DC=corp,DC=example\n";
const ADELE: &str = "CN=AdeleV,OU=Staff,DC=corp,DC=example";
const MEGAN: &str = "CN=MeganB,OU=Staff,DC=corp,DC=example";

/// A domain, and a service with an application that is connected to it.
struct Corp {
    samba: Samba,
    service: Child,
    profile: Profile,
    folder: TempDir,
    principal: String,
    job: String,
}

impl Corp {
    async fn start() -> Self {
        let samba = Samba::start().await.expect("the domain controller starts");
        samba.change(PEOPLE).expect("the people are taken");
        let folder = TempDir::new().expect("a folder can be made");
        let data = folder.path().join("data");
        let authority = folder.path().join("corp-ca.pem");
        std::fs::write(&authority, &samba.authority).expect("the file is written");
        let authority = authority.display().to_string();
        let service = serve_with(&data, &["--http", "--on-demand-limit", "1000", "--trust-ca", &authority]);
        let mut corp = Self {
            samba,
            service,
            profile: profile(&data),
            folder,
            principal: String::new(),
            job: String::new(),
        };
        let words = ["app", "create", "corp-ad", "--template", "AD2AADProvisioning", "--output", "json"];
        let made = corp.run(&words).await;
        let made: serde_json::Value = serde_json::from_str(&made.out).expect("it is JSON");
        let text = |name: &str| made[name].as_str().expect("it is a text").to_owned();
        (corp.principal, corp.job) = (text("servicePrincipalId"), text("synchronizationJobId"));
        let address = format!("BaseAddress={}", corp.samba.ldaps());
        let user = format!("UserName={}", Samba::ADMINISTRATOR);
        let password = format!("Password={}", corp.samba.password());
        for words in [
            &["secret", "set", "--app", "corp-ad", &address, &user, &password][..],
            &["secret", "set", "--app", "corp-ad", "SearchBase=OU=Staff,DC=corp,DC=example"],
            &["job", "set", "--app", "corp-ad", "--setting", "DomainFQDN=corp.example"],
        ] {
            let ran = corp.run(words).await;
            assert_eq!(ran.code, 0, "{words:?}: {}", ran.err);
        }
        corp
    }

    async fn run(&self, words: &[&str]) -> Ran {
        let ProfileCredential::ClientSecret { client_id, secret } = &self.profile.credential else {
            panic!("the first credential is a secret");
        };
        let mut command = program();
        command
            .args(words)
            .env("USHER_ADDRESS", &self.profile.address)
            .env("USHER_TENANT", &self.profile.tenant)
            .env("USHER_CLIENT_ID", client_id)
            .env("USHER_CLIENT_SECRET", secret.expose())
            .env("USHER_CONFIG_DIR", self.folder.path());
        tokio::task::spawn_blocking(move || finish(command, "")).await.expect("it runs")
    }

    async fn users(&self) -> Vec<String> {
        let ran = self.run(&["user", "list", "--output", "json"]).await;
        let list: serde_json::Value = serde_json::from_str(&ran.out).expect("it is JSON");
        let users = list.as_array().cloned().unwrap_or_default();
        let mut told: Vec<String> = users
            .iter()
            .map(|user| {
                format!(
                    "{} {}",
                    user["displayName"].as_str().unwrap_or("-"),
                    user["jobTitle"].as_str().unwrap_or("-")
                )
            })
            .collect();
        told.sort();
        told
    }

    /// Runs the job once more and waits until it has.
    async fn cycle(&self, verb: &str) {
        for words in [&["job", verb, "--app", "corp-ad"], &["job", "wait", "--app", "corp-ad"]] {
            let ran = self.run(words).await;
            assert_eq!(ran.code, 0, "{words:?}: {}{}", ran.out, ran.err);
        }
    }
}

impl Drop for Corp {
    fn drop(&mut self) {
        // A service that is gone already needs neither.
        let _ = self.service.kill();
        let _ = self.service.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_comes_from_active_directory_by_distinguished_name() {
    let corp = Corp::start().await;
    let planned = corp.run(&["provision", "user", ADELE, "--app", "corp-ad", "--plan"]).await;
    assert_eq!(planned.code, 0, "{}{}", planned.out, planned.err);
    assert!(corp.users().await.is_empty(), "a plan writes nothing");
    let ran = corp.run(&["provision", "user", ADELE, "--app", "corp-ad", "--manager", MEGAN]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("scoping filters are not applied on demand from this source"), "{}", ran.out);
    assert!(ran.out.contains("Retail Manager"), "{}", ran.out);
    // The name is made of a setting of the job where the domain has none.
    let megan = corp.run(&["user", "show", "MeganB@corp.example"]).await;
    assert!(megan.out.contains("Megan Bowen"), "{}{}", megan.out, megan.err);
    let again = corp
        .run(&["provision", "user", "cn=adelev, ou=staff, dc=corp, dc=example", "--app", "corp-ad"])
        .await;
    assert!(again.out.contains("skipped"), "{}{}", again.out, again.err);
    for (name, says) in [
        ("CN=Nobody,OU=Staff,DC=corp,DC=example", "not found"),
        ("CN=AdeleV,DC=elsewhere,DC=example", "is in another domain"),
        ("Adele", "is no distinguished name"),
    ] {
        let ran = corp.run(&["provision", "user", name, "--app", "corp-ad"]).await;
        assert_eq!(ran.code, 1, "{name}: {}{}", ran.out, ran.err);
        assert!(format!("{}{}", ran.out, ran.err).contains(says), "{name}: {}{}", ran.out, ran.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_for_active_directory_runs_unchanged() {
    const RULE: &str = "9c5e7a10-52a4-4a0e-8d5b-2b8a6c3f1d21";
    let corp = Corp::start().await;
    let sample = format!(
        "Import-Module Microsoft.Graph.Applications\n\n$params = @{{\n\tParameters = @(\n\t\t@{{\n\t\t\t\
         RuleId = \"{RULE}\"\n\t\t\tSubjects = @(\n\t\t\t\t@{{\n\t\t\t\t\tObjectId = \"{MEGAN}\"\n\t\t\t\t\t\
         ObjectTypeName = \"user\"\n\t\t\t\t}}\n\t\t\t)\n\t\t}}\n\t)\n}}\n\n\
         New-MgServicePrincipalSynchronizationJobOnDemand -ServicePrincipalId $servicePrincipalId \
         -SynchronizationJobId $synchronizationJobId -BodyParameter $params\n"
    );
    let file = corp.folder.path().join("sample.ps1");
    std::fs::write(&file, sample).expect("the file is written");
    let (file, principal, job) = (
        file.display().to_string(),
        format!("servicePrincipalId={}", corp.principal),
        format!("synchronizationJobId={}", corp.job),
    );
    let ran = corp.run(&["script", &file, "--variable", &principal, "--variable", &job]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(corp.users().await, ["Megan Bowen -"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_in_scope_comes_in_cycles_and_changes_follow() {
    let corp = Corp::start().await;
    corp.cycle("start").await;
    assert_eq!(corp.users().await, ["Megan Bowen -"], "who was made elsewhere is out of scope");
    corp.samba
        .change(&format!(
            "dn: {ADELE}\nchangetype: modify\ndelete: adminDescription\n\n\
             dn: {MEGAN}\nchangetype: modify\nreplace: title\ntitle: Chief\n"
        ))
        .expect("the changes are taken");
    corp.cycle("start").await;
    assert_eq!(corp.users().await, ["Adele Vance Retail Manager", "Megan Bowen Chief"]);
    corp.samba.change(&format!("dn: {ADELE}\nchangetype: delete\n")).expect("the change is taken");
    corp.cycle("start").await;
    assert_eq!(corp.users().await, ["Megan Bowen Chief"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_with_a_mail_address_come_and_go() {
    let corp = Corp::start().await;
    let contact = |name: &str, mail: &str| {
        format!(
            "dn: CN={name},OU=Staff,DC=corp,DC=example\nchangetype: add\nobjectClass: contact\n\
             displayName: {name} Outside\ntitle:  Adviser \ncompany: Fabrikam\n{mail}\n"
        )
    };
    for one in [contact("Ann", "mail: ann@fabrikam.example\n"), contact("Bob", "")] {
        corp.samba.change(&one).expect("the contact is taken");
    }
    corp.cycle("start").await;
    let contacts = async || {
        let ran = corp.run(&["Get-MgContact", "-All", "--output", "json"]).await;
        // None is nothing, one is an object, more are a list.
        match serde_json::from_str(&ran.out) {
            Ok(serde_json::Value::Array(list)) => list,
            Ok(one) => vec![one],
            Err(_) if ran.out.trim().is_empty() => Vec::new(),
            Err(error) => panic!("{error}: {}{}", ran.out, ran.err),
        }
    };
    let found = contacts().await;
    assert_eq!(found.len(), 1, "who has no mail address is out of scope: {found:?}");
    let told = ["DisplayName", "JobTitle", "CompanyName", "Mail"].map(|name| found[0][name].as_str());
    let wanted = ["Ann Outside", "Adviser", "Fabrikam", "ann@fabrikam.example"];
    assert_eq!(told, wanted.map(Some));
    corp.samba
        .change("dn: CN=Ann,OU=Staff,DC=corp,DC=example\nchangetype: delete\n")
        .expect("the change is taken");
    corp.cycle("start").await;
    let left = contacts().await;
    assert!(left.is_empty(), "{left:?}");
}
