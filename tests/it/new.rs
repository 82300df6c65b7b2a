//! From `flops-fit new` to a finished sweep of one's own model, outside the
//! repository, by the very commands of docs/plugins.md.

use std::{env, fs, os::unix::fs::symlink, path::Path, process::Command};

use crate::programs;

/// The commands of the guide's first section, comments taken off.
fn guide(repository: &Path) -> Vec<String> {
    let page = fs::read_to_string(repository.join("docs/plugins.md")).expect("the plugin guide");
    let (_, section) = page.split_once("\n## Start\n").expect("a section `Start`");
    let lines = section.lines().skip_while(|line| line.is_empty());
    lines
        .map_while(|line| line.strip_prefix("    "))
        .map(|line| line.split('#').next().unwrap_or_default().trim().to_owned())
        .collect()
}

/// Puts what the repository builds with beside the new crate: the versions of its lock
/// file, and compiled dependencies. torch-sys alone takes minutes; its build is found
/// again only under the same profile, and while the `LIBTORCH` that cargo sets for this
/// test names libtorch as it did then.
fn share_dependencies(repository: &Path, outside: &Path, crate_folder: &Path) {
    fs::copy(
        repository.join("Cargo.lock"),
        crate_folder.join("Cargo.lock"),
    )
    .expect("copied");
    let target = programs::folder();
    let target = target.parent().expect("a target folder");
    symlink(target, crate_folder.join("target")).expect("linked");
    let workspace = fs::read_to_string(repository.join("Cargo.toml")).expect("the workspace");
    let (_, profiles) = workspace.split_once("\n[profile.release]").expect("one");
    fs::create_dir(outside.join(".cargo")).expect("made");
    let profiles = format!("[profile.release]{profiles}");
    fs::write(outside.join(".cargo/config.toml"), profiles).expect("written");
}

/// What a command prints; it has to succeed.
#[track_caller]
fn succeed(folder: &Path, words: &str) -> String {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(programs::folder()).chain(env::split_paths(&path));
    let ended = Command::new("sh")
        .args(["-c", words])
        .current_dir(folder)
        .env("PATH", env::join_paths(folders).expect("a PATH"))
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("FLOPS_FIT_WORKER")
        .output()
        .expect("started");
    let out = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(
        ended.status.success(),
        "{words}\n{out}{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    out
}

#[test]
fn the_guides_commands_lead_to_a_finished_sweep() {
    programs::flops_fit();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let outside = tempfile::tempdir().expect("a temporary folder");
    let outside = outside.path();
    let commands = guide(&repository);
    let [new, enter, setup, rest @ ..] = commands.as_slice() else {
        panic!("{commands:?}");
    };
    assert_eq!(
        [new, enter, setup],
        ["flops-fit new my-model", "cd my-model", "flops-fit setup"]
    );
    succeed(outside, new);
    let crate_folder = outside.join("my-model");
    let libtorch = crate_folder.join(".libtorch").canonicalize();
    let ours = env::var_os("LIBTORCH").map(|named| Path::new(&named).canonicalize());
    assert_eq!(
        libtorch.ok(),
        ours.and_then(Result::ok),
        "`new` links the libtorch that these tests run with"
    );
    share_dependencies(&repository, outside, &crate_folder);
    succeed(&crate_folder, setup);
    let mut last = String::new();
    for words in rest {
        last = succeed(&crate_folder, words);
    }
    assert!(last.contains("my-model: 15 trials, 15 completed"), "{last}");
    assert!(crate_folder.join("outputs/my-model/report.html").is_file());
}
