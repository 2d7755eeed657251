//! The real console: standard streams and files.

use std::fs::OpenOptions;
use std::io::{self, BufRead, IsTerminal, Read, Write};

use usher_core::Secret;

use super::host::{Host, Stream};

/// The console that the program runs in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Console;

impl Host for Console {
    fn is_interactive(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    fn prompt(&mut self, text: &str) -> Option<String> {
        let mut error = io::stderr();
        write!(error, "{text}").and_then(|()| error.flush()).ok()?;
        let mut line = String::new();
        match io::stdin().lock().read_line(&mut line) {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(line.trim_end_matches(['\r', '\n']).to_owned()),
        }
    }

    fn prompt_secret(&mut self, text: &str) -> Option<Secret> {
        let mut error = io::stderr();
        write!(error, "{text}").and_then(|()| error.flush()).ok()?;
        console::Term::stderr().read_secure_line().ok().map(Secret::new)
    }

    fn write(&mut self, stream: Stream, text: &str) {
        // Nobody is left to tell when a stream is closed.
        let _ = match stream {
            Stream::Output => writeln!(anstream::stdout(), "{text}"),
            Stream::Host | Stream::Error | Stream::Message => writeln!(anstream::stderr(), "{text}"),
        };
    }

    fn read_input(&mut self) -> io::Result<Option<String>> {
        let mut input = io::stdin();
        if input.is_terminal() {
            return Ok(None);
        }
        let mut text = String::new();
        input.read_to_string(&mut text)?;
        Ok(Some(text))
    }

    fn read_file(&self, path: &str) -> io::Result<String> {
        std::fs::read_to_string(path)
    }

    fn write_file(&mut self, path: &str, text: &str, append: bool) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.create(true).write(true).append(append).truncate(!append);
        options.open(path)?.write_all(text.as_bytes())
    }
}
