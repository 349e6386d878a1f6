use crate::{Join, Output, Refusal, Restart, Rooms, SessionId, SocketId};
use std::collections::HashSet;
use std::time::{Duration, Instant};
use veilcast_control::{
    Codec, Command, Departure, Direction, Encoding, Feedback, Fingerprint, HashFunction, IceCredentials, LayerDemand,
    MediaFault, MediaKind, MediaSection, Offer, PeerKey, Report, Role, RoomKey, RoomSettings, Seed, Setup, SrtpProfile,
    Stage, TrackState, VideoCap, VideoQuality,
};
use veilcast_journal::Family;
use veilcast_privacy::{Pseudonym, Secret};
use veilcast_protocol::{Activity, OwnPlace, ServerMessage};

mod chat;
mod chat_histories;
mod door;
mod facts;
mod location;
mod observer;
mod places;
mod removal;

const EVENT: u32 = 1;
const ROOM: RoomKey = RoomKey(77);
const ALICE: Pseudonym = Pseudonym::new([1; 16]);
const BOB: Pseudonym = Pseudonym::new([2; 16]);

fn ice() -> IceCredentials {
    IceCredentials { ufrag: "abcd".to_owned(), password: Secret::new([b'p'; 22]) }
}

fn offer() -> Offer {
    let fingerprint = Fingerprint { function: HashFunction::Sha256, value: vec![0; 32] };
    let sound = MediaSection {
        mid: "0".to_owned(),
        kind: MediaKind::Audio,
        direction: Direction::SendOnly,
        codecs: vec![Codec {
            payload_type: 111,
            encoding: Encoding::Opus,
            rtx: None,
            red: None,
            feedback: Feedback::default(),
            parameters: String::new(),
        }],
        extensions: Vec::new(),
        rids: Vec::new(),
        ssrcs: Vec::new(),
        retransmission_ssrcs: Vec::new(),
    };
    Offer { ice: ice(), fingerprint, setup: Setup::ActPass, media: vec![sound] }
}

fn session(number: u8) -> SessionId {
    SessionId::new([number; 16])
}

/// Session `n` is peer `n`.
fn join(number: u8, role: Role, principal: Pseudonym, socket: Option<u64>) -> Join<u32> {
    Join {
        event: EVENT,
        session: session(number),
        peer: PeerKey(number.into()),
        role,
        principal,
        family: Family::Firefox,
        invited: false,
        uncounted: false,
        socket: socket.map(SocketId),
        ice: ice(),
        seed: Seed(Secret::new([0; 32])),
        offer: offer(),
    }
}

fn connected(number: u64) -> Report {
    Report::Connected { peer: PeerKey(number), profile: SrtpProfile::AeadAes256Gcm }
}

fn gone(number: u64, why: Departure) -> Report {
    Report::Gone { peer: PeerKey(number), why }
}

/// What came out, in words that a test can compare, but for what the session log hears.
fn drained(rooms: &mut Rooms<u32>) -> Vec<String> {
    let told = std::iter::from_fn(|| rooms.poll());
    told.filter(|output| !matches!(output, Output::Fact { .. } | Output::Ended(_)))
        .map(|output| words(&output))
        .collect()
}

fn words(output: &Output<u32>) -> String {
    match output {
        Output::Command(command) => match command {
            Command::Open { room, .. } => format!("open {}", room.0),
            Command::Admit(admission) => format!("admit {}", admission.peer.0),
            Command::Offer { peer, .. } => format!("offer {}", peer.0),
            Command::RestartIce { peer, .. } => format!("restart {}", peer.0),
            Command::Cap { peer, cap } => format!("cap {} {cap:?}", peer.0),
            Command::LeaveOut { peer, place } => format!("leave out {} {place:?}", peer.0),
            Command::Revoke { peer } => format!("revoke {}", peer.0),
            Command::Measure => "measure".to_owned(),
            Command::Drain => "drain".to_owned(),
            Command::Close { room } => format!("close {}", room.0),
        },
        Output::Tell { socket, message } => format!("tell {} {}", socket.0, message_words(message)),
        Output::Overtake { socket, message } => format!("overtake {} {}", socket.0, message_words(message)),
        Output::Share(shared) => {
            let to: Vec<_> = shared.to.iter().map(|(socket, _)| socket.0.to_string()).collect();
            format!("share {} {}", to.join(" "), message_words(&shared.message))
        }
        Output::Lot(lot) => {
            let to: Vec<_> = lot.to.iter().map(|(socket, _)| socket.0.to_string()).collect();
            format!("lot {} of {}", to.join(" "), lot.pieces.len())
        }
        Output::Live(event) => format!("live {event}"),
        Output::Off(event) => format!("off {event}"),
        Output::Over(id, _) => format!("over {}", id.expose_bits()[0]),
        Output::Ended(event) => format!("ended {event}"),
        Output::Fact { who, fact, .. } => format!("fact of {}: {fact:?}", who.expose_bits()[0]),
    }
}

