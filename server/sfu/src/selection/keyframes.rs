use std::time::{Duration, Instant};

/// Requests that come closer together are one: an encoder that is asked more often only wastes bitrate.
const INTERVAL: Duration = Duration::from_millis(500);
/// Requests for the sake of newcomers alone: who comes in between starts from what is kept since the last one.
const JOIN_INTERVAL: Duration = Duration::from_secs(2);
/// The longest wait between requests to a broadcaster that does not answer them.
const MAX_INTERVAL: Duration = Duration::from_secs(8);

/// Key-frame requests to one track, coalesced over all who want one.
#[derive(Default)]
pub(crate) struct KeyFrames {
    wanted: bool,
    /// Wanted by newcomers only.
    joining: bool,
    /// When the last one came.
    came: Option<Instant>,
    asked: Option<Instant>,
    unanswered: u32,
}

impl KeyFrames {
    /// Somebody cannot go on without one.
    pub(crate) const fn want(&mut self) {
        self.wanted = true;
        self.joining = false;
    }

    /// A newcomer cannot begin without one.
    pub(crate) const fn want_to_join(&mut self) {
        self.joining = !self.wanted || self.joining;
        self.wanted = true;
    }

    /// Whether those who wait are newcomers only.
    pub(crate) const fn is_joining(&self) -> bool {
        self.joining
    }

    /// One has come.
    pub(crate) const fn arrived(&mut self, now: Instant) {
        self.wanted = false;
        self.joining = false;
        self.unanswered = 0;
        self.came = Some(now);
    }

    /// Whether to ask now. Doubles the wait each time nothing came of it: 0.5, 1, 2, 4, 8 s.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let due = self.wanted && self.due().is_none_or(|at| at <= now);
        if due {
            self.asked = Some(now);
            self.unanswered += 1;
        }
        due
    }

    /// When to ask next, `None` for at once.
    fn due(&self) -> Option<Instant> {
        let doublings = self.unanswered.saturating_sub(1).min(4);
        let after_asking = self.asked.map(|at| at + (INTERVAL * (1 << doublings)).min(MAX_INTERVAL));
        let after_joins = self.came.filter(|_| self.joining).map(|at| at + JOIN_INTERVAL);
        after_asking.max(after_joins)
    }

    /// When [`Self::take`] will say yes, unless one arrives.
    pub(crate) fn wake(&self, now: Instant) -> Option<Instant> {
        self.wanted.then(|| self.due().unwrap_or(now))
    }
}

/// What one peer may ask of others: a few things at once, then one in five seconds.
pub(crate) struct Patience {
    tokens: u8,
    most: u8,
    refilled: Option<Instant>,
}

const REFILL: Duration = Duration::from_secs(5);

impl Default for Patience {
    /// Two at once, which helps a decoder that lost the first key frame.
    fn default() -> Self {
        Self::new(2)
    }
}

impl Patience {
    const fn new(most: u8) -> Self {
        Self { tokens: most, most, refilled: None }
    }

    /// With changes of layer: who tries each of three sizes and returns does not wait, who does it for ever does.
    pub(crate) const fn with_changes() -> Self {
        Self::new(4)
    }

    /// With layers that begin under other SSRCs: a page that begins all of its layers anew, twice in a row, does not wait.
    pub(crate) const fn with_sources() -> Self {
        Self::new(8)
    }

    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let refilled = *self.refilled.get_or_insert(now);
        let earned = (now.saturating_duration_since(refilled).as_secs() / REFILL.as_secs()).min(u64::from(self.most));
        if earned > 0 {
            self.tokens = (self.tokens + earned as u8).min(self.most);
            self.refilled = Some(now);
        }
        let granted = self.tokens > 0;
        self.tokens -= u8::from(granted);
        granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_wishes_are_one_request_per_interval() {
        let start = Instant::now();
        let mut requests = KeyFrames::default();
        let mut asked = 0;
        for step in 0..10_000 {
            requests.want();
            if requests.take(start + Duration::from_micros(100) * step) {
                asked += 1;
                requests.arrived(start + Duration::from_micros(100) * step);
            }
        }
        assert_eq!(asked, 2, "10,000 wishes in one second");
    }

    #[test]
    fn newcomers_alone_get_one_in_two_seconds() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut requests = KeyFrames::default();
        requests.want_to_join();
        assert!(requests.take(at(0)));
        requests.arrived(at(50));
        requests.want_to_join();
        assert!(!requests.take(at(2_000)) && requests.take(at(2_050)));
        requests.arrived(at(2_100));
        requests.want_to_join();
        requests.want();
        assert!(requests.take(at(2_600)), "who lost its picture waits no longer than before");
    }

    #[test]
    fn an_unanswered_request_is_repeated_ever_more_slowly() {
        let start = Instant::now();
        let mut requests = KeyFrames::default();
        requests.want();
        let asked: Vec<u64> =
            (0..400).map(|step| step * 100).filter(|ms| requests.take(start + Duration::from_millis(*ms))).collect();
        assert_eq!(asked, [0, 500, 1_500, 3_500, 7_500, 15_500, 23_500, 31_500, 39_500]);
    }

    #[test]
    fn one_viewer_for_ever_gets_one_in_five_seconds() {
        let start = Instant::now();
        let mut patience = Patience::default();
        let granted = (0..100).filter(|second| patience.take(start + Duration::from_secs(*second))).count();
        assert_eq!(granted, 2 + 19);
    }
}
