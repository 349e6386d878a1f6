use crate::routing::{Batch, Packet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use veilcast_control::MediaKind;

/// A repeat that comes later than this is of no use to a live viewer.
const MAX_AGE: Duration = Duration::from_secs(2);

/// The latest packets of a track, from which losses are repaired: shared by all its viewers, bounded by number, bytes
/// and age.
pub(crate) struct History {
    ring: Vec<Option<Entry>>,
    capacity: u64,
    max_bytes: usize,
    newest: u64,
    oldest: u64,
    bytes: usize,
}

struct Entry {
    sequence: u64,
    batch: Arc<Batch>,
    at: usize,
}

impl History {
    pub(crate) const fn new(kind: MediaKind) -> Self {
        // Video: a second at 10 Mbit/s. Audio: a second of Opus at 20 ms, with room for RED.
        let (capacity, max_bytes) = match kind {
            MediaKind::Audio => (128, 64 * 1024),
            MediaKind::Video | MediaKind::Other => (1024, 2 * 1024 * 1024),
        };
        Self { ring: Vec::new(), capacity, max_bytes, newest: 0, oldest: 0, bytes: 0 }
    }

    /// Keeps the packet `at` of `batch`.
    pub(crate) fn insert(&mut self, batch: &Arc<Batch>, at: usize) {
        let packet = &batch.packets()[at];
        if self.ring.is_empty() {
            self.ring.resize_with(self.capacity as usize, || None);
            (self.newest, self.oldest) = (packet.sequence, packet.sequence);
        }
        // A broadcaster's jump leaves nothing worth keeping.
        if packet.sequence.abs_diff(self.newest) >= self.capacity {
            if packet.sequence < self.newest {
                return;
            }
            self.clear();
            self.oldest = packet.sequence;
        }
        self.newest = self.newest.max(packet.sequence);
        self.oldest = self.oldest.min(packet.sequence);
        self.bytes += batch.payload(packet).len();
        let slot = (packet.sequence % self.capacity) as usize;
        if let Some(old) = self.ring[slot].replace(Entry { sequence: packet.sequence, batch: Arc::clone(batch), at }) {
            self.bytes -= old.batch.payload(&old.batch.packets()[old.at]).len();
        }
        self.trim(packet.arrival);
    }

    fn trim(&mut self, now: Instant) {
        self.oldest = self.oldest.max((self.newest + 1).saturating_sub(self.capacity));
        while self.oldest < self.newest {
            let slot = (self.oldest % self.capacity) as usize;
            if let Some(entry) = &self.ring[slot]
                && entry.sequence == self.oldest
            {
                let packet = &entry.batch.packets()[entry.at];
                if self.bytes <= self.max_bytes && now.saturating_duration_since(packet.arrival) <= MAX_AGE {
                    break;
                }
                self.bytes -= entry.batch.payload(packet).len();
                self.ring[slot] = None;
            }
            self.oldest += 1;
        }
    }

    fn clear(&mut self) {
        self.ring.iter_mut().for_each(|entry| *entry = None);
        self.bytes = 0;
    }

    fn slot(&self, sequence: u64) -> Option<&Entry> {
        self.ring.get((sequence % self.capacity) as usize)?.as_ref().filter(|entry| entry.sequence == sequence)
    }

    /// The packet with this number, if it is still here.
    pub(crate) fn find(&self, sequence: u64) -> Option<(&Batch, &Packet)> {
        let entry = self.slot(sequence)?;
        Some((&entry.batch, &entry.batch.packets()[entry.at]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingress::frame::FrameInfo;
    use crate::routing::{BatchBuilder, Carried};
    use crate::slots::Ix;
    use veilcast_control::Encoding;

    fn batch(sequence: u64, len: usize, arrival: Instant) -> Arc<Batch> {
        let mut builder = BatchBuilder::default();
        let payload = builder.keep(&vec![1; len]);
        builder.push(Packet {
            track: Ix::default(),
            sequence,
            timestamp: 0,
            marker: false,
            encoding: Encoding::Vp8,
            frame: FrameInfo::default(),
            arrival,
            payload,
            carried: Carried::default(),
        });
        builder.seal()
    }

    #[test]
    fn it_is_bounded_by_number_bytes_and_age() {
        let start = Instant::now();
        let mut history = History::new(MediaKind::Video);
        for sequence in 70_000..73_000 {
            history.insert(&batch(sequence, 1, start), 0);
        }
        assert_eq!(history.ring.iter().flatten().count(), 1024);
        assert!(history.find(72_999).is_some() && history.find(71_975).is_none());
        for sequence in 73_000..73_500 {
            history.insert(&batch(sequence, 60_000, start), 0);
        }
        assert!(history.bytes <= history.max_bytes);
        history.insert(&batch(73_500, 1, start + MAX_AGE * 2), 0);
        assert_eq!(history.ring.iter().flatten().count(), 1);
    }

    #[test]
    fn jumps_of_any_size_are_survived() {
        let start = Instant::now();
        let mut history = History::new(MediaKind::Audio);
        for sequence in [65_536, 65_537, 90_000, 65_538, 89_999, 122_000, 65_536] {
            history.insert(&batch(sequence, 10, start), 0);
        }
        assert!(history.find(122_000).is_some() && history.find(90_000).is_none());
        assert_eq!(history.bytes, 10);
    }
}
