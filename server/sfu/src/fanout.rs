//! From a routed batch to runs of datagrams, one subscriber after the other, sealed straight into the send buffer.

use crate::egress::{Late, Moment, SubscriberIx, Written};
use crate::routing::{Batch, RoomIx};
use crate::{Run, Sfu, Tuple};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;
use veilcast_control::Report;

/// Room for one datagram: what Ethernet carries over IPv4. A broadcaster's packets crossed a path to us already, and ours
/// are a few bytes of header larger.
const MAX_DATAGRAM: usize = 1_472;

/// Limits of one segmented send: UDP_MAX_SEGMENTS of Linux and the size of a UDP payload.
const MAX_SEGMENTS: usize = 64;
const MAX_RUN: usize = 65_000;

/// The send buffer and how far the current batch has been sent.
pub(crate) struct Fanout {
    buffer: Vec<u8>,
    /// A packet that was sealed but did not fit the run it would have ended: it begins the next.
    carry: Option<Range<usize>>,
    touched: Vec<RoomIx>,
    queue: VecDeque<Job>,
    /// The batch in front is in the history.
    kept: bool,
    cursor: Cursor,
    held: Vec<u8>,
    scratch: Vec<u8>,
}

/// What is to be sent.
enum Job {
    /// A batch to everybody in a room.
    Batch(RoomIx, Arc<Batch>),
    /// To one viewer, what it is behind with.
    CatchUp(SubscriberIx),
}

/// Where in a room and its batch the next packet comes from.
#[derive(Default, Clone, Copy)]
struct Cursor {
    subscriber: usize,
    packet: usize,
}

/// A run by its place in the buffer.
pub(crate) struct Pending {
    tuple: Tuple,
    range: Range<usize>,
    segment: usize,
}

impl Default for Fanout {
    fn default() -> Self {
        Self {
            buffer: vec![0; MAX_RUN + 2 * MAX_DATAGRAM],
            carry: None,
            touched: Vec::new(),
            queue: VecDeque::new(),
            kept: false,
            cursor: Cursor::default(),
            held: Vec::new(),
            scratch: vec![0; MAX_DATAGRAM],
        }
    }
}

impl Fanout {
    /// Notes that a room's batch has something in it.
    pub(crate) fn touch(&mut self, room: RoomIx) {
        if !self.touched.contains(&room) {
            self.touched.push(room);
        }
    }

    /// Notes that a viewer that is behind may be sent more.
    pub(crate) fn catch_up(&mut self, seat: SubscriberIx) {
        self.queue.push_back(Job::CatchUp(seat));
    }

    /// Keeps a single datagram while it is sent.
    pub(crate) fn hold(&mut self, datagram: Vec<u8>) -> &[u8] {
        self.held = datagram;
        &self.held
    }

    /// Room for one datagram.
    pub(crate) fn scratch(&mut self) -> &mut [u8] {
        &mut self.scratch
    }

    pub(crate) fn run(&self, pending: Pending) -> Run<'_> {
        Run { tuple: pending.tuple, bytes: &self.buffer[pending.range], segment: pending.segment }
    }
}

impl Sfu {
    /// Closes the batches that have been filled, keeps them for repeats, and lines them up for sending.
    pub(crate) fn route(&mut self, now: Instant) {
        while let Some(ix) = self.fanout.touched.pop() {
            let Some(room) = self.rooms.at_mut(ix) else { continue };
            if room.batch.is_empty() {
                continue;
            }
            let batch = room.batch.seal();
            if room.rewired {
                self.rewire(ix, now);
            }
            let Some(room) = self.rooms.at(ix) else { continue };
            let (key, watched_on) = (room.key, room.watched_on);
            self.say_batch(key, &batch, watched_on);
            self.admit_batch(ix, batch);
        }
    }

    /// Lines a batch up for sending, whichever shard it comes from.
    pub(crate) fn admit_batch(&mut self, ix: RoomIx, batch: Arc<Batch>) {
        let Some(room) = self.rooms.at(ix) else { return };
        self.sunk.extend(room.sinks.iter().map(|sink| (*sink, Arc::clone(&batch))));
        self.fanout.queue.push_back(Job::Batch(ix, batch));
    }

    /// Keeps a batch for repeats and for who is behind. Done when its turn to be sent has come and not before: who catches up
    /// from the history meanwhile must not be sent it twice.
    fn keep(&mut self, batch: &Arc<Batch>, now: Instant) {
        if !std::mem::replace(&mut self.fanout.kept, true) {
            for (at, packet) in batch.packets().iter().enumerate() {
                if let Some(layer) = self.layers.get_mut(&packet.layer) {
                    layer.take(batch, at, now);
                }
            }
        }
    }

