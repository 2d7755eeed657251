//! Stories: cmdlets and scripts from their words to requests, streams and exit codes, with everything outside faked.

mod answers;
mod binding;
mod calls;
mod fake;
mod grammar;
mod output;
mod scripts;
mod siblings;
