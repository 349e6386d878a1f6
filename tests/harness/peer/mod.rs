//! A peer as a browser would be: full ICE, DTLS, SRTP, retransmission, reports. Everything below RTP is other people's
//! code, so that both ends of a test are not the same mistake.

mod arrived;
mod checks;
mod congestion;
mod keys;
mod pictures;
mod rtcp;
mod told;

pub use checks::Nomination;
use keys::{contexts, credentials};
pub use rtcp::SenderReport;

use crate::offers::{MID, REPAIRED_RID, RID, TRANSPORT_CC};
use crate::{Extensions, Nonces, Picture, Random, Rtp, vp8_payload, vp8_picture};
pub(crate) use arrived::Arrived;
use dimpl::{Dtls, DtlsCertificate, Output, SrtpProfile};
use rtc_crypto::RTCCryptoProvider;
use rtc_srtp::context::Context;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use veilcast_control::{Answer, Encoding, Fingerprint, HashFunction, IceCredentials, MediaKind, Setup};

const CHECK_INTERVAL: Duration = Duration::from_millis(50);
const CONSENT_INTERVAL: Duration = Duration::from_secs(5);
pub(crate) const FEEDBACK_INTERVAL: Duration = Duration::from_millis(50);
const NACK_INTERVAL: Duration = Duration::from_millis(20);

/// A packet as a viewer got it, repaired or not.
#[derive(Clone, Debug)]
pub struct Received {
    /// When.
    pub at: Instant,
    /// The packet, a retransmission turned back into its original.
    pub packet: Rtp,
    /// It came as a retransmission.
    pub repaired: bool,
}

/// What a broadcaster writes into the headers of its packets.
#[derive(Clone)]
pub struct Headers {
    /// The number of the MID; `None`: it writes none.
    pub mid: Option<u8>,
    /// The number of the transport-wide sequence number; `None`: it writes none.
    pub transport_cc: Option<u8>,
    /// Two-byte elements also where one-byte ones would do.
    pub two_byte: bool,
    /// What else every packet of audio carries from now on.
    pub audio: Extensions,
    /// What else every packet of video carries from now on.
    pub video: Extensions,
}

impl Default for Headers {
    fn default() -> Self {
        Self { mid: Some(MID), transport_cc: Some(TRANSPORT_CC), two_byte: false, audio: vec![], video: vec![] }
    }
}

/// A test peer.
pub struct Peer {
    /// Its address; change it to move it to another network.
    pub address: SocketAddr,
    /// Its ICE credentials.
    pub ice: IceCredentials,
    /// Sends checks at all; a peer that vanished does not.
    pub alive: bool,
    /// Answers the server's checks, as browsers do.
    pub answers_checks: bool,
    /// Checks of the server's that it answered.
    pub questions: u32,
    /// What it received, by SSRC and extended sequence number.
    pub received: BTreeMap<u32, BTreeMap<u64, Received>>,
    /// RTP packets that arrived, duplicates included.
    pub arrivals: u64,
    /// What the packets that arrived were sealed with.
    pub nonces: Nonces,
    /// Sender reports that arrived.
    pub reports: Vec<SenderReport>,
    /// Key-frame requests that arrived.
    pub key_frame_requests: u32,
    /// NACKed numbers that arrived.
    pub nacked: Vec<u16>,
    /// Transport-wide feedback messages that arrived.
    pub transport_feedback: u32,
    /// Reports about its own streams: fraction lost of the last one.
    pub last_fraction_lost: u8,
    /// Whether it repairs what it misses.
    pub repairs: bool,
    /// Whether it tells when packets arrive (transport-wide feedback), as browsers do.
    pub tells_arrivals: bool,
    /// Whether it tells when packets arrive as RFC 8888 says.
    pub tells_congestion: bool,
    /// It is busy with other things: reads its socket at intervals of up to this, and takes that for the time of arrival.
    pub busy: Duration,
    /// Takes nothing from a source that no packet of its own has named the section of, as Firefox does.
    pub heeds_mid: bool,
    /// Sources whose section was named.
    named: BTreeSet<u32>,
    /// Packets of padding that arrived.
    pub padding: u64,
    /// When they did.
    pub padded: Vec<Instant>,
    /// DTLS is complete.
    pub connected: bool,
    /// The profile that was negotiated.
    pub profile: Option<SrtpProfile>,
    /// Says so if the server closed the session.
    pub closed: bool,
    /// The records of its handshake as they went out.
    pub handshake: Vec<Vec<u8>>,
    /// What it writes into its headers.
    pub headers: Headers,
    /// What its pictures are encoded with.
    pub encoding: Encoding,
    crypto: Arc<dyn RTCCryptoProvider>,
    certificate: DtlsCertificate,
    setup: Setup,
    dtls: Option<Dtls>,
    server: Option<Server>,
    incoming: Option<Context>,
    outgoing: Option<Context>,
    next_check: Option<Instant>,
    dtls_wake: Option<Instant>,
    next_nack: Option<Instant>,
    next_feedback: Option<Instant>,
    reads: Option<Instant>,
    arrived: Arrived,
    congestion: congestion::Congestion,
    transport: u16,
    told: Option<Box<told::Told>>,
    feedback: Option<Vec<Vec<u8>>>,
    streams: Vec<OutgoingStream>,
    random: Random,
    outbox: Vec<Vec<u8>>,
}

