//! What no server can do without: seal a packet for each destination and hand it to the kernel.
//!
//! Same sizes, same destinations, same pace and same profile (AES-256-GCM, which is what is negotiated) as the shard's, and a
//! socket like its own, but no engine: keys in rotation, a header, a copy, a seal, a segmented send.

use crate::broadcast::{AUDIO, FRAME, PACE, STEP};
use crate::plane::Plane;
use crate::{Failure, cpu, median};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use harness::Random;
use quinn_udp::{Transmit, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

/// Lengths of runs that are measured.
pub(crate) const RUNS: [usize; 4] = [1, 2, 5, 10];

/// An RTP header with one block of extensions.
const HEADER: usize = 20;
const TAG: usize = 16;

/// Packets that a frame is taken from; payloads come from different places, as they do in a slab.
const SLAB: usize = 64;

/// Destinations, their keys and the socket.
pub(crate) struct Floor {
    socket: std::net::UdpSocket,
    state: UdpSocketState,
    destinations: Vec<Destination>,
    slab: Vec<u8>,
    buffer: Vec<u8>,
    video: usize,
    audio: usize,
    turn: usize,
}

struct Destination {
    address: SocketAddr,
    key: LessSafeKey,
    salt: [u8; 12],
    index: u64,
}

/// What was sent, and for what.
#[derive(Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) packets: u64,
    pub(crate) runs: u64,
    pub(crate) cpu: Duration,
}

impl Cost {
    pub(crate) fn nanos_per_packet(&self) -> f64 {
        self.cpu.as_nanos() as f64 / self.packets.max(1) as f64
    }

    /// System calls a packet: 1 when each goes alone.
    pub(crate) fn runs_per_packet(&self) -> f64 {
        self.runs as f64 / self.packets.max(1) as f64
    }
}

impl Floor {
    /// `video` and `audio` are the lengths of whole datagrams.
    pub(crate) fn new(addresses: &[SocketAddr], (video, audio): (usize, usize)) -> Result<Self, Failure> {
        let socket = Socket::new(Domain::IPV6, Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_only_v6(false)?;
        socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)).into())?;
        let socket = std::net::UdpSocket::from(socket);
        let state = UdpSocketState::new((&socket).into())?;
        let _ = state.set_send_buffer_size((&socket).into(), 8 * 1024 * 1024);
        let mut random = Random::new(7);
        let mut slab = vec![0; SLAB * video.max(HEADER + TAG)];
        random.fill(&mut slab);
        let destinations =
            addresses.iter().map(|address| destination(*address, &mut random)).collect::<Result<_, _>>()?;
        let (video, audio) = (video.max(HEADER + TAG + 1), audio.max(HEADER + TAG + 1));
        Ok(Self { socket, state, destinations, slab, buffer: vec![0; 65_535], video, audio, turn: 0 })
    }

    /// Sends as a shard would that got the broadcast of [`crate::broadcast`], in runs of at most `run` video packets and
    /// audio alone. Runs longer than a step of the pace take a whole or half a frame at once.
    pub(crate) fn paced(&mut self, run: usize, duration: Duration) -> Result<Cost, Failure> {
        let groups: &[usize] = match run {
            ..=4 => &PACE,
            5..=9 => &[5, 5],
            _ => &[10],
        };
        let mut cost = Cost::default();
        let (begun, cpu) = (Instant::now(), cpu::here());
        let (mut frame, mut step, mut audio_at) = (begun, 0, begun);
        loop {
            let video_at = frame + STEP * step as u32;
            let at = video_at.min(audio_at);
            if at >= begun + duration {
                break;
            }
            std::thread::sleep(at.saturating_duration_since(Instant::now()));
            if audio_at <= video_at {
                self.round(1, 1, self.audio, &mut cost)?;
                audio_at += AUDIO;
                continue;
            }
            self.round(groups[step], run, self.video, &mut cost)?;
            step += 1;
            if step == groups.len() {
                (step, frame) = (0, frame + FRAME);
            }
        }
        cost.cpu = cpu::here() - cpu;
        Ok(cost)
    }

    /// Sends video without a pause.
    fn flat_out(&mut self, run: usize, duration: Duration) -> Result<Cost, Failure> {
        let mut cost = Cost::default();
        let (begun, cpu) = (Instant::now(), cpu::here());
        while begun.elapsed() < duration {
            self.round(run, run, self.video, &mut cost)?;
        }
        cost.cpu = cpu::here() - cpu;
        Ok(cost)
    }

    /// `count` packets to everybody, another one first each time.
    fn round(&mut self, count: usize, run: usize, len: usize, cost: &mut Cost) -> Result<(), Failure> {
        let all = self.destinations.len();
        self.turn = (self.turn + 1) % all;
        for at in 0..all {
            let destination = &mut self.destinations[(at + self.turn) % all];
            let mut left = count;
            while left > 0 {
                let packets = left.min(run);
                for (number, out) in self.buffer[..packets * len].chunks_exact_mut(len).enumerate() {
                    let from = (left - number) % SLAB * (len - HEADER - TAG);
                    destination.seal(out, &self.slab[from..from + len - HEADER - TAG])?;
                }
                let transmit = Transmit {
                    destination: destination.address,
                    ecn: None,
                    contents: &self.buffer[..packets * len],
                    segment_size: (packets > 1).then_some(len),
                    src_ip: Some(IpAddr::V6(Ipv4Addr::LOCALHOST.to_ipv6_mapped())),
                };
                self.state.try_send((&self.socket).into(), &transmit)?;
                left -= packets;
                cost.packets += packets as u64;
                cost.runs += 1;
            }
        }
        Ok(())
    }
}

