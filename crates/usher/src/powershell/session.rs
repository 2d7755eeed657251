//! Runs scripts: variables, the cmdlets, and the few helpers around them.

use std::io;

use indexmap::IndexMap;

use super::bind::Item;
use super::cmdlets::{Cmdlet, find_cmdlet};
use super::evaluate::{Scope, convert_from_json, evaluate, get_content, is_short_for, variable};
use super::host::{Host, Options, Output, Stream, Transport};
use super::literal::enumerated;
use super::preferences::{ActionPreference, Preferences};
use super::run::{Assignment, Context, Input, record_value, run};
use super::script::{Helper, find_helper, read_script};
use super::syntax::{ArgumentKind, Command, Position, ReadError, Stage, Statement};
use super::talk::Talk;
use super::value::PsValue;
use super::view::{Printer, default_view, format_list, format_table, json_text};

/// A script and its name in messages.
pub struct Script<'t> {
    /// The name, such as the path of its file.
    pub name: &'t str,
    /// The text.
    pub text: &'t str,
}

/// Runs a script from beginning to end; the number is the exit code.
pub async fn run_script(
    script: Script<'_>,
    variables: Vec<(String, PsValue)>,
    host: &mut dyn Host,
    transport: &dyn Transport,
    options: &Options,
) -> i32 {
    let statements = match read_script(script.text) {
        Ok(statements) => statements,
        Err(error) => {
            host.write(Stream::Error, &located("ParserError", &script, &error));
            return 1;
        }
    };
    let mut session = Session {
        script,
        host,
        transport,
        options,
        variables: IndexMap::new(),
        preferences: Preferences::default(),
        succeeded: true,
    };
    for (name, value) in variables {
        if let Err(reason) = session.assign(&name, value) {
            session.host.write(Stream::Error, &reason);
            return 1;
        }
    }
    for statement in &statements {
        if session.statement(statement).await == Next::Ends {
            return 1;
        }
    }
    i32::from(!session.succeeded)
}

/// Whether the script goes on after a statement.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    GoesOn,
    Ends,
}

struct Session<'a, 't> {
    script: Script<'t>,
    host: &'a mut dyn Host,
    transport: &'a dyn Transport,
    options: &'a Options,
    variables: IndexMap<String, PsValue>,
    preferences: Preferences,
    /// `$?`.
    succeeded: bool,
}

/// What a stage hands to the next.
enum Flow {
    /// A value as it is: the pipeline takes a list apart, an assignment does not.
    Value(PsValue),
    /// Results, one by one.
    Items(Vec<PsValue>),
    /// Nothing more to show.
    Shown,
}

impl Flow {
    fn items(self) -> Vec<PsValue> {
        match self {
            Self::Value(value) => enumerated(value),
            Self::Items(items) => items,
            Self::Shown => Vec::new(),
        }
    }

    fn value(self) -> PsValue {
        match self {
            Self::Value(value) => value,
            Self::Items(mut items) if items.len() == 1 => items.remove(0),
            Self::Items(items) if items.is_empty() => PsValue::Null,
            Self::Items(items) => PsValue::List(items),
            Self::Shown => PsValue::Null,
        }
    }
}

/// Why a statement came to an early end.
enum Stopped {
    /// Something in it has no value or cannot be done.
    Read(ReadError),
    /// The cmdlet has said why; whether the script ends too.
    Said(Next),
}

impl From<ReadError> for Stopped {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

/// The variables of the session and the files of the host.
struct SessionScope<'s> {
    variables: &'s IndexMap<String, PsValue>,
    host: &'s dyn Host,
}

impl Scope for SessionScope<'_> {
    fn variable(&self, name: &str) -> Option<PsValue> {
        self.variables.get(&name.to_lowercase()).cloned()
    }

    fn read_file(&self, path: &str) -> io::Result<String> {
        self.host.read_file(path)
    }
}

