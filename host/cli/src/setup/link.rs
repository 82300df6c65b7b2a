//! The `.libtorch` link, by which a workspace's `.cargo/config.toml` finds
//! libtorch wherever it is.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::error::Error;

/// Name of the link in the workspace's root.
pub(super) const LINK: &str = ".libtorch";

/// The nearest folder, from `folder` upwards, whose cargo configuration says
/// that `LIBTORCH` is its own `.libtorch`.
pub(super) fn workspace_of(folder: &Path) -> Option<PathBuf> {
    folder
        .ancestors()
        .find(|root| points_to_link(root))
        .map(Path::to_owned)
}

fn points_to_link(root: &Path) -> bool {
    let Ok(text) = fs::read_to_string(root.join(".cargo/config.toml")) else {
        return false;
    };
    let Ok(config) = text.parse::<toml::Table>() else {
        return false;
    };
    let value = config.get("env").and_then(|env| env.get("LIBTORCH"));
    let relative = value.and_then(|value| value.get("relative")?.as_bool()) == Some(true);
    let path = value.and_then(|value| value.get("value")?.as_str());
    relative && path.is_some_and(|path| Path::new(path) == Path::new(LINK))
}

/// Whether `path` is the link in `root` itself, not merely where it leads.
pub(super) fn is_link_of(path: &Path, root: &Path) -> bool {
    let same_folder = |folder: &Path| match (folder.canonicalize(), root.canonicalize()) {
        (Ok(folder), Ok(root)) => folder == root,
        _ => folder == root,
    };
    path.file_name().is_some_and(|name| name == LINK) && path.parent().is_some_and(same_folder)
}

/// Makes the link in `root` lead to `home`, in one step if it led elsewhere.
pub(super) fn make(root: &Path, home: &Path) -> Result<PathBuf, Error> {
    fs::create_dir_all(root).map_err(Error::io("create", root))?;
    let path = root.join(LINK);
    match path.symlink_metadata() {
        Ok(meta) if !meta.is_symlink() => return Err(Error::LinkTaken { path }),
        Ok(_) if fs::read_link(&path).is_ok_and(|target| target == home) => return Ok(path),
        _ => {}
    }
    let fresh = root.join(format!("{LINK}.{}", std::process::id()));
    if fresh.symlink_metadata().is_ok() {
        fs::remove_file(&fresh).map_err(Error::io("remove", &fresh))?;
    }
    symlink(home, &fresh).map_err(Error::io("link", &fresh))?;
    fs::rename(&fresh, &path).map_err(Error::io("link", &path))?;
    Ok(path)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_is_known_by_its_cargo_configuration() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("plugins/gpt");
        fs::create_dir_all(&inner).unwrap();
        fs::create_dir_all(root.path().join(".cargo")).unwrap();
        let config = root.path().join(".cargo/config.toml");

        fs::write(&config, "[env]\nLIBTORCH = \"/opt/libtorch\"\n").unwrap();
        assert_eq!(workspace_of(&inner), None);
        fs::write(
            &config,
            "[env]\nLIBTORCH = { value = \".libtorch\", relative = true }\n",
        )
        .unwrap();
        assert_eq!(workspace_of(&inner).as_deref(), Some(root.path()));
    }

    #[test]
    fn the_link_is_told_from_the_folder_that_it_leads_to() {
        let root = tempfile::tempdir().unwrap();
        let home = root.path().join("elsewhere");
        fs::create_dir(&home).unwrap();
        let link = make(root.path(), &home).unwrap();
        assert!(is_link_of(&link, root.path()));
        assert!(is_link_of(
            &root.path().join("elsewhere/../.libtorch/"),
            root.path()
        ));
        assert!(!is_link_of(&home, root.path()));
    }

    #[test]
    fn a_link_is_moved_and_a_folder_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let link = make(root.path(), Path::new("/first")).unwrap();
        make(root.path(), Path::new("/second")).unwrap();
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("/second"));

        fs::remove_file(&link).unwrap();
        fs::create_dir(&link).unwrap();
        let error = make(root.path(), Path::new("/third")).unwrap_err();
        assert!(matches!(error, Error::LinkTaken { .. }), "{error}");
        assert!(link.is_dir());
    }
}
