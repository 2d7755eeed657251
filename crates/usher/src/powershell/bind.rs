//! Binding: which argument is the value of which parameter, and which parameter sets that leaves.

use indexmap::IndexMap;

use super::cmdlets::Cmdlet;
use super::convert::{convert, read_word, unreadable_word};
use super::evaluate::Scope;
use super::host::Output;
use super::parameters::{Kind, Origin, Parameter, Sets};
use super::reader::is_parameter_start;
use super::record::ErrorRecord;
use super::syntax::is_dash;
use super::value::PsValue;

/// An argument, before it is bound.
pub enum Item {
    /// A word of the command line, as the shell passed it.
    Word(String),
    /// `-Name`, or `-Name:value`, of a script.
    Name(String, Option<PsValue>),
    /// A value of a script.
    Value(PsValue),
}

/// The set of a call that leaves several open.
const DEFAULT: Sets = Sets::at(0);

/// What was given by name.
#[derive(Clone)]
pub struct Bound {
    /// The cmdlet.
    pub cmdlet: &'static Cmdlet,
    /// Its parameters.
    pub parameters: &'static [Parameter],
    /// The values, by the parameters' full names.
    pub values: IndexMap<&'static str, PsValue>,
    /// The sets that are still open.
    pub open: Sets,
    /// `--output`.
    pub output: Option<Output>,
    /// `-Environment`: the cloud that is meant.
    pub environment: Option<String>,
    /// `-?` or `--help`.
    pub wants_help: bool,
}

/// The set that a call runs with, and what it still needs.
#[derive(Debug, PartialEq, Eq)]
pub struct Resolution {
    /// The set.
    pub set: Sets,
    /// Mandatory parameters without a value, in the order they are asked for.
    pub missing: Vec<&'static str>,
}

/// Binds what was given by name.
pub fn bind(cmdlet: &'static Cmdlet, items: Vec<Item>, scope: &dyn Scope) -> Result<Bound, ErrorRecord> {
    let mut binder = Binder {
        bound: Bound {
            cmdlet,
            parameters: &cmdlet.parameters,
            values: IndexMap::new(),
            open: cmdlet.sets_that(|_| true),
            output: None,
            environment: None,
            wants_help: false,
        },
        items: items.into_iter().peekable(),
        scope,
    };
    while let Some(item) = binder.items.next() {
        match item {
            Item::Word(word) => binder.word(&word)?,
            Item::Name(name, value) => binder.named(&name, value.map(Given::Value))?,
            Item::Value(value) => return Err(positional(cmdlet, &value.to_text())),
        }
        if binder.bound.wants_help {
            return Ok(binder.bound);
        }
    }
    let bound = binder.bound;
    if bound.open.is_empty() {
        return Err(bound.ambiguous_set());
    }
    Ok(bound)
}

impl Bound {
    /// The value of a parameter that was given and is not null.
    pub fn get(&self, name: &str) -> Option<&PsValue> {
        self.values.get(name).filter(|value| **value != PsValue::Null)
    }

    /// The text of a parameter that was given.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(PsValue::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether a switch is on.
    pub fn is_on(&self, name: &str) -> bool {
        self.get(name) == Some(&PsValue::Bool(true))
    }

    /// The members of the body that were given, with their parameters.
    pub fn members(&self) -> Vec<(&'static Parameter, PsValue)> {
        let given = |parameter: &&Parameter| !parameter.member.is_empty();
        self.parameters
            .iter()
            .filter(given)
            .filter_map(|parameter| Some((parameter, self.get(parameter.name)?.clone())))
            .collect()
    }

    /// Binds one more value, as a pipeline item or an answer to a prompt does.
    pub fn add(&mut self, name: &str, value: PsValue) -> Result<(), ErrorRecord> {
        let parameter = self
            .parameters
            .iter()
            .find(|parameter| parameter.name == name)
            .cloned()
            .expect("callers name parameters of the table");
        let value = convert(self.cmdlet, &parameter, value)?;
        self.open = self.open.and(parameter.sets);
        self.values.insert(parameter.name, value);
        Ok(())
    }

