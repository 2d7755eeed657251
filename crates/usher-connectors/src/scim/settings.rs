//! The settings of one SCIM connection: where, as whom, and in which dialect.

use std::num::NonZeroU32;

use url::Url;
use usher_core::Secret;
use usher_core::ports::{ConnectorError, ConnectorErrorKind, ConnectorSettings};

use super::request::{Dialect, ManagerForm, Shape};
use crate::Setting;
use crate::http::safe_address;

/// The settings, in the order of the reference.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        key: "BaseAddress",
        doc: "The address of the SCIM service, such as `https://app.example/scim/v2`; with `?aadOptscim062020` PATCH \
              requests follow RFC 7644. `membersPerRequest=N` (100) limits the members in one request, \
              `managerForm=object` sends the manager as an object.",
        is_secret: false,
        required: true,
    },
    Setting {
        key: "SecretToken",
        doc: "The bearer token of the service; not used when a token is asked for by client credentials.",
        is_secret: true,
        required: false,
    },
    Setting {
        key: "Oauth2TokenExchangeUri",
        doc: "Where tokens are asked for by OAuth client credentials; `?scope=…` names the scope.",
        is_secret: false,
        required: false,
    },
    Setting { key: "Oauth2ClientId", doc: "The client id for that.", is_secret: false, required: false },
    Setting {
        key: "Oauth2ClientSecret",
        doc: "The client secret for that.",
        is_secret: true,
        required: false,
    },
    Setting {
        key: "TargetRequestsPerSecond",
        doc: "The most requests a second that the service is sent; a setting of the job. Without it nothing limits \
              them but the service's own 429.",
        is_secret: false,
        required: false,
    },
];

/// Who we are at the service.
pub(crate) enum Credentials {
    /// Nobody.
    None,
    /// The holder of this token.
    Bearer(Secret),
    /// A client that asks for tokens.
    Client { url: Url, id: String, secret: Secret, scope: Option<String> },
}

/// The settings, checked.
pub(crate) struct ScimSettings {
    /// The base address without query and slash at the end.
    pub(crate) base: Url,
    /// What the base address carries besides our options: sent with every request.
    pub(crate) query: Vec<(String, String)>,
    /// How requests look.
    pub(crate) shape: Shape,
    /// Who we are.
    pub(crate) credentials: Credentials,
    /// The most requests a second.
    pub(crate) requests_per_second: Option<NonZeroU32>,
}

impl ScimSettings {
    /// Checks the settings; does not connect.
    pub(crate) fn read(settings: &ConnectorSettings) -> Result<Self, ConnectorError> {
        let address = text(settings, "BaseAddress").ok_or_else(|| {
            refused("the setting BaseAddress is missing; give the address of the SCIM service")
        })?;
        let mut base = safe_address(address)
            .map_err(|error| refused(format!("the setting BaseAddress cannot be used: {error}")))?;
        let mut shape = Shape::default();
        let mut query = Vec::new();
        for (name, value) in base.query_pairs() {
            match name.to_ascii_lowercase().as_str() {
                "aadoptscim062020" => shape.dialect = Dialect::Rfc7644,
                // The dialect that it asks for is the default.
                "azureadscimpatch2017" => {}
                "membersperrequest" => {
                    shape.members_per_request =
                        value.parse().ok().filter(|count| *count > 0).ok_or_else(|| {
                            refused("membersPerRequest in the BaseAddress must be a whole number above zero")
                        })?;
                }
                "managerform" => {
                    shape.manager = match value.to_ascii_lowercase().as_str() {
                        "text" => ManagerForm::Text,
                        "object" => ManagerForm::Object,
                        _ => return Err(refused("managerForm in the BaseAddress must be text or object")),
                    };
                }
                _ => query.push((name.into_owned(), value.into_owned())),
            }
        }
        shape.group_by_value = shape.dialect == Dialect::Rfc7644;
        base.set_query(None);
        base.set_fragment(None);
        let path = base.path().trim_end_matches('/').to_owned();
        base.set_path(&path);
        let requests_per_second = match text(settings, "TargetRequestsPerSecond") {
            None => None,
            Some(text) => Some(text.trim().parse().map_err(|_| {
                refused(format!("TargetRequestsPerSecond must be a whole number above zero, not '{text}'"))
            })?),
        };
        Ok(Self { base, query, shape, credentials: credentials(settings)?, requests_per_second })
    }
}

