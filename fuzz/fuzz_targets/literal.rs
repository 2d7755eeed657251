//! Any text: the PowerShell literal reader answers with a value or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = usher::powershell::read_literal(text);
});
