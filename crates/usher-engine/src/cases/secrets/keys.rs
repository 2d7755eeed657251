//! The keys of synchronization secrets (Graph, synchronizationSecret): which may be shown, which say where credentials
//! go, and what their values may be.

use url::{Host, Url};
use usher_core::ports::{ConnectorSettings, StoredSecret};

use super::MASK;
use crate::prepared::{SOURCE, TARGET, of_side, settings};

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Never shown.
    Credential,
    /// Any text.
    Text,
    /// `true` or `false`.
    Flag,
    /// The name of what credentials are for: a domain, an instance, a company.
    Place,
    /// One or more addresses that credentials are sent to.
    Address,
    /// The notification settings as JSON text, the threshold of deletions among them.
    Notifications,
}

use Form::{Address, Credential, Flag, Notifications, Place, Text};

const KEYS: &[(&str, Form)] = &[
    ("UserName", Text),
    ("Password", Credential),
    ("SecretToken", Credential),
    ("AppKey", Credential),
    ("BaseAddress", Address),
    ("ClientIdentifier", Text),
    ("ClientSecret", Credential),
    ("SingleSignOnType", Text),
    ("Sandbox", Text),
    ("Url", Place),
    ("Domain", Place),
    ("ConsumerKey", Credential),
    ("ConsumerSecret", Credential),
    ("TokenKey", Credential),
    ("TokenExpiration", Credential),
    ("Oauth2AccessToken", Credential),
    ("Oauth2AccessTokenCreationTime", Credential),
    ("Oauth2RefreshToken", Credential),
    ("SyncAll", Flag),
    ("InstanceName", Place),
    ("Oauth2ClientId", Text),
    ("Oauth2ClientSecret", Credential),
    ("CompanyId", Place),
    ("UpdateKeyOnSoftDelete", Text),
    ("SynchronizationSchedule", Text),
    ("SystemOfRecord", Text),
    ("SandboxName", Text),
    ("EnforceDomain", Text),
    ("SyncNotificationSettings", Notifications),
    ("SkipOutOfScopeDeletions", Flag),
    ("Oauth2AuthorizationCode", Credential),
    ("Oauth2RedirectUri", Text),
    ("ApplicationTemplateIdentifier", Text),
    ("Oauth2TokenExchangeUri", Address),
    ("Oauth2AuthorizationUri", Address),
    ("AuthenticationType", Text),
    ("Server", Place),
    ("PerformInboundEntitlementGrants", Flag),
    ("HardDeletesEnabled", Flag),
    ("SyncAgentCompatibilityKey", Text),
    ("SyncAgentADContainer", Text),
    ("ValidateDomain", Text),
    ("TestReferences", Text),
    ("ConnectionString", Credential),
    ("SearchBase", Text),
    ("PageSize", Text),
    ("LeaversContainer", Text),
    ("NamingAttribute", Text),
    // Microsoft Entra ID: where credentials go, and as whom.
    ("Environment", Place),
    ("GraphAddress", Address),
    ("Authority", Address),
    ("TenantId", Place),
    ("SignIn", Place),
    ("ClientId", Text),
    ("ClientCertificate", Credential),
    ("AccessToken", Credential),
    ("ServicePrincipalId", Text),
];

fn form(key: &str) -> Option<Form> {
    let side = [SOURCE, TARGET]
        .into_iter()
        .find(|side| key.get(..side.len()).is_some_and(|start| start.eq_ignore_ascii_case(side)));
    let key = side.map_or(key, |side| &key[side.len()..]);
    KEYS.iter().find(|(known, _)| known.eq_ignore_ascii_case(key)).map(|(_, form)| *form)
}

/// Whether it is a published key.
pub(crate) fn is_published(key: &str) -> bool {
    form(key).is_some()
}

/// Whether the value of a secret key is never shown. Unknown keys are sensitive.
pub fn is_sensitive(key: &str) -> bool {
    form(key).is_none_or(|form| form == Credential)
}

/// The options of an address that may be shown, values included: how requests look, and what a token is for.
const OPTIONS: &[&str] =
    &["aadoptscim062020", "azureadscimpatch2017", "membersperrequest", "managerform", "scope"];

