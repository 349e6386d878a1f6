use super::PictureNumbers;
use crate::ingress::frame::Scale;

/// Sources whose packets can still be asked for: the present one and three before it.
pub(crate) const SLOTS: usize = 4;

/// Ranges kept beside the newest. Where every other picture is dropped, at 30 a second, they reach back 1.7 s, far
/// beyond what a receiver still waits for.
const KEPT: usize = 25;

/// What a packet carries besides its sequence number and timestamp that has to go on across sources.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Numbers {
    /// Numbers of the payload descriptor.
    pub(crate) picture: PictureNumbers,
    /// Frame number of the Dependency Descriptor.
    pub(crate) frame: Option<u16>,
}

/// What to add to a source's numbers, each in its own width.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Offsets {
    pub(crate) picture: u16,
    pub(crate) frame: u16,
    pub(crate) tl0: u8,
    pub(crate) key: u8,
}

/// A packet's place on the line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Mapped {
    /// Sequence number with its cycles.
    pub(crate) index: u64,
    pub(crate) offsets: Offsets,
    /// What was being forwarded there. A late packet, or one that is asked for, goes out if it is within this.
    pub(crate) scale: Scale,
}

/// Whose packet a number of the line is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Origin {
    /// The slot of the source, as `enter` gave it.
    pub(crate) slot: u8,
    /// The source's sequence number.
    pub(crate) sequence: u64,
    pub(crate) mapped: Mapped,
}

/// How the numbers of one source became those of the line when it was entered.
#[derive(Clone, Copy, Default)]
struct Numbering {
    /// The line's number less the source's, modulo 2^64, before anything was dropped.
    delta: u64,
    frame: u16,
    key: u8,
}

/// Offsets that apply from one packet of a source to the next range.
#[derive(Clone, Copy, Default)]
struct Range {
    /// First sequence number of the source, its low half: no range lasts 2^31 packets, see `refresh`.
    start: u32,
    /// Packets dropped since the source was entered.
    dropped: u32,
    picture: u16,
    tl0: u8,
    /// Slot, spatial and temporal layer: 2, 3 and 3 bits.
    tag: u8,
}

impl Range {
    const fn slot(self) -> u8 {
        self.tag >> 6
    }

    const fn scale(self) -> Scale {
        Scale { spatial: self.tag >> 3 & 7, temporal: self.tag & 7 }
    }

    const fn with_scale(self, scale: Scale) -> Self {
        Self { tag: self.tag & 0xc0 | (scale.spatial & 7) << 3 | scale.temporal & 7, ..self }
    }

    /// Whether it begins at or before this number.
    const fn reaches(self, sequence: u32) -> bool {
        sequence.wrapping_sub(self.start).cast_signed() >= 0
    }

    const fn map(self, numbering: &Numbering, sequence: u64) -> Mapped {
        Mapped {
            index: sequence.wrapping_add(numbering.delta).wrapping_sub(self.dropped as u64),
            offsets: Offsets { picture: self.picture, frame: numbering.frame, tl0: self.tl0, key: numbering.key },
            scale: self.scale(),
        }
    }

    /// The packet that is this number of the line, if the range begins at or before it.
    fn origin(self, numbering: &Numbering, index: u64) -> Option<Origin> {
        let sequence = index.wrapping_sub(numbering.delta).wrapping_add(u64::from(self.dropped));
        let origin = Origin { slot: self.slot(), sequence, mapped: self.map(numbering, sequence) };
        self.reaches(sequence as u32).then_some(origin)
    }
}

/// What is needed for repeats and late packets only, and by lines that were ever changed only.
struct Earlier {
    numbering: [Numbering; SLOTS],
    ranges: [Range; KEPT],
    /// Place of the oldest, and how many there are.
    first: u8,
    len: u8,
}