    /// Seals the next run; `None` when every subscriber has got what is there.
    pub(crate) fn next_run(&mut self, now: Instant) -> Option<Pending> {
        loop {
            let (room_ix, batch) = match self.fanout.queue.front()? {
                Job::Batch(room, batch) => (*room, Arc::clone(batch)),
                Job::CatchUp(seat) => {
                    let seat = *seat;
                    match self.catch_up(seat, now) {
                        Some(run) => return Some(run),
                        None => {
                            self.finish_job();
                            continue;
                        }
                    }
                }
            };
            self.keep(&batch, now);
            let room = self.rooms.at_mut(room_ix);
            let Some(room) = room.filter(|room| self.fanout.cursor.subscriber < room.subscribers.len()) else {
                self.finish(room_ix);
                continue;
            };
            let at = (self.fanout.cursor.subscriber + room.turn) % room.subscribers.len();
            let seat = room.subscribers[at];
            let peer = self.subscribers.at(seat).map(|subscriber| subscriber.peer).unwrap_or_default();
            let mut run = None;
            if !self.contained(peer, now, |sfu| run = sfu.fill(seat, &batch, now)) {
                // The seats have moved up: going on could seal the batch twice for somebody who has had it.
                self.finish(room_ix);
                continue;
            }
            if run.is_some() {
                return run;
            }
            if self.subscribers.at(seat).is_some_and(|subscriber| subscriber.news) {
                self.report_quality(seat);
            }
            // What was sealed for one viewer is never sent to the next.
            self.fanout.carry = None;
            self.fanout.cursor = Cursor { subscriber: self.fanout.cursor.subscriber + 1, packet: 0 };
        }
    }

    fn finish_job(&mut self) {
        self.fanout.queue.pop_front();
        self.fanout.kept = false;
        self.fanout.cursor = Cursor::default();
        self.fanout.carry = None;
    }

    fn finish(&mut self, room: RoomIx) {
        self.finish_job();
        if let Some(room) = self.rooms.at_mut(room) {
            room.turn = room.turn.wrapping_add(1) % room.subscribers.len().max(1);
        }
    }

    /// Seals packets for one subscriber until the run is full or the batch is through; `None` if there was nothing.
    fn fill(&mut self, seat: SubscriberIx, batch: &Batch, now: Instant) -> Option<Pending> {
        let Self { fanout, subscribers, peers, reports, clock, layers, pacing, statistics, .. } = self;
        let subscriber = subscribers.at_mut(seat)?;
        let tuple = subscriber.destination?;
        let moment = Moment::new(layers, clock, now);
        let (first, mut bytes) = (subscriber.transport(), 0);
        let mut run = RunBuilder::resume(fanout);
        while let Some(packet) = batch.packets().get(fanout.cursor.packet) {
            let Some(out) = run.room(&mut fanout.buffer) else { break };
            let written = subscriber.write(out, batch, packet, &moment);
            fanout.cursor.packet += 1;
            match written {
                Written::Datagram(len) => {
                    bytes += len;
                    if !run.add(len, &mut fanout.carry) {
                        break;
                    }
                }
                Written::Nothing => {}
                Written::Later(at) => subscriber.wait(pacing, seat, at, now),
                Written::Unplayable(encoding) => {
                    let place = layers.get(&packet.layer).map_or(0, |layer| layer.place as u8);
                    if let Some(peer) = peers.at(subscriber.peer) {
                        reports.push_back(Report::Unplayable { peer: peer.key, place, encoding });
                    }
                }
            }
        }
        subscriber.note_run(first, bytes, now);
        if !subscriber.begun && !run.is_empty() {
            subscriber.begun = true;
            let admitted = peers.at(subscriber.peer).map_or(now, |peer| peer.admitted);
            statistics.joins.count(now.saturating_duration_since(admitted));
        }
        run.finish(tuple)
    }

    /// Seals what a subscriber is behind with and may be sent now, and says when more may be.
    fn catch_up(&mut self, seat: SubscriberIx, now: Instant) -> Option<Pending> {
        let peer = self.subscribers.at(seat)?.peer;
        let mut run = None;
        self.contained(peer, now, |sfu| run = sfu.fill_behind(seat, now));
        run
    }

