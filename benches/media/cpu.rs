//! CPU time of threads: it leaves out what other programs took meanwhile.

use crate::Failure;
use rustix::time::{ClockId, clock_gettime};
use std::collections::BTreeSet;
use std::time::Duration;

/// CPU time of the calling thread so far.
pub(crate) fn here() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.cast_unsigned(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The threads of this process that run shards.
pub(crate) fn shard_threads() -> Result<BTreeSet<u32>, Failure> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir("/proc/self/task")? {
        let entry = entry?;
        // A thread may end while the list is read.
        let name = std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
        if name.starts_with("shard-") {
            found.insert(entry.file_name().to_string_lossy().parse()?);
        }
    }
    Ok(found)
}

/// CPU time of other threads so far. Exact while they sleep: the kernel books what a thread used when it leaves the CPU.
pub(crate) fn of(threads: &BTreeSet<u32>) -> Result<Duration, Failure> {
    let mut sum = 0;
    for thread in threads {
        let text = std::fs::read_to_string(format!("/proc/self/task/{thread}/schedstat"))?;
        sum += text.split(' ').next().unwrap_or_default().parse::<u64>()?;
    }
    Ok(Duration::from_nanos(sum))
}
