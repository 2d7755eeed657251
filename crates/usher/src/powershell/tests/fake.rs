//! A console, a service and a clock that write one transcript: what was sent, what was said, in order.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use expect_test::Expect;
use futures::executor::block_on;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use usher_core::Secret;
use usher_core::ports::Clock;
use uuid::Uuid;

use crate::powershell::value::PsValue;
use crate::powershell::{
    Connection, Content, Host, Options, Output, Request, Response, Script, Stream, Transport, TransportError,
    run_cmdlet, run_script,
};

/// The name of the cmdlet that most stories run.
pub const CMDLET: &str = "New-MgApplicationSynchronizationJobOnDemand";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Log {
    fn add(&self, prefix: &str, text: &str) {
        let mut log = self.0.lock().unwrap();
        for line in text.split('\n') {
            log.push_str(format!("{prefix}{line}").trim_end());
            log.push('\n');
        }
    }
}

/// A run to be told.
pub struct Story {
    log: Log,
    answers: VecDeque<String>,
    is_interactive: bool,
    input: Option<String>,
    files: BTreeMap<String, String>,
    responses: Mutex<VecDeque<Result<Response, TransportError>>>,
    connection: Option<Connection>,
    variables: Vec<(String, PsValue)>,
    output: Output,
    width: usize,
    shows_headers: bool,
}

impl Story {
    /// A run without a console, against a service where everything succeeds.
    pub fn new() -> Self {
        Self {
            log: Log::default(),
            answers: VecDeque::new(),
            is_interactive: false,
            input: None,
            files: BTreeMap::new(),
            responses: Mutex::default(),
            connection: Some(Connection {
                endpoint: "https://graph.example".into(),
                auth_type: "AppOnly".into(),
                scopes: vec!["Synchronization.ReadWrite.All".into()],
            }),
            variables: Vec::new(),
            output: Output::Json,
            width: 60,
            shows_headers: false,
        }
    }

    /// Someone sits at the console and answers.
    pub fn console(mut self, answers: &[&str]) -> Self {
        self.is_interactive = true;
        self.answers = answers.iter().map(|answer| (*answer).to_owned()).collect();
        self
    }

    pub fn input(mut self, text: &str) -> Self {
        self.input = Some(text.into());
        self
    }

    pub fn file(mut self, path: &str, text: &str) -> Self {
        self.files.insert(path.into(), text.into());
        self
    }

    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.into(), PsValue::text(value)));
        self
    }

    pub fn answers(self, status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let response = Response { status, headers, body: body.as_bytes().to_vec() };
        self.responses.lock().unwrap().push_back(Ok(response));
        self
    }

    pub fn fails(self, error: TransportError) -> Self {
        self.responses.lock().unwrap().push_back(Err(error));
        self
    }

    pub fn disconnected(mut self) -> Self {
        self.connection = None;
        self.fails(TransportError::NotConnected)
    }

    pub fn shown_as(mut self, output: Output, width: usize) -> Self {
        self.output = output;
        self.width = width;
        self
    }

    /// Shows all headers of requests, not only those that are not sent always.
    pub fn with_headers(mut self) -> Self {
        self.shows_headers = true;
        self
    }

    /// Runs a cmdlet; the transcript ends with the exit code.
    pub fn cmdlet(self, name: &str, arguments: &[&str]) -> String {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let (log, mut host, service, options, _) = self.parts();
        let code = block_on(run_cmdlet(name, arguments, &mut host, &service, &options));
        finished(&log, code)
    }

    /// Runs a script; the transcript ends with the exit code.
    pub fn script(self, text: &str) -> String {
        let (log, mut host, service, options, variables) = self.parts();
        let script = Script { name: "sample.ps1", text };
        let code = block_on(run_script(script, variables, &mut host, &service, &options));
        finished(&log, code)
    }

    fn parts(self) -> (Log, FakeHost, FakeService, Options, Vec<(String, PsValue)>) {
        let log = self.log.clone();
        let options = Options {
            output: self.output,
            width: self.width,
            zone: TimeZone::UTC,
            clock: Arc::new(FakeClock(log.clone())),
        };
        let host = FakeHost {
            log: log.clone(),
            is_interactive: self.is_interactive,
            answers: self.answers,
            input: self.input,
            files: self.files,
        };
        let service = FakeService {
            log: log.clone(),
            responses: self.responses,
            connection: self.connection,
            shows_headers: self.shows_headers,
        };
        (log, host, service, options, self.variables)
    }
}

fn finished(log: &Log, code: i32) -> String {
    format!("{}exit {code}", log.0.lock().unwrap())
}

/// Binds the arguments and runs the cmdlet with nobody at the console.
pub fn run(arguments: &[&str]) -> String {
    Story::new().cmdlet(CMDLET, arguments)
}