fn message_words(message: &ServerMessage) -> String {
    match message {
        ServerMessage::Connected => "connected".to_owned(),
        ServerMessage::Disconnected { fault } => {
            format!("disconnected {}", fault.as_ref().map_or("-", |fault| fault.code.name()))
        }
        ServerMessage::Stage(stage) => format!("stage {:?} {:?}", stage.audio, stage.video),
        ServerMessage::Place(OwnPlace { place }) => {
            format!("place {}", place.map_or_else(|| "-".to_owned(), |place| place.to_string()))
        }
        ServerMessage::Unplayable(unplayable) => format!("unplayable {}", unplayable.codec),
        ServerMessage::Quality(quality) => format!("quality {:?}", quality.video),
        ServerMessage::Layers(states) => {
            let layers: Vec<String> =
                states.layers.iter().map(|l| format!("{}{}", l.rid, if l.active { '+' } else { '-' })).collect();
            format!("layers {}", layers.join(" "))
        }
        ServerMessage::Audience(audience) => {
            format!("audience {}", audience.viewers.map_or_else(|| "<5".to_owned(), |viewers| viewers.to_string()))
        }
        ServerMessage::Health(health) => {
            let parts = [health.high, health.medium, health.low, health.sound_only, health.paused];
            let parts: Vec<String> =
                parts.iter().map(|part| part.map_or_else(|| "<5".to_owned(), |count| format!("{count}+"))).collect();
            format!("health {}", parts.join(" "))
        }
        ServerMessage::LetIn => "let in".to_owned(),
        ServerMessage::Ended(_) => "ended".to_owned(),
        ServerMessage::Draining(draining) => format!("draining {}", draining.retry_after_ms),
        ServerMessage::Fault { fault } => format!("fault {}", fault.code.name()),
        _ => "another message".to_owned(),
    }
}

fn opened() -> (Rooms<u32>, Instant) {
    opened_for(1)
}

/// An event that so many may broadcast to at once.
fn opened_for(broadcasters: u8) -> (Rooms<u32>, Instant) {
    let mut rooms = Rooms::default();
    rooms.open(&EVENT, ROOM, RoomSettings::default(), broadcasters).expect("nothing is open yet");
    assert_eq!(drained(&mut rooms), ["open 77"]);
    (rooms, Instant::now())
}

#[test]
fn the_last_broadcaster_turns_the_light_off() {
    let (mut rooms, now) = opened_for(2);
    for (peer, who) in [(1, ALICE), (2, BOB)] {
        rooms.admit(join(peer, Role::Broadcaster, who, None), now).expect("there is a place");
        rooms.handle(&connected(peer.into()), now);
    }
    let lights = |rooms: &mut Rooms<u32>| {
        let light = |words: &String| words.starts_with("live") || words.starts_with("off");
        drained(rooms).into_iter().filter(light).collect::<Vec<_>>()
    };
    assert_eq!(lights(&mut rooms), ["live 1"]);
    rooms.handle(&gone(1, Departure::Closed), now);
    assert_eq!(lights(&mut rooms), [""; 0], "the other one is still on");
    rooms.handle(&gone(2, Departure::Closed), now);
    assert_eq!(lights(&mut rooms), ["off 1"]);
    rooms.open(&EVENT, ROOM, RoomSettings::default(), 2).expect("it has closed");
    rooms.admit(join(3, Role::Broadcaster, ALICE, None), now).expect("there is a place");
    rooms.handle(&connected(3), now);
    assert_eq!(lights(&mut rooms), ["live 1"], "and the next one turns it on again");
    rooms.end(&EVENT);
    assert_eq!(lights(&mut rooms), ["off 1"]);
}

