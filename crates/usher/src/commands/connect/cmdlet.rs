//! `Connect-MgGraph` and its siblings by their published names and parameters, as words of `usher connect`.

use std::path::Path;

use anyhow::Result;
use clap::{Arg, ArgAction, Args as _, Command};

use super::Args;
use crate::failure::Failure;
use crate::lookup::is_guid;
use crate::powershell::is_dash;

/// Parameters that every cmdlet has and that change nothing here, and whether they take a value.
const COMMON: &[(&str, bool)] = &[
    ("debug", false),
    ("db", false),
    ("verbose", false),
    ("vb", false),
    ("erroraction", true),
    ("ea", true),
    ("errorvariable", true),
    ("ev", true),
    ("informationaction", true),
    ("infa", true),
    ("informationvariable", true),
    ("iv", true),
    ("outbuffer", true),
    ("ob", true),
    ("outvariable", true),
    ("ov", true),
    ("pipelinevariable", true),
    ("pv", true),
    ("progressaction", true),
    ("proga", true),
    ("warningaction", true),
    ("wa", true),
    ("warningvariable", true),
    ("wv", true),
];

/// What may hold a file's name with `@` in front, as arguments of the other cmdlets do.
const FILES: &[&str] = &["client_secret_file", "token_file", "certificate", "ca"];

/// Parameters that take the name of a file with a secret, and what that is.
const SECRETS: &[(&str, &str)] =
    &[("client_secret_file", "the client secret"), ("token_file", "the access token")];

/// The words of `usher` that do what a cmdlet around connections does; `None` for every other name.
///
/// # Errors
/// A parameter is not known, or is not clear.
pub fn words(name: &str, arguments: &[String]) -> Option<Result<Vec<String>>> {
    let plain: String = name
        .rsplit('\\')
        .next()
        .unwrap_or(name)
        .chars()
        .map(|one| if is_dash(one) { '-' } else { one })
        .collect();
    let alone = |option: &str| Some(Ok(["usher", "connect", option].map(str::to_owned).to_vec()));
    match plain.to_ascii_lowercase().as_str() {
        "connect-mggraph" | "connect-graph" => Some(translated(arguments)),
        "disconnect-mggraph" | "disconnect-graph" => alone("--forget"),
        "get-mgcontext" => alone("--show"),
        _ => None,
    }
}

/// What has been given so far.
#[derive(Default)]
struct Given {
    words: Vec<String>,
    ids: Vec<String>,
}

impl Given {
    fn add(&mut self, arg: &Arg, value: Option<String>) {
        let long = arg.get_long().unwrap_or_default();
        self.words.push(match value {
            Some(value) => format!("--{long}={value}"),
            None => format!("--{long}"),
        });
        self.ids.push(arg.get_id().to_string());
    }

    fn has(&self, ids: &[&str]) -> bool {
        self.ids.iter().any(|id| ids.contains(&id.as_str()))
    }
}

