//! The `webrtc` crate as somebody else's client over WHIP and WHEP.

use super::process::{Server, until};
use super::wire::{self, Reply};
use harness::vp8_payload;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::interceptor::{Attribute, Interceptor, Packet, Slot, StreamInfo, TaggedPacket};
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_OPUS, MIME_TYPE_VP8};
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtp;
use rtc::rtp_transceiver::rtp_sender::{RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind};
use rtc::sansio::Protocol;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_local::{TrackLocal, TrackLocalEvent};
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::media_stream::{MediaStreamTrack, Track};
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCPeerConnectionState, Registry,
    SettingEngineBuilder, register_default_interceptors,
};
use webrtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};

/// Together about 2 Mbit/s: 30 frames of 7 packets a second.
const FRAME: Duration = Duration::from_micros(33_333);
const PACKETS_PER_FRAME: u64 = 7;
const PACKET_LEN: usize = 1_180;

/// What has come of one medium.
#[derive(Default)]
pub(super) struct Stream {
    /// Extended sequence numbers.
    sequences: BTreeSet<i64>,
    /// The numbers that our publisher wrote into its packets.
    labels: BTreeSet<u64>,
    pub(super) codec: String,
    pub(super) sources: BTreeSet<u32>,
    pub(super) payloads: Vec<Vec<u8>>,
    last: Option<Instant>,
}

impl Stream {
    fn take(&mut self, packet: &rtp::Packet, label_at: usize) {
        let highest = self.sequences.last().copied().unwrap_or(i64::from(packet.header.sequence_number));
        let step = packet.header.sequence_number.wrapping_sub(highest as u16) as i16;
        self.sequences.insert(highest + i64::from(step));
        if let Some(bytes) = packet.payload.get(label_at..label_at + 8) {
            self.labels.insert(u64::from_be_bytes(bytes.try_into().expect("eight bytes")));
        }
        // Enough to recognise a codec by.
        if self.payloads.len() < 400 {
            self.payloads.push(packet.payload.to_vec());
        }
        self.sources.insert(packet.header.ssrc);
        self.last = Some(Instant::now());
    }

    pub(super) fn count(&self) -> usize {
        self.sequences.len()
    }

    /// Packets between the first and the last that never came.
    pub(super) fn holes(&self) -> usize {
        let span = |set: &BTreeSet<i64>| set.last().zip(set.first()).map_or(0, |(last, first)| last - first + 1);
        span(&self.sequences) as usize - self.sequences.len()
    }

    /// Whether every packet came that the publisher numbered from this viewer's first up to `last`.
    pub(super) fn is_whole(&self, last: u64) -> bool {
        self.labels.first().is_some_and(|&first| (first..=last).all(|label| self.labels.contains(&label)))
    }

    pub(super) fn first_label(&self) -> Option<u64> {
        self.labels.first().copied()
    }

    pub(super) fn last_label(&self) -> Option<u64> {
        self.labels.last().copied()
    }
}

/// What a peer has received and what has become of its connection.
#[derive(Default)]
pub(super) struct Received {
    video: Mutex<Stream>,
    /// The same by source, for viewers of several broadcasters.
    pictures: Mutex<BTreeMap<u32, Stream>>,
    audio: Mutex<Stream>,
    state: Mutex<RTCPeerConnectionState>,
}

impl Received {
    pub(super) fn video<T>(&self, read: impl FnOnce(&Stream) -> T) -> T {
        read(&self.video.lock().expect("no test panics here"))
    }

    pub(super) fn audio<T>(&self, read: impl FnOnce(&Stream) -> T) -> T {
        read(&self.audio.lock().expect("no test panics here"))
    }

    /// What has come of each picture; none of them before its first packet.
    pub(super) fn pictures<T>(&self, read: impl FnMut(&Stream) -> T) -> Vec<T> {
        self.pictures.lock().expect("no test panics here").values().map(read).collect()
    }

    pub(super) fn state(&self) -> RTCPeerConnectionState {
        *self.state.lock().expect("no test panics here")
    }

    /// When the latest packet came.
    pub(super) fn latest(&self) -> Option<Instant> {
        self.video(|stream| stream.last).max(self.audio(|stream| stream.last))
    }
}

struct Handler(Arc<Received>);

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        *self.0.state.lock().expect("no test panics here") = state;
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        tokio::spawn(read(track, self.0.clone()));
    }
}

/// Behind the VP8 descriptor and the frame's tag.
const VIDEO_LABEL: usize = 2;