#[test]
fn a_broadcaster_and_a_viewer_meet() {
    let (mut rooms, now) = opened();
    rooms.attach(&EVENT, SocketId(1), Role::Broadcaster, ALICE).expect("it is open");
    rooms.attach(&EVENT, SocketId(2), Role::Viewer, BOB).expect("it is open");
    rooms.admit(join(1, Role::Broadcaster, ALICE, Some(1)), now).expect("the stage is free");
    rooms.admit(join(2, Role::Viewer, BOB, Some(2)), now).expect("viewers are welcome");
    assert_eq!(drained(&mut rooms), ["tell 1 audience <5", "admit 1", "tell 1 place 0", "admit 2"]);
    rooms.handle(&connected(1), now);
    rooms.handle(&connected(2), now);
    let stage = Stage { audio: TrackState::Muted, video: TrackState::Live };
    rooms.handle(&Report::Stage { room: ROOM, stage: vec![stage] }, now);
    rooms.handle(&Report::Stage { room: ROOM, stage: vec![stage] }, now);
    rooms.handle(&Report::Unplayable { peer: PeerKey(2), place: 0, encoding: Encoding::Vp8 }, now);
    let mut told = drained(&mut rooms);
    told[3..5].sort();
    assert_eq!(
        told,
        [
            "tell 1 connected",
            "live 1",
            "tell 2 connected",
            "tell 1 stage Muted Live",
            "tell 2 stage Muted Live",
            "tell 2 unplayable VP8"
        ]
    );
    let latecomer = rooms.attach(&EVENT, SocketId(3), Role::Viewer, BOB).expect("it is open");
    assert_eq!((latecomer.audio, latecomer.video), (Activity::Muted, Activity::Live));
}

#[test]
fn the_same_principal_replaces_its_older_session_and_nobody_else_does() {
    let (mut rooms, now) = opened();
    rooms.attach(&EVENT, SocketId(1), Role::Broadcaster, ALICE).expect("it is open");
    rooms.admit(join(1, Role::Broadcaster, ALICE, Some(1)), now).expect("the stage is free");
    drained(&mut rooms);
    assert_eq!(rooms.admit(join(2, Role::Broadcaster, BOB, None), now), Err(Refusal::BroadcasterPresent));
    assert_eq!(drained(&mut rooms), [""; 0]);
    rooms.admit(join(3, Role::Broadcaster, ALICE, None), now).expect("she replaces herself");
    assert_eq!(
        drained(&mut rooms),
        ["over 1", "revoke 1", "tell 1 disconnected replaced", "admit 3", "tell 1 place 0"]
    );
    // The report of the old session's end comes late and must not touch the new one.
    rooms.handle(&gone(1, Departure::Revoked), now);
    assert_eq!(rooms.admit(join(4, Role::Broadcaster, BOB, None), now), Err(Refusal::BroadcasterPresent));
    rooms.handle(&gone(3, Departure::ConsentLost), now);
    rooms.admit(join(4, Role::Broadcaster, BOB, None), now).expect("the stage is free again");
}

#[test]
fn an_offer_of_nothing_replaces_nobody() {
    let (mut rooms, now) = opened();
    rooms.admit(join(1, Role::Broadcaster, ALICE, None), now).expect("the stage is free");
    drained(&mut rooms);
    let deaf = |number, change: fn(&mut MediaSection)| {
        let mut join = join(number, Role::Broadcaster, ALICE, None);
        join.offer.media.iter_mut().for_each(change);
        join
    };
    for change in [
        (|section| section.codecs.clear()) as fn(&mut MediaSection),
        |section| section.direction = Direction::RecvOnly,
        |section| section.kind = MediaKind::Video,
    ] {
        assert_eq!(rooms.admit(deaf(2, change), now), Err(Refusal::NothingToCarry));
    }
    assert_eq!(drained(&mut rooms), [""; 0], "she is still on");
    assert!(rooms.peer_of(session(1), ALICE).is_ok() && rooms.peer_of(session(2), ALICE).is_err());
}

