//! Prometheus's text format, version 0.0.4. These fifty lines are all that figures without a registry need of a library.

use super::process::Process;
use std::fmt::{Display, Write};
use veilcast_control::{Figures, Joins, MediaFigures};
use veilcast_security::Kind;

struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string cannot fail.
        _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, label: Option<(&str, &dyn Display)>, value: impl Display) {
        _ = match label {
            Some((key, text)) => writeln!(self.0, "{name}{{{key}=\"{text}\"}} {value}"),
            None => writeln!(self.0, "{name} {value}"),
        };
    }

    fn single(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.sample(name, None, value);
    }
}

/// Everything, as one page. What could tell of an event is summed over the process; only what a shard's thread does as a
/// whole is told by shard.
/// `sessions`: by shard, rough already, since a small event on a shard of its own looks like no event.
pub(crate) fn render(
    shards: &[Figures],
    sessions: &[(u8, u32)],
    process: &Process,
    security: &[(Kind, u64)],
) -> String {
    let mut page = Page(String::with_capacity(8 * 1_024));
    by_shard(&mut page, shards, sessions);
    traffic(&mut page, shards);
    dropped(&mut page, shards);
    media(&mut page, shards);
    joins(&mut page, shards);
    suspicious(&mut page, security);
    if let Some(bytes) = process.resident_bytes {
        page.single("process_resident_memory_bytes", "gauge", "Resident memory.", bytes);
    }
    if let Some(count) = process.descriptors {
        page.single("process_open_fds", "gauge", "Open file descriptors.", count);
    }
    page.0
}

fn by_shard(page: &mut Page, shards: &[Figures], sessions: &[(u8, u32)]) {
    let name = "veilcast_sessions";
    page.family(name, "gauge", "Sessions, roughly; 0 for fewer than 5.");
    for (shard, sessions) in sessions {
        page.sample(name, Some(("shard", shard)), sessions);
    }
    let name = "veilcast_shard_cpu_seconds_total";
    page.family(name, "counter", "Processor time of the shard's thread.");
    for figures in shards {
        page.sample(name, Some(("shard", &figures.shard)), figures.load.cpu.as_secs_f64());
    }
}

fn traffic(page: &mut Page, shards: &[Figures]) {
    let sum = |of: fn(&Figures) -> u64| shards.iter().map(of).sum::<u64>();
    page.single("veilcast_batches_total", "counter", "Wake-ups for datagrams.", sum(|f| f.load.batches));
    let name = "veilcast_datagrams_total";
    page.family(name, "counter", "UDP datagrams of the media plane.");
    page.sample(name, Some(("direction", &"in")), sum(|f| f.load.datagrams_in));
    page.sample(name, Some(("direction", &"out")), sum(|f| f.load.datagrams_out));
    let name = "veilcast_datagram_bytes_total";
    page.family(name, "counter", "Their payload.");
    page.sample(name, Some(("direction", &"in")), sum(|f| f.load.bytes_in));
    page.sample(name, Some(("direction", &"out")), sum(|f| f.load.bytes_out));
    let name = "veilcast_runs_dropped_total";
    page.single(
        name,
        "counter",
        "Runs of datagrams that found no room in the send buffer.",
        sum(|f| f.load.runs_dropped),
    );
}

fn dropped(page: &mut Page, shards: &[Figures]) {
    let name = "veilcast_dropped_total";
    page.family(name, "counter", "Datagrams that were dropped on arrival.");
    let reasons = shards.first().map(|figures| figures.dropped.as_slice()).unwrap_or_default();
    for (reason, _) in reasons {
        let all = shards.iter().flat_map(|figures| &figures.dropped);
        let count: u64 = all.filter(|(other, _)| other == reason).map(|(_, count)| count).sum();
        page.sample(name, Some(("reason", reason)), count);
    }
}