    fn fill_behind(&mut self, seat: SubscriberIx, now: Instant) -> Option<Pending> {
        let Self { fanout, subscribers, peers, clock, layers, pacing, statistics, .. } = self;
        let subscriber = subscribers.at_mut(seat)?;
        let tuple = subscriber.destination?;
        let moment = Moment::new(layers, clock, now);
        let (first, mut bytes, mut lost) = (subscriber.transport(), 0, false);
        let mut run = RunBuilder::resume(fanout);
        while let Some(out) = run.room(&mut fanout.buffer) {
            match subscriber.write_behind(out, &moment) {
                Late::Sent(len) => {
                    bytes += len;
                    if !run.add(len, &mut fanout.carry) {
                        break;
                    }
                }
                Late::Later(at) => {
                    // Told once: with nothing in this run, the job is done and the timer brings the next.
                    if run.is_empty() {
                        subscriber.wait(pacing, seat, at, now);
                    }
                    break;
                }
                Late::Lost => {
                    lost = true;
                    break;
                }
                Late::Level => break,
            }
        }
        // A probe is filled up with padding.
        if run.is_empty()
            && let Some((wanted, again)) = subscriber.path.probe(now)
        {
            while let Some(out) = run.room(&mut fanout.buffer).filter(|_| (bytes as u32) < wanted) {
                let Some(len) = subscriber.write_padding(out, &moment) else { break };
                bytes += len;
                run.add(len, &mut fanout.carry);
            }
            // Who takes no padding shows what its path carries by what it is shown alone.
            if bytes > 0 {
                subscriber.wait(pacing, seat, again, now);
            }
        }
        subscriber.note_run(first, bytes, now);
        if !subscriber.begun && !run.is_empty() {
            subscriber.begun = true;
            let admitted = peers.at(subscriber.peer).map_or(now, |peer| peer.admitted);
            statistics.joins.count(now.saturating_duration_since(admitted));
        }
        let (news, room) = (subscriber.news, self.peers.at(subscriber.peer).map(|peer| peer.room));
        let run = run.finish(tuple);
        if lost && let Some(room) = room {
            self.connect(seat, room, now);
        }
        if news && run.is_none() {
            self.report_quality(seat);
        }
        run
    }
}

/// A run that is being put together at the beginning of the send buffer.
struct RunBuilder {
    end: usize,
    segment: usize,
    count: usize,
}

impl RunBuilder {
    /// Begins with what did not fit the run before.
    fn resume(fanout: &mut Fanout) -> Self {
        let Some(carried) = fanout.carry.take() else { return Self { end: 0, segment: 0, count: 0 } };
        let len = carried.len();
        fanout.buffer.copy_within(carried, 0);
        Self { end: len, segment: len, count: 1 }
    }

    /// Room for one more; `None` when the run is full.
    fn room<'b>(&self, buffer: &'b mut [u8]) -> Option<&'b mut [u8]> {
        let fits = self.count < MAX_SEGMENTS && self.end + MAX_DATAGRAM <= MAX_RUN;
        fits.then(|| &mut buffer[self.end..self.end + MAX_DATAGRAM])
    }

    /// Takes what was written there; false if the run ends here. What is longer than the rest begins the next one.
    fn add(&mut self, len: usize, carry: &mut Option<Range<usize>>) -> bool {
        if self.count == 0 {
            (self.segment, self.end, self.count) = (len, len, 1);
            return true;
        }
        if len > self.segment {
            *carry = Some(self.end..self.end + len);
            return false;
        }
        self.end += len;
        self.count += 1;
        // A shorter one can only be the last (UDP_SEGMENT).
        len == self.segment
    }

    const fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn finish(self, tuple: Tuple) -> Option<Pending> {
        (self.count > 0).then_some(Pending { tuple, range: 0..self.end, segment: self.segment })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Noise;
    use crate::egress::{Numbers, PictureNumbers};
    use crate::ingress::frame::FrameInfo;
    use crate::routing::{Carried, LayerKey, Packet};
    use crate::timers::tests::two_viewers;
    use veilcast_control::{Encoding, RoomKey};

    /// A packet of sound that nobody has asked for: fan-out looks at every viewer all the same.
    fn line_up(sfu: &mut Sfu, now: Instant) {
        let ix = sfu.by_room[&RoomKey(1)];
        let layer = LayerKey::new(sfu.shard, 7);
        let batch = &mut sfu.rooms.at_mut(ix).expect("it is open").batch;
        let payload = batch.keep(&[1, 2, 3]);
        batch.push(Packet {
            layer,
            sequence: 1,
            timestamp: 0,
            marker: false,
            encoding: Encoding::Opus,
            frame: FrameInfo::default(),
            arrival: now,
            payload,
            padding: 0,
            primary: None,
            numbers: Numbers { picture: PictureNumbers::default(), frame: None },
            targets: None,
            carried: Carried::default(),
        });
        let batch = batch.seal();
        sfu.admit_batch(ix, batch);
    }

    #[test]
    fn a_fault_while_sending_to_one_viewer_ends_that_viewer_alone() {
        let now = Instant::now();
        let mut sfu = two_viewers(now);
        for seat in sfu.rooms.at(sfu.by_room[&RoomKey(1)]).expect("it is open").subscribers.clone() {
            let tuple =
                Tuple { transport: veilcast_control::Transport::Udp, remote: ([192, 0, 2, 1], 9).into(), local: None };
            sfu.subscribers.at_mut(seat).expect("a viewer").destination = Some(tuple);
        }
        // Whoever is sent to now is sent to from a buffer without room.
        let buffer = std::mem::take(&mut sfu.fanout.buffer);
        line_up(&mut sfu, now);
        assert!(sfu.next_run(now).is_none());
        assert_eq!((sfu.sessions(), sfu.counters().of(Noise::Panic)), (1, 1));
        sfu.fanout.buffer = buffer;
        line_up(&mut sfu, now);
        assert!(sfu.next_run(now).is_none());
        assert_eq!((sfu.sessions(), sfu.counters().of(Noise::Panic)), (1, 1), "the other goes on");
    }
}
