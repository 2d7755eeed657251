//! The cmdlets of the Graph SDK for PowerShell, word for word, and the scripts of their published samples.
//! Nothing here knows HTTP or a terminal: [`Host`] and [`Transport`] do.

pub mod literal;
pub mod value;

mod bind;
mod body;
mod call;
mod cast;
mod cmdlets;
mod command;
mod console;
mod convert;
mod cursor;
mod date;
mod debug;
mod evaluate;
mod help;
mod host;
mod json;
mod names;
mod number;
mod parameters;
mod pipeline;
mod preferences;
mod print;
mod query;
mod reader;
mod record;
mod results;
mod run;
mod script;
mod session;
mod strings;
mod syntax;
mod talk;
mod view;

#[cfg(test)]
mod tests;

pub use cmdlets::{Cmdlet, Route, Set, cmdlets, find_cmdlet};
pub use console::Console;
pub use date::Date;
pub use evaluate::Scope;
pub use help::help;
pub use host::{
    Connection, Content, Credential, Host, Options, Output, Proxy, Request, Response, Stream, Transport,
    TransportError,
};
pub use number::Decimal;
pub use print::to_literal;
pub use script::read_script;
pub use session::{Script, run_script};
pub use syntax::is_dash;
pub use syntax::{
    Argument, ArgumentKind, Command, Expression, ExpressionKind, Piece, Pipeline, Position, ReadError, Stage,
    Statement,
};

use bind::Item;
use jiff::tz::TimeZone;
use preferences::Preferences;
use run::{Assignment, Context, Input, run};
use view::Printer;

/// Whether a word of the command line is the name of a cmdlet: case does not matter, and any dash will do.
pub fn is_cmdlet(name: &str) -> bool {
    find_cmdlet(name).is_some()
}

/// Whether a word of the command line can only be meant as the name of a cmdlet, though there may be none of that name.
pub fn is_like_cmdlet(name: &str) -> bool {
    let bare = name.rsplit('\\').next().unwrap_or(name);
    bare.split_once(is_dash).is_some_and(|(verb, noun)| {
        !verb.is_empty()
            && verb.chars().all(char::is_alphabetic)
            && noun.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("Mg"))
    })
}

/// Runs a cmdlet with the arguments of the command line; the number is the exit code.
pub async fn run_cmdlet(
    name: &str,
    arguments: Vec<String>,
    host: &mut dyn Host,
    transport: &dyn Transport,
    options: &Options,
) -> i32 {
    let Some(cmdlet) = find_cmdlet(name) else {
        let text = format!(
            "The term '{name}' is not recognized as a name of a cmdlet, function, script file, or executable program.\nhint: `usher reference cmdlets` names all"
        );
        host.write(Stream::Error, &text);
        return 1;
    };
    let items = arguments.into_iter().map(Item::Word).collect();
    let context =
        Context { host: &mut *host, transport, options, preferences: Preferences::default(), place: None };
    let mut printer: Option<Printer> = None;
    let width = options.width;
    let outcome = run(cmdlet, items, Input::Standard, context, &mut |result, output, host| {
        printer.get_or_insert_with(|| Printer::new(output, width)).show(&result, host);
    })
    .await;
    if let Some(printer) = &mut printer {
        printer.finish(host);
    }
    let mut succeeded = outcome.succeeded;
    for assignment in &outcome.assignments {
        succeeded &= keep(assignment, host, &options.zone);
    }
    i32::from(!succeeded)
}

/// What stands for a variable where there is no session: a file, or a line on the error stream.
fn keep(assignment: &Assignment, host: &mut dyn Host, zone: &TimeZone) -> bool {
    let name = assignment.name.as_str();
    let path = name.strip_prefix('@').unwrap_or(name);
    let is_file =
        name.starts_with('@') || name.contains(['/', '\\']) || name.to_ascii_lowercase().ends_with(".json");
    if is_file {
        let text = format!("{:#}\n", json::to_json(&assignment.value, zone));
        return match host.write_file(path, &text, assignment.append) {
            Ok(()) => true,
            Err(error) => {
                let text = format!("-{}: cannot write {path}: {error}", assignment.parameter);
                host.write(Stream::Error, &text);
                false
            }
        };
    }
    // What the other variables hold has been shown already.
    if assignment.parameter == "ResponseHeadersVariable" {
        let sign = if assignment.append { "+=" } else { "=" };
        host.write(Stream::Message, &format!("${name} {sign} {}", to_literal(&assignment.value)));
    }
    true
}
