use super::record::MILLISECOND;

/// Long enough to hold a frame, short enough that two of them say something new.
const BUCKET: u32 = 50 * MILLISECOND as u32;
/// Half a second, the least that draft-ietf-rmcat-gcc-02 section 5.5 measures over.
const BUCKETS: u8 = 10;
/// What a decrease looks at: the half second reaches back before the congestion.
const RECENT: u8 = 5;

/// What arrives per second, by the receiver's clock.
#[derive(Default)]
pub(crate) struct Throughput {
    bytes: [u32; BUCKETS as usize],
    current: u32,
    /// When the current bucket began, in wrapping ticks.
    began: Option<u32>,
    at: u8,
    /// Buckets that are complete.
    filled: u8,
}

impl Throughput {
    /// Notes a packet that has arrived.
    pub(crate) fn packet(&mut self, arrived: u32, bytes: u32) {
        let began = *self.began.get_or_insert(arrived);
        let mut passed = arrived.wrapping_sub(began) as i32;
        if passed.unsigned_abs() >= (u32::from(BUCKETS) + 1) * BUCKET {
            // Nothing was sent for a while, or the clock stepped: that is no throughput of zero.
            *self = Self { began: Some(arrived), ..Self::default() };
            passed = 0;
        }
        while passed >= BUCKET as i32 {
            self.bytes[usize::from(self.at)] = std::mem::take(&mut self.current);
            self.at = (self.at + 1) % BUCKETS;
            self.filled = (self.filled + 1).min(BUCKETS);
            self.began = self.began.map(|began| began.wrapping_add(BUCKET));
            passed -= BUCKET as i32;
        }
        // Saturating: the receiver may claim that all of it came at one moment.
        self.current = self.current.saturating_add(bytes);
    }

    /// Bit/s over the last half second; `None` before there is half of that.
    pub(crate) fn bps(&self) -> Option<u32> {
        self.over(BUCKETS)
    }

    /// Bit/s over the last quarter of a second.
    pub(crate) fn recent_bps(&self) -> Option<u32> {
        self.over(RECENT)
    }

    fn over(&self, buckets: u8) -> Option<u32> {
        let buckets = buckets.min(self.filled);
        if buckets < RECENT {
            return None;
        }
        let place = |back: u8| usize::from((self.at + BUCKETS - back) % BUCKETS);
        let bytes: u64 = (1..=buckets).map(|back| u64::from(self.bytes[place(back)])).sum();
        Some((bytes * 8 * 1_000 * MILLISECOND / (u64::from(buckets) * u64::from(BUCKET))) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_measures_what_arrives_and_soon_what_arrives_now() {
        let mut throughput = Throughput::default();
        let mut arrived = u32::MAX - 3_000;
        let mut packets = |throughput: &mut Throughput, count: u32, bytes| {
            for _ in 0..count {
                throughput.packet(arrived, bytes);
                arrived = arrived.wrapping_add(160);
            }
        };
        packets(&mut throughput, 20, 1_250);
        assert_eq!(throughput.bps(), None);
        packets(&mut throughput, 80, 1_250);
        assert_eq!(throughput.bps(), Some(1_000_000));
        packets(&mut throughput, 30, 125);
        assert_eq!(throughput.recent_bps(), Some(100_000));
        assert_eq!(throughput.bps(), Some(550_000));
    }

    #[test]
    fn a_pause_is_not_a_throughput_of_zero() {
        let mut throughput = Throughput::default();
        (0..100).for_each(|packet| throughput.packet(packet * 160, 1_250));
        throughput.packet(160_000, 1_250);
        assert_eq!(throughput.bps(), None);
        (0..50).for_each(|packet| throughput.packet(160_000 + packet * 160, 1_250));
        assert!(throughput.bps().is_some_and(|bps| (900_000..1_100_000).contains(&bps)));
    }
}
