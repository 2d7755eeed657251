//! Preferences: what errors, warnings and other messages do, and when a cmdlet asks first.

use super::value::PsValue;

/// What a message of some kind does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionPreference {
    /// It is not shown, but kept.
    SilentlyContinue,
    /// It ends the run.
    Stop,
    /// It is shown.
    Continue,
    /// Whoever sits at the console decides.
    Inquire,
    /// It is neither shown nor kept.
    Ignore,
    /// For workflows, which there are none of.
    Suspend,
    /// It starts a debugger, which there is none of.
    Break,
}

/// The actions, in the order of their numbers.
const ACTIONS: [(&str, ActionPreference); 7] = [
    ("SilentlyContinue", ActionPreference::SilentlyContinue),
    ("Stop", ActionPreference::Stop),
    ("Continue", ActionPreference::Continue),
    ("Inquire", ActionPreference::Inquire),
    ("Ignore", ActionPreference::Ignore),
    ("Suspend", ActionPreference::Suspend),
    ("Break", ActionPreference::Break),
];

impl ActionPreference {
    /// Reads a name, the beginning of one, or a number.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some((_, action)) = text.parse::<usize>().ok().and_then(|number| ACTIONS.get(number)) {
            return Ok(*action);
        }
        let starts =
            |name: &str| name.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text));
        let matching: Vec<_> = ACTIONS.iter().filter(|(name, _)| !text.is_empty() && starts(name)).collect();
        match matching.as_slice() {
            [(_, only)] => Ok(*only),
            [] => Err(format!(
                "Unable to match the identifier name {text} to a valid enumerator name. Specify one of the following enumerator names and try again: {}",
                names(ACTIONS.iter())
            )),
            several => Err(format!(
                "Unable to process the identifier name {text} because it is ambiguous. Possible matches: {}",
                names(several.iter().copied())
            )),
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        ACTIONS.iter().find(|(_, action)| *action == self).map_or("Continue", |(name, _)| name)
    }
}

fn names<'a>(actions: impl Iterator<Item = &'a (&'static str, ActionPreference)>) -> String {
    actions.map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// How much a cmdlet may change before it asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConfirmPreference {
    /// Ask before everything.
    Low,
    /// Ask before what changes as much as these cmdlets do.
    Medium,
    /// Ask before what changes much.
    High,
    /// Never ask.
    None,
}

/// All preferences that a cmdlet looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preferences {
    /// `$ErrorActionPreference`.
    pub error: ActionPreference,
    /// `$WarningPreference`.
    pub warning: ActionPreference,
    /// `$VerbosePreference`.
    pub verbose: ActionPreference,
    /// `$DebugPreference`.
    pub debug: ActionPreference,
    /// `$ConfirmPreference`.
    pub confirm: ConfirmPreference,
    /// `$WhatIfPreference`.
    pub what_if: bool,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            error: ActionPreference::Continue,
            warning: ActionPreference::Continue,
            verbose: ActionPreference::SilentlyContinue,
            debug: ActionPreference::SilentlyContinue,
            confirm: ConfirmPreference::High,
            what_if: false,
        }
    }
}

impl Preferences {
    /// Takes the value of a preference variable; says why when the value is none.
    pub fn set_variable(&mut self, name: &str, value: &PsValue) -> Result<(), String> {
        let text = value.to_text();
        match name.to_ascii_lowercase().as_str() {
            "erroractionpreference" => self.error = ActionPreference::parse(&text)?,
            "warningpreference" => self.warning = ActionPreference::parse(&text)?,
            "verbosepreference" => self.verbose = ActionPreference::parse(&text)?,
            "debugpreference" => self.debug = ActionPreference::parse(&text)?,
            "informationpreference" | "progresspreference" => {
                ActionPreference::parse(&text)?;
            }
            "whatifpreference" => self.what_if = super::cast::is_true(value),
            "confirmpreference" => {
                self.confirm = match text.to_ascii_lowercase().as_str() {
                    "none" | "0" => ConfirmPreference::None,
                    "low" | "1" => ConfirmPreference::Low,
                    "medium" | "2" => ConfirmPreference::Medium,
                    "high" | "3" => ConfirmPreference::High,
                    _ => {
                        return Err(format!(
                            "Unable to match the identifier name {text} to a valid enumerator name. Specify one of the following enumerator names and try again: None, Low, Medium, High"
                        ));
                    }
                };
            }
            _ => {}
        }
        Ok(())
    }

    /// The preferences with what the common parameters of a call say.
    pub fn with_parameters<'v>(mut self, value: impl Fn(&str) -> Option<&'v PsValue>) -> Self {
        let action =
            |name: &str| value(name).and_then(|value| ActionPreference::parse(&value.to_text()).ok());
        let switch = |name: &str| value(name).map(|value| *value == PsValue::Bool(true));
        let shown =
            |is_on: bool| if is_on { ActionPreference::Continue } else { ActionPreference::SilentlyContinue };
        self.error = action("ErrorAction").unwrap_or(self.error);
        self.warning = action("WarningAction").unwrap_or(self.warning);
        self.verbose = switch("Verbose").map_or(self.verbose, shown);
        self.debug = switch("Debug").map_or(self.debug, shown);
        self.what_if = switch("WhatIf").unwrap_or(self.what_if);
        self.confirm = match switch("Confirm") {
            Some(true) => ConfirmPreference::Low,
            Some(false) => ConfirmPreference::None,
            None => self.confirm,
        };
        self
    }

    /// Whether a cmdlet of medium impact asks before it acts.
    pub fn asks(&self) -> bool {
        self.confirm <= ConfirmPreference::Medium
    }
}
