//! Result codes and Active Directory's diagnostic codes, as failures with a remedy in words (RFC 4511 §4.1.9).

use std::time::Duration;

use ldap3::{LdapError, LdapResult};
use usher_core::ports::{ConnectorError, ConnectorErrorKind, Effect};

use ConnectorErrorKind::{
    AlreadyExists, Conflict, NotFound, Protocol, Rejected, Throttled, Unauthorised, Unreachable, Unsupported,
};

/// Result codes: kind, published error code, and what to do.
const CODES: &[(u32, ConnectorErrorKind, &str, &str)] = &[
    (1, Protocol, BAD_RESPONSE, "operationsError: check the containers and the account that is bound"),
    (2, Protocol, BAD_RESPONSE, "protocolError: the server does not understand the request"),
    (3, Unreachable, "Timeout", "timeLimitExceeded: the attribute that is searched for may need an index"),
    (4, Rejected, BAD_RESPONSE, "sizeLimitExceeded: allow the account more entries, or paged searches"),
    (7, Unauthorised, "Unauthorized", "authMethodNotSupported: allow simple binds over TLS"),
    (8, Unauthorised, "Unauthorized", "strongerAuthRequired: the server wants TLS; give an ldaps:// address"),
    (10, Rejected, BAD_RESPONSE, "referral: another server holds what was asked for"),
    (
        11,
        Rejected,
        BAD_RESPONSE,
        "adminLimitExceeded: the request asks too much of the server at once; a smaller PageSize may help",
    ),
    (12, Unsupported, "NotImplemented", "unavailableCriticalExtension: the server lacks a control"),
    (
        13,
        Unauthorised,
        "Unauthorized",
        "confidentialityRequired: give an ldaps:// address, or allow StartTLS",
    ),
    (
        16,
        Rejected,
        "AttributeValidationFailed",
        "noSuchAttribute: the directory does not know the attribute, or the value is not there",
    ),
    (
        17,
        Rejected,
        "AttributeValidationFailed",
        "undefinedAttributeType: the directory does not know the attribute",
    ),
    (
        19,
        Rejected,
        "AttributeValidationFailed",
        "constraintViolation: the value is too long, not unique, or against a policy",
    ),
    (20, AlreadyExists, BAD_RESPONSE, "attributeOrValueExists: the value is there already"),
    (
        21,
        Rejected,
        "AttributeValidationFailed",
        "invalidAttributeSyntax: the value does not have the form that the attribute needs; empty texts are not allowed",
    ),
    (
        32,
        NotFound,
        "EntryNotFound",
        "noSuchObject: the entry, its container or an entry it refers to is not there",
    ),
    (34, Rejected, "InvalidAnchor", "invalidDNSyntax: the distinguished name is malformed"),
    (48, Unauthorised, "Unauthorized", "inappropriateAuthentication: give a user name with its password"),
    (49, Unauthorised, "Unauthorized", "invalidCredentials: the user name or the password is wrong"),
    (
        50,
        Unauthorised,
        "InsufficientRights",
        "insufficientAccessRights: grant the account rights on the container; entries of administrators are protected (adminCount)",
    ),
    (51, Throttled, "TooManyRequests", "busy: the server has too much to do"),
    (52, Unreachable, BAD_RESPONSE, "unavailable: the server is shutting down or not ready"),
    (
        53,
        Rejected,
        "AttributeValidationFailed",
        "unwillingToPerform: passwords need TLS and the domain's policy; some attributes belong to the system",
    ),
    (64, Rejected, "AttributeValidationFailed", "namingViolation: the entry cannot have this name here"),
    (65, Rejected, "AttributeValidationFailed", "objectClassViolation: a mandatory attribute is missing"),
    (66, Rejected, BAD_RESPONSE, "notAllowedOnNonLeaf: the entry has entries below it"),
    (67, Rejected, BAD_RESPONSE, "notAllowedOnRDN: the name is changed by renaming"),
    (68, AlreadyExists, "Conflict", "entryAlreadyExists: the name or a unique value is taken"),
    (71, Unsupported, "NotImplemented", "affectsMultipleDSAs: moves between domains are not supported"),
    (80, Conflict, BAD_RESPONSE, "other: see what the server said"),
    (4096, NotFound, "InvalidWatermark", "e-syncRefreshRequired: everything must be read again"),
];

const BAD_RESPONSE: &str = "SystemForCrossDomainIdentityManagementBadResponse";

/// Why a bind failed, as Active Directory tells in the `data` of its message.
const BINDS: &[(&str, &str)] = &[
    ("525", "there is no such user"),
    ("52e", "the user name or the password is wrong"),
    ("52f", "a restriction of the account forbids it"),
    ("530", "the account may not sign in at this hour"),
    ("531", "the account may not sign in from this machine"),
    ("532", "the account's password has expired"),
    ("533", "the account is disabled"),
    ("534", "the account may not sign in in this way"),
    ("568", "the account is a member of too many groups"),
    ("701", "the account has expired"),
    ("773", "the account's password must be changed first"),
    ("775", "the account is locked"),
];

