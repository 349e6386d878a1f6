//! What is in memory stays there: no dump of this process reaches a disk by its own doing, and whoever runs the machine is told of
//! other ways out.

use crate::console;
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use std::fs;

/// Neither a crash nor a debugger of the same user gets an image of this process. Of every command, from its first moment.
pub(crate) fn keep_in() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let kept = setrlimit(Resource::Core, none).and_then(|()| set_dumpable_behavior(DumpableBehavior::NotDumpable));
    if kept.is_err() {
        console::say("veilcast: warning: the system lets this process be dumped to disk");
    }
}

/// Part of `veilcast check`.
pub(crate) fn warn_of_ways_out() {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    for warning in ways_out(&read("/proc/swaps"), &read("/proc/sys/kernel/core_pattern")) {
        console::say(&format!("veilcast: warning: {warning}"));
    }
}

/// proc(5) for the swaps, core(5) for the pattern.
fn ways_out(swaps: &str, core_pattern: &str) -> Vec<&'static str> {
    let mut found = Vec::new();
    // Compressed memory is memory.
    if swaps.lines().skip(1).any(|line| !line.trim().is_empty() && !line.starts_with("/dev/zram")) {
        found.push(
            "swap is on, so that what is in memory can reach a disk and stay there; turn it off (swapoff -a, and out of \
             /etc/fstab), or encrypt it with a key that ends with each start",
        );
    }
    if core_pattern.trim_start().starts_with('|') {
        found.push(
            "crashes are handed to a program (kernel.core_pattern begins with '|'), whatever the limit on their size; this server \
             is not dumped, but what runs beside it may be: sysctl -w kernel.core_pattern=core",
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";

    #[test]
    fn swap_on_a_disk_and_piped_dumps_are_told() {
        let on = format!("{HEADER}/swap.img                               file\t\t4194300\t\t0\t\t-2\n");
        let zram = format!("{HEADER}/dev/zram0                             partition\t4194300\t\t0\t\t100\n");
        assert_eq!(ways_out(HEADER, "core\n"), [""; 0]);
        assert_eq!(ways_out("", ""), [""; 0], "no /proc");
        assert_eq!(ways_out(&zram, "core\n"), [""; 0]);
        assert!(ways_out(&on, "core\n").iter().all(|warning| warning.starts_with("swap is on")));
        assert_eq!(ways_out(&on, "core\n").len(), 1);
        let piped = ways_out(HEADER, "|/usr/share/apport/apport %p %s\n");
        assert!(piped.len() == 1 && piped[0].starts_with("crashes"));
    }
}