#[test]
fn a_replacement_in_an_otherwise_empty_room_keeps_the_room() {
    let (mut rooms, now) = opened();
    rooms.admit(join(1, Role::Broadcaster, ALICE, None), now).expect("the stage is free");
    rooms.admit(join(2, Role::Broadcaster, ALICE, None), now).expect("she replaces herself");
    assert_eq!(drained(&mut rooms), ["admit 1", "over 1", "revoke 1", "admit 2"]);
}

#[test]
fn a_session_obeys_its_owner_alone() {
    let (mut rooms, now) = opened();
    rooms.admit(join(1, Role::Viewer, ALICE, None), now).expect("viewers are welcome");
    drained(&mut rooms);
    let restart = || Restart { remote: ice(), local: ice() };
    assert_eq!(rooms.leave(session(1), BOB, now), Err(Refusal::SessionUnknown));
    assert_eq!(rooms.restart(session(1), BOB, restart()), Err(Refusal::SessionUnknown));
    assert_eq!(rooms.renegotiate(session(1), BOB, offer(), ice()), Err(Refusal::SessionUnknown));
    assert_eq!(rooms.leave(session(9), ALICE, now), Err(Refusal::SessionUnknown));
    rooms.restart(session(1), ALICE, restart()).expect("it is hers");
    rooms.renegotiate(session(1), ALICE, offer(), ice()).expect("it is hers");
    rooms.leave(session(1), ALICE, now).expect("it is hers");
    assert_eq!(drained(&mut rooms), ["restart 1", "offer 1", "over 1", "revoke 1", "close 77"]);
    assert_eq!(rooms.leave(session(1), ALICE, now), Err(Refusal::SessionUnknown), "once is enough");
}

#[test]
fn a_refused_admission_leaves_nothing_and_a_refused_later_offer_leaves_the_session() {
    let (mut rooms, now) = opened();
    rooms.admit(join(1, Role::Broadcaster, ALICE, None), now).expect("the stage is free");
    rooms.handle(&Report::Fault { peer: PeerKey(1), fault: MediaFault::CodecUnsupported }, now);
    assert_eq!(drained(&mut rooms), ["admit 1", "over 1", "close 77"]);

    let (mut rooms, now) = opened();
    rooms.admit(join(1, Role::Viewer, ALICE, None), now).expect("viewers are welcome");
    let answer = veilcast_control::Answer {
        ice: ice(),
        fingerprint: offer().fingerprint,
        setup: Setup::Passive,
        candidates: Vec::new(),
        media: Vec::new(),
    };
    rooms.handle(&Report::Answer { peer: PeerKey(1), answer: Box::new(answer) }, now);
    rooms.handle(&Report::Fault { peer: PeerKey(1), fault: MediaFault::OfferInvalid }, now);
    assert!(rooms.peer_of(session(1), ALICE).is_ok());
    rooms.handle(&Report::Fault { peer: PeerKey(1), fault: MediaFault::PeerUnknown }, now);
    assert!(rooms.peer_of(session(1), ALICE).is_err());
}

#[test]
fn a_socket_takes_its_media_session_along() {
    let (mut rooms, now) = opened();
    rooms.attach(&EVENT, SocketId(5), Role::Viewer, BOB).expect("it is open");
    rooms.admit(join(1, Role::Viewer, ALICE, Some(5)), now).expect("viewers are welcome");
    assert!(rooms.session_of(SocketId(5)) == Some(session(1)));
    assert_eq!(
        rooms.admit(join(2, Role::Viewer, ALICE, Some(5)), now),
        Err(Refusal::SessionUnknown),
        "one session for each socket"
    );
    drained(&mut rooms);
    rooms.detach(SocketId(5), now);
    assert_eq!(drained(&mut rooms), ["over 1", "revoke 1", "close 77"]);
}

