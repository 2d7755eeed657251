//! One cmdlet from its arguments to its results: binding, prompts, `-WhatIf`, `-Confirm`, a call for each
//! pipeline item, streams and variables.

mod exchange;

use std::io;

use usher_server::Type;

use super::bind::{Bound, Item, bind};
use super::body::{Body, expanded_body, path, whole_body};
use super::call::{other_error, request_headers};
use super::cmdlets::Cmdlet;
use super::debug;
use super::evaluate::Scope;
use super::help::help;
use super::host::{Content, Credential, Host, Options, Output, Proxy, Request, Stream, Transport};
use super::literal::read_items;
use super::parameters::Sets;
use super::pipeline::bind_item;
use super::preferences::Preferences;
use super::query;
use super::record::{Category, ErrorRecord};
use super::talk::{Choice, Halt, Talk};
use super::value::{PsValue, Table, TableKind};

/// Where pipeline items come from.
pub enum Input {
    /// Standard input, when the arguments leave something for it to say.
    Standard,
    /// The stages before this one.
    Items(Vec<PsValue>),
    /// Nowhere.
    None,
}

/// What a run leaves behind besides its results.
#[derive(Default)]
pub struct Outcome {
    /// Whether there was no error: `$?`.
    pub succeeded: bool,
    /// Whether a script that made the call ends as well.
    pub ends_script: bool,
    /// The errors that are kept.
    pub errors: Vec<ErrorRecord>,
    /// Variables to set.
    pub assignments: Vec<Assignment>,
}

/// A variable that a parameter such as `-ResponseHeadersVariable` names.
pub struct Assignment {
    /// The parameter.
    pub parameter: &'static str,
    /// The variable, without `$` and `+`.
    pub name: String,
    /// Whether the value is added to what is there.
    pub append: bool,
    /// The value.
    pub value: PsValue,
}

/// What a run works with.
pub struct Context<'a> {
    /// The console.
    pub host: &'a mut dyn Host,
    /// The way to the service.
    pub transport: &'a dyn Transport,
    /// Settings.
    pub options: &'a Options,
    /// Preferences, before the call's own parameters.
    pub preferences: Preferences,
    /// Where in a script the call stands.
    pub place: Option<String>,
}

/// Takes results as they come.
pub type Sink<'s> = &'s mut (dyn FnMut(PsValue, Output, &mut dyn Host) + Send);

/// Files of the host, and no variables: what a literal on the command line may refer to.
pub struct HostScope<'h>(pub &'h dyn Host);

impl Scope for HostScope<'_> {
    fn variable(&self, _name: &str) -> Option<PsValue> {
        None
    }

    fn read_file(&self, path: &str) -> io::Result<String> {
        self.0.read_file(path)
    }
}

/// Runs a cmdlet.
pub async fn run(
    cmdlet: &'static Cmdlet,
    items: Vec<Item>,
    input: Input,
    context: Context<'_>,
    sink: Sink<'_>,
) -> Outcome {
    let Context { host, transport, options, preferences, place } = context;
    let bound = bind(cmdlet, items, &HostScope(&*host));
    let mut talk = Talk::new(host, preferences, place);
    let bound = match bound {
        Ok(bound) if bound.wants_help => {
            talk.host.write(Stream::Output, &help(cmdlet, options.width));
            return Outcome { succeeded: true, ..Outcome::default() };
        }
        Ok(bound) => bound,
        Err(record) => {
            let halt = talk.terminate(record);
            return Outcome { ends_script: halt.ends_script, errors: talk.errors, ..Outcome::default() };
        }
    };
    talk.preferences = preferences.with_parameters(|name| bound.get(name));
    if let Some(environment) = &bound.environment
        && let Err(text) = transport.is_to(environment)
    {
        let record = ErrorRecord::binding(cmdlet, "EnvironmentMismatch", text);
        let halt = talk.terminate(record);
        return Outcome { ends_script: halt.ends_script, errors: talk.errors, ..Outcome::default() };
    }
    let mut run = Run {
        cmdlet,
        output: bound.output.unwrap_or(options.output),
        held_back: match bound.get("OutBuffer") {
            Some(PsValue::Int(count)) => usize::try_from(*count).unwrap_or(0),
            _ => 0,
        },
        talk,
        transport,
        options,
        sink,
        pending: Vec::new(),
        results: Vec::new(),
        headers: Vec::new(),
        counts: Vec::new(),
        credential: None,
        has_begun: false,
        answer_to_all: None,
    };
    let names = bound.clone();
    let ending = run.all(bound, input).await;
    run.flush();
    let assignments = run.assignments(&names);
    Outcome {
        succeeded: run.talk.succeeded,
        ends_script: ending.is_err_and(|halt| halt.ends_script),
        errors: run.talk.errors,
        assignments,
    }
}