impl Session<'_, '_> {
    async fn statement(&mut self, statement: &Statement) -> Next {
        let stopped = match self.pipeline(statement).await {
            Ok(()) => return Next::GoesOn,
            Err(stopped) => stopped,
        };
        self.succeeded = false;
        match stopped {
            Stopped::Said(next) => next,
            Stopped::Read(error) => {
                let text = located(error.id, &self.script, &error);
                self.host.write(Stream::Error, &text);
                match self.preferences.error {
                    ActionPreference::Stop => Next::Ends,
                    _ => Next::GoesOn,
                }
            }
        }
    }

    async fn pipeline(&mut self, statement: &Statement) -> Result<(), Stopped> {
        let stages = &statement.pipeline.stages;
        let mut flow = Flow::Items(Vec::new());
        let mut succeeded = true;
        for (index, stage) in stages.iter().enumerate() {
            let is_shown = statement.target.is_none() && index + 1 == stages.len();
            flow = match stage {
                Stage::Expression(expression) => Flow::Value(evaluate(expression, &self.scope())?),
                Stage::Command(command) => match (find_cmdlet(&command.name), find_helper(&command.name)) {
                    (Some(cmdlet), _) => {
                        let input = if index == 0 { Input::None } else { Input::Items(flow.items()) };
                        let (flow, is_success) = self.cmdlet(cmdlet, command, input, is_shown).await?;
                        succeeded &= is_success;
                        flow
                    }
                    (None, Some(helper)) => self.helper(helper, command, flow)?,
                    // The reader has refused every other name.
                    (None, None) => Flow::Shown,
                },
            };
        }
        self.succeeded = succeeded;
        match &statement.target {
            Some(name) => self
                .assign(name, flow.value())
                .map_err(|reason| Stopped::Read(ReadError::new(statement.at, "InvalidPreference", reason))),
            None => {
                self.show(&flow.items());
                Ok(())
            }
        }
    }

