//! What waits for a connection that is slower than what it is sent. Beyond a bound it is dropped by whole video frames:
//! half of one costs the network as much and shows nothing.

use super::framing::{self, PREFIX};

/// What may wait for one connection.
const LIMIT: usize = 256 * 1024;

/// Beyond this no further video frame begins to wait, so that one that has begun finds room for its rest: a key frame
/// of 4 Mbit/s is about this large.
const FRAME_LIMIT: usize = LIMIT / 2;

/// A frame that begins with a packet no longer than this is sound, or costs as little, and may fill the rest.
const SMALL: usize = 400;

/// Streams told apart: sound, picture and their repeats from several broadcasters.
const MAX_STREAMS: usize = 16;

/// Bytes that wait, and which frames are dropped.
#[derive(Default)]
pub(super) struct Waiting {
    bytes: Vec<u8>,
    /// So many of them have been sent.
    sent: usize,
    latest: Vec<Frame>,
}

/// The latest frame of a stream.
struct Frame {
    ssrc: [u8; 4],
    /// What packets of one frame have in common (RFC 3550 section 5.1); it stands clear under SRTP.
    timestamp: [u8; 4],
    dropped: bool,
}

impl Waiting {
    pub(super) const fn is_empty(&self) -> bool {
        self.sent == self.bytes.len()
    }

    const fn len(&self) -> usize {
        self.bytes.len() - self.sent
    }

    /// What is next.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    /// Notes that so many bytes have been sent.
    pub(super) fn pass(&mut self, count: usize) {
        self.sent += count;
        if self.is_empty() {
            // Nobody who keeps up holds a buffer.
            (self.bytes, self.sent) = (Vec::new(), 0);
        } else if self.sent > LIMIT / 4 {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
    }

    /// Lets bytes wait.
    pub(super) fn keep(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends a datagram to what is about to be sent, unless it is to be dropped.
    pub(super) fn admit(&mut self, datagram: &[u8], about_to_leave: &mut Vec<u8>) {
        let queued = self.len() + about_to_leave.len();
        let fits = queued + PREFIX + datagram.len() <= LIMIT;
        if self.is_wanted(datagram, queued, fits) {
            framing::put(datagram, about_to_leave);
        }
    }

    fn is_wanted(&mut self, datagram: &[u8], queued: usize, fits: bool) -> bool {
        // Checks, handshakes and reports stand each for themselves.
        let Some((ssrc, timestamp)) = frame_of(datagram) else { return fits };
        if let Some(frame) = self.latest.iter_mut().find(|frame| frame.ssrc == ssrc) {
            let begins = frame.timestamp != timestamp;
            frame.timestamp = timestamp;
            frame.dropped = !fits || if begins { !may_begin(datagram, queued) } else { frame.dropped };
            return !frame.dropped;
        }
        if self.latest.len() == MAX_STREAMS {
            self.latest.remove(0);
        }
        let dropped = !fits || !may_begin(datagram, queued);
        self.latest.push(Frame { ssrc, timestamp, dropped });
        !dropped
    }
}

const fn may_begin(datagram: &[u8], queued: usize) -> bool {
    queued <= FRAME_LIMIT || datagram.len() <= SMALL
}

/// SSRC and timestamp of an RTP packet; RTCP is told apart as RFC 5761 section 4 says.
fn frame_of(datagram: &[u8]) -> Option<([u8; 4], [u8; 4])> {
    match datagram {
        [128..=191, 192..=223, ..] => None,
        [128..=191, _, _, _, t0, t1, t2, t3, s0, s1, s2, s3, ..] => Some(([*s0, *s1, *s2, *s3], [*t0, *t1, *t2, *t3])),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(ssrc: u8, timestamp: u8, len: usize) -> Vec<u8> {
        let mut packet = vec![0; len];
        (packet[0], packet[1], packet[7], packet[11]) = (0x80, 96, timestamp, ssrc);
        packet
    }

    /// Lets a packet wait on a connection that takes nothing; whether it was kept.
    fn offer(waiting: &mut Waiting, packet: &[u8]) -> bool {
        let mut leaving = Vec::new();
        waiting.admit(packet, &mut leaving);
        waiting.keep(&leaving);
        !leaving.is_empty()
    }

    #[test]
    fn frames_are_dropped_whole_and_the_bound_holds() {
        let mut waiting = Waiting::default();
        let kept: Vec<usize> =
            (0..60).map(|frame| (0..10).filter(|_| offer(&mut waiting, &packet(1, frame, 1_200))).count()).collect();
        assert!(kept.iter().all(|count| [0, 10].contains(count)), "{kept:?}");
        assert_eq!(
            kept.iter().filter(|count| **count == 10).count(),
            11,
            "half the bound, and the frame that passed it"
        );
        for timestamp in 0..200 {
            assert!(offer(&mut waiting, &packet(2, timestamp, 120)), "there is room for sound");
        }
        (0..3_000_u16).for_each(|at| _ = offer(&mut waiting, &packet(2, at as u8, 120)));
        assert!(waiting.len() <= LIMIT && waiting.len() > LIMIT - 200);
    }

    #[test]
    fn a_frame_that_lost_a_packet_loses_the_rest() {
        let mut waiting = Waiting::default();
        let kept = (0..400).filter(|_| offer(&mut waiting, &packet(1, 1, 1_200))).count();
        assert_eq!(kept, LIMIT / 1_202);
        waiting.pass(100_000);
        assert!(!offer(&mut waiting, &packet(1, 1, 1_200)), "room, but not for this frame any more");
        waiting.pass(100_000);
        assert!(offer(&mut waiting, &packet(1, 2, 1_200)), "the next one");
    }

    #[test]
    fn what_keeps_up_holds_no_buffer() {
        let mut waiting = Waiting::default();
        assert!(offer(&mut waiting, &packet(1, 1, 1_200)) && waiting.bytes()[..2] == [4, 176]);
        waiting.pass(1_000);
        assert_eq!(waiting.bytes().len(), 202);
        waiting.pass(202);
        assert!(waiting.is_empty() && waiting.bytes.capacity() == 0);
    }
}