fn media(page: &mut Page, shards: &[Figures]) {
    type Of = fn(&MediaFigures) -> u64;
    let counters: [(&str, &str, Of); 7] = [
        ("veilcast_viewers_missed_packets_total", "Packets that viewers asked for again.", |m| m.missed_by_viewers),
        ("veilcast_repeated_packets_total", "Packets sent to viewers again.", |m| m.repeated),
        ("veilcast_broadcasters_missed_packets_total", "Packets that broadcasters were asked for again.", |m| {
            m.missed_of_broadcasters
        }),
        ("veilcast_key_frames_wanted_total", "Key frames that viewers asked for.", |m| m.key_frames_wanted),
        ("veilcast_key_frames_asked_total", "Key frames that broadcasters were asked for.", |m| m.key_frames_asked),
        ("veilcast_probes_total", "Probes for more bandwidth.", |m| m.probes),
        ("veilcast_pauses_total", "Pictures paused because a viewer's network did not carry them.", |m| m.pauses),
    ];
    let sum = |of: Of| shards.iter().map(|figures| of(&figures.media)).sum::<u64>();
    for (name, help, of) in counters {
        page.single(name, "counter", help, sum(of));
    }
    let name = "veilcast_reported_loss_ratio";
    page.family(name, "summary", "Share of packets lost, as viewers report it.");
    page.sample("veilcast_reported_loss_ratio_sum", None, sum(|m| m.reported_loss) as f64 / 256.0);
    page.sample("veilcast_reported_loss_ratio_count", None, sum(|m| m.reports));
}

/// In steps of five, like sessions: nobody's coming is told by itself.
fn joins(page: &mut Page, shards: &[Figures]) {
    let name = "veilcast_join_seconds";
    page.family(name, "histogram", "From a viewer's admission to the first media sent, of every five.");
    let sum = |of: &dyn Fn(&Joins) -> u64| shards.iter().map(|figures| of(&figures.media.joins)).sum::<u64>();
    let told = |count: u64| count - count % STEP;
    let mut within = 0;
    for (at, bound) in Joins::BOUNDS.iter().enumerate() {
        within += sum(&|joins| joins.within[at]);
        page.sample("veilcast_join_seconds_bucket", Some(("le", &(*bound as f64 / 1_000.0))), told(within));
    }
    let count = sum(&|joins| joins.count);
    let mean = sum(&|joins| joins.total_ms) as f64 / 1_000.0 / count.max(1) as f64;
    page.sample("veilcast_join_seconds_bucket", Some(("le", &"+Inf")), told(count));
    page.sample("veilcast_join_seconds_sum", None, mean * told(count) as f64);
    page.sample("veilcast_join_seconds_count", None, told(count));
}

const STEP: u64 = 5;

/// Of the whole process, and of nobody.
fn suspicious(page: &mut Page, security: &[(Kind, u64)]) {
    let name = "veilcast_security_events_total";
    page.family(name, "counter", "Suspicious things that were seen, by kind.");
    for (kind, count) in security {
        page.sample(name, Some(("kind", &kind.name())), count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn page(sessions: [u32; 2]) -> String {
        let shard = |(shard, sessions): (usize, u32)| {
            // Everybody has come, and waited for a while.
            let mut media = MediaFigures::default();
            (0..sessions).for_each(|each| media.joins.count(Duration::from_millis(u64::from(each) * 70)));
            let dropped = vec![("replayed", 3)];
            Figures { shard: shard as u8, shards: 2, sessions, dropped, media, ..Figures::default() }
        };
        let shards: Vec<Figures> = sessions.into_iter().enumerate().map(shard).collect();
        let sessions = sessions.map(|sessions| {
            let mut figure = veilcast_room::Figure::default();
            figure.follow(sessions);
            figure.told().unwrap_or(0)
        });
        let sessions: Vec<_> = (0..).zip(sessions).collect();
        render(
            &shards,
            &sessions,
            &Process { resident_bytes: Some(4_096), descriptors: Some(7) },
            &[(Kind::ForeignProbe, 2)],
        )
    }

    #[test]
    fn an_event_of_four_looks_like_none_wherever_it_is() {
        let empty = page([0, 0]);
        for sessions in [[1, 0], [4, 0], [0, 4], [2, 2]] {
            assert_eq!(page(sessions), empty, "{sessions:?}");
        }
        let nine = page([9, 0]);
        assert!(
            nine.contains("veilcast_sessions{shard=\"0\"} 5\n") && nine.contains("veilcast_join_seconds_count 5\n")
        );
    }

    #[test]
    fn what_is_not_the_threads_own_is_summed() {
        let page = page([0, 0]);
        assert!(page.contains("veilcast_dropped_total{reason=\"replayed\"} 6\n"), "{page}");
        let by_shard: Vec<&str> = page.lines().filter(|line| line.contains("shard=")).collect();
        assert!(by_shard.iter().all(|line| line.starts_with("veilcast_sessions{") || line.contains("_cpu_")), "{page}");
    }
}
