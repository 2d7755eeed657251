//! `usher expression`: evaluate, test and look up.

use std::collections::BTreeMap;
use std::fs;
use std::io::{IsTerminal, Read};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Subcommand;
use jiff::Timestamp;
use smol_str::SmolStr;
use usher_core::AttributeSet;
use usher_core::ports::Clock;
use usher_expr::{Context, Dialect, Outcome, Value, compile, functions, render, vectors};

use crate::clock::SystemClock;
use crate::failure::{DONE, Failure, REFUSED};

/// The mapping expression language.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    usher expression eval 'Join(\".\", [givenName], [surname])' --input person.json\n  \
    usher expression eval 'IIF(IsPresent([mail]), [mail], \"none\")' --set mail=a@b.example --explain\n  \
    usher expression test vectors.json\n  \
    usher expression functions Join")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Evaluate an expression.
    Eval {
        /// The expression.
        expression: String,
        /// A JSON file with attributes: name to text, list of texts, number, boolean or null; `-` is standard input.
        #[arg(long, value_name = "FILE")]
        input: Option<PathBuf>,
        /// One attribute, NAME=TEXT.
        #[arg(long = "set", value_name = "NAME=TEXT")]
        attributes: Vec<String>,
        /// The dialect: service, cloud-sync or hybrid.
        #[arg(long, default_value = "service")]
        dialect: Dialect,
        /// The instant that Now() answers, ISO 8601.
        #[arg(long, value_name = "INSTANT")]
        now: Option<Timestamp>,
        /// The seed of Guid, RandomString and RandomNum; a fresh one when not given.
        #[arg(long)]
        seed: Option<u64>,
        /// A %Name% parameter, NAME=TEXT.
        #[arg(long = "parameter", value_name = "NAME=TEXT")]
        parameters: Vec<String>,
        /// What DefaultDomain() answers.
        #[arg(long, value_name = "DOMAIN")]
        default_domain: Option<String>,
        /// Print the value of every sub-expression.
        #[arg(long)]
        explain: bool,
    },
    /// Run a file of test vectors. Exit code 1 when one fails.
    Test {
        /// The vectors.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// List the functions, or show one.
    Functions {
        /// The function.
        name: Option<String>,
        /// Only functions of this dialect: service, cloud-sync or hybrid.
        #[arg(long)]
        dialect: Option<Dialect>,
    },
}

/// Runs the verb.
pub fn run(args: Args) -> Result<u8> {
    match args.verb {
        Verb::Eval {
            expression,
            input,
            attributes,
            dialect,
            now,
            seed,
            parameters,
            default_domain,
            explain,
        } => {
            let clock = SystemClock;
            let context = Context {
                now: now.unwrap_or_else(|| clock.now()),
                seed: seed.unwrap_or_else(|| clock.guid().as_u64_pair().0),
                parameters: pairs(&parameters)?,
                default_domain: default_domain.map(SmolStr::from),
                empty_condition_is_false: false,
            };
            let mut set = read_attributes(input)?;
            for (name, text) in pairs(&attributes)? {
                set.set(name, Value::Text(text));
            }
            eval(&expression, &set, dialect, &context, explain)
        }
        Verb::Test { files } => test(&files),
        Verb::Functions { name: Some(name), dialect } => show(&name, dialect),
        Verb::Functions { name: None, dialect } => {
            for function in functions::all() {
                if dialect.is_none_or(|dialect| function.dialects.contains(&dialect)) {
                    anstream::println!("{:30} {}", function.name, function.summary);
                }
            }
            Ok(DONE)
        }
    }
}

fn eval(
    text: &str,
    attributes: &AttributeSet,
    dialect: Dialect,
    context: &Context,
    explain: bool,
) -> Result<u8> {
    let compilation = compile(text, dialect);
    if !compilation.diagnostics.is_empty() {
        let color = std::io::stderr().is_terminal();
        anstream::eprint!("{}", render(text, "expression", &compilation.diagnostics, color));
    }
    let Some(expression) = compilation.expression else { return Ok(REFUSED) };
    if explain {
        anstream::print!("{}", expression.explain(attributes, context).tree);
    }
    match expression.evaluate(attributes, context) {
        Ok(outcome) => {
            if !explain {
                print_outcome(&outcome);
            }
            Ok(DONE)
        }
        Err(error) => {
            anstream::eprintln!("error: {error}");
            Ok(REFUSED)
        }
    }
}

fn print_outcome(outcome: &Outcome) {
    match outcome {
        Outcome::Value(Value::Null) => anstream::println!("null"),
        Outcome::Value(Value::List(values)) => {
            for value in values.iter() {
                anstream::println!("{}", value.to_text());
            }
        }
        Outcome::Value(value) => anstream::println!("{}", value.to_text()),
        Outcome::IgnoreAttributeFlow => anstream::println!("IgnoreAttributeFlow (the attribute is left out)"),
        Outcome::IgnoreObjectFlow => anstream::println!("IgnoreObjectFlow (the object is left out)"),
        Outcome::Candidates(values) => {
            anstream::println!("the first of these that is free in the target:");
            for value in values {
                anstream::println!("  {}", value.to_text());
            }
        }
    }
}

fn test(files: &[PathBuf]) -> Result<u8> {
    let (mut passed, mut failed) = (0, 0);
    for file in files {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let list = vectors::load(&text).map_err(|error| {
            Failure::refused(format!("{} is no file of vectors: {error}", file.display()))
        })?;
        for vector in &list {
            match vectors::run(vector) {
                Ok(()) => passed += 1,
                Err(failure) => {
                    failed += 1;
                    anstream::println!("FAILED {}: {}", failure.id, failure.expression);
                    anstream::println!("  expected {}", failure.expected);
                    anstream::println!("  actual   {}", failure.actual);
                }
            }
        }
    }
    anstream::println!("{passed} passed, {failed} failed");
    Ok(if failed == 0 { DONE } else { REFUSED })
}

fn show(name: &str, dialect: Option<Dialect>) -> Result<u8> {
    let found: Vec<_> = functions::all()
        .iter()
        .filter(|function| function.name.eq_ignore_ascii_case(name))
        .filter(|function| dialect.is_none_or(|dialect| function.dialects.contains(&dialect)))
        .collect();
    if found.is_empty() {
        return Err(Failure::with_hint(
            format!("there is no function '{name}'"),
            "`usher expression functions` lists all",
        ));
    }
    for function in found {
        anstream::println!("{}", super::reference::function_page(function).trim_end());
    }
    Ok(DONE)
}

fn read_attributes(input: Option<PathBuf>) -> Result<AttributeSet> {
    let Some(path) = input else { return Ok(AttributeSet::default()) };
    let mut text = String::new();
    if path.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
    } else {
        text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    }
    let document: serde_json::Value =
        serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))?;
    let serde_json::Value::Object(members) = document else {
        return Err(Failure::usage(
            format!("{} is not a JSON object", path.display()),
            "it must map attribute names to values, for example {\"givenName\": \"Adele\"}",
        ));
    };
    Ok(members.iter().map(|(name, value)| (name.as_str(), Value::from_json(value))).collect())
}

fn pairs(texts: &[String]) -> Result<BTreeMap<SmolStr, SmolStr>> {
    texts
        .iter()
        .map(|text| {
            text.split_once('=').map(|(name, value)| (SmolStr::from(name), SmolStr::from(value))).ok_or_else(
                || Failure::usage(format!("'{text}' is not NAME=TEXT"), "for example --set givenName=Adele"),
            )
        })
        .collect()
}