#[test]
fn a_lost_session_says_why_in_words_for_a_person() {
    for (why, before, code) in [
        (Departure::ConsentLost, true, "connection-lost"),
        (Departure::ConsentLost, false, "connection-failed"),
        (Departure::HandshakeFailed, false, "connection-failed"),
        (Departure::FingerprintMismatch, false, "fingerprint-mismatch"),
        (Departure::CertificateUnsupported, false, "certificate-unsupported"),
        (Departure::Internal, true, "internal"),
        (Departure::Closed, true, "-"),
    ] {
        let (mut rooms, now) = opened();
        rooms.attach(&EVENT, SocketId(1), Role::Viewer, BOB).expect("it is open");
        rooms.admit(join(1, Role::Viewer, ALICE, Some(1)), now).expect("viewers are welcome");
        if before {
            rooms.handle(&connected(1), now);
        }
        drained(&mut rooms);
        rooms.handle(&gone(1, why), now);
        assert!(drained(&mut rooms).contains(&format!("tell 1 disconnected {code}")));
        rooms.admit(join(2, Role::Viewer, ALICE, Some(1)), now).expect("the socket may start another");
    }
}

#[test]
fn a_viewer_has_its_wish_and_it_outlives_the_session() {
    let (mut rooms, now) = opened();
    rooms.attach(&EVENT, SocketId(1), Role::Viewer, BOB).expect("it is open");
    rooms.wish(SocketId(1), VideoCap::Low).expect("viewers may");
    assert_eq!(drained(&mut rooms), [""; 0], "there is no session to limit yet");
    rooms.admit(join(1, Role::Viewer, ALICE, Some(1)), now).expect("viewers are welcome");
    assert_eq!(drained(&mut rooms), ["admit 1", "cap 1 Low"]);
    rooms.wish(SocketId(1), VideoCap::Off).expect("viewers may");
    rooms.handle(&Report::Quality { peer: PeerKey(1), pictures: vec![Some(VideoQuality::Off)] }, now);
    assert_eq!(drained(&mut rooms), ["cap 1 Off", "tell 1 quality Off"]);

    rooms.handle(&gone(1, Departure::ConsentLost), now);
    rooms.handle(&Report::Quality { peer: PeerKey(1), pictures: vec![Some(VideoQuality::Low)] }, now);
    rooms.admit(join(2, Role::Viewer, ALICE, Some(1)), now).expect("the socket may start another");
    let after = drained(&mut rooms);
    assert_eq!(after, ["over 1", "tell 1 disconnected connection-failed", "admit 2", "cap 2 Off"]);
    rooms.wish(SocketId(1), VideoCap::High).expect("viewers may");
    rooms.leave(session(2), ALICE, now).expect("it is hers");
    rooms.admit(join(3, Role::Viewer, ALICE, Some(1)), now).expect("the socket may start another");
    let after = drained(&mut rooms);
    assert_eq!(after, ["cap 2 High", "over 2", "revoke 2", "tell 1 disconnected -", "admit 3"]);
    assert_eq!(rooms.wish(SocketId(9), VideoCap::Low), Err(Refusal::SessionUnknown));
}

#[test]
fn a_broadcaster_hears_of_layers_and_wishes_nothing() {
    let (mut rooms, now) = opened();
    rooms.attach(&EVENT, SocketId(1), Role::Broadcaster, ALICE).expect("it is open");
    assert_eq!(rooms.wish(SocketId(1), VideoCap::Off), Err(Refusal::NotForRole));
    rooms.admit(join(1, Role::Broadcaster, ALICE, Some(1)), now).expect("the stage is free");
    drained(&mut rooms);
    let layer = |rid: &str, wanted| LayerDemand { rid: rid.to_owned(), wanted };
    let layers = || vec![layer("l", true), layer("m", false), layer("h", true)];
    rooms.handle(&Report::Layers { peer: PeerKey(1), layers: layers() }, now);
    assert_eq!(drained(&mut rooms), ["tell 1 layers l+ m- h+"]);
    // Neither report is for the other role, or for a peer that is over.
    rooms.handle(&Report::Quality { peer: PeerKey(1), pictures: vec![Some(VideoQuality::Low)] }, now);
    rooms.handle(&Report::Layers { peer: PeerKey(9), layers: layers() }, now);
    assert_eq!(drained(&mut rooms), [""; 0]);
}

