//! The contract of targets.

use usher_testkit::servers::{Samba, Slapd, SlapdOptions};
use usher_testkit::suites::connector::{self, Vocabulary};

use crate::support::*;

#[tokio::test]
async fn active_directory_obeys_the_contract() {
    let samba = Samba::start().await.unwrap();
    connector::run(&*domain(&samba, &[]), Vocabulary::ACTIVE_DIRECTORY, "a-").await;
}

#[tokio::test]
async fn openldap_obeys_the_contract() {
    let slapd = Slapd::start(&SlapdOptions::default()).await.unwrap();
    let settings = [("NamingAttribute", "uid"), ("SyncAgentADContainer", "ou=people,dc=example,dc=org")];
    connector::run(&*people(&slapd, &settings), Vocabulary::LDAP, "a-").await;
}
