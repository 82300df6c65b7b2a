//! From a name in the manifest to a file.

use std::{
    env::consts::{DLL_PREFIX, DLL_SUFFIX},
    path::{Path, PathBuf},
};

use super::PluginError;
use crate::manifest::{Component, Manifest, nearest};

/// The library that `component` names, as an absolute path.
///
/// A name with a slash or the library suffix is a path; any other is looked for
/// in the manifest's folder, in `plugin_path`, beside the executable and in the
/// `lib` folder next to that.
pub(super) fn locate(manifest: &Manifest, component: &Component) -> Result<PathBuf, PluginError> {
    let name = &component.plugin;
    let (wanted, folders) = if name.contains('/') || name.ends_with(DLL_SUFFIX) {
        let path = manifest.base_dir.join(name);
        let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        (file.into_owned(), vec![folder])
    } else {
        // cargo turns the dashes of a package's name into underscores.
        let file = format!("{DLL_PREFIX}{}{DLL_SUFFIX}", name.replace('-', "_"));
        (file, folders(manifest))
    };
    for folder in &folders {
        if let Ok(path) = folder.join(&wanted).canonicalize() {
            return Ok(path);
        }
    }
    Err(PluginError::Missing {
        place: manifest.place(component.plugin_key),
        guess: similar(&wanted, &folders),
        wanted: format!("library {wanted}"),
        looked_in: folders,
    })
}

fn folders(manifest: &Manifest) -> Vec<PathBuf> {
    let mut folders = vec![manifest.base_dir.clone()];
    folders.extend(manifest.plugin_path.iter().cloned());
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