async fn read(track: Arc<dyn TrackRemote>, received: Arc<Received>) {
    // Behind Opus' table of contents.
    let (stream, label_at) = match track.kind().await {
        RtpCodecKind::Video => (&received.video, VIDEO_LABEL),
        _ => (&received.audio, 1),
    };
    while let Some(event) = track.poll().await {
        let TrackRemoteEvent::OnRtpPacket(packet) = event else { continue };
        let first = stream.lock().expect("no test panics here").codec.is_empty();
        let codec = if first { track.codec(packet.header.ssrc).await } else { None };
        let mut stream = stream.lock().expect("no test panics here");
        if let Some(codec) = codec {
            stream.codec = codec.mime_type;
        }
        stream.take(&packet, label_at);
        drop(stream);
        if label_at == VIDEO_LABEL {
            let mut pictures = received.pictures.lock().expect("no test panics here");
            pictures.entry(packet.header.ssrc).or_default().take(&packet, label_at);
        }
    }
}

/// A session made over HTTP.
pub(super) struct Session {
    /// Lives for as long as somebody holds it.
    _connection: Arc<dyn PeerConnection>,
    pub(super) received: Arc<Received>,
    pub(super) location: String,
}

impl Session {
    async fn open(
        server: &Server,
        path: &str,
        token: &str,
        places: usize,
        tracks: &[Arc<TrackLocalStaticRTP>],
    ) -> Result<Self, Reply> {
        let received = Arc::new(Received::default());
        let connection = connection(received.clone()).await;
        for _ in 0..places {
            let receive =
                RTCRtpTransceiverInit { direction: RTCRtpTransceiverDirection::Recvonly, ..Default::default() };
            for kind in [RtpCodecKind::Audio, RtpCodecKind::Video] {
                connection.add_transceiver_from_kind(kind, Some(receive.clone())).await.expect("a transceiver");
            }
        }
        for track in tracks {
            connection.add_track(track.clone()).await.expect("a sender");
        }
        let offer = connection.create_offer(None).await.expect("an offer");
        connection.set_local_description(offer.clone()).await.expect("its own offer");
        let reply = wire::post(server, path, token, &offer.sdp).await;
        if reply.status != 201 {
            _ = connection.close().await;
            return Err(reply);
        }
        let answer = RTCSessionDescription::answer(reply.body.clone()).expect("an SDP answer");
        connection.set_remote_description(answer).await.expect("an answer that fits");
        Ok(Self { _connection: connection, received, location: reply.location() })
    }

    /// Waits for ICE and DTLS.
    pub(super) async fn connected(&self) {
        until("a peer connects", async || self.received.state() == RTCPeerConnectionState::Connected).await;
    }
}

async fn connection(received: Arc<Received>) -> Arc<dyn PeerConnection> {
    let mut media = MediaEngine::default();
    media.register_default_codecs().expect("codecs");
    let registry = register_default_interceptors(Registry::new(), &mut media).expect("interceptors");
    // Behind all others, which have acted on feedback by then.
    let registry = registry.with(Slot::from(14_000), KeyFrameRequests::default());
    let settings = SettingEngineBuilder::new().with_include_loopback_candidate(true);
    let settings = settings.with_multicast_dns_mode(MulticastDnsMode::Disabled).build();
    let builder = PeerConnectionBuilder::new().with_media_engine(media).with_interceptor_registry(registry);
    let builder = builder.with_setting_engine(settings).with_handler(Arc::new(Handler(received)));
    Arc::new(builder.with_udp_addrs(vec!["127.0.0.1:0"]).build().await.expect("a connection"))
}

