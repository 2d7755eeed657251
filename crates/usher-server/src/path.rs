//! Path forms: what the SDKs, PowerShell and people write becomes one list of segments.

use percent_encoding::percent_decode_str;

/// The version of the API that a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `v1.0`.
    V1,
    /// `beta`.
    Beta,
}

impl Version {
    /// The segment on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1.0",
            Self::Beta => "beta",
        }
    }
}

/// A path below the version, in its plain form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphPath {
    /// The version.
    pub version: Version,
    /// The segments, decoded. Keys in parentheses are segments of their own.
    pub segments: Vec<String>,
}

/// Reads a path; `None` when it does not begin with a version.
///
/// Keys in parentheses (`jobs('x')`), qualified names (`microsoft.graph.start`), empty parentheses of functions and a
/// slash at the end are brought to the plain form. An alternate key (`servicePrincipals(appId='x')`) becomes the
/// segment `appId='x'`.
pub fn parse(path: &str) -> Option<GraphPath> {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let version = match parts.next()?.to_ascii_lowercase().as_str() {
        "v1.0" => Version::V1,
        "beta" => Version::Beta,
        _ => return None,
    };
    let mut segments = Vec::new();
    for part in parts {
        let part = percent_decode_str(part).decode_utf8_lossy().into_owned();
        let (name, key) = match part.split_once('(') {
            Some((name, rest)) if rest.ends_with(')') && !name.is_empty() => {
                (name.to_owned(), Some(rest[..rest.len() - 1].to_owned()))
            }
            _ => (part, None),
        };
        let plain = name.strip_prefix("microsoft.graph.").map(str::to_owned).unwrap_or(name);
        segments.push(plain);
        if let Some(key) = key.filter(|key| !key.is_empty()) {
            segments.push(unquoted(&key).unwrap_or(key));
        }
    }
    Some(GraphPath { version, segments })
}

/// The text between single quotes, doubled quotes inside made single; `None` for anything else.
fn unquoted(key: &str) -> Option<String> {
    let inner = key.strip_prefix('\'')?.strip_suffix('\'')?;
    Some(inner.replace("''", "'"))
}

/// The parts of an alternate key such as `appId='x'`.
pub fn alternate_key(segment: &str) -> Option<(&str, String)> {
    let (name, value) = segment.split_once('=')?;
    let is_name = !name.is_empty() && name.chars().all(|character| character.is_ascii_alphanumeric());
    is_name.then(|| unquoted(value).map(|value| (name, value))).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(path: &str) -> String {
        parse(path).map(|path| path.segments.join(" | ")).unwrap_or_default()
    }

    #[test]
    fn all_published_forms_mean_the_same() {
        let expected = "servicePrincipals | s | synchronization | jobs | scim.t.j | provisionOnDemand";
        for form in [
            "/v1.0/servicePrincipals/s/synchronization/jobs/scim.t.j/provisionOnDemand",
            "/v1.0/servicePrincipals('s')/synchronization/jobs('scim.t.j')/provisionOnDemand",
            "/v1.0/servicePrincipals/s/synchronization/jobs/scim.t.j/microsoft.graph.provisionOnDemand",
            "/v1.0/servicePrincipals/s/synchronization/jobs/scim.t.j/provisionOnDemand/",
            "/v1.0/servicePrincipals/s/synchronization/jobs/scim.t.j/provisionOnDemand()",
        ] {
            assert_eq!(plain(form), expected, "{form}");
        }
    }

    #[test]
    fn escapes_are_decoded_once() {
        assert_eq!(plain("/beta/users/a%23V2%20b"), "users | a#V2 b");
        assert_eq!(plain("/beta/users('O''Hara')"), "users | O'Hara");
        assert_eq!(plain("/beta/users/%2525"), "users | %25");
    }

    #[test]
    fn alternate_keys_are_told_from_ids() {
        assert_eq!(plain("/v1.0/servicePrincipals(appId='x')"), "servicePrincipals | appId='x'");
        assert_eq!(alternate_key("appId='x'"), Some(("appId", "x".to_owned())));
        assert_eq!(alternate_key("a=b"), None);
    }

    #[test]
    fn a_path_without_version_is_none() {
        assert_eq!(parse("/users"), None);
        assert_eq!(parse("/"), None);
    }
}
