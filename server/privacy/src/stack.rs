use std::cell::Cell;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

/// Deeper than whatever handles a request or a datagram goes, in builds that optimise nothing, too.
const DEPTH: usize = 256 * 1024;

static HEARD: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static WIPED: Cell<u64> = const { Cell::new(0) };
}

/// Overwrites what calls that have returned left on this thread's stack: a freed value is wiped, a local one stays where it was
/// until another call comes as deep.
#[inline(never)]
pub fn wipe_stack() {
    let mut below = [0_u8; DEPTH];
    black_box(&mut below);
}

/// Notes that somebody's request is on the stack of a thread, whichever takes the next step of it.
pub fn heard_somebody() {
    HEARD.fetch_add(1, Ordering::Relaxed);
}

/// [`wipe_stack`], if anybody was heard since this thread did so last. For threads that are about to wait.
pub fn wipe_stack_if_heard() {
    let heard = HEARD.load(Ordering::Relaxed);
    if WIPED.replace(heard) != heard {
        wipe_stack();
    }
}
