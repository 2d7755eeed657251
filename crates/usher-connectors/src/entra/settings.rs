//! The settings of one connection to a tenant: which cloud, which tenant, as whom.

use url::Url;
use usher_core::Secret;
use usher_core::ports::{ConnectorError, ConnectorErrorKind, ConnectorSettings};

use crate::Setting;
use crate::graph::{CLOUDS, Cloud};
use crate::http::safe_address;
use crate::identity::{self, Authority, SignIn};

const fn setting(key: &'static str, is_secret: bool, required: bool, doc: &'static str) -> Setting {
    Setting { key, doc, is_secret, required }
}

/// The settings, in the order of the reference.
pub(super) const SETTINGS: &[Setting] = &[
    setting("TenantId", false, true, "The tenant: its id, or a domain of it."),
    setting("Environment", false, false, "The cloud: `Global` (without it), `USGov`, `USGovDoD` or `China`."),
    setting(
        "GraphAddress",
        false,
        false,
        "The address of Microsoft Graph in a cloud that is not published, without version.",
    ),
    setting(
        "Authority",
        false,
        false,
        "The address of the authority that gives tokens, where it is not the cloud's own.",
    ),
    setting(
        "SignIn",
        false,
        false,
        "How to sign in: `ClientSecret`, `ClientCertificate`, `WorkloadIdentity`, `ManagedIdentity`, `AzureCli`, \
         `Environment` or `AccessToken`. Without it what is given decides.",
    ),
    setting("ClientId", false, false, "The application (client) id; of a managed identity, the one to take."),
    setting("ClientSecret", true, false, "A client secret of the application."),
    setting(
        "ClientCertificate",
        true,
        false,
        "A certificate of the application and its private key, both in one PEM text.",
    ),
    setting("AccessToken", true, false, "A bearer token that somebody else got; good for about an hour."),
    setting(
        "ServicePrincipalId",
        false,
        false,
        "As a source: the object id of the enterprise application in the tenant whose assignments count. Needed, \
         unless the job takes everybody (`SyncAll`) or is of an application of the tenant itself.",
    ),
    setting(
        "RestoreDeletedUsers",
        false,
        false,
        "As a target: `True` brings back a user that matches in the recycle bin, in place of making a new one.",
    ),
];

/// The settings, checked.
pub(super) struct EntraSettings {
    /// The address of Graph, without version.
    pub(super) graph: Url,
    pub(super) authority: Authority,
    pub(super) sign_in: SignIn,
    pub(super) service_principal: Option<String>,
    /// Everybody is taken, assigned or not (`SyncAll`).
    pub(super) takes_all: bool,
    /// Matching looks into the recycle bin, too.
    pub(super) restores: bool,
}

impl EntraSettings {
    pub(super) fn read(settings: &ConnectorSettings) -> Result<Self, ConnectorError> {
        let text = |key: &str| {
            settings.get(key).map(|value| value.expose().trim().to_owned()).filter(|text| !text.is_empty())
        };
        let cloud = match text("Environment") {
            None => CLOUDS[0],
            Some(name) => Cloud::named(&name).ok_or_else(|| {
                let known: Vec<&str> = CLOUDS.iter().map(|cloud| cloud.name).collect();
                rejected(format!(
                    "there is no Environment '{name}'; there are {}, and GraphAddress with Authority for any other",
                    known.join(", ")
                ))
            })?,
        };
        let address = |key: &str, other: &str| {
            safe_address(text(key).as_deref().unwrap_or(other))
                .map_err(|error| rejected(format!("the setting {key} cannot be used: {error}")))
        };
        let graph = address("GraphAddress", cloud.graph)?;
        if text("GraphAddress").is_some() && text("Authority").is_none() {
            // Credentials for one cloud must not be shown to another.
            return Err(rejected(
                "GraphAddress needs Authority too: the address that gives tokens for it".to_owned(),
            ));
        }
        let tenant = text("TenantId").ok_or_else(|| {
            rejected(
                "the setting TenantId is missing; give the id of the tenant or a domain of it".to_owned(),
            )
        })?;
        let authority = Authority { address: address("Authority", cloud.authority)?, tenant };
        let secret = |key: &str| settings.get(key).filter(|value| !value.expose().trim().is_empty()).cloned();
        let sign_in = sign_in(
            text("SignIn").as_deref(),
            text("ClientId"),
            secret("ClientSecret"),
            secret("ClientCertificate"),
            secret("AccessToken"),
        )?;
        let restores = match text("RestoreDeletedUsers").map(|text| text.to_ascii_lowercase()).as_deref() {
            None | Some("false" | "0") => false,
            Some("true" | "1") => true,
            Some(other) => {
                return Err(rejected(format!(
                    "the setting RestoreDeletedUsers is True or False, not '{other}'"
                )));
            }
        };
        let takes_all =
            text("SyncAll").is_some_and(|text| ["true", "1"].contains(&text.to_ascii_lowercase().as_str()));
        Ok(Self {
            graph,
            authority,
            sign_in,
            service_principal: text("ServicePrincipalId"),
            takes_all,
            restores,
        })
    }
}

