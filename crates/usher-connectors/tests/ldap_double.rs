//! The connector of directory services against a directory that misbehaves: limits, refusals, referrals, connections
//! that end at the worst moment, certificates out of their time.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use expect_test::expect;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use usher_connectors::{AllConnectors, HttpOptions};
use usher_core::ports::{
    Connector, ConnectorError, ConnectorErrorKind, ConnectorSettings, Connectors, Effect, MatchQuery,
    ReadRequest,
};
use usher_core::{AttributeChange, Change, Operation, OperationKind, Secret};
use usher_expr::Value;
use usher_testkit::{LdapDouble, ManualClock, MemoryStore, Misbehaviour};

fn connector(address: &str, more: &[(&str, &str)], authority: Option<String>) -> Arc<dyn Connector> {
    let options = HttpOptions {
        extra_ca_pem: authority.map(String::into_bytes),
        timeout: Duration::from_secs(60),
        ..HttpOptions::default()
    };
    let clock = Arc::new(ManualClock::at("2026-03-02T09:00:00Z".parse().unwrap()));
    let all = AllConnectors::new(Arc::new(MemoryStore::default()), clock, options).unwrap();
    let mut settings = ConnectorSettings::default();
    let own = [("BaseAddress", address), ("UserName", "svc@corp.example"), ("Password", "hush-hush")];
    for (key, value) in own.iter().chain(more) {
        settings.set(*key, Secret::new(*value));
    }
    all.build("ldap", &settings).unwrap()
}

fn probe(object_type: &str, name: &str) -> MatchQuery {
    MatchQuery {
        object_type: object_type.into(),
        attribute: "cn".into(),
        value: Value::text(name),
        attributes: vec!["cn".into()],
    }
}

fn group(name: &str) -> Operation {
    let change = AttributeChange {
        attribute: "cn".into(),
        change: Change::Replace(vec![Value::text(name)]),
        is_reference: false,
        is_multivalued: false,
    };
    Operation {
        kind: OperationKind::Create,
        object_type: "group".into(),
        anchor: None,
        changes: vec![change],
    }
}

/// A double with people.
async fn people(count: usize, misbehaviour: Misbehaviour) -> LdapDouble {
    let double = LdapDouble::start(misbehaviour).await.unwrap();
    for number in 0..count {
        let name = format!("p{number}");
        double.put(
            &format!("CN={name},CN=Users,DC=corp,DC=example"),
            &[("objectClass", &["user", "person"]), ("cn", &[&name])],
        );
    }
    double
}

async fn request(connector: &dyn Connector, object_type: &str, attributes: &[&str]) -> ReadRequest {
    ReadRequest {
        object_type: object_type.into(),
        attributes: attributes.iter().map(|name| (*name).into()).collect(),
        application: None,
        since: None,
        until: connector.watermark(object_type).await.unwrap(),
        cursor: None,
    }
}

/// Everything that a read gives; a page whose connection broke is asked for again, as a cycle does. Says how often that
/// was.
async fn read_all(connector: &dyn Connector) -> (BTreeSet<String>, usize) {
    let mut request = request(connector, "user", &["cn"]).await;
    let (mut seen, mut broke) = (BTreeSet::new(), 0);
    loop {
        match connector.read(&request).await {
            Ok(page) => {
                seen.extend(page.objects.iter().map(|one| one.anchor.to_string()));
                match page.next {
                    Some(next) => request.cursor = Some(next),
                    None => return (seen, broke),
                }
            }
            Err(error) => {
                assert_eq!((error.kind, error.effect), (ConnectorErrorKind::Unreachable, Effect::None));
                broke += 1;
                assert!(broke < 3, "{error}");
            }
        }
    }
}

fn told(error: &ConnectorError) -> String {
    let ConnectorError { kind, code, message, remedy, .. } = error;
    format!("{kind:?} {code}: {message}\n  help: {}\n", remedy.unwrap_or("-"))
}