#[test]
fn sessions_without_a_socket_are_not_told() {
    let (mut rooms, now) = opened();
    rooms.admit(join(1, Role::Broadcaster, ALICE, None), now).expect("the stage is free");
    rooms.admit(join(2, Role::Viewer, BOB, None), now).expect("viewers are welcome");
    drained(&mut rooms);
    let layers = vec![LayerDemand { rid: "h".to_owned(), wanted: false }];
    rooms.handle(&Report::Layers { peer: PeerKey(1), layers }, now);
    rooms.handle(&Report::Quality { peer: PeerKey(2), pictures: vec![Some(VideoQuality::Paused)] }, now);
    assert_eq!(drained(&mut rooms), [""; 0]);
}

#[test]
fn a_thousand_joins_are_one_message_to_the_broadcaster() {
    let (mut rooms, now) = opened();
    rooms.attach(&EVENT, SocketId(1), Role::Broadcaster, ALICE).expect("it is open");
    drained(&mut rooms);
    for number in 1..=200 {
        rooms.admit(join(number, Role::Viewer, BOB, None), now).expect("viewers are welcome");
        rooms.handle(&connected(number.into()), now);
    }
    let counts = |rooms: &mut Rooms<u32>| -> Vec<String> {
        drained(rooms).into_iter().filter(|words| words.contains("audience")).collect()
    };
    assert_eq!(counts(&mut rooms), [""; 0], "nothing is told at once");
    let due = rooms.next_wakeup().expect("more is to be told");
    rooms.tick(due - Duration::from_millis(1));
    assert_eq!(counts(&mut rooms), [""; 0]);
    rooms.tick(due);
    assert_eq!(counts(&mut rooms), ["tell 1 audience 200"]);
    rooms.tick(due + Duration::from_secs(1));
    assert_eq!((counts(&mut rooms).len(), rooms.next_wakeup()), (0, None), "no change, no message, no timer");
    rooms.handle(&gone(7, Departure::Closed), due + Duration::from_secs(2));
    assert_eq!(rooms.next_wakeup(), Some(due + Duration::from_secs(30)), "the tick goes on at its own pace");
    rooms.tick(due + Duration::from_secs(30));
    assert_eq!(counts(&mut rooms), [""; 0], "one person does not show");
}

#[test]
fn the_end_closes_everything_and_is_final() {
    let (mut rooms, now) = opened();
    rooms.attach(&EVENT, SocketId(1), Role::Viewer, BOB).expect("it is open");
    rooms.admit(join(1, Role::Viewer, ALICE, Some(1)), now).expect("viewers are welcome");
    drained(&mut rooms);
    rooms.end(&EVENT);
    assert_eq!(drained(&mut rooms), ["over 1", "tell 1 ended", "close 77"]);
    assert!(!rooms.is_open(&EVENT) && rooms.open_events().next().is_none());
    assert_eq!(rooms.open(&EVENT, RoomKey(2), RoomSettings::default(), 1), Err(Refusal::Ended));
    rooms.handle(&gone(1, Departure::RoomClosed), now);
    rooms.detach(SocketId(1), now);
    rooms.end(&EVENT);
    assert_eq!(drained(&mut rooms), [""; 0], "late reports and repetitions change nothing");
}

#[test]
fn draining_refuses_the_new_and_spares_the_old() {
    let (mut rooms, now) = opened();
    rooms.attach(&EVENT, SocketId(1), Role::Viewer, BOB).expect("it is open");
    rooms.admit(join(1, Role::Viewer, ALICE, Some(1)), now).expect("viewers are welcome");
    drained(&mut rooms);
    rooms.drain(|| 1234);
    rooms.drain(|| 4321);
    assert_eq!(drained(&mut rooms), ["drain", "tell 1 draining 1234"]);
    assert_eq!(rooms.admit(join(2, Role::Viewer, BOB, None), now), Err(Refusal::Draining));
    assert_eq!(rooms.attach(&EVENT, SocketId(2), Role::Viewer, BOB).err(), Some(Refusal::Draining));
    assert_eq!(rooms.open(&2, RoomKey(3), RoomSettings::default(), 1), Err(Refusal::Draining));
    rooms.renegotiate(session(1), ALICE, offer(), ice()).expect("it is established");
    assert_eq!(drained(&mut rooms), ["offer 1"]);
}

