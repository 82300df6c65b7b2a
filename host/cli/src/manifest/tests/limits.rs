//! Manifests that would fill the memory or never end.

use std::fs;

use super::{PLAIN, check, load};

#[test]
fn numbers_that_would_fill_the_memory() {
    check(
        "max = 64, multiple_of = 16",
        "max = 9223372036854775807, multiple_of = 1",
        "m.toml:6:9: model.sizes: found a table, expected at most 4096 sizes (this range holds 9223372036854775792); raise multiple_of",
    );
    check(
        "{ min = 16, max = 64, multiple_of = 16 }",
        "{ min = 9223372036854775807, max = 9223372036854775807, multiple_of = 2 }",
        "m.toml:6:9: model.sizes: found a table, expected a range that holds a multiple of 2; 9223372036854775807 to 9223372036854775807 holds none",
    );
    check(
        "budgets = [1e10, 3e10]",
        "budgets = { min = 1e9, max = 1e12, count = 1000000000 }",
        "m.toml:14:44: sweep.budgets.count: found 1000000000, expected a whole number from 2 to 1000",
    );
    // As 32 bits it would be none, by which cores are divided.
    check(
        "lr = 1.0",
        "lr = 1.0\n[run]\nthreads = 4294967296",
        "m.toml:18:11: run.threads: found 4294967296, expected a whole number from 1 to 4096",
    );
    check(
        "lr = 1.0",
        "lr = 1.0\n[run]\ndevices_per_trial = 2",
        "m.toml:18:21: run.devices_per_trial: found 2, expected a whole number from 1 to 1",
    );
    let seeds: Vec<String> = (0..1001).map(|seed| seed.to_string()).collect();
    let folder = tempfile::tempdir().expect("temporary folder");
    let text = PLAIN.replace(
        "[train]",
        &format!("seeds = [{}]\n[train]", seeds.join(", ")),
    );
    let error = load(folder.path(), &text, &[]).expect_err("too many");
    assert!(error.contains("of at most 1000 elements"), "{error}");
}

#[test]
fn a_file_that_is_no_manifest_is_not_read_to_its_end() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let text = format!("{PLAIN}# {}", "x".repeat(1 << 18));
    let error = load(folder.path(), &text, &[]).expect_err("too large");
    assert!(error.contains("more than 262144 bytes"), "{error}");
    let error = load(
        folder.path(),
        &format!("extends = \"/dev/zero\"\n{PLAIN}"),
        &[],
    );
    let error = error.expect_err("endless");
    assert!(error.contains("/dev/zero: it has more than"), "{error}");
}

#[test]
fn a_chain_of_manifests_ends() {
    let folder = tempfile::tempdir().expect("temporary folder");
    for link in 0..20 {
        let text = format!("extends = \"{}.toml\"\n", link + 1);
        fs::write(folder.path().join(format!("{link}.toml")), text).expect("written");
    }
    let text = format!("extends = \"0.toml\"\n{PLAIN}");
    let error = load(folder.path(), &text, &[]).expect_err("too long");
    assert!(error.contains("15.toml is one file too many"), "{error}");
}
