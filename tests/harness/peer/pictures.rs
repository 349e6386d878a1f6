//! What a broadcaster sends of its pictures.

use super::Peer;
use crate::rtp::{Picture, payload};

/// Packets of a picture's spatial layers, from the lowest on.
const PACKETS: [usize; 3] = [1, 2, 4];

impl Peer {
    /// Sends a video frame of `packets` packets.
    pub fn send_video(&mut self, timestamp: u32, key: bool, packets: usize, len: usize) {
        let frame = self.streams[1].frames;
        self.streams[1].frames += 1;
        for at in 0..packets {
            let payload = payload(self.encoding, at == 0, key, frame << 16 | at as u64, len);
            self.send(1, timestamp, at + 1 == packets, 96, payload);
        }
    }

    /// Sends a picture in three spatial layers of 1, 2 and 4 packets of `len` bytes (VP9, non-flexible mode): a key picture if
    /// one is due. Only the highest layer's last packet has the marker. The byte behind each descriptor is the layer's.
    pub fn send_scalable(&mut self, timestamp: u32, len: usize) {
        let key = self.take_key_frame_due();
        let stream = &mut self.streams[1];
        stream.frames += 1;
        let Picture { id, tl0, .. } = &mut stream.picture;
        (*id, *tl0) = ((*id + 1) & 0x7fff, tl0.wrapping_add(1));
        let (id, tl0) = (*id | 0x8000, *tl0);
        for (spatial, packets) in PACKETS.into_iter().enumerate() {
            for packet in 0..packets {
                let last = packet + 1 == packets;
                let first = 0xa0 | u8::from(!key) << 6 | u8::from(packet == 0) << 3 | u8::from(last) << 2;
                let layer = (spatial as u8) << 1 | u8::from(spatial > 0);
                let [high, low] = id.to_be_bytes();
                let mut payload = vec![first, high, low, layer, tl0, spatial as u8];
                payload.resize(len, 0x55);
                self.send(1, timestamp, last && spatial == 2, 96, payload);
            }
        }
    }
}