#[test]
fn nothing_is_admitted_to_a_room_that_is_not_open_or_under_a_name_that_is_taken() {
    let mut rooms = Rooms::default();
    let now = Instant::now();
    assert_eq!(rooms.admit(join(1, Role::Viewer, ALICE, None), now), Err(Refusal::NotOpen));
    assert_eq!(rooms.attach(&EVENT, SocketId(1), Role::Viewer, BOB).err(), Some(Refusal::NotOpen));
    rooms.open(&EVENT, ROOM, RoomSettings::default(), 1).expect("nothing is open yet");
    assert_eq!(rooms.open(&2, ROOM, RoomSettings::default(), 1), Err(Refusal::IdentifierTaken));
    rooms.admit(join(1, Role::Viewer, ALICE, None), now).expect("viewers are welcome");
    let twin = Join { session: session(9), ..join(1, Role::Viewer, BOB, None) };
    assert_eq!(rooms.admit(twin, now), Err(Refusal::IdentifierTaken));
    assert_eq!(rooms.attach(&EVENT, SocketId(1), Role::Viewer, BOB).err(), None);
    assert_eq!(rooms.attach(&EVENT, SocketId(1), Role::Viewer, BOB).err(), Some(Refusal::IdentifierTaken));
}

/// Viewers `first..first + count` come without sockets and get this picture.
fn watch(rooms: &mut Rooms<u32>, first: u8, count: u8, quality: VideoQuality, now: Instant) {
    for number in first..first + count {
        let viewer = u64::from(number);
        if rooms.peer_of(session(number), BOB).is_err() {
            rooms.admit(join(number, Role::Viewer, BOB, None), now).expect("viewers are welcome");
            rooms.handle(&connected(viewer), now);
        }
        rooms.handle(&Report::Quality { peer: PeerKey(viewer), pictures: vec![Some(quality)] }, now);
    }
}

fn healths(rooms: &mut Rooms<u32>) -> Vec<String> {
    drained(rooms).into_iter().filter(|words| words.contains("health")).collect()
}

#[test]
fn a_broadcaster_hears_roughly_how_its_audience_fares() {
    let (mut rooms, now) = opened();
    let later = |seconds| now + Duration::from_secs(seconds);
    rooms.attach(&EVENT, SocketId(1), Role::Broadcaster, ALICE).expect("it is open");
    rooms.attach(&EVENT, SocketId(2), Role::Viewer, BOB).expect("it is open");
    watch(&mut rooms, 10, 7, VideoQuality::High, now);
    watch(&mut rooms, 20, 4, VideoQuality::Low, now);
    assert_eq!(healths(&mut rooms), [""; 0], "nothing is told at once");
    rooms.tick(later(29));
    assert_eq!(healths(&mut rooms), [""; 0]);
    rooms.tick(later(30));
    assert_eq!(healths(&mut rooms), ["tell 1 health 5+ <5 <5 <5 <5"], "four with the least picture are not told");
    assert_eq!(rooms.next_wakeup(), None);

    watch(&mut rooms, 30, 6, VideoQuality::Paused, later(46));
    watch(&mut rooms, 10, 3, VideoQuality::Off, later(47));
    rooms.attach(&EVENT, SocketId(3), Role::Broadcaster, ALICE).expect("it is open");
    assert_eq!(healths(&mut rooms), ["tell 3 health 5+ <5 <5 <5 <5"], "a newcomer hears what was told last");
    rooms.tick(later(60));
    let mut told = healths(&mut rooms);
    told.sort();
    assert_eq!(told, ["tell 1 health <5 <5 <5 <5 5+", "tell 3 health <5 <5 <5 <5 5+"]);
}

