//! The connector of directory services on OpenLDAP, beside the server's own tools on the same machine: reading everything
//! beside `ldapsearch`, filling an empty server beside `syncrepl`, and one change. Prints ratios; asserts nothing.

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use usher_connectors::{AllConnectors, HttpOptions};
use usher_core::ports::{Connector, ConnectorSettings, Connectors, Page, ReadRequest, Watermark};
use usher_core::{AttributeChange, Change, DirectoryObject, Operation, OperationKind, Secret};
use usher_expr::Value;
use usher_testkit::servers::{Slapd, SlapdOptions};
use usher_testkit::{ManualClock, MemoryStore};

const PEOPLE: usize = 20_000;
/// Writes under way at once.
const WRITERS: usize = 16;
const ATTRIBUTES: &[&str] = &[
    "uid",
    "cn",
    "sn",
    "givenName",
    "displayName",
    "mail",
    "title",
    "departmentNumber",
    "telephoneNumber",
    "l",
];

/// The program's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    // Among the other tasks, as a job runs in the service.
    runtime.block_on(async { tokio::spawn(measure()).await.expect("nothing panics") });
}

async fn measure() {
    let source =
        Slapd::start(&SlapdOptions { ldif: people(), ..SlapdOptions::default() }).await.expect("it starts");
    let reader = connector(&source);
    let mark = reader.watermark("inetOrgPerson").await.expect("it tells");

    let began = Instant::now();
    let objects = read(&*reader, None, &mark).await;
    let ours = rate(objects.len(), began.elapsed());
    let began = Instant::now();
    let found = ldapsearch(&source);
    let theirs = rate(found, began.elapsed());
    println!("import: {ours:.0} entries/s, ldapsearch {theirs:.0} entries/s, ratio {:.2}", ours / theirs);

    let target = Slapd::start(&SlapdOptions::default()).await.expect("it starts");
    let writer = connector(&target);
    let began = Instant::now();
    let objects = read(&*reader, None, &mark).await;
    stream::iter(objects)
        .for_each_concurrent(WRITERS, |object| {
            let writer = writer.clone();
            async move { drop(writer.write(&create(&object)).await.expect("it is taken")) }
        })
        .await;
    let ours = began.elapsed();
    let began = Instant::now();
    let replica = SlapdOptions { is_empty: true, more: replica_of(&source), ..SlapdOptions::default() };
    let replica = Slapd::start(&replica).await.expect("it starts");
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    // The provider sends in the order in which they were made: asking for the last one costs the replica next to nothing.
    while !is_there(&replica, PEOPLE - 1) {
        ticks.tick().await;
    }
    let theirs = began.elapsed();
    assert_eq!(count(&replica), PEOPLE, "the replica has everybody");
    assert_eq!(count(&target), PEOPLE, "the target has everybody");
    println!(
        "initial load of {PEOPLE}: connector to connector {:.1} s, syncrepl {:.1} s, ratio {:.2}",
        ours.as_secs_f64(),
        theirs.as_secs_f64(),
        ours.as_secs_f64() / theirs.as_secs_f64()
    );

    let mark = reader.watermark("inetOrgPerson").await.expect("it tells");
    source
        .change("dn: uid=p7,ou=people,dc=example,dc=org\nchangetype: modify\nreplace: title\ntitle: Chief\n")
        .expect("the change is taken");
    let began = Instant::now();
    let now = reader.watermark("inetOrgPerson").await.expect("it tells");
    let changed = read(&*reader, Some(&mark), &now).await;
    println!("one change: {} entry read in {:.1} ms", changed.len(), began.elapsed().as_secs_f64() * 1_000.0);
}

fn connector(slapd: &Slapd) -> Arc<dyn Connector> {
    let clock = ManualClock::at("2026-03-02T09:00:00Z".parse().expect("it is an instant"));
    let options =
        HttpOptions { extra_ca_pem: Some(slapd.authority.as_bytes().to_vec()), ..HttpOptions::default() };
    let all = AllConnectors::new(Arc::new(MemoryStore::default()), Arc::new(clock), options);
    let mut settings = ConnectorSettings::default();
    for (key, value) in [
        ("BaseAddress", slapd.ldap()),
        ("UserName", Slapd::ADMINISTRATOR.to_owned()),
        ("Password", slapd.password().to_owned()),
        ("NamingAttribute", "uid".to_owned()),
        ("SyncAgentADContainer", format!("ou=people,{}", Slapd::SUFFIX)),
    ] {
        settings.set(key, Secret::new(value));
    }
    all.expect("the options are right").build("ldap", &settings).expect("the settings are right")
}