    /// Whether a set is still open that only a pipeline item can complete.
    pub fn wants_input(&self) -> bool {
        // Without a body to wait for, what is complete is complete.
        let is_complete = self.open.contains(DEFAULT) && self.missing(DEFAULT).is_empty();
        if is_complete && self.cmdlet.takes().is_none() {
            return false;
        }
        self.open.each().any(|set| {
            self.parameters.iter().any(|parameter| {
                parameter.from_pipeline
                    && parameter.mandatory.contains(set)
                    && !self.values.contains_key(parameter.name)
            })
        })
    }

    /// Decides on the set.
    pub fn resolve(&self) -> Result<Resolution, ErrorRecord> {
        let mut open: Vec<_> = self.open.each().collect();
        let complete: Vec<_> = open.iter().copied().filter(|set| self.missing(*set).is_empty()).collect();
        let set = if open.len() == 1 {
            open.remove(0)
        } else if self.open.contains(DEFAULT) {
            DEFAULT
        } else if let [only] = complete.as_slice() {
            *only
        } else {
            // Without input, only a set whose missing parameters can be asked for is of use.
            open.retain(|set| self.missing(*set).iter().all(|name| !self.takes_input(name)));
            match open.as_slice() {
                [only] => *only,
                _ => return Err(self.ambiguous_set()),
            }
        };
        Ok(Resolution { set, missing: self.missing(set) })
    }

    /// The error of arguments that no set has together.
    pub fn ambiguous_set(&self) -> ErrorRecord {
        let text = "Parameter set cannot be resolved using the specified named parameters. One or more parameters issued cannot be used together or an insufficient number of parameters were provided.";
        ErrorRecord::binding(self.cmdlet, "AmbiguousParameterSet", text)
    }

    fn missing(&self, set: Sets) -> Vec<&'static str> {
        self.parameters
            .iter()
            .filter(|parameter| {
                parameter.mandatory.contains(set) && !self.values.contains_key(parameter.name)
            })
            .map(|parameter| parameter.name)
            .collect()
    }

    fn takes_input(&self, name: &str) -> bool {
        self.parameters.iter().any(|parameter| parameter.name == name && parameter.from_pipeline)
    }
}

/// A value that came with a name.
enum Given {
    Word(String),
    Value(PsValue),
}

struct Binder<'s> {
    bound: Bound,
    items: std::iter::Peekable<std::vec::IntoIter<Item>>,
    scope: &'s dyn Scope,
}

