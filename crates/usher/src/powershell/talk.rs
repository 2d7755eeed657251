//! The streams besides results: errors, warnings, verbose and debug messages, and questions,
//! each obeying its preference.

use super::host::{Host, Stream};
use super::preferences::{ActionPreference, Preferences};
use super::record::{Category, ErrorRecord};

/// The run ends here; what there was to say has been said.
#[derive(Debug, PartialEq, Eq)]
pub struct Halt {
    /// Whether a script that made the call ends as well.
    pub ends_script: bool,
}

/// The kinds of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `WARNING:`.
    Warning,
    /// `VERBOSE:`.
    Verbose,
    /// `DEBUG:`.
    Debug,
}

/// What one run says, and what of it is kept.
pub struct Talk<'h> {
    /// The console.
    pub host: &'h mut dyn Host,
    /// The preferences of the run.
    pub preferences: Preferences,
    /// Where in a script the call stands.
    pub place: Option<String>,
    /// Errors so far, those silenced included.
    pub errors: Vec<ErrorRecord>,
    /// Warnings so far.
    pub warnings: Vec<String>,
    /// Whether there was no error.
    pub succeeded: bool,
    answered_yes_to_all: bool,
}

/// An answer to `-Confirm` or `Inquire`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// This once.
    Yes,
    /// From now on.
    YesToAll,
    /// Not this one.
    No,
    /// None from now on.
    NoToAll,
    /// Stop it all.
    Halt,
    /// Not possible here.
    Suspend,
}

struct Question {
    line: &'static str,
    keys: &'static [(&'static str, &'static str, Choice, &'static str)],
}

const SUSPEND_HELP: &str =
    "Pause the current pipeline and return to the command prompt. Type \"exit\" to resume the pipeline.";
const CONFIRM: Question = Question {
    line: "[Y] Yes  [A] Yes to All  [N] No  [L] No to All  [S] Suspend  [?] Help (default is \"Y\"): ",
    keys: &[
        ("Y", "Yes", Choice::Yes, "Continue with only the next step of the operation."),
        ("A", "Yes to All", Choice::YesToAll, "Continue with all the steps of the operation."),
        ("N", "No", Choice::No, "Skip this operation and proceed with the next operation."),
        ("L", "No to All", Choice::NoToAll, "Skip this operation and all subsequent operations."),
        ("S", "Suspend", Choice::Suspend, SUSPEND_HELP),
    ],
};
const INQUIRE: Question = Question {
    line: "[Y] Yes  [A] Yes to All  [H] Halt Command  [S] Suspend  [?] Help (default is \"Y\"): ",
    keys: &[
        ("Y", "Yes", Choice::Yes, "Continue with only the next step of the operation."),
        ("A", "Yes to All", Choice::YesToAll, "Continue with all the steps of the operation."),
        ("H", "Halt Command", Choice::Halt, "Stop this command."),
        ("S", "Suspend", Choice::Suspend, SUSPEND_HELP),
    ],
};

impl<'h> Talk<'h> {
    /// A run that has said nothing yet.
    pub fn new(host: &'h mut dyn Host, preferences: Preferences, place: Option<String>) -> Self {
        Self {
            host,
            preferences,
            place,
            errors: Vec::new(),
            warnings: Vec::new(),
            succeeded: true,
            answered_yes_to_all: false,
        }
    }

    /// An error after which the run may go on.
    pub fn error(&mut self, record: ErrorRecord) -> Result<(), Halt> {
        self.succeeded = false;
        match self.preferences.error {
            ActionPreference::Ignore => Ok(()),
            ActionPreference::SilentlyContinue => {
                self.errors.push(record);
                Ok(())
            }
            ActionPreference::Stop => {
                self.show(record);
                Err(Halt { ends_script: true })
            }
            ActionPreference::Inquire if !self.answered_yes_to_all => {
                let question = record.to_text(None);
                let choice = self.ask(&INQUIRE, "Confirm", &[question.as_str()])?;
                self.answered_yes_to_all = choice == Choice::YesToAll;
                if choice == Choice::Halt {
                    return Err(self.stopped_by_choice(&record.source));
                }
                self.show(record);
                Ok(())
            }
            _ => {
                self.show(record);
                Ok(())
            }
        }
    }

    /// An error that ends the run.
    pub fn terminate(&mut self, record: ErrorRecord) -> Halt {
        self.succeeded = false;
        self.show(record);
        Halt { ends_script: self.preferences.error == ActionPreference::Stop }
    }

    /// A warning.
    pub fn warning(&mut self, text: &str) -> Result<(), Halt> {
        if self.preferences.warning != ActionPreference::Ignore {
            self.warnings.push(text.to_owned());
        }
        self.message(Kind::Warning, text)
    }

