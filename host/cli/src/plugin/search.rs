//! From a name in the manifest to a file.

use std::{
    env::consts::{DLL_PREFIX, DLL_SUFFIX},
    path::{Path, PathBuf},
};

use crate::manifest::nearest;

/// A library that is nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no library {wanted}; {}build it with `cargo build --release --lib`, or add its folder to plugin_path (looked in: {})",
    guess.as_ref().map(|g| format!("did you mean `{g}`? ")).unwrap_or_default(),
    looked_in.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", "))]
pub struct NotFound {
    /// The file that was looked for.
    pub wanted: String,
    /// A library of a similar name.
    pub guess: Option<String>,
    /// Folders that were looked through.
    pub looked_in: Vec<PathBuf>,
}

/// The library that `name` stands for, as an absolute path.
///
/// A name with a slash or the library suffix is a path from `base_dir`; any
/// other is looked for in `base_dir`, in `plugin_path`, beside the executable and
/// in the `lib` folder next to that.
pub(crate) fn locate(
    name: &str,
    base_dir: &Path,
    plugin_path: &[PathBuf],
) -> Result<PathBuf, NotFound> {
    let (wanted, folders) = if name.contains('/') || name.ends_with(DLL_SUFFIX) {
        let path = base_dir.join(name);
        let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        (file.into_owned(), vec![folder])
    } else {
        // cargo turns the dashes of a package's name into underscores.
        let file = format!("{DLL_PREFIX}{}{DLL_SUFFIX}", name.replace('-', "_"));
        (file, folders(base_dir, plugin_path))
    };
    for folder in &folders {
        if let Ok(path) = folder.join(&wanted).canonicalize() {
            return Ok(path);
        }
    }
    Err(NotFound {
        guess: similar(&wanted, &folders),
        wanted,
        looked_in: folders,
    })
}

fn folders(base_dir: &Path, plugin_path: &[PathBuf]) -> Vec<PathBuf> {
    let mut folders = vec![base_dir.to_owned()];
    folders.extend(plugin_path.iter().cloned());
    if let Ok(executable) = std::env::current_exe()
        && let Some(folder) = executable.parent()
    {
        folders.push(folder.to_owned());
        if let Some(above) = folder.parent() {
            folders.push(above.join("lib"));
        }
    }
    folders
}

fn similar(wanted: &str, folders: &[PathBuf]) -> Option<String> {
    let names: Vec<String> = folders
        .iter()
        .filter_map(|folder| folder.read_dir().ok())
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(DLL_SUFFIX))
        .collect();
    let stem = |name: &str| {
        name.trim_start_matches(DLL_PREFIX)
            .trim_end_matches(DLL_SUFFIX)
            .to_owned()
    };
    let stems: Vec<String> = names.iter().map(|name| stem(name)).collect();
    nearest(&stem(wanted), stems.iter().map(String::as_str))
}