struct Run<'a, 's> {
    cmdlet: &'static Cmdlet,
    talk: Talk<'a>,
    transport: &'a dyn Transport,
    options: &'a Options,
    sink: Sink<'s>,
    output: Output,
    held_back: usize,
    pending: Vec<PsValue>,
    results: Vec<PsValue>,
    headers: Vec<PsValue>,
    counts: Vec<i128>,
    credential: Option<Credential>,
    has_begun: bool,
    answer_to_all: Option<bool>,
}

impl Run<'_, '_> {
    async fn all(&mut self, mut bound: Bound, input: Input) -> Result<(), Halt> {
        if bound.is_on("Break") {
            self.talk.warning("There is no .NET debugger that could attach here; -Break does nothing.")?;
        }
        let items = match input {
            Input::None => None,
            Input::Items(items) => Some(items),
            Input::Standard if bound.wants_input() => self.standard_input()?,
            Input::Standard => None,
        };
        match items {
            None => self.one(&mut bound, None).await?,
            Some(items) => {
                for item in items {
                    self.one(&mut bound, Some(&item)).await?;
                }
            }
        }
        if self.has_begun && self.talk.shows_debug() {
            self.talk.debug(&format!("[CmdletEndProcessing]: - {} end processing.", self.cmdlet.name))?;
        }
        Ok(())
    }

    fn standard_input(&mut self) -> Result<Option<Vec<PsValue>>, Halt> {
        let text = match self.talk.host.read_input() {
            Ok(text) => text.filter(|text| !text.trim().is_empty()),
            Err(error) => {
                let text = format!("Cannot read standard input: {error}");
                return Err(self.talk.terminate(self.input_error("ReadError", text)));
            }
        };
        let Some(text) = text else { return Ok(None) };
        match read_items(&text, &HostScope(&*self.talk.host)) {
            Ok(items) => Ok(Some(items)),
            Err(error) => {
                let text = format!(
                    "Cannot read standard input, line {}, column {}: {}",
                    error.at.line, error.at.column, error.message
                );
                let mut record = self.input_error(error.id, text);
                record.hint = error.hint.map(Into::into);
                Err(self.talk.terminate(record))
            }
        }
    }

    fn input_error(&self, id: &str, text: String) -> ErrorRecord {
        let mut record = ErrorRecord::binding(self.cmdlet, id, text);
        record.category = Category::ParserError;
        record.exception = "ParseException";
        record
    }

    /// One call: for one pipeline item, or for the arguments alone.
    async fn one(&mut self, base: &mut Bound, item: Option<&PsValue>) -> Result<(), Halt> {
        let with_item = match item {
            None => base.clone(),
            Some(item) => match bind_item(base, item) {
                Ok(bound) => bound,
                Err(record) => return self.talk.error(record),
            },
        };
        let bound = self.complete(base, with_item)?;
        let set = match bound.resolve() {
            Ok(resolution) => resolution.set,
            Err(record) => return Err(self.talk.terminate(record)),
        };
        self.begin(set)?;
        if !self.should_process(set)? {
            return Ok(());
        }
        let route = self.cmdlet.route(set);
        let ids = self.ids(&bound, set)?;
        let target = target(&bound, set, &ids);
        let name = self.cmdlet.set(set).name;
        let body = match self.body(&bound, set) {
            Ok((content, dropped)) => {
                for line in dropped {
                    self.talk.warning(&line)?;
                }
                content
            }
            Err(text) => return self.talk.error(other_error(self.cmdlet, name, target, text)),
        };
        let proxy = self.proxy(&bound)?;
        let media = match &body {
            Content::None => None,
            Content::File(_) => Some("application/scim+json"),
            Content::Json(_) => route.operation.takes.map(Type::media),
        };
        let headers = match request_headers(&*self.options.clock, media, bound.get("Headers")) {
            Ok(mut headers) => {
                let level = bound.text("ConsistencyLevel");
                headers.extend(level.map(|level| ("ConsistencyLevel".to_owned(), level.to_owned())));
                headers
            }
            Err(text) => return self.talk.error(other_error(self.cmdlet, name, target, text)),
        };
        let request = Request {
            method: http::Method::from_bytes(route.operation.method.as_bytes()).unwrap_or_default(),
            version: self.cmdlet.version,
            path: format!("{}{}", path(route, &ids), query::of(&bound)),
            headers,
            body,
            proxy,
        };
        self.pages(request, &bound, set, target).await
    }