#[tokio::test]
async fn a_server_that_gives_smaller_pages_than_asked_for_is_read_whole() {
    let double = people(1_203, Misbehaviour { page_limit: Some(250), ..Misbehaviour::default() }).await;
    let (seen, broke) = read_all(&*connector(&double.url(), &[], None)).await;
    assert_eq!((seen.len(), broke), (1_203, 0));
    assert_eq!(double.page_sizes(), [250, 250, 250, 250, 203]);
}

#[tokio::test]
async fn values_that_come_in_ranges_are_read_to_the_last() {
    let double = people(0, Misbehaviour { value_limit: Some(1_500), ..Misbehaviour::default() }).await;
    let members: Vec<String> = (0..4_001)
        .map(|number| {
            format!("<GUID={}>;CN=p{number},CN=Users,DC=corp,DC=example", uuid::Uuid::from_u128(number))
        })
        .collect();
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    double.put(
        "CN=All,CN=Users,DC=corp,DC=example",
        &[("objectClass", &["group"]), ("cn", &["All"]), ("member", &members)],
    );
    let connector = connector(&double.url(), &[], None);
    let request = request(&*connector, "group", &["cn", "member"]).await;
    let page = connector.read(&request).await.unwrap();
    let all = page.objects[0].object.as_ref().unwrap().attributes.value("member").unwrap().values().to_vec();
    let distinct: BTreeSet<String> = all.iter().map(|one| one.to_text().to_string()).collect();
    assert_eq!((all.len(), distinct.len()), (4_001, 4_001));
}