/// Hands PLIs to the tracks; the crate keeps feedback from applications otherwise.
#[derive(Default)]
struct KeyFrameRequests {
    inbound: VecDeque<TaggedPacket>,
    outbound: VecDeque<TaggedPacket>,
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for KeyFrameRequests {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = rtc::shared::error::Error;
    type Time = Instant;

    fn handle_read(&mut self, mut packet: TaggedPacket) -> Result<(), Self::Error> {
        if let Packet::Rtcp(parts) = &mut packet.message.packet {
            // The first part names the track that the packet goes to, and a report may name none.
            parts.retain(|part| part.as_any().is::<PictureLossIndication>());
            if parts.is_empty() {
                return Ok(());
            }
            packet.message.add(Attribute::DeliverToApplication);
        }
        self.inbound.push_back(packet);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.inbound.pop_front()
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<(), Self::Error> {
        self.outbound.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.outbound.pop_front()
    }
}

impl Interceptor for KeyFrameRequests {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}

/// Opens a WHEP session.
pub(super) async fn view(server: &Server, event: &str, token: &str) -> Session {
    view_several(server, event, token, 1).await
}

/// Opens a WHEP session that receives so many broadcasters.
pub(super) async fn view_several(server: &Server, event: &str, token: &str, places: usize) -> Session {
    let opened = Session::open(server, &format!("/whep/{event}"), token, places, &[]).await;
    opened.unwrap_or_else(|reply| panic!("{} {}", reply.status, reply.body))
}

/// A broadcaster that sends numbered packets for as long as it lives.
pub(super) struct Publisher {
    pub(super) session: Session,
    sent: Arc<AtomicU64>,
    requests: Arc<AtomicU64>,
    tasks: Vec<JoinHandle<()>>,
}

impl Publisher {
    /// Opens a WHIP session; once it is connected, its video packets are numbered from `first`.
    pub(super) async fn start(server: &Server, event: &str, token: &str, first: u64) -> Result<Self, Reply> {
        let video = track(RtpCodecKind::Video, MIME_TYPE_VP8, 90_000, 0, 0x0101 + first as u32);
        let audio = track(RtpCodecKind::Audio, MIME_TYPE_OPUS, 48_000, 2, 0x0202 + first as u32);
        let session =
            Session::open(server, &format!("/whip/{event}"), token, 0, &[audio.clone(), video.clone()]).await?;
        session.connected().await;
        let (sent, wanted) = (Arc::new(AtomicU64::new(first)), Arc::new(AtomicBool::new(true)));
        let requests = Arc::new(AtomicU64::new(0));
        let tasks = vec![
            tokio::spawn(send(video.clone(), audio, first, sent.clone(), wanted.clone())),
            tokio::spawn(hear_requests(video, wanted, requests.clone())),
        ];
        Ok(Self { session, sent, requests, tasks })
    }

    /// The number of the latest packet of a whole frame.
    pub(super) fn latest(&self) -> u64 {
        self.sent.load(Ordering::SeqCst).saturating_sub(1)
    }

    /// How often it was asked for a key frame.
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

fn track(kind: RtpCodecKind, mime: &str, clock: u32, channels: u16, ssrc: u32) -> Arc<TrackLocalStaticRTP> {
    let codec = RTCRtpCodec { mime_type: mime.to_owned(), clock_rate: clock, channels, ..Default::default() };
    let coding = RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() };
    let encoding = RTCRtpEncodingParameters { rtp_coding_parameters: coding, codec, ..Default::default() };
    let stream = MediaStreamTrack::new("stream".into(), format!("{kind}"), "test".into(), kind, vec![encoding]);
    Arc::new(TrackLocalStaticRTP::new(stream))
}

async fn hear_requests(video: Arc<TrackLocalStaticRTP>, wanted: Arc<AtomicBool>, requests: Arc<AtomicU64>) {
    while let Some(TrackLocalEvent::OnRtcpPacket(parts)) = video.poll().await {
        if parts.iter().any(|part| part.as_any().is::<PictureLossIndication>()) {
            wanted.store(true, Ordering::SeqCst);
            requests.fetch_add(1, Ordering::SeqCst);
        }
    }
}

async fn send(
    video: Arc<TrackLocalStaticRTP>,
    audio: Arc<TrackLocalStaticRTP>,
    first: u64,
    sent: Arc<AtomicU64>,
    wanted: Arc<AtomicBool>,
) {
    let (video_ssrc, audio_ssrc) = (video.ssrcs().await[0], audio.ssrcs().await[0]);
    let mut frames = tokio::time::interval(FRAME);
    let mut label = first;
    let mut spoken = 0_u32;
    for frame in 0_u32.. {
        frames.tick().await;
        let key = wanted.swap(false, Ordering::SeqCst);
        for part in 0..PACKETS_PER_FRAME {
            let mut header = header(96, label as u16, frame.wrapping_mul(3_000), video_ssrc);
            header.marker = part + 1 == PACKETS_PER_FRAME;
            let payload = vp8_payload(part == 0, key, label, PACKET_LEN).into();
            if video.write_rtp(rtp::Packet { header, payload }).await.is_err() {
                return;
            }
            label += 1;
        }
        sent.store(label, Ordering::SeqCst);
        // 50 packets of 20 ms a second beside 30 frames.
        while spoken * 3 <= frame * 5 {
            let mut payload = vec![0xfc];
            payload.extend_from_slice(&u64::from(spoken).to_be_bytes());
            payload.resize(80, 0x33);
            let header = header(111, spoken as u16, spoken.wrapping_mul(960), audio_ssrc);
            if audio.write_rtp(rtp::Packet { header, payload: payload.into() }).await.is_err() {
                return;
            }
            spoken += 1;
        }
    }
}

fn header(payload_type: u8, sequence_number: u16, timestamp: u32, ssrc: u32) -> rtp::header::Header {
    rtp::header::Header { version: 2, payload_type, sequence_number, timestamp, ssrc, ..Default::default() }
}