fn sign_in(
    way: Option<&str>,
    client_id: Option<String>,
    secret: Option<Secret>,
    certificate: Option<Secret>,
    token: Option<Secret>,
) -> Result<SignIn, ConnectorError> {
    let inferred = match (&token, &certificate, &secret) {
        (Some(_), _, _) => "AccessToken",
        (_, Some(_), _) => "ClientCertificate",
        (_, _, Some(_)) => "ClientSecret",
        _ => {
            return match way {
                Some(way) => without_credential(way, client_id),
                None => Err(rejected(
                    "nothing to sign in with; give ClientId with ClientSecret or ClientCertificate, or say by SignIn \
                     where the credential comes from"
                        .to_owned(),
                )),
            };
        }
    };
    let needs = |what: &str| rejected(format!("signing in by {what} needs the setting {what}"));
    let client = |id: Option<String>| {
        id.ok_or_else(|| {
            rejected("the setting ClientId is missing; give the application (client) id".to_owned())
        })
    };
    match way.unwrap_or(inferred).to_ascii_lowercase().as_str() {
        "accesstoken" => Ok(SignIn::Token(token.ok_or_else(|| needs("AccessToken"))?)),
        "clientcertificate" => Ok(SignIn::Certificate {
            client_id: client(client_id)?,
            pem: certificate.ok_or_else(|| needs("ClientCertificate"))?,
        }),
        "clientsecret" => Ok(SignIn::Secret {
            client_id: client(client_id)?,
            secret: secret.ok_or_else(|| needs("ClientSecret"))?,
        }),
        other => without_credential(other, client_id),
    }
}

/// The ways whose credential is this machine's. It goes to this machine's authority alone, whatever a job says.
fn without_credential(way: &str, client_id: Option<String>) -> Result<SignIn, ConnectorError> {
    match way.to_ascii_lowercase().as_str() {
        "workloadidentity" => Ok(SignIn::WorkloadIdentity),
        "managedidentity" => Ok(SignIn::ManagedIdentity { client_id }),
        "azurecli" => Ok(SignIn::AzureCli),
        "environment" => Ok(SignIn::Environment),
        "clientsecret" | "clientcertificate" | "accesstoken" => {
            Err(rejected(format!("signing in by {way} needs the setting {way}")))
        }
        _ => Err(rejected(format!(
            "there is no way to sign in called '{way}'; there are {}",
            identity::WAYS.join(", ")
        ))),
    }
}

fn rejected(message: String) -> ConnectorError {
    ConnectorError::new(ConnectorErrorKind::Rejected, "Request_BadRequest", message)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(pairs: &[(&str, &str)], expected: &Expect) {
        let mut settings = ConnectorSettings::default();
        for (key, value) in pairs {
            settings.set(*key, Secret::new(*value));
        }
        let text = match EntraSettings::read(&settings) {
            Ok(read) => format!(
                "{} by {}{} as {}",
                read.graph,
                read.authority.address,
                read.authority.tenant,
                read.sign_in.name()
            ),
            Err(error) => format!("{:?} {error}", error.kind),
        };
        expected.assert_eq(&text);
    }

    #[test]
    fn a_cloud_is_named_and_a_secret_is_enough() {
        check(
            &[("TenantId", "contoso.example"), ("ClientId", "c"), ("ClientSecret", "s")],
            &expect![
                "https://graph.microsoft.com/ by https://login.microsoftonline.com/contoso.example as ClientSecret"
            ],
        );
        check(
            &[
                ("TenantId", "t"),
                ("Environment", "usgovdod"),
                ("ClientId", "c"),
                ("ClientCertificate", "PEM"),
            ],
            &expect![
                "https://dod-graph.microsoft.us/ by https://login.microsoftonline.us/t as ClientCertificate"
            ],
        );
        check(
            &[("TenantId", "t"), ("SignIn", "ManagedIdentity")],
            &expect![
                "https://graph.microsoft.com/ by https://login.microsoftonline.com/t as ManagedIdentity"
            ],
        );
    }

    #[test]
    fn settings_that_cannot_work_are_refused_with_a_remedy() {
        check(
            &[],
            &expect!["Rejected the setting TenantId is missing; give the id of the tenant or a domain of it"],
        );
        check(
            &[("TenantId", "t")],
            &expect![
                "Rejected nothing to sign in with; give ClientId with ClientSecret or ClientCertificate, or say by SignIn where the credential comes from"
            ],
        );
        check(
            &[("TenantId", "t"), ("Environment", "Mars")],
            &expect![
                "Rejected there is no Environment 'Mars'; there are Global, USGov, USGovDoD, China, and GraphAddress with Authority for any other"
            ],
        );
        check(
            &[("TenantId", "t"), ("ClientSecret", "s")],
            &expect!["Rejected the setting ClientId is missing; give the application (client) id"],
        );
        check(
            &[("TenantId", "t"), ("SignIn", "Luck")],
            &expect![
                "Rejected there is no way to sign in called 'Luck'; there are ClientSecret, ClientCertificate, WorkloadIdentity, ManagedIdentity, AzureCli, Environment, AccessToken"
            ],
        );
        check(
            &[("TenantId", "t"), ("SignIn", "ClientSecret")],
            &expect!["Rejected signing in by ClientSecret needs the setting ClientSecret"],
        );
        check(
            &[("TenantId", "t"), ("AccessToken", "x"), ("RestoreDeletedUsers", "maybe")],
            &expect!["Rejected the setting RestoreDeletedUsers is True or False, not 'maybe'"],
        );
        check(
            &[("TenantId", "t"), ("GraphAddress", "https://graph.other.example"), ("AccessToken", "x")],
            &expect!["Rejected GraphAddress needs Authority too: the address that gives tokens for it"],
        );
    }
}
