//! Any text: the PowerShell literal and script readers answer with a value or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use usher::powershell::literal::{Nothing, read_literal};
use usher::powershell::read_script;

fuzz_target!(|text: &str| {
    let _ = read_literal(text, &Nothing);
    let _ = read_script(text);
});