/// The two ids that most calls give.
pub const IDS: [&str; 4] = ["-ApplicationId", "a", "-SynchronizationJobId", "j"];
/// The ids, then more words.
pub fn with(more: &[&str]) -> Vec<&'static str> {
    // Leaked on purpose: a handful of words for the length of a test.
    IDS.iter()
        .copied()
        .chain(more.iter().map(|word| &*Box::leak(word.to_string().into_boxed_str())))
        .collect()
}

/// Compares the transcript without the results.
pub fn check(story: Story, arguments: &[&str], expected: Expect) {
    let transcript = story.cmdlet(CMDLET, arguments);
    let lines: Vec<_> = transcript
        .lines()
        .filter(|line| {
            ["sent|", "error|", "message|", "host|", "ask|", "file|", "append|", "(", "exit"]
                .iter()
                .any(|start| line.starts_with(start))
        })
        .collect();
    expected.assert_eq(&lines.join("\n"));
}

struct FakeHost {
    log: Log,
    is_interactive: bool,
    answers: VecDeque<String>,
    input: Option<String>,
    files: BTreeMap<String, String>,
}

impl Host for FakeHost {
    fn is_interactive(&self) -> bool {
        self.is_interactive
    }

    fn prompt(&mut self, text: &str) -> Option<String> {
        let answer = self.answers.pop_front();
        self.log.add("ask| ", &format!("{text}<{}>", answer.as_deref().unwrap_or("end")));
        answer
    }

    fn prompt_secret(&mut self, text: &str) -> Option<Secret> {
        self.log.add("ask| ", &format!("{text}<secret>"));
        self.answers.pop_front().map(Secret::new)
    }

    fn write(&mut self, stream: Stream, text: &str) {
        let prefix = match stream {
            Stream::Output => "",
            Stream::Host => "host| ",
            Stream::Error => "error| ",
            Stream::Message => "message| ",
        };
        self.log.add(prefix, text);
    }

    fn read_input(&mut self) -> io::Result<Option<String>> {
        self.log.add("", "(reads standard input)");
        Ok(self.input.take())
    }

    fn read_file(&self, path: &str) -> io::Result<String> {
        self.files.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn write_file(&mut self, path: &str, text: &str, append: bool) -> io::Result<()> {
        if path.contains("forbidden") {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.log.add(if append { "append| " } else { "file| " }, &format!("{path}\n{}", text.trim_end()));
        Ok(())
    }
}

struct FakeService {
    log: Log,
    responses: Mutex<VecDeque<Result<Response, TransportError>>>,
    connection: Option<Connection>,
    shows_headers: bool,
}

/// Headers that every request has.
const ALWAYS: [&str; 6] =
    ["Accept", "Content-Type", "Cache-Control", "User-Agent", "SdkVersion", "client-request-id"];

#[async_trait]
impl Transport for FakeService {
    async fn send(&self, request: &Request) -> Result<Response, TransportError> {
        let mut lines = vec![format!("{} /{}{}", request.method, request.version, request.path)];
        for (name, value) in &request.headers {
            if self.shows_headers || !ALWAYS.contains(&name.as_str()) {
                lines.push(format!("{name}: {value}"));
            }
        }
        if let Some(proxy) = &request.proxy {
            let credential = proxy
                .credential
                .as_ref()
                .map(|credential| format!(" {}:{}", credential.user_name, credential.password.expose()));
            let default = if proxy.use_default_credentials { " default credentials" } else { "" };
            lines.push(format!("proxy {}{}{default}", proxy.uri, credential.unwrap_or_default()));
        }
        match &request.body {
            Content::None => {}
            Content::Json(json) => lines.push(json.to_string()),
            Content::File(text) => lines.push(format!("file: {text}")),
        }
        self.log.add("sent| ", &lines.join("\n"));
        self.responses.lock().unwrap().pop_front().unwrap_or_else(|| {
            Ok(Response {
                status: 200,
                headers: vec![("request-id".into(), "r-1".into())],
                body: br#"{"@odata.context":"ctx","key":"{\"result\":\"Success\"}","value":"{}"}"#.to_vec(),
            })
        })
    }

    fn connection(&self) -> Option<Connection> {
        self.connection.clone()
    }

    fn is_to(&self, environment: &str) -> Result<(), String> {
        match environment {
            "Global" => Ok(()),
            other => Err(format!("you are connected to https://graph.example, not to {other}")),
        }
    }
}

struct FakeClock(Log);

#[async_trait]
impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        "2024-10-04T19:03:45Z".parse().unwrap()
    }

    async fn wait(&self, duration: Duration) {
        self.0.add("", &format!("(waits {} seconds)", duration.as_secs()));
    }

    fn guid(&self) -> Uuid {
        Uuid::from_u128(7)
    }
}