/// A failure of the library, or an answer that is not success. `what` says what was tried; `is_write` that its effect is
/// in doubt when the answer was lost.
pub(super) fn failure(error: LdapError, what: &str, is_write: bool) -> ConnectorError {
    match error {
        LdapError::LdapResult { result } => refusal(&result, what),
        LdapError::Timeout { .. } => lost(error, "Timeout", &format!("{what}: no answer in time"), is_write),
        LdapError::FilterParsing => {
            ConnectorError::new(Rejected, BAD_RESPONSE, format!("{what}: the filter is malformed"))
        }
        LdapError::Rustls { .. } | LdapError::DNSName { .. } => {
            lost(error, BAD_RESPONSE, &format!("{what}: TLS failed"), false)
        }
        other => match certificate(&other) {
            Some((reason, remedy)) => ConnectorError {
                remedy: Some(remedy),
                ..lost(other, BAD_RESPONSE, &format!("{what}: {reason}"), false)
            },
            None => {
                let message = match &other {
                    LdapError::Io { source } => format!("{what}: the connection failed ({})", source.kind()),
                    _ => format!("{what}: the connection failed"),
                };
                lost(other, BAD_RESPONSE, &message, is_write)
            }
        },
    }
}

/// What is wrong with the certificate of a server, and what to do, when that is why there is no connection.
fn certificate(error: &LdapError) -> Option<(&'static str, &'static str)> {
    use rustls::CertificateError as Wrong;
    const UNTRUSTED: (&str, &str) = (
        "the server's certificate is not trusted; give its authority with --trust-ca",
        "start the service with --trust-ca and the certificate of the authority that signed the server's",
    );
    let LdapError::Io { source } = error else { return None };
    let cause = source.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    let Some(rustls::Error::InvalidCertificate(wrong)) = cause else {
        return source.to_string().contains("certificate").then_some(UNTRUSTED);
    };
    Some(match wrong {
        Wrong::Expired | Wrong::ExpiredContext { .. } => (
            "the server's certificate has expired",
            "renew the certificate of the server; if it is still valid, the clock of this machine is wrong",
        ),
        Wrong::NotValidYet | Wrong::NotValidYetContext { .. } => (
            "the server's certificate is not valid yet",
            "look at the clocks of this machine and of the server; one of them is wrong",
        ),
        Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => (
            "the server's certificate is for another name than its address",
            "give the address with a name that the certificate holds, such as the full name of the server",
        ),
        Wrong::Revoked => {
            ("the server's certificate is revoked", "give the server a new certificate, or another server")
        }
        _ => UNTRUSTED,
    })
}

/// Other servers hold a part of what was searched. What is read without them is not everything, and what would be
/// missing must not be taken for deleted.
pub(super) fn elsewhere(addresses: &[String], what: &str) -> ConnectorError {
    ConnectorError {
        detail: (!addresses.is_empty()).then(|| shortened(&addresses.join(" "))),
        remedy: Some(REFERRED),
        ..ConnectorError::new(
            Rejected,
            BAD_RESPONSE,
            format!("{what}: a part of it is on another server; {}", named(addresses)),
        )
    }
}

/// The container below which is read is not there.
pub(super) fn no_container(name: &str) -> ConnectorError {
    ConnectorError {
        remedy: Some(
            "correct SearchBase; when the container was renamed or moved, give its name as it is now",
        ),
        ..ConnectorError::new(
            Rejected,
            BAD_RESPONSE,
            format!("'{name}', below which is read (SearchBase), is not there; nobody is taken for gone"),
        )
    }
}

const REFERRED: &str =
    "give the address of a server that holds all of it, or a SearchBase that lies on this server alone";

/// The servers that addresses name, and nothing else of them.
fn named(addresses: &[String]) -> String {
    let mut hosts: Vec<String> = addresses
        .iter()
        .filter_map(|address| url::Url::parse(address).ok())
        .filter_map(|url| Some(format!("{}://{}", url.scheme(), url.host_str()?)))
        .collect();
    hosts.dedup();
    if hosts.is_empty() { "it does not say which".to_owned() } else { format!("see {}", hosts.join(", ")) }
}

fn lost(error: LdapError, code: &'static str, message: &str, is_write: bool) -> ConnectorError {
    ConnectorError {
        effect: if is_write { Effect::Unknown } else { Effect::None },
        detail: Some(error.to_string()),
        source: Some(Box::new(error)),
        ..ConnectorError::new(Unreachable, code, message)
    }
}

