//! What the shards allocate, apart from the benches' own peers: threads of the benches count as groups of their own, what
//! remains is the server's.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use tracking_allocator::{AllocationGroupId, AllocationGroupToken, AllocationRegistry, AllocationTracker};

struct Counter;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicI64 = AtomicI64::new(0);
/// Blocks and bytes that anybody gives back.
static FREED: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

impl AllocationTracker for Counter {
    fn allocated(&self, _: usize, size: usize, _: usize, group: AllocationGroupId) {
        if group == AllocationGroupId::ROOT {
            ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
            BYTES.fetch_add(size as i64, Ordering::Relaxed);
        }
    }

    fn deallocated(&self, _: usize, size: usize, _: usize, source: AllocationGroupId, _: AllocationGroupId) {
        FREED[0].fetch_add(1, Ordering::Relaxed);
        FREED[1].fetch_add(size as u64, Ordering::Relaxed);
        if source == AllocationGroupId::ROOT {
            BYTES.fetch_sub(size as i64, Ordering::Relaxed);
        }
    }
}

pub(crate) fn install() {
    // The only call in the process, so there is no other tracker.
    let _ = AllocationRegistry::set_global_tracker(Counter);
}

/// What a thread of the benches enters, so that its allocations are not counted.
pub(crate) fn group() -> AllocationGroupToken {
    AllocationGroupToken::register().expect("there are fewer threads than numbers")
}

/// Makes something that the server keeps, and has it counted as the server's.
pub(crate) fn as_server<T: Send>(make: impl FnOnce() -> T + Send) -> T {
    // A new thread is in no group.
    std::thread::scope(|scope| scope.spawn(make).join()).expect("what makes a command does not panic")
}

/// Counting is on while this exists; otherwise allocating costs next to nothing more. What was allocated while it was off
/// is not missed when it is freed.
pub(crate) struct Tracking;

/// Allocations since counting began, and the bytes that are held.
#[derive(Clone, Copy)]
pub(crate) struct Heap {
    pub(crate) allocations: u64,
    pub(crate) bytes: i64,
}

impl Tracking {
    pub(crate) fn begin() -> Self {
        AllocationRegistry::enable_tracking();
        Self
    }

    pub(crate) fn now(&self) -> Heap {
        Heap { allocations: ALLOCATIONS.load(Ordering::Relaxed), bytes: BYTES.load(Ordering::Relaxed) }
    }
}

impl Tracking {
    /// Blocks and bytes that anybody has given back since counting first began.
    pub(crate) fn freed(&self) -> (u64, u64) {
        (FREED[0].load(Ordering::Relaxed), FREED[1].load(Ordering::Relaxed))
    }
}

impl Drop for Tracking {
    fn drop(&mut self) {
        AllocationRegistry::disable_tracking();
    }
}
