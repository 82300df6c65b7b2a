//! Keeps freed memory in the process.
//!
//! By default glibc gives every large block back to the kernel when it is freed
//! and takes it again, zeroed, one operation later: 5–10 % of a training step on
//! the CPU. A worker ends after one trial, so it can keep what it has.

use std::ffi::c_int;

// <malloc.h>
const M_TRIM_THRESHOLD: c_int = -1;
const M_TOP_PAD: c_int = -2;
const M_MMAP_THRESHOLD: c_int = -3;

// SAFETY: the declaration is that of glibc's <malloc.h>.
unsafe extern "C" {
    fn mallopt(param: c_int, value: c_int) -> c_int;
}

/// Raises glibc's thresholds; call once, before other threads start.
pub fn keep_freed_memory() {
    const GIB: c_int = 1 << 30;
    for (option, value) in [
        (M_MMAP_THRESHOLD, GIB),
        (M_TRIM_THRESHOLD, c_int::MAX),
        (M_TOP_PAD, 64 << 20),
    ] {
        // SAFETY: mallopt takes any two integers; an option it does not know is ignored.
        unsafe { mallopt(option, value) };
    }
}
