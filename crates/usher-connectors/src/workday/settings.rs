//! The settings of one Workday connection: where, as whom, in which version, and what is known to go wrong with them.

use url::Url;
use usher_core::Secret;
use usher_core::ports::{ConnectorError, ConnectorErrorKind, ConnectorSettings};

use crate::Setting;
use crate::http::safe_address;

/// The version of a tenant's address that names none.
const OLDEST: &str = "v21.1";
/// The first version with `Worker_Job_Data`.
const NEW_SHAPE: f64 = 30.0;
/// How many workers a page asks for; what is published of the original.
const COUNT: u64 = 30;
/// The most that the service gives.
const MOST: u64 = 999;

const fn setting(key: &'static str, is_secret: bool, required: bool, doc: &'static str) -> Setting {
    Setting { key, doc, is_secret, required }
}

/// The settings, in the order of the reference.
pub(crate) const SETTINGS: &[Setting] = &[
    setting(
        "BaseAddress",
        false,
        true,
        "The tenant's web services address, `https://HOST/ccx/service/TENANT`, with or without \
         `/Human_Resources/vNN.N`. Without a version v21.1 is spoken.",
    ),
    setting("UserName", false, true, "The integration system user, `name@tenant`."),
    setting("Password", true, true, "Its password."),
    setting(
        "WorkersPerPage",
        false,
        false,
        "How many workers a page asks for, 1 to 999; 30 without it. A setting of the job.",
    ),
    setting(
        "LookaheadQueryEnabled",
        false,
        false,
        "`True`: what becomes effective within the next 24 hours is read too, so that terminations of people ahead of \
         Pacific time come in time. A setting of the job.",
    ),
];

/// The settings, checked.
#[derive(Clone)]
pub(super) struct WorkdaySettings {
    pub(super) endpoint: Url,
    /// As requests carry it, such as `v43.0`.
    pub(super) version: String,
    pub(super) user: String,
    pub(super) password: Secret,
    pub(super) count: u64,
    pub(super) looks_ahead: bool,
    /// What is known to go wrong with such settings.
    pub(super) warnings: Vec<String>,
}

impl WorkdaySettings {
    pub(super) fn read(settings: &ConnectorSettings) -> Result<Self, ConnectorError> {
        let text = |key: &str| {
            settings.get(key).map(|value| value.expose().trim().to_owned()).filter(|text| !text.is_empty())
        };
        let needed = |key: &str| text(key).ok_or_else(|| rejected(format!("the secret '{key}' is missing")));
        let (endpoint, version) = endpoint(&needed("BaseAddress")?)?;
        let user = needed("UserName")?;
        needed("Password")?;
        let count = match text("WorkersPerPage") {
            None => COUNT,
            Some(text) => text
                .parse()
                .ok()
                .filter(|count| (1..=MOST).contains(count))
                .ok_or_else(|| rejected(format!("'WorkersPerPage' must be 1 to {MOST}, not '{text}'")))?,
        };
        let tenant = endpoint.path_segments().and_then(|mut parts| parts.nth(2)).unwrap_or_default();
        let warnings = match user.split_once('@') {
            None => vec![format!(
                "the user name '{user}' names no tenant; Workday expects the form name@{tenant}"
            )],
            Some((_, of)) if !of.eq_ignore_ascii_case(tenant) => vec![format!(
                "the user name '{user}' is of another tenant than the address, which names '{tenant}'"
            )],
            Some(_) => Vec::new(),
        };
        Ok(Self {
            version,
            user,
            password: settings.get("Password").cloned().unwrap_or_else(|| Secret::new("")),
            count,
            looks_ahead: text("LookaheadQueryEnabled")
                .is_some_and(|text| matches!(text.to_ascii_lowercase().as_str(), "true" | "1")),
            warnings,
            endpoint,
        })
    }
}

/// Completes an address and says which version it speaks.
fn endpoint(address: &str) -> Result<(Url, String), ConnectorError> {
    let wrong = |why: &str| rejected(format!("the secret 'BaseAddress' cannot be used: {why}"));
    let mut url = safe_address(address).map_err(|error| wrong(&error.to_string()))?;
    url.set_query(None);
    url.set_fragment(None);
    let parts: Vec<String> = url
        .path_segments()
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect();
    let form = "give it as https://HOST/ccx/service/TENANT or \
                https://HOST/ccx/service/TENANT/Human_Resources/vNN.N";
    let (tenant, rest) = match parts.as_slice() {
        [ccx, service, tenant, rest @ ..] if ccx == "ccx" && service == "service" => (tenant, rest),
        _ => return Err(wrong(form)),
    };
    let (service, version) = match rest {
        [] => ("Human_Resources", OLDEST),
        [service] => (service.as_str(), OLDEST),
        [service, version] => (service.as_str(), version.as_str()),
        _ => return Err(wrong(form)),
    };
    if service != "Human_Resources" {
        return Err(wrong(&format!("workers come from Human_Resources, not from {service}")));
    }
    if version_number(version).is_none() {
        return Err(wrong(&format!("'{version}' is no version such as v43.0")));
    }
    // The oldest version is spoken at the address that names none.
    url.set_path(&match rest.len() {
        2 => format!("/ccx/service/{tenant}/{service}/{version}"),
        _ => format!("/ccx/service/{tenant}/{service}"),
    });
    Ok((url, version.to_owned()))
}

