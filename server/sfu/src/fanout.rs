//! From a routed batch to runs of datagrams, one subscriber after the other, sealed straight into the send buffer.

use crate::egress::{SubscriberIx, Written};
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
    queue: VecDeque<(RoomIx, Arc<Batch>)>,
    cursor: Cursor,
    held: Vec<u8>,
    scratch: Vec<u8>,
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
            for (at, packet) in batch.packets().iter().enumerate() {
                if let Some(track) = self.tracks.at_mut(packet.track) {
                    track.history.insert(&batch, at);
                }
            }
            self.sunk.extend(room.sinks.iter().map(|sink| (*sink, Arc::clone(&batch))));
            if std::mem::take(&mut room.rewired) {
                room.connect(&mut self.subscribers);
                self.want_key_frames(ix, now);
            }
            self.fanout.queue.push_back((ix, batch));
        }
    }

    /// Seals the next run; `None` when every subscriber has got what is there.
    pub(crate) fn next_run(&mut self, now: Instant) -> Option<Pending> {
        loop {
            let (room_ix, batch) = self.fanout.queue.front()?;
            let (room_ix, batch) = (*room_ix, Arc::clone(batch));
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
            // What was sealed for one viewer is never sent to the next.
            self.fanout.carry = None;
            self.fanout.cursor = Cursor { subscriber: self.fanout.cursor.subscriber + 1, packet: 0 };
        }
    }

    fn finish(&mut self, room: RoomIx) {
        self.fanout.queue.pop_front();
        self.fanout.cursor = Cursor::default();
        self.fanout.carry = None;
        if let Some(room) = self.rooms.at_mut(room) {
            room.turn = room.turn.wrapping_add(1) % room.subscribers.len().max(1);
        }
    }

    /// Seals packets for one subscriber until the run is full or the batch is through; `None` if there was nothing.
    fn fill(&mut self, seat: SubscriberIx, batch: &Batch, now: Instant) -> Option<Pending> {
        let Self { fanout, subscribers, peers, reports, clock, .. } = self;
        let subscriber = subscribers.at_mut(seat)?;
        let tuple = subscriber.destination?;
        let (mut end, mut segment, mut count) = (0, 0, 0);
        if let Some(carried) = fanout.carry.take() {
            end = carried.len();
            segment = end;
            count = 1;
            fanout.buffer.copy_within(carried, 0);
        }
        while let Some(packet) = batch.packets().get(fanout.cursor.packet) {
            if count == MAX_SEGMENTS || end + MAX_DATAGRAM > MAX_RUN {
                break;
            }
            let out = &mut fanout.buffer[end..end + MAX_DATAGRAM];
            let written = subscriber.write(out, batch, packet, clock, now);
            fanout.cursor.packet += 1;
            match written {
                Written::Datagram(len) if count == 0 => (segment, end, count) = (len, len, 1),
                Written::Datagram(len) if len > segment => {
                    fanout.carry = Some(end..end + len);
                    break;
                }
                Written::Datagram(len) => {
                    end += len;
                    count += 1;
                    // A shorter one can only be the last (UDP_SEGMENT).
                    if len < segment {
                        break;
                    }
                }
                Written::Nothing => {}
                Written::Unplayable(encoding) => {
                    if let Some(peer) = peers.at(subscriber.peer) {
                        reports.push_back(Report::Unplayable { peer: peer.key, encoding });
                    }
                }
            }
        }
        (end > 0).then_some(Pending { tuple, range: 0..end, segment })
    }
}
