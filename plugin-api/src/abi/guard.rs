//! Catches panics where they can be caught: on the plugin's side.
//!
//! Each cdylib has its own copy of the standard library, so a host's
//! `catch_unwind` around a plugin's panic aborts the process. The panic's place
//! is known only to a hook; it is kept per thread until the catch reads it.

use std::{
    cell::RefCell,
    panic::{self, AssertUnwindSafe},
    sync::Once,
};

use super::Fault;

thread_local! {
    static LAST: RefCell<Option<Fault>> = const { RefCell::new(None) };
}

/// Runs `body`; an error or a panic comes back as a fault.
pub(crate) fn guard<T>(body: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    install_hook();
    match panic::catch_unwind(AssertUnwindSafe(body)) {
        Ok(result) => result,
        Err(payload) => {
            let fault = LAST.take();
            // The payload's own drop may panic too.
            let _ = panic::catch_unwind(AssertUnwindSafe(|| drop(payload)));
            Err(fault.unwrap_or_else(|| Fault::Error {
                message: "panicked with a hook of its own installed".to_owned(),
            }))
        }
    }
}

fn install_hook() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let message = info
                .payload_as_str()
                .unwrap_or("a payload that is no text")
                .to_owned();
            let (file, line) = info.location().map_or_else(
                || ("an unknown file".to_owned(), 0),
                |place| (place.file().to_owned(), place.line()),
            );
            LAST.set(Some(Fault::Panic {
                message,
                file,
                line,
            }));
            before(info);
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_comes_back_with_its_place() {
        let line = line!() + 1;
        let fault = guard::<()>(|| panic!("no {}", "good")).expect_err("it panicked");
        assert_eq!(
            fault,
            Fault::Panic {
                message: "no good".into(),
                file: file!().into(),
                line
            }
        );
        assert_eq!(guard(|| Ok(1)), Ok(1));
    }

    #[test]
    fn a_payload_that_panics_on_drop_is_caught_too() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                assert!(std::thread::panicking(), "bomb");
            }
        }
        let fault = guard::<()>(|| panic::panic_any(Bomb)).expect_err("it panicked");
        let Fault::Panic { message, .. } = fault else {
            unreachable!("a panic, not {fault:?}");
        };
        assert_eq!(
            message, "a payload that is no text",
            "the first panic, not the drop's"
        );
    }
}
