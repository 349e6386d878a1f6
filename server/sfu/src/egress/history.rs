use crate::routing::{Batch, Packet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use veilcast_control::MediaKind;

/// A repeat that comes later than this is of no use to a live viewer, nor is a beginning that lies farther back.
const MAX_AGE: Duration = Duration::from_secs(3);

/// What a newcomer may be given at most to catch up with: more takes longer than a new key frame does.
const MAX_BACKLOG_AGE: Duration = Duration::from_millis(2_500);
const MAX_BACKLOG_BYTES: usize = 1024 * 1024;

/// The latest packets of a layer, from which losses are repaired and newcomers begin: shared by all its viewers, bounded
/// by number, bytes and age.
pub(crate) struct History {
    ring: Vec<Option<Entry>>,
    capacity: u64,
    max_bytes: usize,
    newest: u64,
    oldest: u64,
    bytes: usize,
    /// The latest packet at which decoding can start.
    entry: Option<u64>,
}

/// What there is from the latest key frame to now.
pub(crate) struct Backlog {
    pub(crate) first: u64,
    pub(crate) bytes: usize,
    /// Since the key frame came.
    pub(crate) age: Duration,
    /// RTP time of its first and its newest packet.
    pub(crate) timestamps: (u32, u32),
}

struct Entry {
    sequence: u64,
    batch: Arc<Batch>,
    at: usize,
}

impl History {
    pub(crate) const fn new(kind: MediaKind) -> Self {
        // Video: two seconds at 8 Mbit/s. Audio: a second of Opus at 20 ms, with room for RED.
        let (capacity, max_bytes) = match kind {
            MediaKind::Audio => (128, 64 * 1024),
            MediaKind::Video | MediaKind::Other => (2048, 2 * 1024 * 1024),
        };
        Self { ring: Vec::new(), capacity, max_bytes, newest: 0, oldest: 0, bytes: 0, entry: None }
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
        if packet.is_entry() {
            self.entry = self.entry.max(Some(packet.sequence));
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
        self.entry = None;
    }

    /// Everything since the latest key frame, if it is short and nothing of it is missing.
    pub(crate) fn backlog(&self, now: Instant) -> Option<Backlog> {
        let first = self.entry.filter(|entry| *entry >= self.oldest)?;
        let (_, key) = self.find(first)?;
        let age = now.saturating_duration_since(key.arrival);
        if age > MAX_BACKLOG_AGE {
            return None;
        }
        let (mut bytes, mut newest) = (0, key.timestamp);
        for sequence in first..=self.newest {
            let (batch, packet) = self.find(sequence)?;
            bytes += batch.payload(packet).len();
            newest = packet.timestamp;
        }
        (bytes <= MAX_BACKLOG_BYTES).then_some(Backlog { first, bytes, age, timestamps: (key.timestamp, newest) })
    }

    /// The batches from the latest key frame on, as often as they hold packets of this layer.
    pub(crate) fn since_key(&self) -> impl Iterator<Item = &Arc<Batch>> {
        let first = self.entry.unwrap_or(self.newest + 1);
        (first..=self.newest).filter_map(|sequence| self.slot(sequence)).map(|entry| &entry.batch)
    }

    /// The newest number; what is above it has not come.
    pub(crate) const fn newest(&self) -> u64 {
        self.newest
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
    use crate::ShardId;
    use crate::ingress::frame::FrameInfo;
    use crate::routing::{BatchBuilder, Carried, LayerKey};
    use veilcast_control::Encoding;

    fn batch(sequence: u64, len: usize, arrival: Instant) -> Arc<Batch> {
        frame(sequence, len, arrival, false)
    }

    fn frame(sequence: u64, len: usize, arrival: Instant, key: bool) -> Arc<Batch> {
        let mut builder = BatchBuilder::default();
        let payload = builder.keep(&vec![1; len]);
        builder.push(Packet {
            layer: LayerKey::new(ShardId(0), 0),
            sequence,
            timestamp: 0,
            marker: false,
            encoding: Encoding::Vp8,
            frame: FrameInfo { key, start: key, ..FrameInfo::default() },
            arrival,
            payload,
            padding: 0,
            primary: None,
            numbers: crate::egress::Numbers::default(),
            targets: None,
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
        assert_eq!(history.ring.iter().flatten().count(), 2048);
        assert!(history.find(72_999).is_some() && history.find(70_951).is_none());
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

    #[test]
    fn a_newcomer_begins_at_the_latest_key_frame_if_all_of_it_is_there() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut history = History::new(MediaKind::Video);
        assert!(history.backlog(start).is_none());
        for sequence in 100..200 {
            let key = sequence == 110 || sequence == 150;
            history.insert(&frame(sequence, 1_000, at((sequence - 100) * 10), key), 0);
        }
        let backlog = history.backlog(at(1_000)).expect("it is whole");
        assert_eq!((backlog.first, backlog.bytes, backlog.age.as_millis()), (150, 50_000, 500));
        assert!(history.backlog(at(3_100)).is_none(), "too long ago");
        history.insert(&frame(201, 1_000, at(1_000), false), 0);
        assert!(history.backlog(at(1_000)).is_none(), "one is missing");
        history.insert(&frame(200, 1_000, at(1_010), false), 0);
        assert!(history.backlog(at(1_010)).is_some());
        (202..1_300).for_each(|sequence| history.insert(&frame(sequence, 1_000, at(1_020), false), 0));
        assert!(history.backlog(at(1_020)).is_none(), "too much");
    }
}
