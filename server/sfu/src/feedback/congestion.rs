//! Reads congestion control feedback (RFC 8888): which of the packets of each source a viewer has got, and when. Nothing is
//! allocated, and no body makes it long.

/// Sources that one message may speak of; what goes beyond is left out. A full stage has 48.
const MAX_BLOCKS: usize = 64;

/// Packets that one message is taken to speak of. A datagram has room for 700.
const MAX_REPORTS: u32 = 1_024;

/// Arrival times of which the receiver says that they are too long ago or not known (section 3.1).
const NO_TIME: u16 = 0x1ffe;

/// One message.
pub(crate) struct Congestion<'a> {
    blocks: &'a [u8],
    /// When it was written, in 65,536ths of a second of the receiver's clock.
    pub(crate) at: u32,
}

/// What it says of one source.
#[derive(Clone, Copy)]
pub(crate) struct Block<'a> {
    pub(crate) ssrc: u32,
    first: u16,
    metrics: &'a [[u8; 2]],
}

/// What became of one packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    Missing,
    /// So many 1,024ths of a second before the message was written.
    Arrived(u16),
    /// It has arrived; who knows when.
    Untimed,
}

impl<'a> Congestion<'a> {
    /// Reads the body behind the sender's SSRC; `None` if it is too short to be one.
    pub(crate) fn read(body: &'a [u8]) -> Option<Self> {
        let (blocks, at) = body.split_last_chunk()?;
        Some(Self { blocks, at: u32::from_be_bytes(*at) })
    }

    /// How many packets it asks to be looked up.
    pub(crate) fn reports(&self) -> u32 {
        self.blocks().map(|block| block.metrics.len() as u32).sum::<u32>().min(MAX_REPORTS)
    }

    /// Its sources. Ends early where a block promises more than there is.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = Block<'a>> + use<'a> {
        let mut rest = self.blocks;
        let block = move || {
            let (head, behind) = rest.split_first_chunk::<8>()?;
            let [ssrc @ .., first_high, first_low, count_high, count_low] = *head;
            let count = usize::from(u16::from_be_bytes([count_high, count_low]));
            // Section 3.1: filled up to a word.
            let (metrics, next) = behind.split_at_checked(2 * count.next_multiple_of(2))?;
            rest = next;
            let (first, metrics) = (u16::from_be_bytes([first_high, first_low]), &metrics.as_chunks().0[..count]);
            Some(Block { ssrc: u32::from_be_bytes(ssrc), first, metrics })
        };
        std::iter::from_fn(block).take(MAX_BLOCKS)
    }
}

impl Block<'_> {
    /// What became of the packet with this number; `None`: it says nothing of it.
    pub(crate) fn fate(&self, sequence: u16) -> Option<Fate> {
        let metric = u16::from_be_bytes(*self.metrics.get(usize::from(sequence.wrapping_sub(self.first)))?);
        // Received, two bits of ECN, 13 bits of arrival time offset.
        Some(match metric & 0x1fff {
            _ if metric & 0x8000 == 0 => Fate::Missing,
            NO_TIME.. => Fate::Untimed,
            offset => Fate::Arrived(offset),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_metric_is_understood() {
        let mut body = Vec::new();
        body.extend([0, 0, 0, 7, 0xff, 0xff, 0, 3, 0x80, 5, 0, 0, 0x9f, 0xfd, 0, 0]);
        body.extend([0, 0, 0, 9, 0, 1, 0, 2, 0x9f, 0xfe, 0xff, 0xff]);
        body.extend([0, 1, 0, 0]);
        let message = Congestion::read(&body).expect("it is whole");
        assert_eq!((message.at, message.reports()), (65_536, 5));
        let blocks: Vec<_> = message.blocks().collect();
        assert_eq!(blocks.iter().map(|block| block.ssrc).collect::<Vec<_>>(), [7, 9]);
        let fates =
            |block: &Block<'_>, from: u16| (0..4).map(|at| block.fate(from.wrapping_add(at))).collect::<Vec<_>>();
        assert_eq!(
            fates(&blocks[0], 65_534),
            [None, Some(Fate::Arrived(5)), Some(Fate::Missing), Some(Fate::Arrived(0x1ffd))]
        );
        assert_eq!(fates(&blocks[1], 0), [None, Some(Fate::Untimed), Some(Fate::Untimed), None]);
    }

    #[test]
    fn what_promises_more_than_there_is_ends() {
        assert!(Congestion::read(&[0; 3]).is_none());
        let promise = [0, 0, 0, 7, 0, 0, 0x40, 0, 0x80, 5, 0, 0, 0, 1, 0, 0];
        assert_eq!(Congestion::read(&promise).map(|message| message.blocks().count()), Some(0));
        let empty: Vec<u8> = [0, 0, 0, 7, 0, 0, 0, 0].repeat(1_000);
        assert_eq!(Congestion::read(&empty).map(|message| message.blocks().count()), Some(MAX_BLOCKS));
    }
}
