//! `usher completions`: the completion script of a shell.

use anyhow::Result;
use clap::CommandFactory;
use clap_complete::Shell;

use crate::commands::Arguments;
use crate::failure::DONE;

/// Print the completion script of a shell.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    usher completions bash > ~/.local/share/bash-completion/completions/usher\n  \
    usher completions zsh > ~/.zfunc/_usher")]
pub struct Args {
    /// The shell.
    shell: Shell,
}

/// Prints the script.
pub fn run(args: Args) -> Result<u8> {
    clap_complete::generate(args.shell, &mut Arguments::command(), "usher", &mut std::io::stdout());
    Ok(DONE)
}
