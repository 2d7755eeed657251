//! `usher reference`: the generated pages of docs/reference, printed from the tables that the program runs on.

use std::fmt::Write;

use anyhow::Result;
use clap::CommandFactory;
use usher_expr::functions::{self, Function};

use crate::commands::Arguments;
use crate::failure::DONE;
use crate::powershell;

/// Print a generated reference page.
#[derive(clap::Args)]
pub struct Args {
    /// The page.
    #[arg(value_enum)]
    page: Page,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Page {
    Functions,
    Operators,
    Connectors,
    Commands,
    Cmdlets,
    Templates,
}

/// Prints the page.
pub fn run(args: Args) -> Result<u8> {
    let page = match args.page {
        Page::Functions => functions_page(),
        Page::Operators => operators_page(),
        Page::Connectors => connectors_page(),
        Page::Commands => commands_page(),
        Page::Cmdlets => cmdlets_page(),
        Page::Templates => templates_page(),
    };
    print!("{page}");
    Ok(DONE)
}

const GENERATED: &str = "<!-- Written by `cargo xtask docs`; edit the tables in the code instead. -->\n\n";

fn functions_page() -> String {
    let mut page = format!("{GENERATED}# Functions of the mapping expression language\n\n");
    let mut all: Vec<&Function> = functions::all().to_vec();
    all.sort_by_key(|function| (function.name.to_lowercase(), format!("{:?}", function.dialects)));
    for function in all {
        page.push_str(&function_page(function));
    }
    page
}

/// The entry of one function: signature, parameters, examples.
pub fn function_page(function: &Function) -> String {
    let names: Vec<String> = function
        .params
        .iter()
        .map(|param| match (param.required, param.repeats) {
            (true, false) => param.name.to_owned(),
            (true, true) => format!("{}…", param.name),
            (false, false) => format!("[{}]", param.name),
            (false, true) => format!("[{}…]", param.name),
        })
        .collect();
    let dialects: Vec<String> = function.dialects.iter().map(ToString::to_string).collect();
    let mut page = format!(
        "## {}({})\n\n{}\n\nDialects: {}.\n",
        function.name,
        names.join(", "),
        function.summary,
        dialects.join(", ")
    );
    if !function.params.is_empty() {
        page.push('\n');
        for param in function.params {
            let _ = writeln!(page, "- `{}` ({:?}): {}", param.name, param.ty, param.doc);
        }
    }
    if !function.examples.is_empty() {
        page.push_str("\n```text\n");
        for example in function.examples {
            let _ = writeln!(page, "{}\n  → {}", example.source, example.result);
        }
        page.push_str("```\n");
    }
    page.push('\n');
    page
}

fn cmdlets_page() -> String {
    let mut page = format!(
        "{GENERATED}# Cmdlets\n\nEach works with `usher NAME` and in `usher script`; `usher NAME -?` shows its \
         parameters. Each has a twin for the beta version of the API, `MgBeta` in the place of `Mg`.\n\n\
         | Cmdlet | Calls |\n| --- | --- |\n"
    );
    for cmdlet in powershell::cmdlets() {
        // The twins say nothing more; what is in beta only has no other.
        let twin = cmdlet.name.replacen("-MgBeta", "-Mg", 1);
        if twin != cmdlet.name && powershell::find_cmdlet(&twin).is_some() {
            continue;
        }
        let calls: Vec<String> = cmdlet
            .routes
            .iter()
            .map(|route| format!("`{} {}`", route.operation.method, route.path))
            .collect();
        let _ = writeln!(page, "| `{}` | {} |", cmdlet.name, calls.join("<br>"));
    }
    page
}

fn operators_page() -> String {
    let mut page = format!(
        "{GENERATED}# Operators of scoping filters\n\n| Operator | Arity | Attribute types | True when |\n| --- | --- | --- | --- |\n"
    );
    for operator in usher_core::operators::all() {
        let types: Vec<String> = operator.types.iter().map(|one| format!("{one:?}")).collect();
        let _ = writeln!(
            page,
            "| `{}` | {:?} | {} | {} |",
            operator.name.replace('|', "\\|"),
            operator.arity,
            types.join(", "),
            operator.summary
        );
    }
    page
}

fn connectors_page() -> String {
    let mut page = format!("{GENERATED}# Connectors\n\n");
    for kind in usher_connectors::kinds() {
        let _ = writeln!(page, "## {}\n\n{}\n", kind.name, kind.summary);
        if kind.settings.is_empty() {
            page.push_str("It needs no settings.\n\n");
            continue;
        }
        page.push_str("| Secret | Needed | Meaning |\n| --- | --- | --- |\n");
        for setting in kind.settings {
            let needed = if setting.required { "yes" } else { "no" };
            let _ = writeln!(page, "| `{}` | {needed} | {} |", setting.key, setting.doc);
        }
        page.push('\n');
    }
    page
}

fn templates_page() -> String {
    let mut page = format!(
        "{GENERATED}# Synchronization templates\n\n| Template | Source | Target | Interval | Meaning |\n| --- | --- | --- | --- | --- |\n"
    );
    for template in usher_core::templates::all() {
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} | {} |",
            template.id, template.source, template.target, template.interval, template.description
        );
    }
    page
}

fn commands_page() -> String {
    let mut page = format!("{GENERATED}# Commands\n\n");
    let mut root = Arguments::command();
    root.build();
    for command in root.get_subcommands_mut().filter(|command| !command.is_hide_set()) {
        append_command(&mut page, command, "usher", 2);
    }
    page
}

fn append_command(page: &mut String, command: &mut clap::Command, parent: &str, level: usize) {
    let name = format!("{parent} {}", command.get_name());
    if command.get_name() == "help" {
        return;
    }
    let help = command.clone().term_width(100).render_long_help().to_string();
    let help: String = help.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    let _ = writeln!(page, "{} {name}\n\n```text\n{}```\n", "#".repeat(level), help);
    for child in command.get_subcommands_mut().filter(|child| !child.is_hide_set()) {
        append_command(page, child, &name, level + 1);
    }
}
