//! Which shard a session lives on. An event's broadcasters are all on one, its home; viewers go where there is room.

use crate::door::mark;
use std::collections::HashMap;
use std::pin::pin;
use tokio::sync::mpsc::{self, Receiver, Sender};
use veilcast_control::{Command, MediaFault, PeerKey, Report, Role, RoomKey};
use veilcast_sfu::ShardId;

#[derive(Default)]
struct Placement {
    rooms: HashMap<RoomKey, usize>,
    peers: HashMap<PeerKey, Seat>,
    load: Vec<usize>,
    /// All shards are on one port: a session's user name says where it is.
    marks: bool,
}

/// So many more sessions than elsewhere may be on an event's home before its viewers go elsewhere.
const TOGETHER: usize = 16;

/// Where a peer is.
struct Seat {
    shard: usize,
    /// Its admission was answered. Until then a fault means that it was refused and is nowhere.
    admitted: bool,
}

impl Placement {
    /// Where a command goes; `None` if its room or peer is nowhere, or it goes everywhere.
    fn place(&mut self, command: &Command) -> Option<usize> {
        match command {
            Command::Open { room, .. } => {
                if !self.rooms.contains_key(room) {
                    let home = self.least_loaded()?;
                    self.rooms.insert(*room, home);
                    // Its broadcaster will be there.
                    self.load[home] += 1;
                }
                None
            }
            Command::Admit(admission) => {
                let home = *self.rooms.get(&admission.room)?;
                let shard = match admission.part.role() {
                    Role::Broadcaster => home,
                    Role::Viewer => self.seat(home)?,
                };
                self.peers.insert(admission.peer, Seat { shard, admitted: false });
                self.load[shard] += 1;
                Some(shard)
            }
            Command::Offer { peer, .. }
            | Command::RestartIce { peer, .. }
            | Command::Cap { peer, .. }
            | Command::LeaveOut { peer, .. }
            | Command::Revoke { peer } => self.peers.get(peer).map(|seat| seat.shard),
            Command::Close { room } => {
                let home = self.rooms.remove(room)?;
                self.load[home] = self.load[home].saturating_sub(1);
                None
            }
            Command::Measure | Command::Drain => None,
        }
    }

    fn least_loaded(&self) -> Option<usize> {
        (0..self.load.len()).min_by_key(|shard| self.load[*shard])
    }

    /// Where a viewer goes: to the least loaded shard, but a small event stays together, since every shard that has viewers
    /// of it is woken for each of its batches.
    fn seat(&self, home: usize) -> Option<usize> {
        let least = self.least_loaded()?;
        Some(if self.load[home] <= self.load[least] + TOGETHER { home } else { least })
    }

    fn note(&mut self, report: &Report) {
        match report {
            Report::Answer { peer, .. } => {
                self.peers.get_mut(peer).into_iter().for_each(|seat| seat.admitted = true);
            }
            Report::Fault { peer, .. } if self.peers.get(peer).is_some_and(|seat| !seat.admitted) => self.forget(*peer),
            Report::Gone { peer, .. } => self.forget(*peer),
            _ => {}
        }
    }

    fn forget(&mut self, peer: PeerKey) {
        if let Some(Seat { shard, .. }) = self.peers.remove(&peer) {
            self.load[shard] = self.load[shard].saturating_sub(1);
        }
    }
}

/// Starts the task between the control plane and the shards. It ends when the control plane is gone.
pub(crate) fn start(
    shards: Vec<Sender<Command>>,
    shard_reports: Receiver<Report>,
    queue: usize,
    marks: bool,
) -> (Sender<Command>, Receiver<Report>) {
    let (commands, inbox) = mpsc::channel(queue);
    let (outbox, reports) = mpsc::channel(queue);
    let placement = Placement { load: vec![0; shards.len()], marks, ..Placement::default() };
    tokio::spawn(forward(placement, shards, shard_reports, inbox, outbox));
    (commands, reports)
}

async fn forward(
    mut placement: Placement,
    shards: Vec<Sender<Command>>,
    mut shard_reports: Receiver<Report>,
    mut inbox: Receiver<Command>,
    outbox: Sender<Report>,
) {
    loop {
        tokio::select! {
            command = inbox.recv() => {
                let Some(command) = command else { return };
                let (to, refused) = dispatch(&mut placement, command);
                if let Some(report) = refused {
                    let _ = outbox.send(report).await;
                }
                for (shard, command) in to {
                    // A shard whose queue is full may itself be waiting to report: its reports go on meanwhile.
                    let mut sending = pin!(shards[shard].send(command));
                    loop {
                        tokio::select! {
                            // A shard that is gone has panicked outside any peer's code; the process is about to end.
                            _ = &mut sending => break,
                            report = shard_reports.recv() => {
                                if !pass(&mut placement, &outbox, report).await {
                                    return;
                                }
                            }
                        }
                    }
                }
            }
            report = shard_reports.recv() => {
                if !pass(&mut placement, &outbox, report).await {
                    return;
                }
            }
        }
    }
}

/// Passes a report on; false when nobody reports or listens any more.
async fn pass(placement: &mut Placement, outbox: &Sender<Report>, report: Option<Report>) -> bool {
    let Some(report) = report else { return false };
    placement.note(&report);
    outbox.send(report).await.is_ok()
}

