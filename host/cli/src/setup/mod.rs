//! `flops-fit setup`: gets the one libtorch that flops-fit and plugins are
//! built with, so that a bare machine needs nothing but Rust, a C++ compiler
//! and a Python with pip.
//!
//! It looks for a libtorch in the order: the `LIBTORCH` variable; one that is
//! set up already (behind the workspace's link, or in the user's cache); a
//! Python that has the right torch; else pip downloads wheels. The first two
//! are used where they are. The others end up in the cache folder, shared by
//! all clones. Last, a workspace gets its `.libtorch` link.
//!
//! What it keeps true: nothing is installed into any Python; a libtorch is
//! verified before it is used; a set-up that is interrupted at any moment
//! leaves nothing that a later one mistakes for a finished one.

mod disk_space;
mod elf;
mod environment;
mod error;
mod layout;
mod link;
mod locate;
mod pip;
mod platform;
mod python;
mod release;
mod report;
mod slot;
mod verify;
mod wheel;

#[cfg(test)]
pub(crate) mod tests;

use std::io::Write;
use std::path::{Path, PathBuf};

pub use environment::Environment;
pub use error::Error;
pub use locate::Origin;
pub use release::{VERSION, Variant};
pub use report::Report;
pub use verify::Flaw;

pub(crate) use disk_space::free as free_disk;
pub(crate) use locate::existing;
pub(crate) use platform::compiler;

use locate::Found;
use python::SitePackages;
use slot::Slot;
use wheel::Wheels;

/// What `flops-fit setup` takes on its command line.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
pub struct Options {
    /// Set up the GPU libraries too (a download of 2.7 GB instead of 0.5 GB)
    #[arg(long)]
    pub cuda: bool,

    /// Folder that gets a `.libtorch` link [default: the workspace that the current folder is in,
    /// if its .cargo/config.toml points LIBTORCH at such a link]
    #[arg(long, value_name = "DIR")]
    pub link: Option<PathBuf>,
}

/// Sets up libtorch for this process's user, reporting on `progress` what
/// takes time. pip's own progress goes to standard error.
pub fn run(options: &Options, progress: &mut dyn Write) -> Result<Report, Error> {
    run_in(options, &Environment::of_process()?, progress)
}

/// [`run`], in surroundings of the caller's choice.
pub fn run_in(
    options: &Options,
    environment: &Environment,
    progress: &mut dyn Write,
) -> Result<Report, Error> {
    platform::check(environment)?;
    let compiler = platform::compiler(environment)?;
    let wanted = if options.cuda {
        Variant::Cuda
    } else {
        Variant::Cpu
    };
    let root = options
        .link
        .as_ref()
        .map(|folder| environment.folder.join(folder))
        .or_else(|| link_root(environment));
    let found = match existing(
        environment,
        &workspaces(environment, root.as_deref()),
        wanted,
        progress,
    )? {
        Some(found) => found,
        None => make(environment, wanted, progress)?,
    };

    let before = root
        .as_ref()
        .and_then(|root| verify::check(&root.join(link::LINK), Variant::Cpu).ok());
    let link = root
        .map(|root| link::make(&root, &found.home))
        .transpose()?;
    Ok(Report {
        libtorch: found.home,
        version: VERSION.to_owned(),
        variant: found.variant,
        origin: found.origin,
        link,
        rebuild_torch_sys: before.is_some_and(|before| before != found.variant),
        compiler,
    })
}

/// Links a libtorch that is there already into `folder`; whether there is one. That of
/// the repository that this program was built from counts.
pub(crate) fn link_existing(folder: &Path) -> bool {
    let Ok(environment) = Environment::of_process() else {
        return false;
    };
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut roots = workspaces(&environment, None);
    roots.extend(repository.canonicalize());
    let found = existing(&environment, &roots, Variant::Cpu, &mut std::io::sink());
    matches!(found, Ok(Some(found)) if link::make(folder, &found.home).is_ok())
}

/// The workspace around the current folder, if it wants a link.
pub(crate) fn link_root(environment: &Environment) -> Option<PathBuf> {
    link::workspace_of(&environment.folder)
}

/// The folders whose own link is not a `LIBTORCH` of the user's: cargo sets the
/// variable for every program that it runs in such a workspace.
fn workspaces(environment: &Environment, root: Option<&Path>) -> Vec<PathBuf> {
    let around = link_root(environment);
    root.map(Path::to_owned).into_iter().chain(around).collect()
}

/// Makes a libtorch in the cache, from an installed torch or by pip.
fn make(
    environment: &Environment,
    wanted: Variant,
    progress: &mut dyn Write,
) -> Result<Found, Error> {
    let slot = Slot::of(&environment.cache, wanted);
    let lock = slot.lock(progress)?;
    // Another set-up may have finished while this one waited.
    if slot.is_complete()
        && let Ok(variant) = verify::check(&slot.home(), wanted)
    {
        return Ok(Found {
            home: slot.home(),
            variant,
            origin: Origin::Cache,
        });
    }
    let done = |home, origin| Found {
        home,
        variant: wanted,
        origin,
    };
    for python in environment.pythons() {
        if let Some(home) = from_python(&python, &lock, wanted, progress)? {
            return Ok(done(home, Origin::Python { python }));
        }
    }
    let python = pip::find(environment)?;
    let home = from_pip(&python, &lock, wanted, environment, progress)?;
    Ok(done(home, Origin::Pip { python }))
}

/// A libtorch of links into the torch of `python`; `None` if that has none
/// that would do.
fn from_python(
    python: &Path,
    lock: &slot::Lock,
    wanted: Variant,
    progress: &mut dyn Write,
) -> Result<Option<PathBuf>, Error> {
    let Some(installed) = python::torch_of(python) else {
        return Ok(None);
    };
    let mut pass = |why: &dyn std::fmt::Display| {
        let _ = writeln!(
            progress,
            "not using the torch of {}: {why}",
            python.display()
        );
    };
    if installed.version.split('+').next() != Some(VERSION) {
        pass(&format_args!("it is {}, not {VERSION}", installed.version));
        return Ok(None);
    }
    let partial = lock.begin()?;
    match layout::build(&mut SitePackages::of(&installed), wanted, &partial.home()) {
        Err(error @ Error::Incomplete { .. }) => {
            pass(&error);
            return Ok(None);
        }
        other => other?,
    }
    if let Err(flaw) = verify::check(&partial.home(), wanted) {
        pass(&flaw);
        return Ok(None);
    }
    partial.finish().map(Some)
}

/// A libtorch unpacked from wheels that the pip of `python` downloads.
fn from_pip(
    python: &Path,
    lock: &slot::Lock,
    wanted: Variant,
    environment: &Environment,
    progress: &mut dyn Write,
) -> Result<PathBuf, Error> {
    disk_space::require(&environment.cache, wanted.bytes_needed())?;
    let partial = lock.begin()?;
    let mut say = |text: &str| {
        let _ = writeln!(progress, "{text}");
    };
    say(&format!(
        "downloading libtorch {VERSION} ({wanted}, {}) with the pip of {}",
        wanted.download_size(),
        python.display()
    ));
    pip::download(python, wanted, &partial.wheels(), progress)?;
    let _ = writeln!(
        progress,
        "unpacking it into {}",
        environment.cache.display()
    );
    layout::build(
        &mut Wheels::open(&partial.wheels())?,
        wanted,
        &partial.home(),
    )?;
    verify::check(&partial.home(), wanted).map_err(|flaw| Error::Unusable {
        path: partial.home(),
        flaw,
    })?;
    partial.finish()
}