impl Binder<'_> {
    fn word(&mut self, word: &str) -> Result<(), ErrorRecord> {
        if let Some(option) = word.strip_prefix("--") {
            return self.own_option(option, word);
        }
        let Some(name) = parameter_name(word) else { return Err(positional(self.bound.cmdlet, word)) };
        match name.split_once(':') {
            Some((name, value)) => self.named(name, Some(Given::Word(value.to_owned()))),
            None => self.named(name, None),
        }
    }

    /// `--Name`: `--output` and `--help` are ours, in the manner of the other verbs; every other name is the
    /// parameter of that name, with or without dashes in it.
    fn own_option(&mut self, option: &str, word: &str) -> Result<(), ErrorRecord> {
        let (name, value) = match option.split_once(['=', ':']) {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (option, None),
        };
        if name.eq_ignore_ascii_case("help") {
            self.bound.wants_help = true;
        } else if name.eq_ignore_ascii_case("output") {
            let value = value.or_else(|| match self.items.next() {
                Some(Item::Word(value)) => Some(value),
                _ => None,
            });
            self.bound.output = Some(value.as_deref().and_then(Output::parse).ok_or_else(|| {
                let text = "Missing an argument for '--output'. Specify json, table or list and try again.";
                ErrorRecord::binding(self.bound.cmdlet, "MissingArgument", text)
            })?);
        } else {
            let plain: String = name.chars().filter(|letter| !is_dash(*letter)).collect();
            if plain.is_empty() {
                return Err(positional(self.bound.cmdlet, word));
            }
            self.named(&plain, value.map(Given::Word))?;
        }
        Ok(())
    }

    fn named(&mut self, name: &str, attached: Option<Given>) -> Result<(), ErrorRecord> {
        if name == "?" {
            self.bound.wants_help = true;
            return Ok(());
        }
        let found = find_parameter(self.bound.cmdlet, self.bound.parameters, name).cloned();
        if found.is_err() && ENVIRONMENT.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return self.environment(name, attached);
        }
        let parameter = found?;
        if self.bound.values.contains_key(parameter.name) {
            let text = format!(
                "Cannot bind parameter because parameter '{}' is specified more than once. To provide multiple values to parameters that can accept multiple values, use the array syntax. For example, \"-parameter value1,value2,value3\".",
                parameter.name
            );
            return Err(ErrorRecord::binding(self.bound.cmdlet, "ParameterAlreadyBound", text));
        }
        let value = match attached {
            Some(Given::Word(word)) if word.is_empty() => self.after_colon(&parameter)?,
            Some(given) => self.read(&parameter, given)?,
            None if parameter.kind == Kind::Switch => PsValue::Bool(true),
            None => {
                let given = self.next_value().ok_or_else(|| self.missing_argument(&parameter))?;
                self.read(&parameter, given)?
            }
        };
        let name = parameter.name;
        self.bound.add(name, value)
    }

    /// `-Environment NAME`: which cloud the call is meant for.
    fn environment(&mut self, name: &str, attached: Option<Given>) -> Result<(), ErrorRecord> {
        let given = attached.filter(|given| !matches!(given, Given::Word(word) if word.is_empty()));
        let text = match given.or_else(|| self.next_value()) {
            Some(Given::Word(word)) => word,
            Some(Given::Value(value)) => value.to_text(),
            None => {
                let text = format!(
                    "Missing an argument for parameter '{name}'. Specify the name of a cloud, such as Global, and try again."
                );
                return Err(ErrorRecord::binding(self.bound.cmdlet, "MissingArgument", text));
            }
        };
        self.bound.environment = Some(text);
        Ok(())
    }

    /// `-Name: value`. A switch takes only what is clearly meant for it: where a shell has replaced
    /// `$false` by nothing, the next argument must not be swallowed.
    fn after_colon(&mut self, parameter: &Parameter) -> Result<PsValue, ErrorRecord> {
        let is_truth =
            |word: &str| matches!(word.to_ascii_lowercase().as_str(), "$true" | "$false" | "true" | "false");
        let fits = match self.items.peek() {
            Some(Item::Word(word)) => parameter.kind != Kind::Switch || is_truth(word),
            _ => false,
        };
        let given = if fits { self.next_value() } else { None };
        match given {
            Some(given) => self.read(parameter, given),
            None => {
                let error = self.missing_argument(parameter);
                Err(match parameter.kind {
                    Kind::Switch => error.with_hint(format!(
                        "a shell such as sh replaces $false by nothing: write '-{}:$false' in quotes, or -{}:false",
                        parameter.name, parameter.name
                    )),
                    _ => error,
                })
            }
        }
    }

    fn next_value(&mut self) -> Option<Given> {
        match self.items.next_if(|item| match item {
            Item::Word(word) => !word.starts_with("--") && parameter_name(word).is_none(),
            Item::Value(_) => true,
            Item::Name(..) => false,
        })? {
            Item::Word(word) => Some(Given::Word(word)),
            Item::Value(value) => Some(Given::Value(value)),
            Item::Name(..) => None,
        }
    }

    fn read(&mut self, parameter: &Parameter, given: Given) -> Result<PsValue, ErrorRecord> {
        let mut text = match given {
            Given::Value(value) => return Ok(value),
            Given::Word(word) => word,
        };
        let mut result = read_word(&text, parameter.kind, self.scope);
        // A literal that a shell has cut at its blanks goes on in the words after it.
        let mut joined = 0;
        while parameter.kind.is_literal()
            && joined < JOINED_LIMIT
            && result.as_ref().is_err_and(|error| error.is_incomplete)
        {
            let Some(Item::Word(more)) = self.items.next_if(|item| matches!(item, Item::Word(_))) else {
                break;
            };
            joined += 1;
            text.push(' ');
            text.push_str(&more);
            if more.contains([')', '}', ']', '\'', '"', '@']) {
                result = read_word(&text, parameter.kind, self.scope);
            }
        }
        result.map_err(|error| unreadable_word(self.bound.cmdlet, parameter, &error))
    }

    fn missing_argument(&self, parameter: &Parameter) -> ErrorRecord {
        let text = format!(
            "Missing an argument for parameter '{}'. Specify a parameter of type '{}' and try again.",
            parameter.name,
            parameter.type_name(self.bound.cmdlet)
        );
        ErrorRecord::binding(self.bound.cmdlet, "MissingArgument", text)
    }
}

