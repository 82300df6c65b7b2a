//! The worker's tie to the sweep that started it.
//!
//! The parent gives its workers a socket for standard input. Its end is the
//! parent's end, however that came about, and then the worker goes, with all
//! that it started. Through it go the signs of life. Where standard input is
//! anything else (a terminal, a debugger), nobody is watched and nothing is said.

mod death;

use std::{
    cell::Cell,
    ffi::{c_int, c_uint, c_void},
    io::Read,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    path::Path,
    sync::{
        OnceLock,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
    thread,
};

use flops_fit_trial::{Part, Phase, Pulse, Stage, TRIAL_VARIABLE, processes_of};
use rustix::{
    fs::{FileType, fstat},
    net::{SendFlags, Shutdown},
    process::{
        Pid, Signal, getpgrp, getpid, kill_current_process_group, kill_process,
        set_parent_process_death_signal,
    },
};

use death::is_abandoned;

const NOWHERE: Pulse = Pulse {
    stage: Stage::Start,
    part: Part::Host,
    phase: Phase::Load,
};

/// Most ranks of one trial.
pub(crate) const MOST_RANKS: usize = 64;

/// How far the trial is.
static STAGE: AtomicU8 = AtomicU8::new(0);

/// Where each rank's thread is.
static RANKS: [AtomicU8; MOST_RANKS] = [const { AtomicU8::new(0) }; MOST_RANKS];

/// The rank that the first one waits for: itself, unless it waits.
static AWAITED: AtomicUsize = AtomicUsize::new(0);

static SOCKET: OnceLock<UnixStream> = OnceLock::new();

thread_local! {
    /// Where this thread is, if it calls plugins.
    static HERE: Cell<Option<(Part, Phase)>> = const { Cell::new(None) };
    /// The rank that runs on this thread.
    static RANK: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Where the trial is: with whom it waits for.
fn pulse() -> Pulse {
    let read = |place: &AtomicU8| Pulse::decode(place.load(Ordering::Relaxed)).unwrap_or(NOWHERE);
    let awaited = AWAITED.load(Ordering::Relaxed);
    Pulse {
        stage: read(&STAGE).stage,
        ..read(&RANKS[awaited])
    }
}

/// This thread is about to call `phase` of `part`.
pub(crate) fn enter(part: Part, phase: Phase) {
    HERE.set(Some((part, phase)));
    if let Some(rank) = RANK.get() {
        let pulse = Pulse {
            part,
            phase,
            ..NOWHERE
        };
        RANKS[rank].store(pulse.encode(), Ordering::Relaxed);
    }
}

/// This thread is rank `rank` of the trial.
pub(crate) fn be_rank(rank: usize) {
    RANK.set(Some(rank));
}

/// The first rank waits for rank `rank`: what that one does is what takes so long.
pub(crate) fn wait_for(rank: usize) {
    AWAITED.store(rank, Ordering::Relaxed);
}

/// Whether the first rank writes a checkpoint.
pub(crate) fn is_saving() -> bool {
    let pulse = Pulse::decode(RANKS[0].load(Ordering::Relaxed));
    pulse.is_some_and(|pulse| pulse.phase == Phase::Checkpoint)
}

/// The trial has come to `stage`.
pub(crate) fn reach(stage: Stage) {
    let pulse = Pulse { stage, ..NOWHERE };
    STAGE.store(pulse.encode(), Ordering::Relaxed);
}

/// A sign of life.
pub(crate) fn beat() {
    send(&[pulse().encode()]);
}

fn send(bytes: &[u8]) {
    if let Some(socket) = SOCKET.get() {
        // A parent that does not listen is no reason to wait.
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        let _ = rustix::net::send(socket, bytes, flags);
    }
}

/// Ties this process, whose first rank is to run on this thread, to its parent; does not
/// return if that is dead already. Call before any other thread starts.
pub(crate) fn follow() {
    be_rank(0);
    let stdin = std::io::stdin();
    let is_socket =
        fstat(&stdin).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Socket);
    if !is_socket {
        return;
    }
    // A handle of our own, which no plugin closes, reads or hands on.
    let Ok(socket) = stdin.as_fd().try_clone_to_owned() else {
        return;
    };
    let _ = leave_stdin();
    let _ = socket_set_up(socket);
}

/// Puts nothing in the place of standard input.
fn leave_stdin() -> std::io::Result<()> {
    let nothing: OwnedFd = std::fs::File::open("/dev/null")?.into();
    rustix::stdio::dup2_stdin(&nothing)?;
    Ok(())
}

fn socket_set_up(socket: OwnedFd) -> std::io::Result<()> {
    let socket = UnixStream::from(socket);
    let questions = socket.try_clone()?;
    let _ = SOCKET.set(socket);
    // SAFETY: both handlers make system calls and nothing else, which may be done in
    // a signal handler.
    unsafe {
        signal_hook::low_level::register(signal_hook::consts::SIGHUP, hang_up)?;
        signal_hook::low_level::register(signal_hook::consts::SIGALRM, end_all)?;
    }
    // The kernel's own word: a parent that dies while one of its threads waits for a
    // disk keeps its sockets open until that is over.
    set_parent_process_death_signal(Some(Signal::HUP))?;
    // Of a death before that it says nothing.
    if is_abandoned(&questions) {
        end_all();
    }
    at_exit();
    thread::Builder::new()
        .name("parent".to_owned())
        .spawn(move || listen(questions))?;
    Ok(())
}

/// Answers until the parent is gone, then ends everything.
fn listen(mut parent: UnixStream) {
    let mut byte = [0];
    loop {
        match parent.read(&mut byte) {
            Ok(1..) if byte[0] == Pulse::QUESTION => beat(),
            Ok(1..) => {}
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => break,
        }
    }
    if let Some(trial) = std::env::var_os(TRIAL_VARIABLE) {
        for pid in processes_of(Path::new(&trial)) {
            if let Some(pid) = Pid::from_raw(pid.cast_signed()) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }
    end_all();
}

/// Seconds that the thread that listens has to end everything once it was told:
/// it does so more thoroughly than a signal handler could.
const THOROUGH: u32 = 10;

/// Tells the thread that listens that the parent is gone, and has the kernel ask
/// again in a while, should that thread be unable to run.
fn hang_up() {
    if let Some(socket) = SOCKET.get() {
        let _ = rustix::net::shutdown(socket, Shutdown::Read);
    }
    // SAFETY: it takes a number, and POSIX lists it among what a handler may call.
    unsafe { alarm(THOROUGH) };
}

/// Ends this process and its group, where the parent gave it one.
fn end_all() {
    if getpgrp() == getpid() {
        let _ = kill_current_process_group(Signal::KILL);
    }
    let _ = kill_process(getpid(), Signal::KILL);
}

// SAFETY: the declarations are those of <stdlib.h>, <stdio.h> and <unistd.h> of glibc.
unsafe extern "C" {
    fn on_exit(function: extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
    fn fflush(stream: *mut c_void) -> c_int;
    fn _exit(status: c_int) -> !;
    fn alarm(seconds: c_uint) -> c_uint;
}

/// Has the thread that ends the process say where it was, since a plugin that calls
/// `exit` leaves no other trace, and ends it there: what `exit` does next is to destroy
/// what libtorch's other threads still work with.
fn at_exit() {
    extern "C" fn last_words(status: c_int, _: *mut c_void) {
        let here = HERE.get().map(|(part, phase)| Pulse {
            part,
            phase,
            ..pulse()
        });
        let pulse = here.unwrap_or_else(pulse);
        send(&[Pulse::FAREWELL, pulse.encode()]);
        // SAFETY: null stands for all open streams of C; what they hold belongs in the
        // log. Nothing runs after the second call.
        unsafe {
            fflush(std::ptr::null_mut());
            _exit(status)
        }
    }
    // SAFETY: the function has the type that the C library asks for, uses no argument,
    // and is there as long as the process is.
    unsafe { on_exit(last_words, std::ptr::null_mut()) };
}

/// Ends the process while other threads still run, for no plugin's sake.
#[expect(
    clippy::exit,
    reason = "a thread that hangs in a plugin can't be ended otherwise"
)]
pub(crate) fn leave(status: u8) -> ! {
    enter(Part::Host, Phase::Load);
    if SOCKET.get().is_none() {
        // Not done yet, where there is no parent to say anything to.
        at_exit();
    }
    std::process::exit(status.into())
}

/// Puts the last words before all that libraries opened since want to do at exit, the
/// later the earlier.
pub(crate) fn last_words_first() {
    if SOCKET.get().is_some() {
        at_exit();
    }
}
