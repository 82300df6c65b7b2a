//! The system's allocator, counted: how much an input takes at most.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    ptr,
    sync::atomic::{AtomicUsize, Ordering},
};

/// Above this nothing is given any more: what asks for all memory there is must
/// not get it.
const LIMIT: usize = 1 << 30;

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// An allocator for programs that look at [`most`].
pub struct Counting;

// SAFETY: every call goes on to the system's allocator with the same arguments, or
// returns null, which is how an allocation fails.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !take(layout.size()) {
            return ptr::null_mut();
        }
        // SAFETY: the caller's promise about `layout`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise, and `pointer` came from the system's allocator.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both blocks may exist while one is copied.
        if !take(size) {
            return ptr::null_mut();
        }
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise, and `pointer` came from the system's allocator.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

fn take(size: usize) -> bool {
    let held = HELD.fetch_add(size, Ordering::Relaxed) + size;
    if held > LIMIT {
        HELD.fetch_sub(size, Ordering::Relaxed);
        return false;
    }
    MOST.fetch_max(held, Ordering::Relaxed);
    true
}

/// Bytes that are held now; what is taken from here on is counted anew.
pub fn start() -> usize {
    let held = HELD.load(Ordering::Relaxed);
    MOST.store(held, Ordering::Relaxed);
    held
}

/// Most bytes that were held at once since [`start`].
pub fn most() -> usize {
    MOST.load(Ordering::Relaxed)
}