/// The parameter that every cmdlet of this program has besides the published ones, by the names that `Connect-MgGraph`
/// has for it.
const ENVIRONMENT: [&str; 3] = ["Environment", "EnvironmentName", "NationalCloud"];

/// How many words one literal may be spread over.
const JOINED_LIMIT: usize = 2048;

/// The name in `-Name`, if the word is a parameter.
fn parameter_name(word: &str) -> Option<&str> {
    let mut characters = word.chars();
    let is_name =
        characters.next().is_some_and(is_dash) && characters.clone().next().is_some_and(is_parameter_start);
    is_name.then_some(characters.as_str())
}

/// Finds a parameter by its name, an alias, or the beginning of one.
pub fn find_parameter<'p>(
    cmdlet: &Cmdlet,
    parameters: &'p [Parameter],
    name: &str,
) -> Result<&'p Parameter, ErrorRecord> {
    let is_exact = |known: &str| known.eq_ignore_ascii_case(name);
    let is_start =
        |known: &str| known.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let with = |fits: &dyn Fn(&str) -> bool| -> Vec<&'p Parameter> {
        parameters
            .iter()
            .filter(|parameter| fits(parameter.name) || parameter.aliases.iter().any(|alias| fits(alias)))
            .collect()
    };
    if let [only] = with(&is_exact).as_slice() {
        return Ok(only);
    }
    let matching = if name.is_empty() { Vec::new() } else { with(&is_start) };
    let declared: Vec<_> =
        matching.iter().copied().filter(|parameter| parameter.origin == Origin::Declared).collect();
    match (matching.as_slice(), declared.as_slice()) {
        ([], _) => {
            let text = format!("A parameter cannot be found that matches parameter name '{name}'.");
            Err(ErrorRecord::binding(cmdlet, "NamedParameterNotFound", text))
        }
        ([only], _) | (_, [only]) => Ok(only),
        (several, _) => {
            let names: Vec<_> = several.iter().map(|parameter| format!("-{}", parameter.name)).collect();
            let text = format!(
                "Parameter cannot be processed because the parameter name '{name}' is ambiguous. Possible matches include: {}.",
                names.join(" ")
            );
            Err(ErrorRecord::binding(cmdlet, "AmbiguousParameter", text))
        }
    }
}

fn positional(cmdlet: &Cmdlet, argument: &str) -> ErrorRecord {
    let text = format!("A positional parameter cannot be found that accepts argument '{argument}'.");
    ErrorRecord::binding(cmdlet, "PositionalParameterNotFound", text)
}
