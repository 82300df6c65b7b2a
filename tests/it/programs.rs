//! The programs and plugin libraries that a build leaves in the target folder.

use std::path::{Path, PathBuf};

/// The folder that holds them: this test program is in `deps/` beside them.
pub(crate) fn folder() -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    let folder = test.parent().and_then(Path::parent);
    folder.expect("a target folder").to_owned()
}

/// One of them.
pub(crate) fn built(name: &str) -> PathBuf {
    let path = folder().join(name);
    assert!(
        path.is_file(),
        "{} is missing; run `cargo xtask test`, which builds all programs and plugins before the tests",
        path.display()
    );
    path
}

/// The command.
pub(crate) fn flops_fit() -> PathBuf {
    // It looks for the worker beside itself.
    built("flops-fit-worker");
    built("flops-fit")
}

/// The library of the plugin `name`, such as `gpt`.
pub(crate) fn plugin(name: &str) -> PathBuf {
    built(&format!("libflops_fit_{name}.so"))
}

/// The manifest of the example `name`.
pub(crate) fn example(name: &str) -> PathBuf {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    examples.join(name).join("manifest.toml")
}

/// Says that a test was skipped, and why.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
pub(crate) fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}
