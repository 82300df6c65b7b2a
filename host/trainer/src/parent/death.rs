//! A parent that was dead before its worker could ask to be told.

use std::{
    ffi::{c_int, c_uint, c_void},
    fs,
    os::{fd::AsRawFd as _, unix::net::UnixStream},
};

use rustix::{
    io::Errno,
    net::{RecvFlags, recv},
    process::{Pid, test_kill_process},
};

/// Whether the parent is dead already: its end of the socket is closed or, where somebody
/// still holds that open, the process that made it is no more.
pub(super) fn is_abandoned(socket: &UnixStream) -> bool {
    let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
    let closed = matches!(recv(socket, &mut [0_u8], flags), Ok((_, 0)));
    closed || maker(socket).is_some_and(is_dead)
}

/// The process that made a pair of sockets; none where this one may not see it.
fn maker(socket: &UnixStream) -> Option<Pid> {
    const SOL_SOCKET: c_int = 1;
    const SO_PEERCRED: c_int = 17;
    // Process, user and group. Not through rustix, for which a process can't be 0, as one
    // outside this process's namespace is.
    let mut credentials = [0_i32; 3];
    let mut length = size_of_val(&credentials) as c_uint;
    // SAFETY: the kernel writes at most `length` bytes, and any bytes are numbers.
    let failed = unsafe {
        getsockopt(
            socket.as_raw_fd(),
            SOL_SOCKET,
            SO_PEERCRED,
            credentials.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if failed != 0 {
        return None;
    }
    Pid::from_raw(credentials[0])
}

/// Whether a process has ended, reaped or not.
fn is_dead(process: Pid) -> bool {
    if test_kill_process(process) == Err(Errno::SRCH) {
        return true;
    }
    let stat = fs::read(format!("/proc/{}/stat", process.as_raw_pid()));
    // pid (name) state …; the name may hold anything.
    stat.is_ok_and(|stat| {
        let end = stat.windows(2).rposition(|pair| pair == b") ");
        end.is_some_and(|end| matches!(stat.get(end + 2), Some(b'Z' | b'X')))
    })
}

// SAFETY: the declaration is that of <sys/socket.h> of glibc.
unsafe extern "C" {
    fn getsockopt(
        socket: c_int,
        level: c_int,
        name: c_int,
        value: *mut c_void,
        length: *mut c_uint,
    ) -> c_int;
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write as _,
        process::{Command, Stdio},
        thread,
        time::Duration,
    };

    use rustix::process::getpid;

    use super::*;

    #[test]
    fn a_process_is_dead_from_its_end_on_reaped_or_not() {
        assert!(!is_dead(getpid()));
        let mut child = Command::new("cat")
            .stdin(Stdio::piped())
            .spawn()
            .expect("started");
        let pid = Pid::from_child(&child);
        assert!(!is_dead(pid));
        drop(child.stdin.take());
        while !is_dead(pid) {
            thread::sleep(Duration::from_millis(1));
        }
        child.wait().expect("reaped");
        assert!(is_dead(pid));
    }

    #[test]
    fn a_socket_tells_who_made_it_and_whether_its_other_end_is_open() {
        let (ours, mut theirs) = UnixStream::pair().expect("made");
        assert_eq!(maker(&ours), Some(getpid()));
        assert!(!is_abandoned(&ours));
        theirs.write_all(b"?").expect("written");
        assert!(!is_abandoned(&ours));
        let (ours, theirs) = UnixStream::pair().expect("made");
        drop(theirs);
        assert!(is_abandoned(&ours));
    }
}