impl Destination {
    /// Writes header, payload and tag (RFC 7714 sections 8 and 9).
    fn seal(&mut self, out: &mut [u8], payload: &[u8]) -> Result<(), Failure> {
        let (header, rest) = out.split_at_mut(HEADER);
        let (body, tag) = rest.split_at_mut(payload.len());
        header[..2].copy_from_slice(&[0x90, 96]);
        header[2..4].copy_from_slice(&(self.index as u16).to_be_bytes());
        header[4..12].copy_from_slice(&self.index.to_be_bytes());
        header[12..].copy_from_slice(&[0xbe, 0xde, 0, 1, 0x31, 0, 0, 0]);
        header[17..19].copy_from_slice(&(self.index as u16).to_be_bytes());
        body.copy_from_slice(payload);
        let mut nonce = self.salt;
        nonce[4..].iter_mut().zip(self.index.to_be_bytes()).for_each(|(byte, index)| *byte ^= index);
        self.index += 1;
        let nonce = Nonce::assume_unique_for_key(nonce);
        let sealed = self.key.seal_in_place_separate_tag(nonce, Aad::from(&*header), body);
        tag.copy_from_slice(sealed.map_err(|_| "a packet could not be sealed")?.as_ref());
        Ok(())
    }
}

fn destination(address: SocketAddr, random: &mut Random) -> Result<Destination, Failure> {
    let (mut key, mut salt) = ([0; 32], [0; 12]);
    random.fill(&mut key);
    random.fill(&mut salt);
    let key = UnboundKey::new(&AES_256_GCM, &key).map_err(|_| "a key of another length")?;
    let ip = match address.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    Ok(Destination { address: (ip, address.port()).into(), key: LessSafeKey::new(key), salt, index: 0 })
}

/// Prints the floor alone, at the pace of a broadcast and flat out.
pub(crate) fn run() -> Result<(), Failure> {
    println!(
        "seal (AES-256-GCM) + send, thread CPU ns per packet: paced like a broadcast (audio sent alone) / video flat out"
    );
    println!(
        "{:>12} {:>5} {:>16} {:>10} {:>10} {:>16}",
        "destinations", "run", "packets a call", "paced", "flat out", "flat out: lost"
    );
    for destinations in [10, 100, 1_000] {
        let plane = Plane::start(1)?;
        let addresses = plane.sockets(destinations)?;
        let mut floor = Floor::new(&addresses, (1_076, 44))?;
        for run in RUNS {
            let (mut paced, mut flat, mut lost) = (Vec::new(), Vec::new(), 0);
            let mut calls = 0.0;
            let mut sent = 0;
            for _ in 0..3 {
                let cost = floor.paced(run, Duration::from_millis(500))?;
                paced.push(cost.nanos_per_packet());
                calls = cost.runs_per_packet();
                plane.silence();
                let before = plane.drain.tally();
                let cost = floor.flat_out(run, Duration::from_millis(300))?;
                flat.push(cost.nanos_per_packet());
                plane.silence();
                sent += cost.packets;
                lost += cost.packets.saturating_sub(plane.drain.tally().since(before).packets);
            }
            println!(
                "{destinations:>12} {run:>5} {:>16.2} {:>10.0} {:>10.0} {:>15.1}%",
                1.0 / calls,
                median(paced),
                median(flat),
                lost as f64 * 100.0 / sent.max(1) as f64
            );
        }
    }
    Ok(())
}