/// The value of a secret key as it is shown: credentials are the mask, and so is whatever the query of an address
/// carries, for any of it may be a credential.
pub fn masked(key: &str, value: &str) -> String {
    match form(key) {
        None | Some(Credential) => MASK.to_owned(),
        Some(Flag | Notifications) => value.to_owned(),
        Some(Text | Place | Address) => {
            let mut has_query = false;
            let parts = value.split_inclusive([' ', ',']).map(|part| {
                let address = part.trim_end_matches([' ', ',']);
                let end = &part[address.len()..];
                if !address.contains("://") {
                    // What follows a query without being an address is the rest of it.
                    return if has_query && !address.is_empty() {
                        format!("{MASK}{end}")
                    } else {
                        part.to_owned()
                    };
                }
                has_query |= address.contains(['?', '#']);
                masked_address(address) + end
            });
            parts.collect()
        }
    }
}

fn masked_address(address: &str) -> String {
    let (rest, fragment) = address.split_once('#').map_or((address, None), |(rest, more)| (rest, Some(more)));
    let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
    let mut shown = place.to_owned();
    if let Some(query) = query {
        let parameters = query.split('&').map(|parameter| match parameter.split_once('=') {
            _ if is_option(parameter) || parameter.is_empty() => parameter.to_owned(),
            Some((name, _)) if !name.is_empty() => format!("{name}={MASK}"),
            _ => MASK.to_owned(),
        });
        shown.push('?');
        shown.push_str(&parameters.collect::<Vec<_>>().join("&"));
    }
    if fragment.is_some() {
        shown.push('#');
        shown.push_str(MASK);
    }
    shown
}

fn is_option(parameter: &str) -> bool {
    let name = parameter.split('=').next().unwrap_or_default();
    OPTIONS.iter().any(|option| option.eq_ignore_ascii_case(name))
}

/// Whether a value is an address with the mask in it.
pub(super) fn has_mask(key: &str, value: &str) -> bool {
    let may_be_address = matches!(form(key), Some(Text | Place | Address));
    may_be_address && value.contains("://") && value.contains(MASK)
}

/// Whether it is a published credential.
pub fn is_credential(key: &str) -> bool {
    form(key) == Some(Credential)
}

/// Whether it says where credentials are sent to.
pub(crate) fn is_address(key: &str) -> bool {
    form(key) == Some(Address)
}

/// What is wrong with a value, if anything is. Nothing of the value is repeated.
pub(super) fn fault(key: &str, value: &str) -> Option<&'static str> {
    let value = value.trim();
    if value.is_empty() {
        return None;
    }
    match form(key)? {
        Credential | Text | Place => None,
        Flag => {
            let is_flag = ["true", "false", "1", "0"].iter().any(|word| word.eq_ignore_ascii_case(value));
            (!is_flag).then_some("must be true or false")
        }
        Address => addresses(value).find_map(address_fault),
        Notifications => notifications_fault(value),
    }
}

/// Several addresses stand with blanks or commas between.
fn addresses(value: &str) -> impl Iterator<Item = &str> {
    value.split([' ', ',']).filter(|address| !address.is_empty())
}

fn address_fault(address: &str) -> Option<&'static str> {
    let url = Url::parse(address).ok().filter(|url| url.host().is_some());
    let Some(url) = url else {
        return Some(
            "must be an address, such as https://app.example/scim, or ldaps://dc1.corp.example for a directory service",
        );
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Some("must not hold a user name or a password; give them in secrets of their own");
    }
    match url.scheme() {
        "https" | "ldaps" | "ldap" => None,
        "http" if is_here(&url) => None,
        "http" => Some("must begin with https://; plain http is spoken only with this machine itself"),
        _ => Some("must begin with https:// or, for directory services, with ldaps:// or ldap://"),
    }
}

fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost") || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn notifications_fault(value: &str) -> Option<&'static str> {
    use serde_json::Value;
    let Ok(Value::Object(settings)) = serde_json::from_str(value) else {
        return Some("must be a JSON object as text, such as {\"Enabled\":false}");
    };
    let is_flag = |value: &Value| {
        value.is_boolean() || value.as_str().is_some_and(|text| fault("SyncAll", text).is_none())
    };
    let is_on = |value: &Value| {
        value == &Value::Bool(true) || value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true"))
    };
    let enabled = settings.get("DeleteThresholdEnabled").filter(|value| !value.is_null());
    if !enabled.is_none_or(is_flag) {
        return Some("must have true or false for DeleteThresholdEnabled");
    }
    let threshold = settings.get("DeleteThresholdValue").filter(|value| !value.is_null());
    let is_number = threshold
        .is_none_or(|value| value.as_u64().or_else(|| value.as_str()?.trim().parse::<u64>().ok()).is_some());
    if !is_number {
        return Some("must have a whole number, not below zero, for DeleteThresholdValue");
    }
    // A guard that is switched on without a number would guard nothing.
    (enabled.is_some_and(is_on) && threshold.is_none())
        .then_some("must have DeleteThresholdValue when DeleteThresholdEnabled is true")
}

/// Whether a new set of secrets sends credentials anywhere that the old one did not, on either side of a job. Whoever
/// may change an address must not learn, by changing it, what is stored for the old one.
pub(super) fn leads_elsewhere(old: &[StoredSecret], new: &[StoredSecret]) -> bool {
    [SOURCE, TARGET].into_iter().any(|side| {
        let (old, new) = (of_side(&settings(old), side), of_side(&settings(new), side));
        KEYS.iter().filter(|(_, form)| matches!(form, Address | Place)).any(|(key, _)| {
            let known = places(&old, key);
            places(&new, key).iter().any(|place| !known.contains(place))
        })
    })
}