struct Server {
    ice: IceCredentials,
    address: SocketAddr,
    /// SSRC of retransmissions to SSRC of media.
    rtx: Vec<(u32, u32)>,
    media: Vec<u32>,
}

/// What a broadcaster sends of one kind.
struct OutgoingStream {
    kind: MediaKind,
    /// The name of its layer, with simulcast.
    rid: Option<&'static str>,
    ssrc: u32,
    sequence: u16,
    rtx_sequence: u16,
    sent: BTreeMap<u16, Rtp>,
    frames: u64,
    /// A key frame was asked for.
    key_frame_due: bool,
    picture: Picture,
}

impl Peer {
    /// Whether its next video frame is to be a key frame: the first is, and one that was asked for.
    pub fn take_key_frame_due(&mut self) -> bool {
        std::mem::take(&mut self.streams[1].key_frame_due) | (self.streams[1].frames == 0)
    }

    /// A peer at `address` that will offer `setup`.
    pub fn new(address: SocketAddr, setup: Setup, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let certificate = dimpl::certificate::generate_self_signed_certificate().expect("a certificate can be made");
        let stream = |kind, ssrc: u32, random: &mut Random| OutgoingStream {
            kind,
            rid: None,
            ssrc,
            sequence: random.bits() as u16,
            rtx_sequence: random.bits() as u16,
            sent: BTreeMap::new(),
            frames: 0,
            key_frame_due: false,
            picture: Picture { id: 0, tl0: 0, temporal: 0 },
        };
        let streams = vec![
            stream(MediaKind::Audio, random.bits() as u32 | 1, &mut random),
            stream(MediaKind::Video, random.bits() as u32 | 1, &mut random),
        ];
        Self {
            address,
            ice: credentials(&mut random),
            alive: true,
            answers_checks: true,
            questions: 0,
            received: BTreeMap::new(),
            arrivals: 0,
            nonces: Nonces::default(),
            reports: Vec::new(),
            key_frame_requests: 0,
            nacked: Vec::new(),
            transport_feedback: 0,
            last_fraction_lost: 0,
            repairs: true,
            tells_arrivals: true,
            tells_congestion: false,
            busy: Duration::ZERO,
            reads: None,
            heeds_mid: false,
            named: BTreeSet::new(),
            padding: 0,
            padded: Vec::new(),
            connected: false,
            profile: None,
            closed: false,
            handshake: Vec::new(),
            headers: Headers::default(),
            encoding: Encoding::Vp8,
            crypto: rtc_crypto::default_provider().expect("a crypto provider is compiled in"),
            certificate,
            setup,
            dtls: None,
            server: None,
            incoming: None,
            outgoing: None,
            next_check: None,
            dtls_wake: None,
            next_nack: None,
            next_feedback: None,
            arrived: Arrived::default(),
            congestion: congestion::Congestion::default(),
            transport: 0,
            told: None,
            feedback: None,
            streams,
            random,
            outbox: Vec::new(),
        }
    }

