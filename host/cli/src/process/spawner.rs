//! The one thread that starts processes.
//!
//! A worker asks the kernel to be told of its parent's death, and the kernel
//! takes that to be the death of the *thread* that started it. So all are
//! started from one thread, which lives as long as this process.

use std::{
    io,
    process::{Child, Command},
    sync::{
        LazyLock,
        mpsc::{Sender, channel},
    },
};

struct Order {
    command: Command,
    started: Sender<(Command, io::Result<Child>)>,
}

static SPAWNER: LazyLock<io::Result<Sender<Order>>> = LazyLock::new(|| {
    let (sender, orders) = channel::<Order>();
    std::thread::Builder::new()
        .name("spawner".to_owned())
        .spawn(move || {
            for Order {
                mut command,
                started,
            } in orders
            {
                let child = command.spawn();
                // The command goes back: what it holds open is closed by its owner.
                let _ = started.send((command, child));
            }
        })?;
    Ok(sender)
});

/// Starts `command`, and drops it with what it holds open.
pub(super) fn spawn(command: Command) -> io::Result<Child> {
    let spawner = SPAWNER
        .as_ref()
        .map_err(|error| io::Error::new(error.kind(), error.to_string()))?;
    let (started, answer) = channel();
    let gone = || io::Error::other("the thread that starts processes is gone");
    spawner
        .send(Order { command, started })
        .map_err(|_| gone())?;
    let (_command, child) = answer.recv().map_err(|_| gone())?;
    child
}