#[tokio::test]
async fn refused_binds_say_why_and_what_to_do() {
    let double = people(0, Misbehaviour::default()).await;
    let mut text = String::new();
    for data in ["52e", "525", "530", "532", "533", "701", "773", "775"] {
        let says = format!(
            "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data {data}, v4563"
        );
        double.misbehave(Misbehaviour { refuses_binds: Some((49, says)), ..Misbehaviour::default() });
        let error = connector(&double.url(), &[], None).check(&probe("user", "x")).await.unwrap_err();
        assert!(!format!("{error:?}").contains("hush-hush"), "a password is told");
        let _ = write!(text, "{data} {}", told(&error));
    }
    let says =
        "00002028: LdapErr: DSID-0C090259, comment: The server requires binds to turn on integrity checking";
    double.misbehave(Misbehaviour { refuses_binds: Some((8, says.to_owned())), ..Misbehaviour::default() });
    let error = connector(&double.url(), &[], None).check(&probe("user", "x")).await.unwrap_err();
    let _ = write!(text, "clear text {}", told(&error));
    expect![[r#"
        52e Unauthorised Unauthorized: sign in at ADDRESS as svc@corp.example: the user name or the password is wrong (49)
          help: give UserName and Password again; no other server was tried, so that the account is not locked
        525 Unauthorised Unauthorized: sign in at ADDRESS as svc@corp.example: there is no such user (49)
          help: give UserName and Password again; no other server was tried, so that the account is not locked
        530 Unauthorised Unauthorized: sign in at ADDRESS as svc@corp.example: the account may not sign in at this hour (49)
          help: let the account that signs in do so from here at any time, or give another as UserName
        532 Unauthorised Unauthorized: sign in at ADDRESS as svc@corp.example: the account's password has expired (49)
          help: set a new password for the account that signs in, and give it as Password
        533 Unauthorised Unauthorized: sign in at ADDRESS as svc@corp.example: the account is disabled (49)
          help: enable the account that signs in, or give another as UserName
        701 Unauthorised Unauthorized: sign in at ADDRESS as svc@corp.example: the account has expired (49)
          help: set a later expiry for the account that signs in, or give another as UserName
        773 Unauthorised Unauthorized: sign in at ADDRESS as svc@corp.example: the account's password must be changed first (49)
          help: set a new password for the account that signs in, and give it as Password
        775 Unauthorised Unauthorized: sign in at ADDRESS as svc@corp.example: the account is locked (49)
          help: unlock the account that signs in, and look who tries it with a wrong password
        clear text Unauthorised Unauthorized: sign in at ADDRESS as svc@corp.example: strongerAuthRequired: the server wants TLS; give an ldaps:// address (8)
          help: give an ldaps:// address, and the authority of its certificate with --trust-ca
    "#]].assert_eq(&text.replace(&double.url(), "ADDRESS"));
}

#[tokio::test]
async fn a_connection_cut_in_the_middle_of_a_page_costs_no_entry() {
    let double =
        people(1_100, Misbehaviour { cuts_after_entries: Some(700), ..Misbehaviour::default() }).await;
    let (seen, broke) = read_all(&*connector(&double.url(), &[], None)).await;
    assert_eq!((seen.len(), broke), (1_100, 1));
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_in_doubt_and_found_by_matching() {
    let double = people(0, Misbehaviour { cuts_after_write: true, ..Misbehaviour::default() }).await;
    let connector = connector(&double.url(), &[], None);
    let error = connector.write(&group("Sales")).await.unwrap_err();
    assert_eq!((error.kind, error.effect), (ConnectorErrorKind::Unreachable, Effect::Unknown), "{error}");
    // The connector itself tries nothing twice.
    assert_eq!(double.writes(), ["add CN=Sales,CN=Users,DC=corp,DC=example"]);
    assert_eq!(connector.find(&probe("group", "Sales")).await.unwrap().len(), 1);
    // Whoever tries again all the same makes nobody twice.
    let again = connector.write(&group("Sales")).await.unwrap_err();
    assert_eq!((again.kind, again.effect), (ConnectorErrorKind::AlreadyExists, Effect::None), "{again}");
    assert_eq!(double.writes().len(), 1);
}

#[tokio::test]
async fn referrals_are_told_and_never_taken_for_an_empty_directory() {
    let double = people(3, Misbehaviour { is_plain: true, ..Misbehaviour::default() }).await;
    let connector = connector(&double.url(), &[], None);
    let request = request(&*connector, "person", &["cn"]).await;
    let address = || Some("ldap://dc9.other.example/DC=other,DC=example??sub".to_owned());
    let mut text = String::new();
    for misbehaviour in [
        Misbehaviour { refers_to: address(), ..Misbehaviour::default() },
        Misbehaviour { goes_on_at: address(), ..Misbehaviour::default() },
    ] {
        double.misbehave(misbehaviour);
        let _ = write!(text, "read {}", told(&connector.read(&request).await.unwrap_err()));
        let _ = write!(text, "find {}", told(&connector.find(&probe("person", "x")).await.unwrap_err()));
    }
    expect![[r#"
        read Rejected SystemForCrossDomainIdentityManagementBadResponse: read the directory: referral: another server holds what was asked for; see ldap://dc9.other.example (10)
          help: give the address of a server that holds all of it, or a SearchBase that lies on this server alone
        find Rejected SystemForCrossDomainIdentityManagementBadResponse: search below DC=corp,DC=example for cn: referral: another server holds what was asked for; see ldap://dc9.other.example (10)
          help: give the address of a server that holds all of it, or a SearchBase that lies on this server alone
        read Rejected SystemForCrossDomainIdentityManagementBadResponse: read the directory: a part of it is on another server; see ldap://dc9.other.example
          help: give the address of a server that holds all of it, or a SearchBase that lies on this server alone
        find Rejected SystemForCrossDomainIdentityManagementBadResponse: search below DC=corp,DC=example for cn: a part of it is on another server; see ldap://dc9.other.example
          help: give the address of a server that holds all of it, or a SearchBase that lies on this server alone
    "#]].assert_eq(&text);
}

#[tokio::test]
async fn another_partition_of_a_domain_is_not_part_of_it() {
    let goes_on_at = Some("ldap://corp.example/DC=DomainDnsZones,DC=corp,DC=example".to_owned());
    let double = people(3, Misbehaviour { goes_on_at, ..Misbehaviour::default() }).await;
    let (seen, _) = read_all(&*connector(&double.url(), &[], None)).await;
    assert_eq!(seen.len(), 3);
}

#[tokio::test]
async fn names_that_cannot_be_looked_up_come_with_a_remedy() {
    let double = people(1, Misbehaviour::default()).await;
    let connector = connector(&double.url(), &[("SearchBase", "OU=Staff,DC=corp,DC=example")], None);
    let mut text = String::new();
    for id in ["CN=p0,CN=Users,DC=corp,DC=example", "CN=x,DC=other,DC=example", r"CN=\ZZ,DC=corp,DC=example"]
    {
        let request = usher_core::ports::SubjectRequest {
            object_type: "user".into(),
            id: id.into(),
            attributes: vec!["cn".into()],
            application: None,
        };
        text.push_str(&told(&connector.subject(&request).await.unwrap_err()));
    }
    expect![[r#"
        NotFound EntryNotFound: 'CN=p0,CN=Users,DC=corp,DC=example' lies outside of OU=Staff,DC=corp,DC=example, below which is read (SearchBase)
          help: name somebody below SearchBase, or give a SearchBase that holds the entry
        Rejected InvalidAnchor: 'CN=x,DC=other,DC=example' is in another domain than DC=corp,DC=example; connect to a server of that domain
          help: give the address of a server of that domain as BaseAddress, or name somebody of this one
        Rejected InvalidAnchor: 'CN=\ZZ,DC=corp,DC=example' is no distinguished name: after the backslash before character 5 belong two hexadecimal digits or a special character, not 'Z'
          help: name the subject as the directory does, such as CN=Adele,OU=Staff,DC=corp,DC=example; a special character in a name needs a backslash before it
    "#]].assert_eq(&text);
}

/// A server that shows a certificate of certain years, and goes. Returns its address and the authority.
fn shows_certificate(years: (i32, i32), name: &str) -> (String, String) {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let authority_key = KeyPair::generate().unwrap();
    let pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);
    let mut server = CertificateParams::new(vec![name.to_owned()]).unwrap();
    server.not_before = date_time_ymd(years.0, 1, 1);
    server.not_after = date_time_ymd(years.1, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = server.signed_by(&key, &issuer).unwrap();
    let chain = vec![CertificateDer::from_pem_slice(certificate.pem().as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = format!("ldaps://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        // The client ends the handshake; whatever comes of it here does not matter.
        let (mut stream, _) = listener.accept().unwrap();
        let mut tls = rustls::ServerConnection::new(Arc::new(config)).unwrap();
        let _ = tls.complete_io(&mut stream);
    });
    (address, pem)
}

#[tokio::test]
async fn certificates_out_of_their_time_or_place_are_told_apart() {
    let mut text = String::new();
    for (years, name) in
        [((2001, 2002), "127.0.0.1"), ((4000, 4001), "127.0.0.1"), ((2001, 4001), "dc1.corp.example")]
    {
        let (address, authority) = shows_certificate(years, name);
        let error = connector(&address, &[], Some(authority)).check(&probe("user", "x")).await.unwrap_err();
        text.push_str(&told(&error).replace(&address, "ADDRESS"));
    }
    let (address, _) = shows_certificate((2001, 4001), "127.0.0.1");
    let error = connector(&address, &[], None).check(&probe("user", "x")).await.unwrap_err();
    text.push_str(&told(&error).replace(&address, "ADDRESS"));
    expect![[r#"
        Unreachable SystemForCrossDomainIdentityManagementBadResponse: connect to ADDRESS: the server's certificate has expired
          help: renew the certificate of the server; if it is still valid, the clock of this machine is wrong
        Unreachable SystemForCrossDomainIdentityManagementBadResponse: connect to ADDRESS: the server's certificate is not valid yet
          help: look at the clocks of this machine and of the server; one of them is wrong
        Unreachable SystemForCrossDomainIdentityManagementBadResponse: connect to ADDRESS: the server's certificate is for another name than its address
          help: give the address with a name that the certificate holds, such as the full name of the server
        Unreachable SystemForCrossDomainIdentityManagementBadResponse: connect to ADDRESS: the server's certificate is not trusted; give its authority with --trust-ca
          help: start the service with --trust-ca and the certificate of the authority that signed the server's
    "#]].assert_eq(&text);
}
