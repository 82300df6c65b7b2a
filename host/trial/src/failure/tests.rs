use super::*;

#[test]
fn a_message_says_who_where_and_what_to_do() {
    let early = Failure::ExitedEarly {
        status: 0,
        phase: Some(Phase::Forward),
        plugin: Some("mine".to_owned()),
        log: vec!["bye".to_owned()],
    };
    assert_eq!(
        early.to_string(),
        "plugin mine ended the process early in forward, with status 0 and no result: a plugin must not end the process, but return an error or panic; its last words:\n  bye"
    );
    let unknown = Failure::TimedOut {
        what: "a training step".to_owned(),
        phase: None,
        plugin: None,
        key: "silence_limit".to_owned(),
        limit_s: 0.5,
    };
    assert_eq!(
        unknown.to_string(),
        "the worker made no progress for 0.5 s (a training step); raise run.silence_limit if it really is that slow"
    );
}

#[test]
fn only_a_machines_trouble_may_pass() {
    let crashed = Failure::Crashed {
        signal: 9,
        plugins: Vec::new(),
        log: Vec::new(),
    };
    assert!(crashed.may_pass());
    let panicked = Failure::Panicked {
        plugin: "mine".to_owned(),
        phase: Phase::Forward,
        message: "no".to_owned(),
        file: "src/lib.rs".to_owned(),
        line: 1,
    };
    assert!(!panicked.may_pass());
}

#[test]
fn a_fix_is_the_end_of_the_message() {
    let plugin = || "mine".to_owned();
    let check = |failure: Failure, found: &str, fix: &str| {
        assert_eq!(failure.found(), found);
        assert_eq!(failure.fix().as_deref(), Some(fix));
        assert_eq!(failure.to_string(), format!("{found}; {fix}"));
    };
    check(
        Failure::Panicked {
            plugin: plugin(),
            phase: Phase::Forward,
            message: "no".to_owned(),
            file: "src/lib.rs".to_owned(),
            line: 7,
        },
        "plugin mine panicked in forward at src/lib.rs:7: no",
        "a plugin must not panic: mend src/lib.rs:7, or return an Error there",
    );
    check(
        Failure::Plugin {
            plugin: plugin(),
            phase: Phase::Loss,
            message: "no".to_owned(),
        },
        "plugin mine failed in loss: no",
        "the words are the plugin's, or libtorch's, and the call must succeed on every batch: mend what they name",
    );
    check(
        Failure::BadTensor {
            plugin: plugin(),
            what: "the loss".to_owned(),
            expected: "one number".to_owned(),
            got: "two".to_owned(),
        },
        "plugin mine: the loss should be one number, got two",
        "mend the plugin where it makes it; `flops-fit check` looks at it without a sweep",
    );
    let out_of_memory = |plugin| Failure::OutOfMemory {
        plugin,
        phase: Phase::Forward,
        detail: "no".to_owned(),
    };
    let fix = "lower run.jobs or run.micro_batch, or leave out the largest sizes";
    check(
        out_of_memory(Some(plugin())),
        "plugin mine ran out of memory in forward: no",
        fix,
    );
    check(
        out_of_memory(None),
        "the worker ran out of memory in forward: no",
        fix,
    );
}

#[test]
fn one_that_was_written_before_it_named_its_plugin_is_still_read() {
    let old = r#"{"kind":"out_of_memory","phase":"forward","detail":"no"}"#;
    let failure: Failure = serde_json::from_str(old).expect("read");
    assert_eq!(serde_json::to_string(&failure).expect("written"), old);
    assert!(failure.shrinks_with_the_batch());
}
