use std::fs;

/// What the system says of this process. `None` where it does not say (no /proc).
pub(crate) struct Process {
    pub(crate) resident_bytes: Option<u64>,
    pub(crate) descriptors: Option<u64>,
}

pub(crate) fn read() -> Process {
    let status = fs::read_to_string("/proc/self/status").ok();
    let resident_bytes = status.as_deref().and_then(resident);
    // One of them is the directory that is being read.
    let descriptors = fs::read_dir("/proc/self/fd").ok().map(|entries| entries.count().saturating_sub(1) as u64);
    Process { resident_bytes, descriptors }
}

/// proc_pid_status(5): `VmRSS:     1234 kB`.
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_descriptors() {
        let process = read();
        assert!(process.resident_bytes.is_some_and(|bytes| bytes > 1 << 20));
        assert!(process.descriptors.is_some_and(|count| count >= 3));
    }
}
