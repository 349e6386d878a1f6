use super::directory::Directory;
use crate::journal::SessionLog;
use crate::metrics::Gauges;
use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::sleep_until;
use veilcast_auth::{EventId, Issuer, Principal};
use veilcast_consent::{Ledger, Purposes};
use veilcast_control::{Command, Report};
use veilcast_logs::Reason;
use veilcast_privacy::Pseudonym;
use veilcast_records::{EventState, Records};
use veilcast_room::{Output, Rooms, SocketId};
use veilcast_webhooks::{Courier, Happening};

/// Commands that may wait for the media plane. It takes them in microseconds; so many waiting means that it is
/// stuck, and new sessions are refused until it has caught up.
const BACKLOG: usize = 4_096;

/// How late the end of a lease may be noticed.
const LAPSES: Duration = Duration::from_millis(100);

/// The rooms and whatever listens to them. Every decision is made under one lock, in microseconds, and leaves
/// in the order in which it was made.
pub(crate) struct Hub {
    rooms: Mutex<Rooms<EventId>>,
    /// Locked before the rooms, where both are.
    ledger: Mutex<Ledger<EventId>>,
    pub(crate) directory: Directory,
    pub(crate) gauges: Gauges,
    pub(crate) journal: SessionLog,
    commands: mpsc::UnboundedSender<Command>,
    air: mpsc::UnboundedSender<Air>,
    backlog: AtomicU64,
    next_socket: AtomicU64,
    /// A timer of the rooms has changed.
    timer: Notify,
}

/// Whether anybody broadcasts to an event.
pub(crate) enum Air {
    On(EventId),
    Off(EventId),
}

/// The other ends of the hub's queues, for its tasks.
pub(crate) struct Pumps {
    commands: mpsc::UnboundedReceiver<Command>,
    air: mpsc::UnboundedReceiver<Air>,
}

impl Hub {
    pub(crate) fn new(purposes: Purposes) -> (Self, Pumps) {
        let (commands, commands_out) = mpsc::unbounded_channel();
        let (air, air_out) = mpsc::unbounded_channel();
        let hub = Self {
            rooms: Mutex::new(Rooms::default()),
            ledger: Mutex::new(Ledger::new(purposes)),
            directory: Directory::default(),
            gauges: Gauges::default(),
            journal: SessionLog::default(),
            commands,
            air,
            backlog: AtomicU64::new(0),
            next_socket: AtomicU64::new(0),
            timer: Notify::new(),
        };
        (hub, Pumps { commands: commands_out, air: air_out })
    }

