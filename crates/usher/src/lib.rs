//! The program: one file per verb in `commands`, the published cmdlets in `powershell`, and the wiring.

pub mod client;
pub mod clock;
pub mod cmdlet;
pub mod commands;
pub mod failure;
pub mod lookup;
pub mod open_files;
pub mod output;
pub mod plan_view;
pub mod powershell;
pub mod profile;
pub mod sealing;
pub mod view;
pub mod wiring;

/// Objects are made on one thread and dropped on another, all the time: glibc's allocator makes the threads wait for
/// each other there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