async fn read(
    connector: &dyn Connector,
    since: Option<&Watermark>,
    until: &Watermark,
) -> Vec<DirectoryObject> {
    let mut request = ReadRequest {
        object_type: "inetOrgPerson".into(),
        attributes: ATTRIBUTES.iter().map(|name| (*name).into()).collect(),
        application: None,
        since: since.cloned(),
        until: until.clone(),
        cursor: None,
    };
    let mut all = Vec::new();
    loop {
        let Page { objects, next, .. } = connector.read(&request).await.expect("it is read");
        all.extend(objects.into_iter().filter_map(|incoming| incoming.object));
        match next {
            Some(next) => request.cursor = Some(next),
            None => return all,
        }
    }
}

fn create(object: &DirectoryObject) -> Operation {
    let changes = object
        .attributes
        .iter()
        .map(|(name, value)| AttributeChange {
            attribute: name.clone(),
            change: Change::Add(value.values().to_vec()),
            is_reference: matches!(value, Value::Reference(_)),
            is_multivalued: matches!(value, Value::List(_)),
        })
        .collect();
    Operation { kind: OperationKind::Create, object_type: "inetOrgPerson".into(), anchor: None, changes }
}

fn rate(count: usize, took: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / took.as_secs_f64()
}

fn search(slapd: &Slapd, base: &str, attributes: &[&str]) -> usize {
    let authority = std::env::temp_dir().join(format!("usher-bench-{}.pem", std::process::id()));
    std::fs::write(&authority, &slapd.authority).expect("the file is written");
    // Over StartTLS, as the connector does.
    let output = Command::new("ldapsearch")
        .env("LDAPTLS_CACERT", &authority)
        .args(["-ZZ", "-x", "-H", &slapd.ldap(), "-D", Slapd::ADMINISTRATOR, "-w", slapd.password(), "-LLL"])
        .args(["-E", "pr=1000/noprompt", "-b", base, "(objectClass=inetOrgPerson)"])
        .args(attributes)
        .stderr(Stdio::null())
        .output()
        .expect("ldapsearch runs");
    let _ = std::fs::remove_file(&authority);
    String::from_utf8_lossy(&output.stdout).lines().filter(|line| line.starts_with("dn: ")).count()
}

fn ldapsearch(slapd: &Slapd) -> usize {
    search(slapd, Slapd::SUFFIX, ATTRIBUTES)
}

fn count(slapd: &Slapd) -> usize {
    search(slapd, Slapd::SUFFIX, &["1.1"])
}

fn is_there(slapd: &Slapd, number: usize) -> bool {
    search(slapd, &format!("uid=p{number},ou=people,{}", Slapd::SUFFIX), &["1.1"]) == 1
}

fn replica_of(provider: &Slapd) -> String {
    format!(
        "syncrepl rid=001 provider={} type=refreshAndPersist searchbase=\"{}\" bindmethod=simple binddn=\"{}\" \
         credentials={} retry=\"1 +\"\n",
        provider.ldap(),
        Slapd::SUFFIX,
        Slapd::ADMINISTRATOR,
        provider.password()
    )
}

fn people() -> String {
    let mut ldif = String::new();
    for number in 0..PEOPLE {
        let _ = write!(
            ldif,
            "dn: uid=p{number},ou=people,{}\nobjectClass: inetOrgPerson\nuid: p{number}\ncn: Person {number}\n\
             sn: {number}\ngivenName: Person\ndisplayName: Person {number}\nmail: p{number}@example.org\n\
             title: Clerk\ndepartmentNumber: {}\ntelephoneNumber: +1 425 555 {number:04}\nl: Dallas\n\n",
            Slapd::SUFFIX,
            number % 50
        );
    }
    ldif
}