fn translated(arguments: &[String]) -> Result<Vec<String>> {
    let command = Args::augment_args(Command::new("connect"));
    let named = |id: &str| command.get_arguments().find(|arg| arg.get_id() == id);
    let mut given = Given::default();
    let mut loose = Vec::new();
    let mut rest = arguments.iter().peekable();
    while let Some(word) = rest.next() {
        if !word.starts_with(is_dash) {
            loose.push(list(word, &mut rest));
            continue;
        }
        let option = word.trim_start_matches(is_dash);
        if option == "?" || option.eq_ignore_ascii_case("help") {
            return Ok(["usher", "connect", "--help"].map(str::to_owned).to_vec());
        }
        let (name, attached) = match option.split_once([':', '=']) {
            Some((name, value)) => (name, Some(value.to_owned()).filter(|value| !value.is_empty())),
            None => (option, None),
        };
        if let Some((_, takes_value)) = COMMON.iter().find(|(known, _)| *known == normal(name)) {
            if *takes_value && attached.is_none() {
                rest.next();
            }
            continue;
        }
        let arg = found(&command, name)?;
        let id = arg.get_id().as_str();
        if matches!(arg.get_action(), ArgAction::SetTrue) {
            let truth = attached.or_else(|| rest.next_if(|next| truth(next).is_some()).cloned());
            if truth.as_deref().and_then(self::truth) != Some(false) {
                given.add(arg, None);
            }
            continue;
        }
        let Some(mut value) = attached.or_else(|| rest.next_if(|next| !next.starts_with(is_dash)).cloned())
        else {
            return Err(Failure::usage(
                format!("Missing an argument for parameter '{name}'."),
                "give its value after it",
            ));
        };
        if id == "scopes" {
            value = list(&value, &mut rest);
        }
        if FILES.contains(&id) {
            value = value.strip_prefix('@').map(str::to_owned).unwrap_or(value);
        }
        if id == "client_secret_file" && is_guid(&value) && !Path::new(&value).exists() {
            // The user name of the credential is the client id; its password comes by standard input.
            given.ids.push(id.to_owned());
            given.add(named("client_id").unwrap_or(arg), Some(value));
            continue;
        }
        // What stands there in place of a file may be the secret itself: it is not repeated.
        if let Some((_, what)) = SECRETS.iter().find(|(secret, _)| *secret == id)
            && value != "-"
            && !Path::new(&value).exists()
        {
            let name = published(arg);
            return Err(Failure::usage(
                format!(
                    "Cannot bind parameter '{name}': it takes the name of a file that holds {what}, and there is no \
                     such file."
                ),
                format!("write {what} to a file that you alone can read, and give -{name} @FILE"),
            ));
        }
        given.add(arg, Some(value));
    }
    let places: &[&str] = if given.has(&["certificate", "certificate_subject_name", "certificate_thumbprint"])
    {
        &["client_id", "certificate_subject_name", "certificate_thumbprint"]
    } else {
        &["scopes", "tenant"]
    };
    let mut places =
        places.iter().filter(|place| !given.has(&[place])).copied().collect::<Vec<_>>().into_iter();
    for value in loose {
        match places.next().and_then(named) {
            Some(arg) => given.add(arg, Some(value)),
            None => {
                return Err(Failure::usage(
                    "A positional parameter cannot be found that accepts what was given.",
                    "Connect-MgGraph takes scopes and a tenant without their names, and all else by name",
                ));
            }
        }
    }
    // Without anything else it is Microsoft's cloud, and a person who signs in.
    if !given.has(&["address", "environment", "data", "show", "forget"]) {
        given.words.push("--environment=Global".to_owned());
    }
    let ways = [
        "client_secret_file",
        "token_file",
        "certificate",
        "use_device_code",
        "identity",
        "workload_identity",
        "azure_cli",
        "environment_variable",
        "certificate_subject_name",
        "certificate_thumbprint",
        "data",
        "show",
        "forget",
    ];
    if !given.has(&ways) {
        given.words.push("--use-device-code".to_owned());
    }
    let words: Vec<String> = ["connect".to_owned()].into_iter().chain(given.words).collect();
    if let Err(error) = command.clone().try_get_matches_from(&words) {
        return Err(Failure::usage(
            in_published_names(&command, &error),
            "`usher Connect-MgGraph -?` names all",
        ));
    }
    Ok(["usher".to_owned()].into_iter().chain(words).collect())
}

/// What is wrong with the options, told of the parameters that they stand for.
fn in_published_names(command: &Command, error: &clap::Error) -> String {
    let told = error.to_string();
    let mut told = told.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let mut args: Vec<(&str, String)> =
        command.get_arguments().filter_map(|arg| Some((arg.get_long()?, published(arg)))).collect();
    // An option may begin with the name of another.
    args.sort_by_key(|(long, _)| std::cmp::Reverse(long.len()));
    for (long, name) in args {
        told = told.replace(&format!("--{long}"), &format!("-{name}"));
    }
    told
}

/// The parameter of Connect-MgGraph that an option stands for.
fn published(arg: &Arg) -> String {
    let long = arg.get_long().unwrap_or_default();
    match long {
        "token-file" => "AccessToken".to_owned(),
        "client-secret-file" => "ClientSecretCredential".to_owned(),
        "tenant" => "TenantId".to_owned(),
        "use-device-code" => "UseDeviceAuthentication".to_owned(),
        _ => long
            .split('-')
            .map(|word| word[..1.min(word.len())].to_uppercase() + &word[1.min(word.len())..])
            .collect(),
    }
}

