//! From a domain controller into a tenant through Microsoft Graph.

use std::sync::Arc;

use expect_test::expect;
use usher_connectors::HttpOptions;
use usher_testkit::ManualClock;
use usher_testkit::servers::Samba;

use crate::job::Job;
use crate::stage::Tenant;

const PEOPLE: &str = "dn: OU=Staff,DC=corp,DC=example\nobjectClass: organizationalUnit\n\n\
    dn: CN=Megan,OU=Staff,DC=corp,DC=example\nobjectClass: user\nsAMAccountName: megan\n\
    userPrincipalName: megan@corp.example\ndisplayName: Megan Bowen\ntitle: Head\n\n\
    dn: CN=Adele,OU=Staff,DC=corp,DC=example\nobjectClass: user\nsAMAccountName: adele\n\
    userPrincipalName: adele@corp.example\ndisplayName: Adele Vance\ntitle: Clerk\n\
    manager: CN=Megan,OU=Staff,DC=corp,DC=example\n\n\
    dn: CN=Retail,OU=Staff,DC=corp,DC=example\nobjectClass: group\nsAMAccountName: Retail\n\
    member: CN=Adele,OU=Staff,DC=corp,DC=example\nmember: CN=Megan,OU=Staff,DC=corp,DC=example\n";

#[tokio::test(flavor = "multi_thread")]
async fn people_and_groups_of_a_domain_come_into_the_tenant() {
    const SHOWN: &[&str] = &["displayName", "accountEnabled", "jobTitle"];
    let samba = Samba::start().await.expect("the domain controller starts");
    samba.change(PEOPLE).expect("the people are taken");
    let tenant = Tenant::start().await;
    let clock = Arc::new(ManualClock::at(tenant.engine.clock.now()));
    let http =
        HttpOptions { extra_ca_pem: Some(samba.authority.as_bytes().to_vec()), ..HttpOptions::default() };
    let (address, password) = (samba.ldaps(), samba.password().to_owned());
    let source = [
        ("BaseAddress", address.as_str()),
        ("UserName", Samba::ADMINISTRATOR),
        ("Password", &password),
        ("SearchBase", "OU=Staff,DC=corp,DC=example"),
    ];
    let job = Job::new(&tenant, "AD2Entra", &source, http, clock).await;
    job.start().await;
    // Who is made before the manager gets the reference later; which comes first is chance.
    let ran = job.run().await;
    for line in [
        "Retail create success",
        "adele@corp.example create ",
        "megan@corp.example create success",
        "initial Succeeded",
    ] {
        assert!(ran.contains(line), "{line}: {ran}");
    }
    expect![[r#"
        adele@corp.example displayName=Adele Vance accountEnabled=false jobTitle=Clerk under megan@corp.example
        megan@corp.example displayName=Megan Bowen accountEnabled=false jobTitle=Head
    "#]].assert_eq(&job.users(SHOWN).await);
    let groups = tenant.client.list("/v1.0/groups?$expand=members").await.expect("they are listed");
    assert_eq!(groups.len(), 1);
    assert_eq!(groups[0]["members"].as_array().map(Vec::len), Some(2), "{groups:?}");

    // What joins the two is the object's GUID, as Microsoft's own synchronization writes it.
    let found = samba.search("(sAMAccountName=adele)", &["objectGUID"]).expect("it is answered");
    let guid = found.lines().find_map(|line| line.strip_prefix("objectGUID:: ")).expect("it has a GUID");
    let path = "/v1.0/users/adele@corp.example?$select=onPremisesImmutableId";
    let adele = tenant.client.get(path).await.expect("she is there");
    assert_eq!(adele["onPremisesImmutableId"], guid);

    let change = "dn: CN=Adele,OU=Staff,DC=corp,DC=example\nchangetype: modify\nreplace: title\ntitle: Head\n-\n\
        delete: manager\n-\n\ndn: CN=Megan,OU=Staff,DC=corp,DC=example\nchangetype: delete\n";
    samba.change(change).expect("the changes are taken");
    expect![[r#"
        adele@corp.example update success
        megan@corp.example delete success
        incremental Succeeded
    "#]]
    .assert_eq(&job.run().await);
    expect![[r#"
        adele@corp.example displayName=Adele Vance accountEnabled=false jobTitle=Head
    "#]]
    .assert_eq(&job.users(SHOWN).await);
    expect![[r#"
        incremental Succeeded
    "#]]
    .assert_eq(&job.run().await);
}