fn version_number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('v')?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    digits.parse().ok().filter(|_| is_number)
}

/// The trap of versions: with expressions of the other shape, everything below the position comes back empty, and no
/// error tells. `None` when version and expressions fit.
pub fn mismatch<'a>(version: &str, expressions: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let is_new = version_number(version)? >= NEW_SHAPE;
    let (mut old_paths, mut new_paths) = (0, 0);
    for text in expressions {
        old_paths += usize::from(text.contains("wd:Employment_Data/wd:Position_Data"));
        new_paths += usize::from(text.contains("wd:Employment_Data/wd:Worker_Job_Data"));
    }
    match is_new {
        true if old_paths > 0 => Some(format!(
            "the address names {version}, but {old_paths} attributes use Employment_Data/Position_Data, which versions \
             since v30.0 leave empty without an error; take the expressions of v30.0"
        )),
        false if new_paths > 0 => Some(format!(
            "the address speaks {version}, but {new_paths} attributes use Employment_Data/Worker_Job_Data, which only \
             versions since v30.0 have; name a version in the address, such as …/Human_Resources/v43.0"
        )),
        _ => None,
    }
}

pub(super) fn rejected(message: String) -> ConnectorError {
    ConnectorError::new(ConnectorErrorKind::Rejected, "AttributeValidationFailed", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Result<WorkdaySettings, String> {
        let mut settings = ConnectorSettings::default();
        for (key, value) in pairs {
            settings.set(*key, Secret::new(*value));
        }
        WorkdaySettings::read(&settings).map_err(|error| error.to_string())
    }

    fn at(address: &str) -> Result<(String, String), String> {
        settings(&[("BaseAddress", address), ("UserName", "isu@acme"), ("Password", "p")])
            .map(|settings| (settings.endpoint.to_string(), settings.version))
    }

    #[test]
    fn what_an_address_leaves_out_is_added() {
        for (rest, endpoint, version) in [
            ("", "Human_Resources", "v21.1"),
            ("/", "Human_Resources", "v21.1"),
            ("/Human_Resources", "Human_Resources", "v21.1"),
            ("/Human_Resources/v43.0?wsdl", "Human_Resources/v43.0", "v43.0"),
        ] {
            let expected = (format!("https://h.example/ccx/service/acme/{endpoint}"), version.to_owned());
            assert_eq!(at(&format!("https://h.example/ccx/service/acme{rest}")), Ok(expected), "{rest}");
        }
    }

    #[test]
    fn what_is_no_such_address_is_refused() {
        for (address, word) in [
            ("http://h.example/ccx/service/acme", "https://"),
            ("https://h.example/acme", "give it as"),
            ("https://h.example/ccx/service/acme/Staffing/v43.0", "Human_Resources, not from Staffing"),
            ("https://h.example/ccx/service/acme/Human_Resources/43", "no version"),
        ] {
            let error = at(address).expect_err("it is refused");
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn a_user_of_another_tenant_is_warned_about() {
        let warnings = |user| {
            let address = "https://h.example/ccx/service/acme";
            settings(&[("BaseAddress", address), ("UserName", user), ("Password", "p")])
                .map(|settings| settings.warnings.len())
        };
        assert_eq!((warnings("isu@acme"), warnings("isu"), warnings("isu@other")), (Ok(0), Ok(1), Ok(1)));
    }

    #[test]
    fn versions_and_expressions_that_do_not_fit_are_told() {
        let old = "wd:Worker/wd:Worker_Data/wd:Employment_Data/wd:Position_Data/wd:Position_ID/text()";
        let new = "wd:Worker/wd:Worker_Data/wd:Employment_Data/wd:Worker_Job_Data[@wd:Primary_Job=1]/x";
        assert!(mismatch("v43.0", [old]).is_some_and(|text| text.contains("take the expressions of v30.0")));
        assert!(mismatch("v21.1", [new]).is_some_and(|text| text.contains("name a version")));
        assert_eq!((mismatch("v21.1", [old]), mismatch("v30.0", [new])), (None, None));
    }
}
