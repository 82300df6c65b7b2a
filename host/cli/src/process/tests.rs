use std::os::unix::process::CommandExt as _;

use super::*;
use crate::setup::tests::machine::no_script_is_written;

fn sleeping() -> Process {
    let mut command = Command::new("sleep");
    command.arg("600").process_group(0);
    let _guard = no_script_is_written();
    let log = tempfile::tempfile().expect("temporary file");
    Process::start(command, log).expect("every Linux has `sleep`")
}

#[test]
fn a_child_that_is_given_up_is_reaped_once_it_ends() {
    let mut process = sleeping();
    let pid = process.pid;
    let number = pid.as_raw_nonzero().get();
    assert_eq!(process.unended(), None);
    process.give_up();
    assert_eq!(process.unended(), Some(number.unsigned_abs()));
    assert_eq!(process.poll().expect("a child"), None);
    // Nobody waits for it, not even here.
    drop(process);
    orphans::end();
    assert!(Stat::of(number).is_some_and(|stat| !stat.ended), "it runs");

    kill_process(pid, Signal::KILL).expect("killed");
    let begun = Instant::now();
    while Stat::of(number).is_some() {
        assert!(begun.elapsed() < Duration::from_secs(10), "never reaped");
        orphans::end();
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_child_that_has_left_its_group_is_killed_too() {
    let mut command = Command::new("sleep");
    // It leads no group, so that a signal to its group reaches nobody.
    command.arg("600");
    let _guard = no_script_is_written();
    let log = tempfile::tempfile().expect("temporary file");
    let mut process = Process::start(command, log).expect("every Linux has `sleep`");
    process.kill();
    assert_eq!(process.unended(), None);
    let status = process.poll().expect("a child").expect("it has ended");
    assert!(!status.success());
}
