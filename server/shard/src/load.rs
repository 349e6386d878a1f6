//! What a shard moves, and what that costs.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;
use veilcast_control::Load;
use veilcast_sfu::Run;

/// Counted by the shard's own thread.
#[derive(Default)]
pub(crate) struct Meter(Load);

impl Meter {
    pub(crate) const fn woke(&mut self) {
        self.0.batches += 1;
    }

    pub(crate) const fn received(&mut self, bytes: usize) {
        self.0.datagrams_in += 1;
        self.0.bytes_in += bytes as u64;
    }

    pub(crate) fn sends(&mut self, run: &Run<'_>) {
        self.0.datagrams_out += run.bytes.len().div_ceil(run.segment.max(1)) as u64;
        self.0.bytes_out += run.bytes.len() as u64;
    }

    /// A run found no room in the kernel.
    pub(crate) const fn drops(&mut self) {
        self.0.runs_dropped += 1;
    }

    /// All of it, with the processor time of the thread that asks.
    pub(crate) fn read(&self) -> Load {
        let spent = clock_gettime(ClockId::ThreadCPUTime);
        let cpu = Duration::new(spent.tv_sec.max(0).cast_unsigned(), spent.tv_nsec.clamp(0, 999_999_999) as u32);
        Load { cpu, ..self.0 }
    }
}
