//! The help of a cmdlet, made from its tables.

use super::cmdlets::Cmdlet;
use super::parameters::{Kind, Origin, Parameter, Sets};

/// The help text, wrapped to a width.
pub fn help(cmdlet: &Cmdlet, width: usize) -> String {
    let table = &cmdlet.parameters;
    let mut text = format!("NAME\n    {}\n\nSYNOPSIS\n", cmdlet.name);
    paragraph(&mut text, &cmdlet.summary(), "    ", width);
    for route in 0..cmdlet.routes.len() {
        let set = cmdlet.sets_that(|set| set.route == route);
        let call = format!("{} with version {}", cmdlet.template(set), cmdlet.version);
        paragraph(&mut text, &format!("Calls {call}."), "    ", width);
    }
    text.push_str("\nSYNTAX\n");
    for set in cmdlet.sets_that(|_| true).each() {
        text.push_str(&format!(
            "    {}{}\n",
            cmdlet.set(set).name,
            if set == Sets::at(0) { " (default)" } else { "" }
        ));
        paragraph(&mut text, &syntax(cmdlet, table, set), "        ", width);
        text.push('\n');
    }
    text.push_str("PARAMETERS\n");
    for parameter in table.iter().filter(|parameter| parameter.origin != Origin::Common) {
        describe(&mut text, cmdlet, parameter, width);
    }
    text.push_str("COMMON PARAMETERS\n");
    for parameter in table.iter().filter(|parameter| parameter.origin == Origin::Common) {
        describe(&mut text, cmdlet, parameter, width);
    }
    text.push_str("OPTIONS OF THIS PROGRAM\n");
    for line in OPTIONS {
        paragraph(&mut text, line, "    ", width);
    }
    text.push_str("\nNOTES\n");
    for line in NOTES {
        paragraph(&mut text, line, "    ", width);
    }
    text.trim_end().to_owned()
}

const OPTIONS: [&str; 3] = [
    "-Environment NAME           The cloud that is meant (Global, USGov, USGovDoD, China): another connection is refused.",
    "--output table|list|json    How results are shown; table is the default.",
    "--help, -?                  This text.",
];

const NOTES: [&str; 8] = [
    "Names may be shortened as long as one parameter fits; the cmdlet's own parameters win over the common ones. -Name:value works for every parameter, and so do two dashes; a switch is turned off with -Name:$false.",
    "Where a hashtable or a list is expected, the argument is a PowerShell literal, JSON, or @FILE with either. A literal that a shell has cut at its blanks is put together again.",
    "Pipeline input comes from standard input: JSON documents or literals, one call for each; the items of a list are items of their own. It is read only while InputObject or BodyParameter can still be filled, never when both ids are given together with -Parameters, -AdditionalProperties or -BodyParameter.",
    "An item with identity keys (ApplicationId, ServicePrincipalId, SynchronizationJobId and the like) is the InputObject. An item with the key parameters is the BodyParameter. An item with both is both. An item of neither kind whose values are all texts holds Headers.",
    "From InputObject only the two ids of the path are read; AppId and UniqueName are not looked up.",
    "The value of -ResponseHeadersVariable is a file when it begins with @, contains a slash or ends in .json: the headers are written there as JSON. Otherwise they are printed to the error stream as $NAME = @{ … }. In usher script it is a variable. +NAME adds. The other …Variable parameters work alike, but print nothing.",
    "A key that has no place in a parameter or a subject is left out of the request, with a warning.",
    "The exit code is 0 when there was no error, else 1, also when errors are silenced.",
];

fn syntax(cmdlet: &Cmdlet, table: &[Parameter], set: Sets) -> String {
    let mut words = vec![cmdlet.name.to_owned()];
    let in_set = |parameter: &&Parameter| parameter.sets.contains(set) && parameter.origin != Origin::Common;
    let (mandatory, optional): (Vec<_>, Vec<_>) =
        table.iter().filter(in_set).partition(|parameter| parameter.mandatory.contains(set));
    for parameter in mandatory {
        words.push(format!("-{} <{}>", parameter.name, parameter.short_type_name(cmdlet)));
    }
    for parameter in optional {
        words.push(match parameter.kind {
            Kind::Switch => format!("[-{}]", parameter.name),
            _ => format!("[-{} <{}>]", parameter.name, parameter.short_type_name(cmdlet)),
        });
    }
    words.push("[<CommonParameters>]".into());
    words.join(" ")
}

fn describe(text: &mut String, cmdlet: &Cmdlet, parameter: &Parameter, width: usize) {
    let kind = match parameter.kind {
        Kind::Switch => String::new(),
        _ => format!(" <{}>", parameter.short_type_name(cmdlet)),
    };
    text.push_str(&format!("    -{}{kind}\n", parameter.name));
    paragraph(text, parameter.summary, "        ", width);
    let mut facts = Vec::new();
    if parameter.mandatory != Sets::NONE {
        let all = cmdlet.sets_that(|_| true);
        let names: Vec<_> = parameter.mandatory.and(all).each().map(|set| cmdlet.set(set).name).collect();
        facts.push(format!("Required in {}.", names.join(", ")));
    }
    if parameter.from_pipeline {
        facts.push("Takes pipeline input by value.".to_owned());
    }
    if !parameter.aliases.is_empty() {
        let aliases: Vec<_> = parameter.aliases.iter().map(|alias| format!("-{alias}")).collect();
        facts.push(format!("Alias: {}.", aliases.join(", ")));
    }
    if !facts.is_empty() {
        paragraph(text, &facts.join(" "), "        ", width);
    }
    text.push('\n');
}

/// Adds a paragraph with every line indented.
fn paragraph(text: &mut String, words: &str, indent: &str, width: usize) {
    let room = width.saturating_sub(indent.len()).max(20);
    let mut line = String::new();
    for word in words.split_inclusive(' ') {
        if !line.is_empty() && line.chars().count() + word.trim_end().chars().count() > room {
            text.push_str(&format!("{indent}{}\n", line.trim_end()));
            line.clear();
        }
        line.push_str(word);
    }
    text.push_str(&format!("{indent}{}\n", line.trim_end()));
}
