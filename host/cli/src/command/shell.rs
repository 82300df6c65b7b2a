//! `completions` and `man`: what a shell and a manual want to know of the command line.

use clap::CommandFactory as _;

use super::{CommandError, print};
use crate::{
    args::{Args, Completions, Man},
    exit::Exit,
};

/// `flops-fit completions`.
pub(super) fn completions(completions: &Completions) -> Result<Exit, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(
        completions.shell,
        &mut Args::command(),
        "flops-fit",
        &mut script,
    );
    print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Success)
}

/// `flops-fit man`.
pub(super) fn man(man: &Man) -> Result<Exit, CommandError> {
    match &man.out {
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Args::command())
                .render(&mut page)
                .map_err(CommandError::Print)?;
            print(&String::from_utf8_lossy(&page))?;
        }
        Some(folder) => {
            std::fs::create_dir_all(folder)
                .and_then(|()| clap_mangen::generate_to(Args::command(), folder))
                .map_err(|source| CommandError::Pages {
                    path: folder.clone(),
                    source,
                })?;
        }
    }
    Ok(Exit::Success)
}