    /// The hash of its certificate.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint { function: HashFunction::Sha256, value: self.certificate.fingerprint() }
    }

    /// Takes the answer and begins to connect.
    pub fn accept(&mut self, answer: &Answer, now: Instant) {
        let tracks = answer.media.iter().filter_map(|section| section.sends.as_ref());
        self.server = Some(Server {
            ice: answer.ice.clone(),
            address: answer.candidates[0].address,
            rtx: tracks.clone().filter_map(|track| Some((track.rtx_ssrc?, track.ssrc))).collect(),
            media: tracks.map(|track| track.ssrc).collect(),
        });
        if self.dtls.is_none() {
            self.dtls = Some(self.new_dtls(answer.setup == Setup::Passive, now));
        }
        self.next_check = Some(now);
    }

    fn new_dtls(&self, active: bool, now: Instant) -> Dtls {
        // As soon and as long as browsers repeat themselves; the default is after a second, and four times.
        let config = dimpl::Config::builder().flight_start_rto(Duration::from_millis(50)).flight_retries(9);
        let config = config.build().expect("is valid");
        let mut dtls = Dtls::new_12(Arc::new(config), self.certificate.clone(), now);
        dtls.set_active(active);
        dtls
    }

    /// Begins a second handshake on the path of the first, with the same certificate. The keys of the first stay in use
    /// until it brings others.
    pub fn shake_hands_again(&mut self, now: Instant) {
        let mut dtls = self.new_dtls(true, now);
        dtls.handle_timeout(now).expect("it begins");
        self.dtls = Some(dtls);
        self.drain_dtls();
    }

    /// New credentials, as an ICE restart needs them.
    pub fn renew_ice(&mut self) -> IceCredentials {
        self.ice = credentials(&mut self.random);
        self.ice.clone()
    }

    /// Sends a packet of video with a payload of the test's own.
    pub fn send_labelled_video(&mut self, timestamp: u32, start: bool, key: bool, last: bool, label: u64, len: usize) {
        self.send(1, timestamp, last, 96, vp8_payload(start, key, label, len));
    }

    /// The certificate, for a second session of the same browser.
    pub const fn setup(&self) -> Setup {
        self.setup
    }

    /// Video packets received for the only video track, in order.
    pub fn video(&self) -> Vec<&Received> {
        self.track(1)
    }

    /// Audio packets received for the only audio track, in order.
    pub fn audio(&self) -> Vec<&Received> {
        self.track(0)
    }

    /// What it received of its tracks, in order: sound and picture of each place in turn, of those that the latest answer has.
    pub fn track(&self, at: usize) -> Vec<&Received> {
        let ssrc = self.server.as_ref().and_then(|server| server.media.get(at));
        ssrc.and_then(|ssrc| self.received.get(ssrc)).map(|track| track.values().collect()).unwrap_or_default()
    }

    /// The SSRC of a received track: 0 audio, 1 video, and so on for further places.
    pub fn media_ssrc(&self, at: usize) -> u32 {
        self.server.as_ref().and_then(|server| server.media.get(at).copied()).unwrap_or(0)
    }

    /// Extended sequence numbers that are missing in a track.
    pub fn missing(&self, at: usize) -> Vec<u64> {
        let Some(track) = self.received.get(&self.media_ssrc(at)) else { return Vec::new() };
        let (Some(first), Some(last)) = (track.keys().next(), track.keys().next_back()) else { return Vec::new() };
        (*first..*last).filter(|sequence| !track.contains_key(sequence)).collect()
    }

    /// Datagrams to send.
    pub fn take_outbox(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.outbox)
    }

    /// Where they go.
    pub fn server_address(&self) -> Option<SocketAddr> {
        self.server.as_ref().map(|server| server.address)
    }

    /// Sends any bytes to the server, as an attacker would.
    pub fn send_raw(&mut self, bytes: Vec<u8>) {
        self.outbox.push(bytes);
    }

    /// When it wants to be called.
    pub fn wake(&self) -> Option<Instant> {
        [self.next_check, self.dtls_wake, self.next_nack, self.next_feedback].into_iter().flatten().min()
    }

    /// Lets time pass.
    pub fn advance(&mut self, now: Instant) {
        if self.next_check.is_some_and(|at| at <= now) {
            if self.alive {
                self.check();
            }
            self.next_check = Some(now + if self.connected { CONSENT_INTERVAL } else { CHECK_INTERVAL });
        }
        if self.dtls_wake.is_some_and(|at| at <= now) {
            self.dtls_wake = None;
            // One that has given up wants to be called for ever.
            if self.dtls.as_mut().is_some_and(|dtls| dtls.handle_timeout(now).is_ok()) {
                self.drain_dtls();
            }
        }
        if self.next_feedback.is_some_and(|at| at <= now) {
            self.next_feedback = Some(now + FEEDBACK_INTERVAL);
            self.tell_arrivals(now);
        }
        if self.next_nack.is_some_and(|at| at <= now) {
            self.next_nack = Some(now + NACK_INTERVAL);
            self.ask_again(now);
        }
    }

    /// Takes a datagram.
    pub fn receive(&mut self, bytes: &[u8], now: Instant) {
        match bytes[0] {
            0..=3 => self.checked(bytes, now),
            20..=63 => {
                if let Some(dtls) = &mut self.dtls {
                    let _ = dtls.handle_timeout(now).and_then(|()| dtls.handle_packet(bytes));
                }
                self.drain_dtls();
            }
            _ if (192..=223).contains(&bytes[1]) => self.rtcp(bytes),
            _ => self.rtp(bytes, now),
        }
    }

    fn drain_dtls(&mut self) {
        let mut buffer = [0; 4_096];
        let Some(dtls) = &mut self.dtls else { return };
        loop {
            match dtls.poll_output(&mut buffer) {
                Output::Packet(packet) => {
                    self.handshake.push(packet.to_vec());
                    self.outbox.push(packet.to_vec());
                }
                Output::KeyingMaterial(material, profile) => {
                    let (client, server) = contexts(&material, profile, &*self.crypto);
                    let (ours, theirs) = if dtls.is_active() { (client, server) } else { (server, client) };
                    (self.outgoing, self.incoming) = (Some(ours), Some(theirs));
                    self.profile = Some(profile);
                    self.connected = true;
                }
                Output::CloseNotify => self.closed = true,
                Output::Timeout(at) => {
                    self.dtls_wake = Some(at);
                    return;
                }
                _ => {}
            }
        }
    }

    /// Sends an audio packet.
    pub fn send_audio(&mut self, timestamp: u32) {
        let frame = self.streams[0].frames;
        self.streams[0].frames += 1;
        self.send(0, timestamp, false, 111, frame.to_be_bytes().to_vec());
    }

    /// Sends its video in layers of these names from now on: streams 1, 2, ….
    pub fn send_layers(&mut self, rids: &[&'static str]) {
        self.streams.truncate(1);
        for rid in rids {
            self.streams.push(OutgoingStream {
                kind: MediaKind::Video,
                rid: Some(rid),
                ssrc: self.random.bits() as u32 | 1,
                sequence: self.random.bits() as u16,
                rtx_sequence: self.random.bits() as u16,
                sent: BTreeMap::new(),
                frames: 0,
                key_frame_due: true,
                picture: Picture { id: self.random.bits() as u16 & 0x7fff, tl0: self.random.bits() as u8, temporal: 0 },
            });
        }
    }

    /// How many streams it sends: one of audio, then those of video.
    pub fn streams(&self) -> usize {
        self.streams.len()
    }

    /// Sends a frame of a layer: a key frame if one is due. What it carries begins with the layer's number, so that a test
    /// knows it again.
    pub fn send_layer(&mut self, at: usize, timestamp: u32, temporal: u8, packets: usize, len: usize) {
        let stream = &mut self.streams[at];
        let (frame, key) = (stream.frames, stream.key_frame_due);
        stream.frames += 1;
        stream.key_frame_due = false;
        let temporal = if key { 0 } else { temporal };
        stream.picture.id = (stream.picture.id + 1) & 0x7fff;
        stream.picture.temporal = temporal;
        stream.picture.tl0 = stream.picture.tl0.wrapping_add(u8::from(temporal == 0));
        let picture = stream.picture;
        for part in 0..packets {
            let label = (at as u64) << 56 | frame << 16 | part as u64;
            self.send(at, timestamp, part + 1 == packets, 96, vp8_picture(part == 0, key, picture, label, len));
        }
    }

    /// Sends an audio packet of any payload type and payload.
    pub fn send_sound(&mut self, timestamp: u32, payload_type: u8, payload: Vec<u8>) {
        self.send(0, timestamp, false, payload_type, payload);
    }

    /// Begins a stream anew, as a page that reloads does: another SSRC, other numbers.
    pub fn restart_stream(&mut self, at: usize) {
        let (ssrc, sequence) = (self.random.bits() as u32 | 1, self.random.bits() as u16);
        let stream = &mut self.streams[at];
        (stream.ssrc, stream.sequence) = (ssrc, sequence);
        stream.sent.clear();
        stream.frames = 0;
    }

    /// The SSRC of a stream that it sends.
    pub fn ssrc(&self, at: usize) -> u32 {
        self.streams[at].ssrc
    }

    /// The next sequence number of a stream.
    pub fn sequence(&self, at: usize) -> u16 {
        self.streams[at].sequence
    }

    /// Sets the next sequence number of a stream.
    pub fn set_sequence(&mut self, at: usize, sequence: u16) {
        self.streams[at].sequence = sequence;
    }

    fn send(&mut self, at: usize, timestamp: u32, marker: bool, payload_type: u8, payload: Vec<u8>) {
        let stream = &mut self.streams[at];
        let packet = Rtp {
            marker,
            payload_type,
            sequence: stream.sequence,
            timestamp,
            ssrc: stream.ssrc,
            two_byte: self.headers.two_byte,
            extensions: if at == 0 { self.headers.audio.clone() } else { self.headers.video.clone() },
            payload,
        };
        stream.sequence = stream.sequence.wrapping_add(1);
        stream.sent.insert(packet.sequence, packet.clone());
        if stream.sent.len() > 2_000 {
            stream.sent.pop_first();
        }
        let mid = if stream.kind == MediaKind::Audio { b"0" } else { b"1" };
        let rid = stream.rid.map(|rid| (RID, rid.as_bytes().to_vec()));
        let mut packet = packet;
        packet.extensions.extend(rid);
        self.put(packet, mid);
    }

    fn put(&mut self, mut packet: Rtp, mid: &[u8]) {
        let mid = self.headers.mid.map(|id| (id, mid.to_vec()));
        let transport = self.headers.transport_cc.map(|id| (id, self.transport.to_be_bytes().to_vec()));
        packet.extensions.splice(0..0, mid.into_iter().chain(transport));
        self.transport = self.transport.wrapping_add(1);
        let outgoing = self.outgoing.as_mut().expect("connect first");
        self.outbox.push(outgoing.encrypt_rtp(&packet.write()).expect("a valid packet").to_vec());
    }

    fn rtp(&mut self, bytes: &[u8], now: Instant) {
        let Some(incoming) = &mut self.incoming else { return };
        self.nonces.note_rtp(bytes);
        let plain = incoming.decrypt_rtp(bytes).expect("the server's SRTP is authentic");
        let mut packet = Rtp::read(&plain);
        self.arrivals += 1;
        if packet.element(MID).is_some() {
            self.named.insert(packet.ssrc);
        } else if self.heeds_mid && !self.named.contains(&packet.ssrc) {
            return;
        }
        if let Some(number) = packet.element(TRANSPORT_CC).filter(|_| self.tells_arrivals) {
            let read = self
                .reads
                .filter(|at| *at >= now)
                .unwrap_or_else(|| if self.busy.is_zero() { now } else { now + self.busy.mul_f64(self.random.unit()) });
            self.reads = Some(read);
            self.arrived.note(u16::from_be_bytes([number[0], number[1]]), read);
            self.next_feedback.get_or_insert(now + FEEDBACK_INTERVAL);
        }
        if self.tells_congestion {
            self.congestion.note(packet.ssrc, packet.sequence, now);
            self.next_feedback.get_or_insert(now + FEEDBACK_INTERVAL);
        }
        if packet.payload.is_empty() {
            self.padding += 1;
            self.padded.push(now);
            return;
        }
        let server = self.server.as_ref().expect("connected");
        let original = server.rtx.iter().find(|(rtx, _)| *rtx == packet.ssrc).map(|(_, media)| *media);
        if let Some(media) = original {
            packet.ssrc = media;
            packet.sequence = u16::from_be_bytes([packet.payload[0], packet.payload[1]]);
            packet.payload.drain(..2);
            packet.payload_type -= 1;
        }
        let track = self.received.entry(packet.ssrc).or_default();
        let reference = track.keys().next_back().copied().unwrap_or(1 << 16 | u64::from(packet.sequence));
        let step = i64::from(packet.sequence.wrapping_sub(reference as u16).cast_signed());
        let sequence = reference.wrapping_add_signed(step);
        track.entry(sequence).or_insert(Received { at: now, packet, repaired: original.is_some() });
        self.next_nack.get_or_insert(now + NACK_INTERVAL);
    }

    /// Sends a video packet once more, as a retransmission, whether anybody asked for it or not.
    pub fn send_repeat(&mut self, sequence: u16) {
        self.send_repeat_of(1, sequence);
    }

    /// Sends a packet of a stream once more.
    pub fn send_repeat_of(&mut self, at: usize, sequence: u16) {
        let stream = &mut self.streams[at];
        let Some(original) = stream.sent.get(&sequence) else { return };
        let mut repeat = original.clone();
        repeat.payload.splice(0..0, sequence.to_be_bytes());
        repeat.payload_type = 97;
        repeat.ssrc = stream.ssrc ^ 0x5555_5555;
        repeat.sequence = stream.rtx_sequence;
        stream.rtx_sequence = stream.rtx_sequence.wrapping_add(1);
        repeat.extensions.extend(stream.rid.map(|rid| (REPAIRED_RID, rid.as_bytes().to_vec())));
        self.put(repeat, b"1");
    }
}