impl Earlier {
    const fn new() -> Self {
        Self {
            numbering: [Numbering { delta: 0, frame: 0, key: 0 }; SLOTS],
            ranges: [Range { start: 0, dropped: 0, picture: 0, tl0: 0, tag: 0 }; KEPT],
            first: 0,
            len: 0,
        }
    }

    fn push(&mut self, range: Range) {
        if usize::from(self.len) == KEPT {
            self.pop();
        }
        self.ranges[(usize::from(self.first) + usize::from(self.len)) % KEPT] = range;
        self.len += 1;
    }

    const fn pop(&mut self) {
        self.first = (self.first + 1) % KEPT as u8;
        self.len -= 1;
    }

    /// Forgets what a slot was used for before.
    fn forget(&mut self, slot: u8) {
        while self.len > 0 && self.ranges[usize::from(self.first)].slot() == slot {
            self.pop();
        }
    }

    /// From the newest to the oldest.
    fn newest_first(&self) -> impl Iterator<Item = Range> + '_ {
        (0..usize::from(self.len)).rev().map(|at| self.ranges[(usize::from(self.first) + at) % KEPT])
    }
}

/// The highest numbers sent so far; of no meaning before there was one of the kind.
#[derive(Clone, Copy, Default)]
struct Sent {
    picture: u16,
    frame: u16,
    tl0: u8,
    key: u8,
    has: u8,
}

const PICTURE: u8 = 1;
const FRAME: u8 = 2;
const TL0: u8 = 4;
const KEY: u8 = 8;

impl Sent {
    const fn has(self, kind: u8) -> bool {
        self.has & kind != 0
    }

    /// What makes a new source's numbers go on by one; its own where nothing has been sent before.
    fn offsets_for(self, numbers: &Numbers) -> Offsets {
        let next = |kind, next: u16, number: Option<u16>| match number {
            Some(number) if self.has(kind) => next.wrapping_sub(number),
            _ => 0,
        };
        let Numbers { picture, frame } = numbers;
        Offsets {
            picture: next(PICTURE, self.picture.wrapping_add(1), picture.picture()),
            frame: next(FRAME, self.frame.wrapping_add(1), *frame),
            tl0: next(TL0, u16::from(self.tl0) + 1, picture.tl0().map(u16::from)) as u8,
            key: next(KEY, u16::from(self.key) + 1, picture.key().map(u16::from)) as u8,
        }
    }

    fn note(&mut self, numbers: &Numbers, offsets: Offsets) {
        let mut raise = |kind, latest: &mut u16, number: Option<u16>, offset: u16, mask: u16| {
            let Some(number) = number else { return };
            let number = number.wrapping_add(offset) & mask;
            if self.has & kind == 0 {
                *latest = number;
                self.has |= kind;
            } else if let Some(ahead) = ahead(number, *latest, mask) {
                *latest = latest.wrapping_add(ahead);
            }
        };
        let Numbers { picture, frame } = numbers;
        raise(PICTURE, &mut self.picture, picture.picture(), offsets.picture, picture.picture_mask());
        raise(FRAME, &mut self.frame, *frame, offsets.frame, u16::MAX);
        let (mut tl0, mut key) = (u16::from(self.tl0), u16::from(self.key));
        raise(TL0, &mut tl0, picture.tl0().map(u16::from), u16::from(offsets.tl0), 0xff);
        raise(KEY, &mut key, picture.key().map(u16::from), u16::from(offsets.key), 0x1f);
        (self.tl0, self.key) = (tl0 as u8, key as u8);
    }
}

/// How far `number` is ahead of `latest` in numbers of so many bits; `None` if it is not.
const fn ahead(number: u16, latest: u16, mask: u16) -> Option<u16> {
    let distance = number.wrapping_sub(latest) & mask;
    if distance == 0 || distance > mask / 2 { None } else { Some(distance) }
}

/// What was dropped last, while nothing has followed it.
#[derive(Clone, Copy)]
struct Dropping {
    timestamp: u32,
    /// The PictureID that was given to the next frame.
    closed: Option<u16>,
}

