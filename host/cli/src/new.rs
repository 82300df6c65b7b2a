//! `flops-fit new`: a plugin crate that compiles, passes `check` and runs a sweep as it
//! is written.
//!
//! It is the crate of `examples/my-model`, which its own tests run, under another name
//! and with what a crate outside this repository needs.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::setup;

/// A file of the example, as it is there.
macro_rules! example {
    ($path:literal) => {
        include_str!(concat!("../../../examples/my-model/", $path))
    };
}

const CARGO: &str = example!("Cargo.toml");
const README: &str = example!("README.md");

/// Those that any crate has in the same words.
const ALIKE: [(&str, &str); 3] = [
    ("build.rs", example!("build.rs")),
    ("src/lib.rs", example!("src/lib.rs")),
    ("src/tests.rs", example!("src/tests.rs")),
];

/// Where this flops-fit was built from.
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugin-api");

/// Why no crate was written.
#[derive(Debug, thiserror::Error)]
pub enum NewError {
    /// The name is none that cargo takes.
    #[error(
        "{name:?} is no name for a crate: expected ASCII letters, digits, `-` and `_`, beginning with a letter; give one with --name"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// The folder holds something.
    #[error("{} is there already and is not empty; choose another folder", path.display())]
    Taken {
        /// The folder.
        path: PathBuf,
    },
    /// Nobody knows where the plugin API is.
    #[error("{} is no folder of flops-fit-plugin; name the folder plugin-api of flops-fit's repository with --api", path.display())]
    Api {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A file can't be written.
    #[error("writing {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// What was written.
#[derive(Debug, serde::Serialize)]
pub struct Written {
    /// The crate's folder.
    pub folder: PathBuf,
    /// Its name.
    pub name: String,
    /// Whether libtorch was there to be linked.
    pub libtorch: bool,
}

/// Writes the crate `name` (the folder's own where absent) to `folder`; `api` is the
/// folder of flops-fit-plugin (where this flops-fit was built from where absent).
///
/// # Errors
/// [`NewError`]; a folder that holds anything is left as it is.
pub fn write(folder: &Path, name: Option<&str>, api: Option<&Path>) -> Result<Written, NewError> {
    let own = folder.file_name().unwrap_or_default().to_string_lossy();
    let name = name.unwrap_or(&own);
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !name.chars().all(letters) || !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Err(NewError::Name {
            name: name.to_owned(),
        });
    }
    let api = api.unwrap_or(Path::new(SOURCE));
    let no_api = || NewError::Api {
        path: api.to_owned(),
    };
    let api = api.canonicalize().map_err(|_| no_api())?;
    if !api.join("Cargo.toml").is_file() {
        return Err(no_api());
    }
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(NewError::Taken {
            path: folder.to_owned(),
        });
    }
    for (path, text) in files(name, &api) {
        put(&folder.join(path), &text)?;
    }
    Ok(Written {
        libtorch: setup::link_existing(folder),
        folder: folder.to_owned(),
        name: name.to_owned(),
    })
}

fn put(path: &Path, text: &str) -> Result<(), NewError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .map_err(|source| NewError::Write {
            path: path.to_owned(),
            source,
        })
}

/// Paths in the folder, and texts.
fn files(name: &str, api: &Path) -> Vec<(&'static str, String)> {
    let library = name.replace('-', "_");
    // Comments before the package speak of this repository, and so does the README's end.
    let package = CARGO.find("[package]").map_or(CARGO, |at| &CARGO[at..]);
    let (readme, _) = README
        .split_once("\n## In flops-fit's repository\n")
        .unwrap_or((README, ""));
    let api = toml::Value::from(api.display().to_string());
    let cargo = package
        .replace("\"flops-fit-my-model\"", &format!("\"{name}\""))
        .replace("\"../../plugin-api\"", &api.to_string());
    let cargo =
        format!("{cargo}\n# A workspace of its own, whatever folder it stands in.\n[workspace]\n");
    let manifest = example!("manifest.toml")
        .replace("examples/my-model/manifest.toml", "manifest.toml")
        .replace(
            "[\"../../target/release\", \"target/release\"]",
            "[\"target/release\"]",
        )
        .replace("name = \"my-model\"", &format!("name = \"{name}\""))
        .replace("\"flops_fit_my_model\"", &format!("\"{library}\""));
    let config = "# `flops-fit setup` puts libtorch behind this link; a LIBTORCH in the environment wins.\n\
        [env]\nLIBTORCH = { value = \".libtorch\", relative = true }\n";
    let mut files = vec![
        ("Cargo.toml", cargo),
        ("manifest.toml", manifest),
        (
            "README.md",
            readme.replacen("# my-model", &format!("# {name}"), 1),
        ),
        (".cargo/config.toml", config.to_owned()),
        (".gitignore", "/target\n/outputs\n/.libtorch\n".to_owned()),
    ];
    files.extend(ALIKE.map(|(path, text)| (path, text.to_owned())));
    files
}

impl std::fmt::Display for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let folder = self.folder.display();
        writeln!(
            f,
            "{}: a plugin with a model, a dataset and a loss in {folder}\n",
            self.name
        )?;
        writeln!(f, "    cd {folder}")?;
        if !self.libtorch {
            writeln!(f, "    flops-fit setup                 # libtorch, once")?;
        }
        writeln!(f, "    cargo build --release --lib")?;
        writeln!(f, "    cargo test --release            # its unit tests")?;
        writeln!(
            f,
            "    flops-fit check manifest.toml   # does the plugin keep the contract?"
        )?;
        writeln!(f, "    flops-fit run manifest.toml     # seconds")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Manifest;

    #[test]
    fn a_crate_of_its_own() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let at = folder.path().join("small-mlp");
        let written = write(&at, None, None).expect("written");
        assert_eq!(written.name, "small-mlp");
        let read = |name: &str| fs::read_to_string(at.join(name)).expect(name);
        let cargo: toml::Table = read("Cargo.toml").parse().expect("TOML");
        assert_eq!(cargo["package"]["name"].as_str(), Some("small-mlp"));
        for dependencies in ["dependencies", "dev-dependencies"] {
            let api = cargo[dependencies]["flops-fit-plugin"]["path"].as_str();
            assert!(Path::new(api.expect("a path")).join("Cargo.toml").is_file());
        }
        let manifest = Manifest::load(&at.join("manifest.toml"), &[]).expect("valid");
        assert_eq!(manifest.name, "small-mlp");
        let plugin = manifest.model.component.plugin.as_deref();
        assert_eq!(plugin, Some("small_mlp"));
        for name in ["Cargo.toml", "README.md", "manifest.toml"] {
            let text = read(name);
            for foreign in ["my-model", "my_model", "../", "repository"] {
                assert!(!text.contains(foreign), "{foreign} in {name}: {text}");
            }
        }
        assert!(read("src/lib.rs").contains("export_plugin!"));
        assert!(read("src/tests.rs").contains("testing::check"));
        assert!(read("build.rs").contains("rpath"));

        let error = write(&at, None, None).expect_err("it is there");
        assert!(error.to_string().contains("is not empty"), "{error}");
    }

    #[test]
    fn what_can_not_be() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let check = |name: &str, api: Option<&Path>, words: &str| {
            let error = write(&folder.path().join("a"), Some(name), api).expect_err(words);
            assert!(error.to_string().contains(words), "{error}");
            assert!(!folder.path().join("a").exists(), "something was written");
        };
        check("1st", None, "is no name for a crate");
        check("my model", None, "is no name for a crate");
        check("", None, "is no name for a crate");
        check("mine", Some(folder.path()), "name the folder plugin-api");
    }
}