/// The places that a key names: the origins of addresses, other texts as they are.
fn places(settings: &ConnectorSettings, key: &str) -> Vec<String> {
    addresses(settings.get(key).map_or("", |value| value.expose().trim()))
        .map(|address| match Url::parse(address) {
            Ok(url) if url.host().is_some() => format!(
                "{}://{}:{}",
                url.scheme(),
                url.host_str().unwrap_or_default(),
                url.port_or_known_default().unwrap_or_default()
            ),
            _ => address.to_lowercase(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use usher_core::Secret;

    use super::*;

    fn set(pairs: &[(&str, &str)]) -> Vec<StoredSecret> {
        pairs
            .iter()
            .map(|(key, value)| StoredSecret { key: (*key).to_owned(), value: Secret::new(*value) })
            .collect()
    }

    #[test]
    fn a_new_origin_leads_elsewhere_and_a_new_path_does_not() {
        let old = set(&[("BaseAddress", "https://a.test/scim"), ("Domain", "contoso")]);
        for (new, elsewhere) in [
            (&[("BaseAddress", "https://A.test:443/scim/v2?aadOptscim062020")] as &[_], false),
            (&[("SyncAll", "true")], false),
            (&[("baseaddress", "")], false),
            (&[("BaseAddress", "https://a.test.evil.test/scim")], true),
            (&[("BaseAddress", "https://a.test:8443/scim")], true),
            (&[("BaseAddress", "http://a.test/scim")], true),
            (&[("BaseAddress", "https://a.test/scim https://evil.test")], true),
            (&[("BaseAddress", "https://a.test@evil.test/")], true),
            (&[("Oauth2TokenExchangeUri", "https://a.test/token")], true),
            (&[("Domain", "Contoso")], false),
            (&[("Domain", "fabrikam")], true),
        ] {
            assert_eq!(leads_elsewhere(&old, &set(new)), elsewhere, "{new:?}");
        }
        let sides = set(&[("BaseAddress", "https://a.test"), ("Source.BaseAddress", "https://hr.test")]);
        for (new, elsewhere) in [
            (
                &[("BaseAddress", "https://a.test"), ("Source.BaseAddress", "https://hr.test/x")] as &[_],
                false,
            ),
            (&[("Target.BaseAddress", "https://a.test"), ("source.baseaddress", "https://hr.test")], false),
            (&[("BaseAddress", "https://a.test"), ("Source.BaseAddress", "https://evil.test")], true),
            (&[("BaseAddress", "https://a.test"), ("Target.BaseAddress", "https://hr.test")], true),
            (&[("BaseAddress", "https://a.test")], true),
        ] {
            assert_eq!(leads_elsewhere(&sides, &set(new)), elsewhere, "{new:?}");
        }
        for (key, value) in [
            ("Authority", "https://evil.test"),
            ("GraphAddress", "https://evil.test"),
            ("TenantId", "evil.test"),
            ("Environment", "China"),
            ("Target.BaseAddress", "https://evil.test/scim"),
            ("Source.Authority", "https://evil.test"),
        ] {
            let new = set(&[("BaseAddress", "https://a.test/scim"), ("Domain", "contoso"), (key, value)]);
            assert!(leads_elsewhere(&old, &new), "{key} leads elsewhere");
        }
        assert!(leads_elsewhere(&[], &old), "what was stored without an address belongs to no address");
    }

    #[test]
    fn values_that_would_be_misread_are_faults() {
        for (key, value, is_fault) in [
            ("SyncAll", "banana", true),
            ("SyncAll", "False", false),
            ("SyncAll", "", false),
            ("BaseAddress", "file:///etc/passwd", true),
            ("BaseAddress", "http://10.0.0.1/", true),
            ("BaseAddress", "https://me:hush@app.example/", true),
            ("BaseAddress", "app.example", true),
            ("BaseAddress", "http://127.0.0.1:8080/scim", false),
            ("BaseAddress", "ldaps://dc1.corp.example ldaps://dc2.corp.example", false),
            ("SyncNotificationSettings", "{not json", true),
            ("SyncNotificationSettings", "[]", true),
            ("SyncNotificationSettings", "{\"DeleteThresholdEnabled\":true}", true),
            (
                "SyncNotificationSettings",
                "{\"DeleteThresholdEnabled\":true,\"DeleteThresholdValue\":\"abc\"}",
                true,
            ),
            (
                "SyncNotificationSettings",
                "{\"DeleteThresholdEnabled\":true,\"DeleteThresholdValue\":-1}",
                true,
            ),
            ("SyncNotificationSettings", "{\"Enabled\":false,\"DeleteThresholdEnabled\":false}", false),
            (
                "SyncNotificationSettings",
                "{\"DeleteThresholdEnabled\":\"True\",\"DeleteThresholdValue\":\"500\"}",
                false,
            ),
            ("SecretToken", "anything at all", false),
        ] {
            assert_eq!(fault(key, value).is_some(), is_fault, "{key}={value}");
        }
    }

    #[test]
    fn what_an_address_carries_is_masked_and_its_options_are_not() {
        for (key, value, shown) in [
            ("BaseAddress", "https://a.test/scim", "https://a.test/scim"),
            ("BaseAddress", "https://a.test/scim?token=abc", "https://a.test/scim?token=*****"),
            (
                "Target.BaseAddress",
                "https://a.test?aadOptscim062020&abc&membersPerRequest=5&=x#y",
                "https://a.test?aadOptscim062020&*****&membersPerRequest=5&*****#*****",
            ),
            ("Url", "https://a.test?x=1,2 3", "https://a.test?x=*****,***** *****"),
            ("BaseAddress", "ldaps://a.test, ldaps://b.test", "ldaps://a.test, ldaps://b.test"),
            ("SearchBase", "OU=a, DC=b?c", "OU=a, DC=b?c"),
            ("SecretToken", "https://a.test", MASK),
            ("Unheard", "x", MASK),
            ("SyncAll", "true", "true"),
        ] {
            assert_eq!(masked(key, value), shown, "{key}={value}");
            assert_eq!(masked(key, shown), shown, "what is masked stays as it is");
        }
    }

    #[test]
    fn whoever_is_not_known_is_sensitive() {
        assert!(is_sensitive("SecretToken") && is_sensitive("password") && is_sensitive("Unheard"));
        assert!(!is_sensitive("baseaddress") && !is_sensitive("SyncAll"));
    }
}
