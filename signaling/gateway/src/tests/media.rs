//! A media plane that accepts whatever has a codec and tells what it was asked to do.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;
use veilcast_control::{
    Answer, AnswerSection, Candidate, Command, Direction, Figures, Fingerprint, HashFunction, IceCredentials,
    MediaFault, MediaKind, Offer, PeerKey, Report, Role, RoomKey, RoomSettings, Setup, SrtpProfile, Transport,
    VideoCap,
};

#[derive(Clone)]
pub(crate) struct MediaPlane {
    reports: mpsc::Sender<Report>,
    seen: Arc<Mutex<Seen>>,
    mute: Arc<AtomicBool>,
}

#[derive(Default)]
struct Seen {
    words: Vec<String>,
    peers: Vec<PeerKey>,
    rooms: Vec<(RoomKey, RoomSettings)>,
    figures: Option<Figures>,
}

impl MediaPlane {
    pub(crate) fn start() -> (Self, mpsc::Sender<Command>, mpsc::Receiver<Report>) {
        let (commands, mut asked) = mpsc::channel(16);
        let (reports, receiver) = mpsc::channel(16);
        let plane = Self { reports, seen: Arc::default(), mute: Arc::default() };
        let served = plane.clone();
        tokio::spawn(async move {
            while let Some(command) = asked.recv().await {
                if let Some(report) = served.react(command) {
                    _ = served.reports.send(report).await;
                }
            }
        });
        (plane, commands, receiver)
    }

    /// From now on, asked for nothing, it says nothing.
    pub(crate) fn fall_silent(&self) {
        self.mute.store(true, Ordering::Relaxed);
    }

    pub(crate) async fn report(&self, report: Report) {
        self.reports.send(report).await.expect("the gateway listens");
    }

    pub(crate) async fn connect_last(&self) {
        let peer = *self.lock().peers.last().expect("somebody was admitted");
        self.report(Report::Connected { peer, profile: SrtpProfile::AeadAes256Gcm }).await;
    }

    /// From now on, this is what it has done.
    pub(crate) fn set_figures(&self, figures: Figures) {
        self.lock().figures = Some(figures);
    }

    pub(crate) fn last_room(&self) -> RoomKey {
        self.lock().rooms.last().expect("a room was opened").0
    }

    pub(crate) fn last_settings(&self) -> RoomSettings {
        self.lock().rooms.last().expect("a room was opened").1.clone()
    }

    pub(crate) fn last_peer(&self) -> PeerKey {
        *self.lock().peers.last().expect("somebody was admitted")
    }

    /// What was asked so far, without keys.
    pub(crate) fn words(&self) -> Vec<String> {
        self.lock().words.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn react(&self, command: Command) -> Option<Report> {
        let mut seen = self.lock();
        let (word, report) = match command {
            Command::Open { room, settings } => {
                let word = if settings.private { "open private" } else { "open" };
                seen.rooms.push((room, settings));
                (word, None)
            }
            Command::Admit(admission) => {
                seen.peers.push(admission.peer);
                let word = match admission.part.role() {
                    Role::Broadcaster => "admit broadcaster",
                    Role::Viewer => "admit viewer",
                };
                (word, Some(answer(admission.peer, admission.ice, &admission.offer)))
            }
            Command::Offer { peer, offer, fresh } => ("offer", Some(answer(peer, fresh, &offer))),
            Command::RestartIce { peer, mut local, .. } => {
                // As where all shards are on one port.
                local.ufrag.insert_str(0, "shard");
                ("restart", Some(Report::Restarted { peer, local }))
            }
            Command::Revoke { .. } => ("revoke", None),
            Command::Cap { cap, .. } => {
                let word = match cap {
                    VideoCap::Off => "cap off",
                    VideoCap::Low => "cap low",
                    VideoCap::Medium => "cap medium",
                    VideoCap::High => "cap high",
                };
                (word, None)
            }
            Command::Measure => ("measure", seen.figures.clone().map(|figures| Report::Figures(Box::new(figures)))),
            Command::Drain => ("drain", None),
            Command::LeaveOut { .. } => ("leave out", None),
            Command::Close { .. } => ("close", None),
        };
        seen.words.push(word.to_owned());
        report.filter(|_| !self.mute.load(Ordering::Relaxed))
    }
}

fn answer(peer: PeerKey, ice: IceCredentials, offer: &Offer) -> Report {
    if offer.media.iter().all(|section| section.codecs.is_empty()) {
        return Report::Fault { peer, fault: MediaFault::CodecUnsupported };
    }
    let media = offer.media.iter().map(|section| AnswerSection {
        mid: section.mid.clone(),
        kind: section.kind,
        accepted: section.kind != MediaKind::Other && !section.codecs.is_empty(),
        direction: if section.direction == Direction::SendOnly { Direction::RecvOnly } else { Direction::SendOnly },
        codecs: section.codecs.clone(),
        extensions: section.extensions.clone(),
        rids: section.rids.clone(),
        sends: None,
    });
    let answer = Answer {
        ice,
        fingerprint: Fingerprint { function: HashFunction::Sha256, value: vec![7; 32] },
        setup: if offer.setup == Setup::Passive { Setup::Active } else { Setup::Passive },
        candidates: vec![Candidate {
            transport: Transport::Udp,
            address: SocketAddr::from(([127, 0, 0, 1], 10_000)),
            priority: 9,
        }],
        media: media.collect(),
    };
    Report::Answer { peer, answer: Box::new(answer) }
}