/// Where a command goes, or what to answer if it leads nowhere.
fn dispatch(placement: &mut Placement, mut command: Command) -> (Vec<(usize, Command)>, Option<Report>) {
    let all = 0..placement.load.len();
    let placed = placement.place(&command);
    if let Some(shard) = placed.filter(|_| placement.marks) {
        write_mark(&mut command, shard);
    }
    let to = match command {
        Command::Open { room, settings } => {
            all.map(|shard| (shard, Command::Open { room, settings: settings.clone() })).collect()
        }
        Command::Close { room } => all.map(|shard| (shard, Command::Close { room })).collect(),
        Command::Measure => all.map(|shard| (shard, Command::Measure)).collect(),
        Command::Drain => all.map(|shard| (shard, Command::Drain)).collect(),
        command => match placed {
            Some(shard) => vec![(shard, command)],
            None => return (Vec::new(), refusal(&command)),
        },
    };
    (to, None)
}

/// Writes a shard's mark into the user name that its checks will carry. Answers and reports bring it back.
fn write_mark(command: &mut Command, shard: usize) {
    let ours = match command {
        Command::Admit(admission) => &mut admission.ice,
        Command::Offer { fresh, .. } => fresh,
        Command::RestartIce { local, .. } => local,
        _ => return,
    };
    ours.ufrag = mark(ShardId(shard as u8), &ours.ufrag);
}

/// What to answer to a command that leads nowhere.
fn refusal(command: &Command) -> Option<Report> {
    match command {
        Command::Admit(admission) => Some(Report::Fault { peer: admission.peer, fault: MediaFault::RoomUnknown }),
        Command::Offer { peer, .. } | Command::RestartIce { peer, .. } => {
            Some(Report::Fault { peer: *peer, fault: MediaFault::PeerUnknown })
        }
        Command::Cap { .. }
        | Command::LeaveOut { .. }
        | Command::Revoke { .. }
        | Command::Close { .. }
        | Command::Open { .. }
        | Command::Measure
        | Command::Drain => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use veilcast_control::{
        Admission, Departure, Fingerprint, HashFunction, IceCredentials, Offer, Part, RoomSettings, Seed, Setup,
    };
    use veilcast_privacy::Secret;

    fn admit(peer: u64) -> Command {
        let ice = IceCredentials { ufrag: "abcd".to_owned(), password: Secret::new("a password of 22 characters") };
        let offer = Offer {
            ice: ice.clone(),
            fingerprint: Fingerprint { function: HashFunction::Sha256, value: vec![0; 32] },
            setup: Setup::ActPass,
            media: Vec::new(),
        };
        let (room, peer, seed) = (RoomKey(1), PeerKey(peer), Seed(Secret::new([1; 32])));
        Command::Admit(Box::new(Admission { room, peer, part: Part::Viewer { informed: true }, ice, seed, offer }))
    }

    /// Anybody may send offers that are refused, for ever.
    #[test]
    fn refused_admissions_leave_nothing_behind() {
        let mut placement = Placement { load: vec![0; 2], ..Placement::default() };
        assert_eq!(placement.place(&Command::Open { room: RoomKey(1), settings: RoomSettings::default() }), None);
        for peer in 0..1_000 {
            assert_eq!(placement.place(&admit(peer)), Some(0));
            placement.note(&Report::Fault { peer: PeerKey(peer), fault: MediaFault::CodecUnsupported });
        }
        assert_eq!((placement.peers.len(), placement.load.as_slice()), (0, &[1, 0][..]));
        placement.place(&admit(7));
        placement.peers.values_mut().for_each(|seat| seat.admitted = true);
        placement.note(&Report::Fault { peer: PeerKey(7), fault: MediaFault::OfferInvalid });
        assert_eq!(placement.peers.len(), 1, "a refused later offer ends nothing");
        placement.note(&Report::Gone { peer: PeerKey(7), why: Departure::Closed });
        assert_eq!((placement.peers.len(), placement.load.as_slice()), (0, &[1, 0][..]));
    }

    #[test]
    fn a_small_event_stays_together_and_a_large_one_spreads() {
        let mut placement = Placement { load: vec![0; 3], ..Placement::default() };
        placement.place(&Command::Open { room: RoomKey(1), settings: RoomSettings::default() });
        let seats: Vec<usize> = (0..10).filter_map(|peer| placement.place(&admit(peer))).collect();
        assert_eq!(seats, [0; 10]);
        (10..3_000).for_each(|peer| assert!(placement.place(&admit(peer)).is_some()));
        let (least, most) = (placement.load.iter().min(), placement.load.iter().max());
        assert!(most.zip(least).is_some_and(|(most, least)| most - least <= TOGETHER + 1), "{:?}", placement.load);
        let (to, _) = dispatch(&mut placement, Command::Close { room: RoomKey(1) });
        assert_eq!(to.len(), 3, "every shard may have some of it");
    }

    /// A thousand departures are reported while a thousand commands wait: neither waits for the other.
    #[tokio::test]
    async fn commands_and_reports_do_not_block_each_other() {
        let (to_shard, mut shard) = mpsc::channel(1);
        let (reporter, shard_reports) = mpsc::channel(1);
        let (commands, mut reports) = start(vec![to_shard], shard_reports, 4_096, false);
        let open = |room| Command::Open { room: RoomKey(room), settings: RoomSettings::default() };
        for room in 0..1_000 {
            commands.send(open(room)).await.expect("the task runs");
        }
        let gone = |peer| Report::Gone { peer: PeerKey(peer), why: Departure::Closed };
        let work = async {
            for peer in 0..1_000 {
                reporter.send(gone(peer)).await.expect("the task runs");
            }
            for _ in 0..1_000 {
                shard.recv().await.expect("every command arrives");
            }
            for _ in 0..1_000 {
                reports.recv().await.expect("every report arrives");
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), work).await.expect("no deadlock");
    }
}