    fn scope(&self) -> SessionScope<'_> {
        SessionScope { variables: &self.variables, host: &*self.host }
    }

    fn show(&mut self, values: &[PsValue]) {
        let width = self.options.width;
        let text = match self.options.output {
            Output::Table => default_view(values, width),
            Output::List => format_list(values, None, width),
            Output::Json => {
                (!values.is_empty()).then(|| json_text(values, DEEPEST, false, &self.options.zone).0)
            }
        };
        if let Some(text) = text {
            self.host.write(Stream::Output, &text);
        }
    }

    fn assign(&mut self, name: &str, value: PsValue) -> Result<(), String> {
        self.preferences.set_variable(name, &value)?;
        if !name.eq_ignore_ascii_case("null") {
            self.variables.insert(name.to_lowercase(), value);
        }
        Ok(())
    }

    async fn cmdlet(
        &mut self,
        cmdlet: &'static Cmdlet,
        command: &Command,
        input: Input,
        is_shown: bool,
    ) -> Result<(Flow, bool), Stopped> {
        let items = self.items(command)?;
        let place = format!("{}:{} char:{}", self.script.name, command.at.line, command.at.column);
        let context = Context {
            host: &mut *self.host,
            transport: self.transport,
            options: self.options,
            preferences: self.preferences,
            place: Some(place),
        };
        let mut results = Vec::new();
        let mut printer: Option<Printer> = None;
        let width = self.options.width;
        let outcome = run(cmdlet, items, input, context, &mut |result, output, host| {
            if is_shown {
                printer.get_or_insert_with(|| Printer::new(output, width)).show(&result, host);
            } else {
                results.push(result);
            }
        })
        .await;
        if let Some(printer) = &mut printer {
            printer.finish(&mut *self.host);
        }
        for assignment in outcome.assignments {
            self.keep(assignment);
        }
        let errors = outcome.errors.iter().map(record_value).rev();
        let mut kept: Vec<_> = errors.collect();
        if let Some(PsValue::List(earlier)) = self.variables.get("error") {
            kept.extend(earlier.iter().cloned());
        }
        self.variables.insert("error".into(), PsValue::List(kept));
        if outcome.ends_script {
            return Err(Stopped::Said(Next::Ends));
        }
        Ok((Flow::Items(results), outcome.succeeded))
    }

    /// Sets the variable that a parameter names.
    fn keep(&mut self, assignment: Assignment) {
        let name = assignment.name.to_lowercase();
        let value = match (assignment.append, self.variables.get(&name)) {
            (true, Some(earlier)) => {
                let mut items = enumerated(earlier.clone());
                items.extend(enumerated(assignment.value));
                PsValue::List(items)
            }
            _ => assignment.value,
        };
        self.variables.insert(name, value);
    }

    /// The arguments of a command with their values; what is splatted gives way to what is written out.
    fn items(&self, command: &Command) -> Result<Vec<Item>, ReadError> {
        let scope = self.scope();
        let is_written = |name: &str| {
            command.arguments.iter().any(|argument| {
                matches!(&argument.kind, ArgumentKind::Name(written, _) if written.eq_ignore_ascii_case(name))
            })
        };
        let mut items = Vec::new();
        for argument in &command.arguments {
            match &argument.kind {
                ArgumentKind::Name(name, value) => {
                    let value = value.as_ref().map(|value| evaluate(value, &scope)).transpose()?;
                    items.push(Item::Name(name.clone(), value));
                }
                ArgumentKind::Value(value) => items.push(Item::Value(evaluate(value, &scope)?)),
                ArgumentKind::Splat(name) => match variable(name, argument.at, &scope)? {
                    PsValue::Table(table) => items.extend(
                        table
                            .iter()
                            .filter(|(name, _)| !is_written(name))
                            .map(|(name, value)| Item::Name(name.to_owned(), Some(value.clone()))),
                    ),
                    other => items.extend(enumerated(other).into_iter().map(Item::Value)),
                },
            }
        }
        Ok(items)
    }

    fn helper(&mut self, helper: Helper, command: &Command, flow: Flow) -> Result<Flow, Stopped> {
        match helper {
            Helper::ImportModule => {
                self.items(command)?;
                Ok(Flow::Shown)
            }
            Helper::Connect => self.connect(command),
            Helper::GetContent => Ok(Flow::Value(get_content(command, &self.scope())?)),
            Helper::ConvertFromJson => {
                Ok(Flow::Value(convert_from_json(command, &PsValue::List(flow.items()))?))
            }
            Helper::ConvertToJson => self.convert_to_json(command, &flow.items()),
            Helper::FormatList => {
                let format = self.format_arguments(command)?;
                let text = format_list(&flow.items(), format.properties.as_deref(), self.options.width);
                self.write(text);
                Ok(Flow::Shown)
            }
            Helper::FormatTable => {
                let format = self.format_arguments(command)?;
                let text = format_table(
                    &flow.items(),
                    format.properties.as_deref(),
                    self.options.width,
                    format.auto_size,
                    format.wrap,
                );
                self.write(text);
                Ok(Flow::Shown)
            }
        }
    }

    fn write(&mut self, text: Option<String>) {
        if let Some(text) = text {
            self.host.write(Stream::Output, &text);
        }
    }

    /// `Connect-MgGraph`: the saved connection is used, whatever the arguments say; those that would have
    /// connected elsewhere are named in a warning.
    fn connect(&mut self, command: &Command) -> Result<Flow, Stopped> {
        const HARMLESS: [&str; 6] = [
            "Scopes",
            "NoWelcome",
            "ContextScope",
            "ClientTimeout",
            "UseDeviceCode",
            "UseDeviceAuthentication",
        ];
        self.items(command)?;
        let Some(connection) = self.transport.connection() else {
            let text = "There is no saved connection that Connect-MgGraph could use.";
            let error = ReadError::new(command.at, "NotConnected", text);
            return Err(error.with_hint("save one with usher connect").into());
        };
        let ignored: Vec<_> = command
            .arguments
            .iter()
            .filter_map(|argument| match &argument.kind {
                ArgumentKind::Name(name, _) if !HARMLESS.iter().any(|known| is_short_for(name, known)) => {
                    Some(format!("-{name}"))
                }
                _ => None,
            })
            .collect();
        if !ignored.is_empty() {
            let text = format!(
                "Connect-MgGraph uses the saved connection to {}; {} does not change it.",
                connection.endpoint,
                ignored.join(", ")
            );
            let mut talk = Talk::new(&mut *self.host, self.preferences, None);
            if talk.warning(&text).is_err() {
                return Err(Stopped::Said(Next::Ends));
            }
        }
        Ok(Flow::Shown)
    }

    fn convert_to_json(&mut self, command: &Command, values: &[PsValue]) -> Result<Flow, Stopped> {
        let mut depth = 2;
        let mut compress = false;
        let mut arguments = command.arguments.iter();
        while let Some(argument) = arguments.next() {
            match &argument.kind {
                ArgumentKind::Name(name, None) if is_short_for(name, "Compress") => compress = true,
                ArgumentKind::Name(name, value) if is_short_for(name, "Depth") => {
                    let next = if value.is_none() { arguments.next().map(|next| &next.kind) } else { None };
                    let given = match (value, next) {
                        (Some(value), _) | (None, Some(ArgumentKind::Value(value))) => {
                            evaluate(value, &self.scope())?.to_text()
                        }
                        _ => String::new(),
                    };
                    depth =
                        given.parse().ok().filter(|depth| (0..=DEEPEST).contains(depth)).ok_or_else(
                            || unsupported(argument.at, "-Depth takes a number from 0 to 100."),
                        )?;
                }
                _ => {
                    return Err(
                        unsupported(argument.at, "ConvertTo-Json takes -Depth and -Compress here.").into()
                    );
                }
            }
        }
        let (text, is_cut) = json_text(values, depth, compress, &self.options.zone);
        if is_cut {
            let warning = format!(
                "Resulting JSON is truncated as serialization has exceeded the set depth of {depth}."
            );
            let mut talk = Talk::new(&mut *self.host, self.preferences, None);
            if talk.warning(&warning).is_err() {
                return Err(Stopped::Said(Next::Ends));
            }
        }
        Ok(Flow::Items(vec![PsValue::Text(text)]))
    }

    fn format_arguments(&self, command: &Command) -> Result<Format, ReadError> {
        let mut format = Format { properties: None, auto_size: false, wrap: false };
        for argument in &command.arguments {
            let value = match &argument.kind {
                ArgumentKind::Name(name, None) if is_short_for(name, "AutoSize") => {
                    format.auto_size = true;
                    continue;
                }
                ArgumentKind::Name(name, None) if is_short_for(name, "Wrap") => {
                    format.wrap = true;
                    continue;
                }
                ArgumentKind::Name(name, None) if is_short_for(name, "Property") => continue,
                ArgumentKind::Name(name, Some(value)) if is_short_for(name, "Property") => value,
                ArgumentKind::Value(value) => value,
                _ => {
                    let text =
                        format!("{} takes names of properties, -AutoSize and -Wrap here.", command.name);
                    return Err(unsupported(argument.at, &text));
                }
            };
            let names = enumerated(evaluate(value, &self.scope())?);
            format.properties.get_or_insert_default().extend(names.iter().map(PsValue::to_text));
        }
        Ok(format)
    }
}

/// The deepest that `ConvertTo-Json` goes.
const DEEPEST: usize = 100;

/// The arguments of `Format-List` and `Format-Table`.
struct Format {
    properties: Option<Vec<String>>,
    auto_size: bool,
    wrap: bool,
}

fn unsupported(at: Position, text: &str) -> ReadError {
    ReadError::new(at, "ArgumentNotSupported", text)
}

/// An error with the line it stands in.
fn located(kind: &str, script: &Script<'_>, error: &ReadError) -> String {
    let Position { line, column } = error.at;
    let source = script.text.lines().nth(line - 1).unwrap_or_default().replace('\t', " ");
    let number = line.to_string();
    let width = number.len().max(4);
    let blank = " ".repeat(width);
    let mut text = format!(
        "{kind}: {}:{line}:{column}\n{:<width$} |\n{number:>width$} | {}\n{blank} | {}~\n{blank} | {}",
        script.name,
        "Line",
        source.trim_end(),
        " ".repeat(column - 1),
        error.message
    );
    if let Some(hint) = &error.hint {
        text.push_str(&format!("\nhint: {hint}"));
    }
    text
}