    /// The body: given whole, by members, or as a file; and a sentence for each key that was left out.
    fn body(&self, bound: &Bound, set: Sets) -> Result<(Content, Vec<String>), String> {
        if let Some(file) = bound.text("InFile") {
            let text =
                self.talk.host.read_file(file).map_err(|error| format!("cannot read {file}: {error}"))?;
            return Ok((Content::File(text), Vec::new()));
        }
        let Some(of) = self.cmdlet.route(set).operation.takes else { return Ok((Content::None, Vec::new())) };
        let zone = &self.options.zone;
        let body = match bound.get("BodyParameter") {
            Some(value) => whole_body(of, value, zone),
            None => expanded_body(of, bound.members(), bound.get("AdditionalProperties"), zone),
        };
        let Body { json, dropped } = body.map_err(|error| error.to_string())?;
        Ok((Content::Json(json), dropped))
    }

    fn flush(&mut self) {
        for result in self.pending.drain(..) {
            (self.sink)(result, self.output, &mut *self.talk.host);
        }
    }

    /// Asks for what is missing; answers hold for later items too.
    fn complete(&mut self, base: &mut Bound, mut bound: Bound) -> Result<Bound, Halt> {
        let missing = match bound.resolve() {
            Ok(resolution) => resolution.missing,
            Err(record) => return Err(self.talk.terminate(record)),
        };
        if missing.is_empty() {
            return Ok(bound);
        }
        if !self.talk.host.is_interactive() {
            return Err(self.missing_parameters(&missing));
        }
        let heading = format!(
            "cmdlet {} at command pipeline position 1\nSupply values for the following parameters:",
            self.cmdlet.name
        );
        self.talk.host.write(Stream::Host, &heading);
        for name in &missing {
            let answer = loop {
                match self.talk.host.prompt(&format!("{name}: ")) {
                    None => return Err(self.missing_parameters(&missing)),
                    Some(answer) if answer.trim() == "!?" => {
                        let parameter = bound.parameters.iter().find(|parameter| parameter.name == *name);
                        let summary = parameter.map_or("", |parameter| parameter.summary);
                        self.talk.host.write(Stream::Host, summary);
                    }
                    Some(answer) => break answer,
                }
            };
            for target in [&mut bound, base] {
                if let Err(record) = target.add(name, PsValue::text(answer.clone())) {
                    return Err(self.talk.terminate(record));
                }
            }
        }
        Ok(bound)
    }

    fn missing_parameters(&mut self, names: &[&str]) -> Halt {
        let text = format!(
            "Cannot process command because of one or more missing mandatory parameters: {}.",
            names.join(" ")
        );
        self.talk.terminate(ErrorRecord::binding(self.cmdlet, "MissingMandatoryParameter", text))
    }

    /// What the debug stream says once, before the first call.
    fn begin(&mut self, set: Sets) -> Result<(), Halt> {
        if self.has_begun {
            return Ok(());
        }
        self.has_begun = true;
        if self.talk.shows_debug() {
            let connection = self.transport.connection();
            self.talk.debug(&debug::beginning(
                self.cmdlet,
                self.cmdlet.set(set).name,
                connection.as_ref(),
            ))?;
        }
        Ok(())
    }

    fn should_process(&mut self, set: Sets) -> Result<bool, Halt> {
        if self.cmdlet.only_reads() {
            return Ok(true);
        }
        let action = format!(
            "Performing the operation \"{}_{}\" on target \"Call remote '{}' operation\".",
            self.cmdlet.name,
            self.cmdlet.set(set).name,
            self.cmdlet.template(set)
        );
        if self.talk.preferences.what_if {
            self.talk.host.write(Stream::Host, &format!("What if: {action}"));
            return Ok(false);
        }
        if let Some(answer) = self.answer_to_all {
            return Ok(answer);
        }
        if !self.talk.preferences.asks() {
            self.talk.verbose(&action)?;
            return Ok(true);
        }
        let choice = self.talk.confirm(&action)?;
        match choice {
            Choice::YesToAll => self.answer_to_all = Some(true),
            Choice::NoToAll => self.answer_to_all = Some(false),
            _ => {}
        }
        Ok(matches!(choice, Choice::Yes | Choice::YesToAll))
    }

    /// The ids of the path, from parameters or from the identity.
    fn ids(&mut self, bound: &Bound, set: Sets) -> Result<Vec<String>, Halt> {
        let names = &self.cmdlet.route(set).ids;
        let Some(PsValue::Table(identity)) = bound.get("InputObject") else {
            return Ok(names.iter().map(|name| bound.text(name).unwrap_or_default().to_owned()).collect());
        };
        let mut ids = Vec::new();
        for key in names {
            match identity.get(key).map(PsValue::to_text).filter(|id| !id.is_empty()) {
                Some(id) => ids.push(id),
                None => {
                    let message = format!("InputObject has null value for InputObject.{key}");
                    let identity = self.cmdlet.identity();
                    let mut record = other_error(
                        self.cmdlet,
                        self.cmdlet.set(set).name,
                        format!("{}:{identity}", self.cmdlet.model(identity)),
                        message.clone(),
                    );
                    record.category = Category::InvalidArgument;
                    record.details =
                        Some(format!("The pipeline has been stopped.\n{}: {message}", record.source).into());
                    return Err(self.talk.terminate(record));
                }
            }
        }
        Ok(ids)
    }

