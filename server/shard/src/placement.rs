//! Which shard an event lives on. Everything else about it goes there.

use std::collections::HashMap;
use tokio::sync::mpsc::{self, Receiver, Sender};
use veilcast_control::{Command, MediaFault, PeerKey, Report, RoomKey};

#[derive(Default)]
struct Placement {
    rooms: HashMap<RoomKey, usize>,
    peers: HashMap<PeerKey, usize>,
    load: Vec<usize>,
}

impl Placement {
    /// Where a command goes; `None` if its room or peer is nowhere.
    fn place(&mut self, command: &Command) -> Option<usize> {
        match command {
            Command::Open { room, .. } => Some(match self.rooms.get(room) {
                Some(shard) => *shard,
                None => {
                    let shard = (0..self.load.len()).min_by_key(|shard| self.load[*shard])?;
                    self.rooms.insert(*room, shard);
                    self.load[shard] += 1;
                    shard
                }
            }),
            Command::Admit(admission) => {
                let shard = *self.rooms.get(&admission.room)?;
                self.peers.insert(admission.peer, shard);
                self.load[shard] += 1;
                Some(shard)
            }
            Command::Offer { peer, .. } | Command::RestartIce { peer, .. } | Command::Revoke { peer } => {
                self.peers.get(peer).copied()
            }
            Command::Close { room } => {
                let shard = self.rooms.remove(room)?;
                self.load[shard] = self.load[shard].saturating_sub(1);
                Some(shard)
            }
            Command::Drain => None,
        }
    }

    fn note(&mut self, report: &Report) {
        if let Report::Gone { peer, .. } = report
            && let Some(shard) = self.peers.remove(peer)
        {
            self.load[shard] = self.load[shard].saturating_sub(1);
        }
    }
}

/// Starts the task between the control plane and the shards. It ends when the control plane is gone.
pub(crate) fn start(
    shards: Vec<Sender<Command>>,
    shard_reports: Receiver<Report>,
    queue: usize,
) -> (Sender<Command>, Receiver<Report>) {
    let (commands, inbox) = mpsc::channel(queue);
    let (outbox, reports) = mpsc::channel(queue);
    tokio::spawn(forward(shards, shard_reports, inbox, outbox));
    (commands, reports)
}

async fn forward(
    shards: Vec<Sender<Command>>,
    mut shard_reports: Receiver<Report>,
    mut inbox: Receiver<Command>,
    outbox: Sender<Report>,
) {
    let mut placement = Placement { load: vec![0; shards.len()], ..Placement::default() };
    loop {
        tokio::select! {
            command = inbox.recv() => {
                let Some(command) = command else { return };
                dispatch(&mut placement, &shards, &outbox, command).await;
            }
            report = shard_reports.recv() => {
                let Some(report) = report else { return };
                placement.note(&report);
                if outbox.send(report).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn dispatch(placement: &mut Placement, shards: &[Sender<Command>], outbox: &Sender<Report>, command: Command) {
    if matches!(command, Command::Drain) {
        for shard in shards {
            let _ = shard.send(Command::Drain).await;
        }
        return;
    }
    let Some(shard) = placement.place(&command) else {
        if let Some(report) = refusal(&command) {
            let _ = outbox.send(report).await;
        }
        return;
    };
    // A shard that is gone has panicked outside any peer's code; the process is about to end.
    let _ = shards[shard].send(command).await;
}

/// What to answer to a command that leads nowhere.
fn refusal(command: &Command) -> Option<Report> {
    match command {
        Command::Admit(admission) => Some(Report::Fault { peer: admission.peer, fault: MediaFault::RoomUnknown }),
        Command::Offer { peer, .. } | Command::RestartIce { peer, .. } => {
            Some(Report::Fault { peer: *peer, fault: MediaFault::PeerUnknown })
        }
        Command::Revoke { .. } | Command::Close { .. } | Command::Open { .. } | Command::Drain => None,
    }
}