/// One viewer's line of numbers: where its sources were entered and what of them was dropped, as a short list of ranges
/// with constant offsets.
pub(crate) struct Ranges {
    /// The line's next number.
    next: u64,
    /// The source's number after the highest that was forwarded or dropped; `None` between sources.
    expected: Option<u64>,
    /// There has been a source.
    entered: bool,
    newest: Range,
    numbering: Numbering,
    sent: Sent,
    dropping: Option<Dropping>,
    earlier: Option<Box<Earlier>>,
}

impl Ranges {
    /// A line that begins with this number.
    pub(crate) const fn new(first: u64) -> Self {
        Self {
            next: first,
            expected: None,
            entered: false,
            newest: Range { start: 0, dropped: 0, picture: 0, tl0: 0, tag: 0 },
            numbering: Numbering { delta: 0, frame: 0, key: 0 },
            sent: Sent { picture: 0, frame: 0, tl0: 0, key: 0, has: 0 },
            dropping: None,
            earlier: None,
        }
    }

    /// The number of the next new packet.
    pub(crate) const fn next(&self) -> u64 {
        self.next
    }

    /// Begins a source, or the same one anew, at a packet from which decoding can start: all numbers go on by one.
    /// Returns the slot under which `origin` will name it; the source that had it before can no longer be asked for.
    pub(crate) fn enter(&mut self, sequence: u64, numbers: &Numbers, scale: Scale) -> u8 {
        let slot = if self.entered { (self.newest.slot() + 1) % SLOTS as u8 } else { 0 };
        let Offsets { picture, frame, tl0, key } = self.sent.offsets_for(numbers);
        if self.entered {
            self.keep();
        }
        if let Some(earlier) = &mut self.earlier {
            earlier.forget(slot);
        }
        self.entered = true;
        self.numbering = Numbering { delta: self.next.wrapping_sub(sequence), frame, key };
        self.newest = Range { start: sequence as u32, dropped: 0, picture, tl0, tag: slot << 6 }.with_scale(scale);
        self.expected = Some(sequence);
        self.dropping = None;
        slot
    }

    /// Ends the present source; repeats still reach it.
    pub(crate) const fn leave(&mut self) {
        self.expected = None;
        self.dropping = None;
    }

    /// From this packet on, other layers are forwarded: said before the packet is forwarded or dropped.
    pub(crate) fn turn(&mut self, sequence: u64, scale: Scale) {
        let turned = self.newest.with_scale(scale);
        if !self.is_new(sequence) || turned.tag == self.newest.tag {
            return;
        }
        if self.newest.start != sequence as u32 {
            self.keep();
        }
        self.newest = Range { start: sequence as u32, ..turned };
        self.dropping = None;
    }

    /// Notes that a packet goes out, and says as what. `None` if it is from before the source was entered, or lies
    /// where packets were dropped.
    pub(crate) fn forward(&mut self, sequence: u64, numbers: &Numbers) -> Option<Mapped> {
        let mapped = self.lookup(sequence)?;
        if self.is_new(sequence) {
            self.expected = Some(sequence + 1);
            self.dropping = None;
            self.refresh(sequence);
        }
        self.next = self.next.max(mapped.index + 1);
        self.sent.note(numbers, mapped.offsets);
        Some(mapped)
    }