/// The option that a parameter names: by its whole name, or by the beginning of one.
fn found<'c>(command: &'c Command, name: &str) -> Result<&'c Arg> {
    let wanted = normal(name);
    let names = |arg: &Arg| -> Vec<String> {
        let aliases = arg.get_all_aliases().unwrap_or_default();
        arg.get_long().into_iter().chain(aliases).map(normal).collect()
    };
    let all = || command.get_arguments().filter(|arg| arg.get_long().is_some());
    if let Some(exact) = all().find(|arg| names(arg).contains(&wanted)) {
        return Ok(exact);
    }
    let fitting: Vec<&Arg> = all()
        .filter(|arg| !wanted.is_empty() && names(arg).iter().any(|one| one.starts_with(&wanted)))
        .collect();
    match fitting.as_slice() {
        [one] => Ok(one),
        [] => Err(Failure::usage(
            format!("A parameter cannot be found that matches parameter name '{name}'."),
            "`usher Connect-MgGraph -?` names all",
        )),
        several => {
            let names: Vec<String> =
                several.iter().filter_map(|arg| arg.get_long()).map(|long| format!("-{long}")).collect();
            Err(Failure::usage(
                format!("Parameter cannot be processed because the parameter name '{name}' is ambiguous."),
                format!("possible matches include {}", names.join(" ")),
            ))
        }
    }
}

/// A name without case and dashes.
fn normal(name: &str) -> String {
    name.chars().filter(|letter| !is_dash(*letter)).map(|letter| letter.to_ascii_lowercase()).collect()
}

fn truth(word: &str) -> Option<bool> {
    match word.trim_start_matches('$').to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// A list as people write it: `A,B`, `A, B`, `@('A','B')`.
fn list(first: &str, rest: &mut std::iter::Peekable<std::slice::Iter<'_, String>>) -> String {
    let mut text = first.to_owned();
    while let Some(more) = rest.next_if(|next| text.ends_with(',') || next.starts_with(',')) {
        text.push_str(more);
    }
    let text: String =
        text.chars().filter(|letter| !matches!(letter, '@' | '(' | ')' | '\'' | '"')).collect();
    let items: Vec<&str> = text.split([',', ' ']).filter(|item| !item.is_empty()).collect();
    items.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(arguments: &str, expected: &str) {
        let arguments: Vec<String> = arguments.split(' ').map(str::to_owned).collect();
        let said = match words("connect-MgGraph", &arguments).expect("it is one of the names") {
            Ok(words) => words[2..].join(" "),
            Err(error) => format!("{error}"),
        };
        assert_eq!(said, expected, "{arguments:?}");
    }

    #[test]
    fn published_parameters_are_options_whatever_their_case_and_dashes() {
        check(
            "-Scopes A.Read, B.Read -NoWelcome",
            "--scopes=A.Read,B.Read --no-welcome --environment=Global --use-device-code",
        );
        check(
            "--scopes=@('A','B') --TENANTID t",
            "--scopes=A,B --tenant=t --environment=Global --use-device-code",
        );
        check("A,B contoso.com", "--scopes=A,B --tenant=contoso.com --environment=Global --use-device-code");
        check(
            "-ClientId app -Certificate @app.pem -SendCertificateChain $true -TenantId t -EnvironmentName USGov",
            "--client-id=app --certificate=app.pem --send-certificate-chain --tenant=t --environment=USGov",
        );
        check("-MSI -AppId app", "--identity --client-id=app --environment=Global");
        check(
            "-SecretCredential @Cargo.toml -ApplicationId app -Verbose -ErrorAction Stop",
            "--client-secret-file=Cargo.toml --client-id=app --environment=Global",
        );
        check(
            "-Credential 11111111-2222-4333-8444-555555555555 -Tenant t",
            "--client-id=11111111-2222-4333-8444-555555555555 --tenant=t --environment=Global",
        );
        check(
            "-AccessToken Cargo.toml -NationalCloud China -NoWelcome:$false",
            "--token-file=Cargo.toml --environment=China",
        );
        check("-?", "--help");
    }

    #[test]
    fn what_is_not_clear_is_refused_as_published() {
        check("-Foo x", "A parameter cannot be found that matches parameter name 'Foo'.");
        check("-Env Global", "Parameter cannot be processed because the parameter name 'Env' is ambiguous.");
        check("-TenantId", "Missing an argument for parameter 'TenantId'.");
        check(
            "-AccessToken eyJ0eXAi.s3cret",
            "Cannot bind parameter 'AccessToken': it takes the name of a file that holds the access token, and there is \
             no such file.",
        );
        check(
            "-ClientSecretCredential s3cret -ClientId app",
            "Cannot bind parameter 'ClientSecretCredential': it takes the name of a file that holds the client secret, \
             and there is no such file.",
        );
        check(
            "-AccessToken Cargo.toml -ClientId app",
            "the argument '-AccessToken <FILE>' cannot be used with '-ClientId <ID>'",
        );
        check("a b c", "A positional parameter cannot be found that accepts what was given.");
    }
}