    fn proxy(&mut self, bound: &Bound) -> Result<Option<Proxy>, Halt> {
        if self.credential.is_none() {
            self.credential = self.proxy_credential(bound)?;
        }
        let Some(uri) = bound.text("Proxy").and_then(|uri| url::Url::parse(uri).ok()) else {
            return Ok(None);
        };
        Ok(Some(Proxy {
            uri,
            credential: self.credential.clone(),
            use_default_credentials: bound.is_on("ProxyUseDefaultCredentials"),
        }))
    }

    fn proxy_credential(&mut self, bound: &Bound) -> Result<Option<Credential>, Halt> {
        match bound.get("ProxyCredential") {
            Some(PsValue::Table(table)) => Ok(Some(Credential {
                user_name: table.get("UserName").map(PsValue::to_text).unwrap_or_default(),
                password: usher_core::Secret::new(
                    table.get("Password").map(PsValue::to_text).unwrap_or_default(),
                ),
            })),
            Some(PsValue::Text(user_name)) => {
                let secret = if self.talk.host.is_interactive() {
                    let host = &mut self.talk.host;
                    host.write(Stream::Host, "PowerShell credential request\nEnter your credentials.");
                    host.prompt_secret(&format!("Password for user {user_name}: "))
                } else {
                    None
                };
                match secret {
                    Some(password) => Ok(Some(Credential { user_name: user_name.clone(), password })),
                    None => Err(self.missing_parameters(&["Credential"])),
                }
            }
            _ => Ok(None),
        }
    }

    /// What the `…Variable` parameters ask to keep.
    fn assignments(&self, bound: &Bound) -> Vec<Assignment> {
        let kept = |parameter: &'static str, value: PsValue| {
            let text = bound.text(parameter)?;
            let (append, name) = text.strip_prefix('+').map_or((false, text), |name| (true, name));
            (!name.is_empty()).then(|| Assignment { parameter, name: name.to_owned(), append, value })
        };
        let errors = self.talk.errors.iter().map(record_value).collect();
        let warnings = self.talk.warnings.iter().map(PsValue::text).collect();
        let mut assignments: Vec<_> = [
            kept("ErrorVariable", PsValue::List(errors)),
            kept("WarningVariable", PsValue::List(warnings)),
            kept("InformationVariable", PsValue::List(Vec::new())),
            kept("OutVariable", PsValue::List(self.results.clone())),
        ]
        .into_iter()
        .flatten()
        .collect();
        // Each call sets the variable anew, unless it is to be added to.
        for headers in &self.headers {
            assignments.extend(kept("ResponseHeadersVariable", headers.clone()));
        }
        if let Some(count) = self.counts.first() {
            assignments.extend(kept("CountVariable", PsValue::Int(*count)));
        }
        assignments
    }
}

/// The request's target in `CategoryInfo`: the ids, then what cannot be shown in a line by its type.
fn target(bound: &Bound, set: Sets, ids: &[String]) -> String {
    let cmdlet = bound.cmdlet;
    let headers = if bound.get("Headers").is_some() { "System.Collections.Hashtable" } else { "" };
    let mut members = Vec::new();
    let is_by_identity = cmdlet.set(set).is_by_identity;
    if !is_by_identity {
        members.extend(cmdlet.route(set).ids.iter().zip(ids).map(|(name, id)| format!("{name} = {id}")));
    }
    members.push(format!("Headers = {headers}"));
    if cmdlet.route(set).operation.takes.is_some() {
        members.push(format!("body = {}", cmdlet.model(cmdlet.body_type().trim_start_matches('I'))));
    }
    let number = u8::from(is_by_identity);
    format!("{{ {} }}:<>f__AnonymousType{number}`{}", members.join(", "), members.len())
}

/// An error record as a variable holds it.
pub fn record_value(record: &ErrorRecord) -> PsValue {
    let object = |members: Vec<(&str, String)>| {
        let mut table = Table::new(TableKind::Object);
        for (name, text) in members {
            table.insert(name, PsValue::Text(text));
        }
        table
    };
    let mut error = Table::new(TableKind::Object);
    error.insert("Exception", PsValue::Table(object(vec![("Message", record.message.to_string())])));
    error.insert("CategoryInfo", PsValue::Text(record.category_info()));
    error.insert("FullyQualifiedErrorId", PsValue::text(&*record.id));
    let details = record.details.as_ref().map_or(PsValue::Null, |details| {
        PsValue::Table(object(vec![
            ("Message", details.to_string()),
            ("RecommendedAction", "See service error codes: https://learn.microsoft.com/graph/errors".into()),
        ]))
    });
    error.insert("ErrorDetails", details);
    PsValue::Table(error)
}