    /// A verbose message.
    pub fn verbose(&mut self, text: &str) -> Result<(), Halt> {
        self.message(Kind::Verbose, text)
    }

    /// A debug message, of any number of lines.
    pub fn debug(&mut self, text: &str) -> Result<(), Halt> {
        self.message(Kind::Debug, text)
    }

    /// Whether debug messages are worth making.
    pub fn shows_debug(&self) -> bool {
        !matches!(self.preferences.debug, ActionPreference::SilentlyContinue | ActionPreference::Ignore)
    }

    /// The question of `-Confirm`.
    pub fn confirm(&mut self, action: &str) -> Result<Choice, Halt> {
        self.ask(&CONFIRM, "Confirm", &["Are you sure you want to perform this action?", action])
    }

    fn show(&mut self, record: ErrorRecord) {
        self.host.write(Stream::Error, &record.to_text(self.place.as_deref()));
        self.errors.push(record);
    }

    fn message(&mut self, kind: Kind, text: &str) -> Result<(), Halt> {
        let (label, variable, preference) = match kind {
            Kind::Warning => ("WARNING", "WarningPreference", self.preferences.warning),
            Kind::Verbose => ("VERBOSE", "VerbosePreference", self.preferences.verbose),
            Kind::Debug => ("DEBUG", "DebugPreference", self.preferences.debug),
        };
        if matches!(preference, ActionPreference::SilentlyContinue | ActionPreference::Ignore) {
            return Ok(());
        }
        let lines: Vec<_> =
            text.lines().map(|line| format!("{label}: {line}").trim_end().to_owned()).collect();
        self.host.write(Stream::Message, &lines.join("\n"));
        match preference {
            ActionPreference::Stop => {
                let text = format!(
                    "The running command stopped because the preference variable \"{variable}\" or common parameter is set to Stop: {text}"
                );
                self.succeeded = false;
                self.show(stop_record(text, "ActionPreferenceStop"));
                Err(Halt { ends_script: true })
            }
            ActionPreference::Inquire if !self.answered_yes_to_all => {
                let choice = self.ask(&INQUIRE, "Confirm", &["Continue with this operation?"])?;
                self.answered_yes_to_all = choice == Choice::YesToAll;
                if choice == Choice::Halt { Err(self.stopped_by_choice("")) } else { Ok(()) }
            }
            _ => Ok(()),
        }
    }

    fn stopped_by_choice(&mut self, source: &str) -> Halt {
        self.succeeded = false;
        let text = "The running command stopped because the user selected the Stop option.";
        let mut record = stop_record(text.into(), "ActionPreferenceStop");
        record.source = source.into();
        self.show(record);
        Halt { ends_script: true }
    }

    fn ask(&mut self, question: &Question, caption: &str, lines: &[&str]) -> Result<Choice, Halt> {
        if !self.host.is_interactive() {
            return Err(self.cannot_ask());
        }
        self.host.write(Stream::Host, caption);
        for line in lines {
            self.host.write(Stream::Host, line);
        }
        loop {
            let Some(answer) = self.host.prompt(question.line) else { return Err(self.cannot_ask()) };
            let answer = answer.trim();
            if answer == "?" {
                for (key, _, _, help) in question.keys {
                    self.host.write(Stream::Host, &format!("{key} - {help}"));
                }
                continue;
            }
            let chosen = question.keys.iter().find(|(key, label, _, _)| {
                answer.is_empty() || key.eq_ignore_ascii_case(answer) || label.eq_ignore_ascii_case(answer)
            });
            match chosen {
                Some((_, _, Choice::Suspend, _)) => {
                    self.host.write(Stream::Host, "There is no command prompt to return to.");
                }
                Some((_, _, choice, _)) => return Ok(*choice),
                None => {}
            }
        }
    }

    fn cannot_ask(&mut self) -> Halt {
        self.succeeded = false;
        let text = "PowerShell is in NonInteractive mode. Read and Prompt functionality is not available.";
        let mut record = stop_record(text.into(), "InvalidOperation");
        record.category = Category::InvalidOperation;
        record.exception = "PSInvalidOperationException";
        self.show(record);
        Halt { ends_script: self.preferences.error == ActionPreference::Stop }
    }
}

fn stop_record(message: String, id: &str) -> ErrorRecord {
    ErrorRecord {
        source: Box::default(),
        id: id.into(),
        category: Category::OperationStopped,
        target: ":".into(),
        exception: "ActionPreferenceStopException",
        message: message.into(),
        details: None,
        hint: None,
    }
}