fn credentials(settings: &ConnectorSettings) -> Result<Credentials, ConnectorError> {
    let keys = ["Oauth2TokenExchangeUri", "Oauth2ClientId", "Oauth2ClientSecret"];
    match keys.map(|key| text(settings, key)) {
        [Some(url), Some(id), Some(secret)] => {
            let mut url = safe_address(url).map_err(|error| {
                refused(format!("the setting Oauth2TokenExchangeUri cannot be used: {error}"))
            })?;
            let scope =
                url.query_pairs().find(|(name, _)| name == "scope").map(|(_, scope)| scope.into_owned());
            let others: Vec<(String, String)> = url
                .query_pairs()
                .filter(|(name, _)| name != "scope")
                .map(|(k, v)| (k.into(), v.into()))
                .collect();
            url.set_query(None);
            if !others.is_empty() {
                url.query_pairs_mut().extend_pairs(others);
            }
            Ok(Credentials::Client { url, id: id.to_owned(), secret: Secret::new(secret), scope })
        }
        [None, None, _] | [_, None, None] => Ok(match text(settings, "SecretToken") {
            Some(token) => Credentials::Bearer(Secret::new(token)),
            None => Credentials::None,
        }),
        given => {
            let missing: Vec<&str> = keys
                .into_iter()
                .zip(given)
                .filter(|(_, value)| value.is_none())
                .map(|(key, _)| key)
                .collect();
            Err(refused(format!(
                "OAuth client credentials need {} too; without them leave the others out and give SecretToken",
                missing.join(" and ")
            )))
        }
    }
}

fn text<'a>(settings: &'a ConnectorSettings, key: &str) -> Option<&'a str> {
    settings.get(key).map(|value| value.expose().trim()).filter(|text| !text.is_empty())
}

fn refused(message: impl Into<String>) -> ConnectorError {
    ConnectorError::new(ConnectorErrorKind::Rejected, "Request_BadRequest", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(pairs: &[(&str, &str)], expected: &Expect) {
        let mut settings = ConnectorSettings::default();
        for (key, value) in pairs {
            settings.set(*key, Secret::new(*value));
        }
        let shown = match ScimSettings::read(&settings) {
            Err(error) => format!("{:?} {error}", error.kind),
            Ok(read) => format!(
                "{} {:?} {:?} {}",
                read.base,
                read.query,
                read.shape,
                match read.credentials {
                    Credentials::None => "nobody".to_owned(),
                    Credentials::Bearer(_) => "bearer".to_owned(),
                    Credentials::Client { url, id, scope, .. } =>
                        format!("client {id} at {url} for {scope:?}"),
                }
            ),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn the_flag_and_the_slash_are_taken_off_the_address() {
        check(
            &[("BaseAddress", "https://api.contoso.com/scim/?AADOptScim062020"), ("SecretToken", "t")],
            &expect![
                "https://api.contoso.com/scim [] Shape { dialect: Rfc7644, members_per_request: 100, manager: Text, group_by_value: true, removes_members_by_path: false, plain_groups: false } bearer"
            ],
        );
        check(
            &[("BaseAddress", "https://api.contoso.com"), ("secrettoken", "t")],
            &expect![
                "https://api.contoso.com/ [] Shape { dialect: Entra, members_per_request: 100, manager: Text, group_by_value: false, removes_members_by_path: false, plain_groups: false } bearer"
            ],
        );
    }

    #[test]
    fn options_are_read_and_what_is_the_service_s_own_stays() {
        check(
            &[(
                "BaseAddress",
                "http://localhost:8080/scim?tenant=7&AzureAdScimPatch2017&membersPerRequest=20&managerForm=Object",
            )],
            &expect![[
                r#"http://localhost:8080/scim [("tenant", "7")] Shape { dialect: Entra, members_per_request: 20, manager: Object, group_by_value: false, removes_members_by_path: false, plain_groups: false } nobody"#
            ]],
        );
    }

    #[test]
    fn settings_that_cannot_work_are_refused_with_a_remedy() {
        check(
            &[],
            &expect!["Rejected the setting BaseAddress is missing; give the address of the SCIM service"],
        );
        check(
            &[("BaseAddress", "http://app.example/scim")],
            &expect![
                "Rejected the setting BaseAddress cannot be used: it must begin with https://; plain http is spoken only with this machine (localhost, 127.0.0.1)"
            ],
        );
        check(
            &[("BaseAddress", "https://app.example"), ("Oauth2ClientId", "a"), ("Oauth2ClientSecret", "b")],
            &expect![
                "Rejected OAuth client credentials need Oauth2TokenExchangeUri too; without them leave the others out and give SecretToken"
            ],
        );
        check(
            &[("BaseAddress", "https://app.example?membersPerRequest=0")],
            &expect!["Rejected membersPerRequest in the BaseAddress must be a whole number above zero"],
        );
        check(
            &[("BaseAddress", "https://app.example"), ("TargetRequestsPerSecond", "0")],
            &expect!["Rejected TargetRequestsPerSecond must be a whole number above zero, not '0'"],
        );
    }

    #[test]
    fn client_credentials_go_before_a_token() {
        check(
            &[
                ("BaseAddress", "https://app.example"),
                ("SecretToken", "t"),
                ("Oauth2ClientId", "a"),
                ("Oauth2ClientSecret", "b"),
                ("Oauth2TokenExchangeUri", "https://login.example/token?scope=scim.write&x=1"),
            ],
            &expect![[
                r#"https://app.example/ [] Shape { dialect: Entra, members_per_request: 100, manager: Text, group_by_value: false, removes_members_by_path: false, plain_groups: false } client a at https://login.example/token?x=1 for Some("scim.write")"#
            ]],
        );
    }
}
