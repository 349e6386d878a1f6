//! Datagrams in a stream, each behind its length in two bytes (RFC 4571 section 2).

use std::io::{self, ErrorKind};
use tokio::net::TcpStream;

/// The longest frame that is taken: as long as a datagram on Ethernet. Who sends a longer one has lost the framing, or
/// wants our memory.
const MAX_FRAME: usize = 1_500;

/// Read at once: a few frames.
const BUFFER: usize = 4_096;

/// Length of the length.
pub(super) const PREFIX: usize = 2;

/// Reads frames from a stream.
pub(crate) struct Framing {
    buffer: Box<[u8]>,
    /// What has come and was not taken yet stands from `begin` to `end`.
    begin: usize,
    end: usize,
}

impl Framing {
    pub(super) fn new() -> Self {
        Self { buffer: vec![0; BUFFER].into(), begin: 0, end: 0 }
    }

    /// The next frame. An error ends the connection: it has closed, or what comes is not framed.
    pub(super) async fn next(&mut self, stream: &TcpStream) -> io::Result<Vec<u8>> {
        loop {
            if let Some(frame) = self.take()? {
                return Ok(frame);
            }
            self.read(stream).await?;
        }
    }

    /// A frame that is there as a whole. Empty ones are passed over.
    fn take(&mut self) -> io::Result<Option<Vec<u8>>> {
        while let [high, low, rest @ ..] = &self.buffer[self.begin..self.end] {
            let len = usize::from(u16::from_be_bytes([*high, *low]));
            if len > MAX_FRAME {
                return Err(ErrorKind::InvalidData.into());
            }
            let Some(frame) = rest.get(..len) else { break };
            let frame = (len > 0).then(|| frame.to_vec());
            self.begin += PREFIX + len;
            if frame.is_some() {
                return Ok(frame);
            }
        }
        Ok(None)
    }

    async fn read(&mut self, stream: &TcpStream) -> io::Result<()> {
        self.buffer.copy_within(self.begin..self.end, 0);
        (self.begin, self.end) = (0, self.end - self.begin);
        loop {
            // A stream that always has something leaves others their turn.
            tokio::task::consume_budget().await;
            stream.readable().await?;
            match stream.try_read(&mut self.buffer[self.end..]) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(len) => {
                    self.end += len;
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Appends a datagram as a frame.
pub(super) fn put(datagram: &[u8], stream: &mut Vec<u8>) {
    // What we send fits a datagram, so its length fits two bytes.
    stream.extend_from_slice(&(datagram.len() as u16).to_be_bytes());
    stream.extend_from_slice(datagram);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding(bytes: &[u8]) -> Framing {
        let mut framing = Framing::new();
        framing.buffer[..bytes.len()].copy_from_slice(bytes);
        framing.end = bytes.len();
        framing
    }

    #[test]
    fn frames_are_taken_whole() {
        let mut stream = Vec::new();
        for frame in [&b"one"[..], b"", b"two"] {
            put(frame, &mut stream);
        }
        stream.extend_from_slice(&[0, 5, b'h', b'a']);
        let mut framing = holding(&stream);
        assert_eq!(framing.take().ok(), Some(Some(b"one".to_vec())));
        assert_eq!(framing.take().ok(), Some(Some(b"two".to_vec())));
        assert_eq!(framing.take().ok(), Some(None), "half a frame waits");
        assert_eq!(framing.end - framing.begin, 4);
        assert_eq!(holding(&[0]).take().ok(), Some(None));
    }

    #[test]
    fn a_frame_may_be_as_long_as_a_datagram_and_no_longer() {
        let mut longest = Vec::new();
        put(&[7; MAX_FRAME], &mut longest);
        assert_eq!(holding(&longest).take().ok(), Some(Some(vec![7; MAX_FRAME])));
        let [high, low] = (MAX_FRAME as u16 + 1).to_be_bytes();
        assert!(holding(&[high, low]).take().is_err(), "the length alone is enough");
    }
}