/// An answer that is not success.
pub(super) fn refusal(result: &LdapResult, what: &str) -> ConnectorError {
    let known = CODES.iter().find(|(code, ..)| *code == result.rc);
    let (kind, code, remedy) = known
        .map_or((Protocol, BAD_RESPONSE, "an unknown result"), |(_, kind, code, remedy)| {
            (*kind, *code, *remedy)
        });
    // A value that is taken comes as a violation of a constraint, told apart by the diagnostic code only.
    let (kind, code, remedy) = match (result.rc, diagnostic(&result.text)) {
        (19, Some("000021C7" | "000021C8" | "0000202F")) => (
            AlreadyExists,
            "Conflict",
            "constraintViolation: another entry has this value, which must be unique",
        ),
        _ => (kind, code, remedy),
    };
    let reason = if result.rc == 49 { bind_reason(&result.text) } else { None };
    let message = match reason {
        Some(reason) => format!("{what}: {reason}"),
        None => format!("{what}: {remedy}"),
    };
    // A password that the policy refuses is told apart from a channel that is not safe.
    let message = match diagnostic(&result.text) {
        Some("0000052D") => format!("{what}: the password is against the domain's policy"),
        _ => message,
    };
    let message = if result.rc == 10 { format!("{message}; {}", named(&result.refs)) } else { message };
    ConnectorError {
        detail: (!result.text.is_empty()).then(|| shortened(&result.text)),
        remedy: match (result.rc, reason) {
            (49, Some(remedy)) => bind_remedy(remedy),
            (7 | 8 | 13, _) => {
                Some("give an ldaps:// address, and the authority of its certificate with --trust-ca")
            }
            (10, _) => Some(REFERRED),
            (34, _) => {
                Some("correct the distinguished name; RFC 4514 says how special characters are written")
            }
            _ => None,
        },
        attribute: attribute(&result.text),
        retry_after: (kind == Throttled).then_some(Duration::from_secs(5)),
        ..ConnectorError::new(kind, code, format!("{message} ({})", result.rc))
    }
}

/// The Windows error code that Active Directory's messages begin with.
pub(super) fn diagnostic(text: &str) -> Option<&str> {
    let (code, _) = text.split_once(':')?;
    (code.len() == 8 && code.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(code)
}

fn bind_reason(text: &str) -> Option<&'static str> {
    let (_, rest) = text.split_once("data ")?;
    let data = rest.split([',', ' ']).next()?;
    BINDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(data)).map(|(_, reason)| *reason)
}

/// What to do about a failed bind, by its reason.
fn bind_remedy(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "the account is disabled" => "enable the account that signs in, or give another as UserName",
        "the account has expired" => {
            "set a later expiry for the account that signs in, or give another as UserName"
        }
        "the account's password has expired" | "the account's password must be changed first" => {
            "set a new password for the account that signs in, and give it as Password"
        }
        "the account is locked" => {
            "unlock the account that signs in, and look who tries it with a wrong password"
        }
        "the user name or the password is wrong" | "there is no such user" => {
            "give UserName and Password again; no other server was tried, so that the account is not locked"
        }
        _ => "let the account that signs in do so from here at any time, or give another as UserName",
    })
}

/// The attribute that a message names: `Att 9005a (unicodePwd)`.
fn attribute(text: &str) -> Option<smol_str::SmolStr> {
    let (_, rest) = text.split_once("Att ")?;
    let (_, rest) = rest.split_once('(')?;
    let (name, _) = rest.split_once(')')?;
    Some(name.into())
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 400;
    text.trim_end_matches('\0').trim().chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(rc: u32, text: &str) -> LdapResult {
        LdapResult { rc, matched: String::new(), text: text.to_owned(), refs: Vec::new(), ctrls: Vec::new() }
    }

    #[test]
    fn failed_binds_are_told_apart() {
        let text = |data: &str| {
            format!(
                "80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data {data}, v4563"
            )
        };
        for (data, says) in [
            ("52e", "the password is wrong"),
            ("532", "has expired"),
            ("533", "is disabled"),
            ("773", "must be changed"),
            ("775", "is locked"),
            ("701", "the account has expired"),
            ("525", "no such user"),
            ("999", "invalidCredentials"),
        ] {
            let error = refusal(&result(49, &text(data)), "sign in");
            assert_eq!((error.kind, error.code.as_str()), (Unauthorised, "Unauthorized"));
            assert!(error.message.contains(says), "{}", error.message);
        }
    }

    #[test]
    fn refusals_have_kinds_codes_and_remedies() {
        for (rc, text, kind, says) in [
            (68, "00000524: UpdErr: DSID-0, problem 6005 (ENTRY_EXISTS), data 0", AlreadyExists, "is taken"),
            (53, "0000052D: SvcErr: DSID-0, problem 5003 (WILL_NOT_PERFORM)", Rejected, "policy"),
            (
                19,
                "00000056: AtrErr: DSID-0, #1:\n\t0: 00000056: Att 9005a (unicodePwd)",
                Rejected,
                "too long",
            ),
            (19, "000021C8: AtrErr: DSID-0, Att 90290 (userPrincipalName)", AlreadyExists, "must be unique"),
            (32, "0000208D: NameErr", NotFound, "not there"),
            (51, "", Throttled, "too much to do"),
            (9_999, "", Protocol, "unknown result (9999)"),
        ] {
            let error = refusal(&result(rc, text), "x");
            assert_eq!(error.kind, kind, "{rc}");
            assert!(error.message.contains(says), "{}", error.message);
        }
        let error = refusal(&result(19, "00000056: AtrErr: 0: Att 9005a (unicodePwd)"), "x");
        assert_eq!(error.attribute.as_deref(), Some("unicodePwd"));
    }
}