    /// Does something with the rooms and sends what follows from it.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut Rooms<EventId>, Instant) -> R) -> R {
        // A panic under the lock leaves rooms that are still consistent enough to close: serving the others
        // matters more than the one operation that failed.
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        let before = rooms.next_wakeup();
        let result = act(&mut rooms, Instant::now());
        while let Some(output) = rooms.poll() {
            self.send(output);
        }
        if rooms.next_wakeup() != before {
            self.timer.notify_one();
        }
        result
    }

    /// Does something that needs somebody's consent, or changes it.
    pub(crate) fn gated<R>(&self, act: impl FnOnce(&mut Ledger<EventId>, &mut Rooms<EventId>, Instant) -> R) -> R {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        self.with(|rooms, now| act(&mut ledger, rooms, now))
    }

    fn send(&self, output: Output<EventId>) {
        match output {
            Output::Command(command) => {
                self.backlog.fetch_add(1, Ordering::Relaxed);
                // Fails only when the server stops.
                _ = self.commands.send(command);
            }
            Output::Tell { socket, message } => self.directory.tell(socket, message),
            Output::Overtake { socket, message } => self.directory.overtake(socket, message),
            Output::Share(shared) => self.directory.share(shared),
            Output::Lot(lot) => self.directory.share_lot(lot),
            Output::Live(event) => _ = self.air.send(Air::On(event)),
            Output::Off(event) => _ = self.air.send(Air::Off(event)),
            Output::Ended(event) => self.journal.event_over(&event),
            Output::Fact { event, who, fact } => self.journal.note(&event, &who, fact),
            Output::Over(session, why) => self.directory.remove_http(session, why),
        }
    }

    /// Ends an event for everybody, and what was agreed to in it.
    pub(crate) fn end(&self, event: &EventId) {
        self.gated(|ledger, rooms, _| {
            ledger.forget_event(event);
            rooms.end(event);
        });
    }

    /// Asks the shards for their figures; the answers go to [`Self::gauges`].
    pub(crate) fn measure(&self) {
        self.send(Output::Command(Command::Measure));
    }

    /// Whether the media plane has fallen behind.
    pub(crate) fn is_overloaded(&self) -> bool {
        self.backlog.load(Ordering::Relaxed) > BACKLOG as u64
    }

    pub(crate) fn number_socket(&self) -> SocketId {
        SocketId(self.next_socket.fetch_add(1, Ordering::Relaxed))
    }

    /// Moves commands to the media plane, at its pace.
    pub(crate) async fn forward(&self, pumps: &mut mpsc::UnboundedReceiver<Command>, out: mpsc::Sender<Command>) {
        while let Some(command) = pumps.recv().await {
            let sent = out.send(command).await;
            self.backlog.fetch_sub(1, Ordering::Relaxed);
            if sent.is_err() {
                veilcast_logs::error!("the media plane has stopped");
                return;
            }
        }
    }

    /// Moves reports to the rooms and to whoever waits for them, and keeps the rooms' timer.
    pub(crate) async fn listen(&self, mut reports: mpsc::Receiver<Report>) {
        loop {
            let due = self.rooms.lock().unwrap_or_else(PoisonError::into_inner).next_wakeup();
            // Without a timer: an hour, which is as good as never and needs no second branch.
            let due = due.unwrap_or_else(|| Instant::now() + Duration::from_secs(3_600));
            tokio::select! {
                report = reports.recv() => match report {
                    Some(Report::Figures(figures)) => self.gauges.take(*figures),
                    Some(report) => {
                        self.with(|rooms, now| rooms.handle(&report, now));
                        self.directory.route(report);
                    }
                    None => return,
                },
                () = sleep_until(due.into()) => self.with(|rooms, now| rooms.tick(now)),
                () = self.timer.notified() => {}
            }
        }
    }

    /// Ends the sessions whose token has run out. A socket tells its client when it gets round to it.
    pub(crate) async fn end_lapsed(&self) {
        let mut ticks = tokio::time::interval(LAPSES);
        loop {
            ticks.tick().await;
            self.with(|rooms, now| rooms.forget_expelled(now));
            self.end_expired_grants();
            for socket in self.directory.lapsed_sockets(tokio::time::Instant::now()) {
                self.with(|rooms, now| rooms.detach(socket, now));
            }
            for (session, principal) in self.directory.lapsed(tokio::time::Instant::now()) {
                // Whatever ended it meanwhile was faster.
                _ = self.with(|rooms, now| rooms.leave(session, principal, now));
            }
        }
    }

    /// Puts out whom the records refuse since they last changed.
    async fn put_out_revoked(&self, records: &Records, known: &mut HashSet<Pseudonym>) {
        match records.revocations().await {
            Ok(ids) => {
                let out: HashSet<_> = ids.iter().filter_map(|id| Principal::parse(id)).map(|p| p.pseudonym()).collect();
                // The id of a browser's token is nobody's name: what goes by it is found by the token.
                let (sockets, sessions) = self.directory.by_token(&out);
                self.with(|rooms, now| {
                    rooms.expel(&out.difference(known).copied().collect(), now);
                    rooms.put_out(&sockets, &sessions, now);
                });
                *known = out;
            }
            Err(error) => veilcast_logs::error!("revocations could not be read", reason = Reason::from(&error)),
        }
    }

    /// Puts out whose sign-in has ended, whoever ended it: they themselves, from another device, a provider, a command.
    async fn put_out_signed_out(&self, records: &Records) {
        let (sockets, sessions) = (self.directory.sockets_by_sign_in(), self.directory.sessions_by_sign_in());
        if sockets.is_empty() && sessions.is_empty() {
            return;
        }
        match records.open_sessions().await {
            Ok(open) => {
                let sockets: Vec<_> =
                    sockets.into_iter().filter(|(_, by)| !open.contains(by)).map(|(id, _)| id).collect();
                let sessions: Vec<_> =
                    sessions.into_iter().filter(|(_, by)| !open.contains(by)).map(|(id, _)| id).collect();
                self.with(|rooms, now| rooms.put_out(&sockets, &sessions, now));
            }
            Err(error) => veilcast_logs::error!("who is signed in could not be read", reason = Reason::from(&error)),
        }
    }

    /// Follows the records: a scheduled event goes live with its first broadcaster, and an event that anybody
    /// ended, a command line included, closes its room.
    pub(crate) async fn follow(
        &self,
        records: Records,
        issuer: Issuer,
        mut changes: watch::Receiver<u64>,
        mut air: mpsc::UnboundedReceiver<Air>,
        courier: &Courier,
    ) {
        let mut refused = HashSet::new();
        loop {
            tokio::select! {
                change = air.recv() => match change {
                    Some(Air::On(event)) => {
                        go_live(&records, &event).await;
                        courier.announce(Happening::BroadcastLive(event), SystemTime::now());
                    }
                    Some(Air::Off(event)) => courier.announce(Happening::BroadcastOff(event), SystemTime::now()),
                    None => return,
                },
                changed = changes.changed() => match changed {
                    Ok(()) => self.catch_up(&records, &issuer, &mut refused).await,
                    Err(_) => return,
                },
            }
        }
    }

    /// Takes note of the signing keys, which a command may have changed.
    async fn follow_keys(&self, issuer: &Issuer) {
        match issuer.reload_keys(SystemTime::now()).await {
            Ok(()) => self.directory.lapse_unless(|name| issuer.knows_key(name), tokio::time::Instant::now()),
            Err(error) => veilcast_logs::error!("the signing keys could not be read", reason = Reason::from(&error)),
        }
    }

    /// Follows what anybody changed about the events of which something is known.
    async fn catch_up(&self, records: &Records, issuer: &Issuer, refused: &mut HashSet<Pseudonym>) {
        self.follow_keys(issuer).await;
        self.put_out_revoked(records, refused).await;
        self.put_out_signed_out(records).await;
        // Whether or not anybody is there: what was said and agreed to goes with the event, too.
        let known: HashSet<EventId> =
            self.gated(|ledger, rooms, _| rooms.events_known().chain(ledger.events()).copied().collect());
        for event in known {
            match records.event(&event).await {
                Ok(Some(row)) if row.state != EventState::Ended => {
                    self.with(|rooms, _| rooms.set_broadcasters(&event, row.broadcasters));
                }
                Ok(_) => self.end(&event),
                Err(error) => {
                    veilcast_logs::error!("an event's state could not be read", reason = Reason::from(&error))
                }
            }
        }
    }
}

async fn go_live(records: &Records, event: &EventId) {
    if let Err(error) = records.go_live(event).await {
        veilcast_logs::error!("an event could not be marked live", reason = Reason::from(&error));
    }
}

impl Pumps {
    pub(crate) fn split(self) -> (mpsc::UnboundedReceiver<Command>, mpsc::UnboundedReceiver<Air>) {
        (self.commands, self.air)
    }
}