#[test]
fn the_health_of_an_audience_is_told_at_most_every_thirty_seconds() {
    let (mut rooms, now) = opened();
    rooms.attach(&EVENT, SocketId(1), Role::Broadcaster, ALICE).expect("it is open");
    let mut told = Vec::new();
    for step in 0..600_u32 {
        let at = now + Duration::from_millis(500) * step;
        let quality = if step % 70 < 35 { VideoQuality::High } else { VideoQuality::Low };
        watch(&mut rooms, 10, 9, quality, at);
        rooms.tick(at);
        told.extend(healths(&mut rooms).into_iter().map(|_| step));
    }
    assert!(told.len() > 2 && told.len() <= 10, "{told:?}");
    assert!(told.windows(2).all(|pair| pair[1] - pair[0] >= 60), "{told:?}");
}

#[test]
fn one_viewer_more_or_less_below_five_changes_nothing() {
    for count in 0..5 {
        let (mut rooms, now) = opened();
        rooms.attach(&EVENT, SocketId(1), Role::Broadcaster, ALICE).expect("it is open");
        watch(&mut rooms, 10, count, VideoQuality::Paused, now);
        rooms.tick(now + Duration::from_secs(30));
        assert_eq!(healths(&mut rooms), [""; 0], "{count}");
    }
}

#[test]
fn who_is_put_out_is_out_at_once_and_stays_out() {
    let (mut rooms, now) = opened_for(2);
    rooms.attach(&EVENT, SocketId(1), Role::Broadcaster, ALICE).expect("is open");
    rooms.admit(join(1, Role::Broadcaster, ALICE, Some(1)), now).expect("there is room");
    rooms.attach(&EVENT, SocketId(2), Role::Viewer, BOB).expect("is open");
    rooms.admit(join(2, Role::Viewer, BOB, Some(2)), now).expect("there is room");
    rooms.admit(join(3, Role::Viewer, ALICE, None), now).expect("there is room");
    drained(&mut rooms);
    rooms.expel(&HashSet::from([ALICE]), now);
    let mut words = drained(&mut rooms);
    words.sort();
    for due in ["overtake 1 fault access-revoked", "tell 1 disconnected access-revoked", "tell 1 place -"] {
        assert!(words.contains(&due.to_owned()), "{due}: {words:?}");
    }
    assert!(words.contains(&"revoke 1".to_owned()) && words.contains(&"revoke 3".to_owned()), "{words:?}");
    assert!(
        !words.iter().any(|word| word == "revoke 2" || word.starts_with("tell 2") || word.starts_with("overtake 2")),
        "{words:?}"
    );
    assert_eq!(rooms.attach(&EVENT, SocketId(3), Role::Viewer, ALICE), Err(Refusal::Expelled));
    assert_eq!(rooms.admit(join(4, Role::Viewer, ALICE, None), now), Err(Refusal::Expelled));
    rooms.forget_expelled(now + Duration::from_secs(9));
    assert_eq!(rooms.attach(&EVENT, SocketId(3), Role::Viewer, ALICE), Err(Refusal::Expelled));
    rooms.forget_expelled(now + Duration::from_secs(10));
    assert!(rooms.attach(&EVENT, SocketId(3), Role::Viewer, ALICE).is_ok(), "by then its token says so");
}

/// Somebody who is signed in twice, and out once.
#[test]
fn who_is_put_out_by_one_door_stays_by_the_other() {
    let (mut rooms, now) = opened_for(2);
    for socket in [1, 2] {
        rooms.attach(&EVENT, SocketId(socket), Role::Viewer, BOB).expect("is open");
        rooms.admit(join(socket as u8, Role::Viewer, BOB, Some(socket)), now).expect("there is room");
    }
    rooms.admit(join(3, Role::Viewer, BOB, None), now).expect("there is room");
    drained(&mut rooms);
    rooms.put_out(&[SocketId(1), SocketId(9)], &[session(3)], now);
    let words = drained(&mut rooms);
    assert!(words.contains(&"overtake 1 fault access-revoked".to_owned()), "{words:?}");
    assert!(words.contains(&"revoke 1".to_owned()) && words.contains(&"revoke 3".to_owned()), "{words:?}");
    assert!(!words.iter().any(|word| word == "revoke 2" || word.starts_with("overtake 2")), "{words:?}");
    assert!(rooms.attach(&EVENT, SocketId(4), Role::Viewer, BOB).is_ok());
}