    /// Notes that a packet of this timestamp and temporal layer is kept from the viewer, and closes the gap.
    ///
    /// What is missing between two dropped packets of one picture was to be dropped as well. One that comes late, after
    /// packets behind it went out, stays a gap, and so does whatever never came.
    pub(crate) fn drop_packet(&mut self, sequence: u64, timestamp: u32, temporal: u8, numbers: &Numbers) {
        if !self.is_new(sequence) {
            return;
        }
        let low = sequence as u32;
        let before = self.dropping.filter(|dropping| dropping.timestamp == timestamp);
        if before.is_some() || self.newest.start == low {
            let more = low.wrapping_sub(self.newest.start).wrapping_add(1);
            self.newest.dropped = self.newest.dropped.wrapping_add(more);
        } else {
            self.keep();
            self.newest.dropped = self.newest.dropped.wrapping_add(1);
        }
        self.newest.start = low.wrapping_add(1);
        self.expected = Some(sequence + 1);
        let before = before.and_then(|before| before.closed);
        let closed = self.close(temporal, &numbers.picture, before);
        self.dropping = Some(Dropping { timestamp, closed });
    }

    /// Gives the PictureID of a dropped frame to the next one, once, and its TL0PICIDX if it was one of the base layer:
    /// the frames that follow then refer to the base frame before.
    fn close(&mut self, temporal: u8, numbers: &PictureNumbers, closed: Option<u16>) -> Option<u16> {
        let picture = numbers.picture().filter(|_| numbers.closes_gaps())?;
        if closed == Some(picture) {
            return closed;
        }
        // The rest of a frame that has gone out in part keeps its number.
        ahead(picture.wrapping_add(self.newest.picture), self.sent.picture, numbers.picture_mask())?;
        self.newest.picture = self.newest.picture.wrapping_sub(1);
        let tl0 = numbers.tl0().filter(|_| temporal == 0).map(|tl0| u16::from(tl0.wrapping_add(self.newest.tl0)));
        if tl0.is_some_and(|tl0| ahead(tl0, u16::from(self.sent.tl0), 0xff).is_some()) {
            self.newest.tl0 = self.newest.tl0.wrapping_sub(1);
        }
        Some(picture)
    }

    /// A packet of the present source as the line has it, sent or not.
    pub(crate) fn lookup(&self, sequence: u64) -> Option<Mapped> {
        self.expected?;
        let low = sequence as u32;
        if self.newest.reaches(low) {
            return Some(self.newest.map(&self.numbering, sequence));
        }
        let mut newer = self.newest;
        for range in self.earlier.as_ref()?.newest_first() {
            if range.slot() != newer.slot() {
                return None;
            }
            if range.reaches(low) {
                // What was dropped stands at the end of a range.
                let dropped = newer.dropped.wrapping_sub(range.dropped);
                return (newer.start.wrapping_sub(low) > dropped).then(|| range.map(&self.numbering, sequence));
            }
            newer = range;
        }
        None
    }

    /// Whose packet went out as this number, and as what.
    pub(crate) fn origin(&self, index: u64) -> Option<Origin> {
        if !self.entered || index >= self.next {
            return None;
        }
        if let Some(origin) = self.newest.origin(&self.numbering, index) {
            return Some(origin);
        }
        let earlier = self.earlier.as_ref()?;
        let numbering = |range: Range| match range.slot() == self.newest.slot() {
            true => self.numbering,
            false => earlier.numbering[usize::from(range.slot())],
        };
        earlier.newest_first().find_map(|range| range.origin(&numbering(range), index))
    }

    /// Not behind a packet that was forwarded or dropped.
    pub(crate) fn is_new(&self, sequence: u64) -> bool {
        self.expected.is_some_and(|expected| sequence >= expected)
    }

    /// Puts the newest range aside for another.
    fn keep(&mut self) {
        let earlier = self.earlier.get_or_insert_with(|| Box::new(Earlier::new()));
        earlier.numbering[usize::from(self.newest.slot())] = self.numbering;
        earlier.push(self.newest);
    }

    /// Keeps the newest range's beginning within what 32 bits can tell.
    const fn refresh(&mut self, sequence: u64) {
        let low = sequence as u32;
        if low.wrapping_sub(self.newest.start) > 1 << 30 {
            self.newest.start = low.wrapping_sub(1 << 29);
        }
    }
}

#[cfg(test)]
mod tests;
