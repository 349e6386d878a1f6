//! Whose access is over gets nothing more, read where packets and messages arrive (THREATS 16 and 31).

use super::media::Wired;
use super::planes::Planes;
use crate::server::process::within;
use holder::client::{Client, Pass, Socket};
use serde_json::json;
use std::time::{Duration, Instant, SystemTime};
use veilcast_auth::{Level, Role, Scope};
use veilcast_records::EventId;

/// How late a last packet may be.
pub(super) const AT_ONCE: Duration = Duration::from_millis(250);
/// A good while longer.
pub(super) const AFTERWARDS: Duration = Duration::from_millis(600);

pub(super) const HERE: [u8; 4] = [127, 0, 0, 1];

/// Somebody who watches, and when the last packet came.
pub(super) struct Viewer {
    pub(super) wired: Wired,
    packets: usize,
    pub(super) last: Instant,
}

impl Viewer {
    pub(super) async fn over_socket(planes: &Planes, pass: &Pass, seed: u8) -> (Self, Socket) {
        Self::come_as(planes, pass, None, seed).await
    }

    /// The same of a broadcaster who looks on.
    pub(super) async fn come_as(planes: &Planes, pass: &Pass, role: Option<&str>, seed: u8) -> (Self, Socket) {
        let mut wired = Wired::new(HERE, seed.into()).await;
        let mut socket = Client::new(planes.port, HERE).join_as(pass, role).await;
        socket.offer(1, &wired.endpoint(seed).watch()).await;
        wired.accept(socket.until("answer").await["sdp"].as_str().expect("an answer"));
        wired.run(|peer| peer.connected).await;
        socket.until("connected").await;
        (Self::new(wired), socket)
    }

    pub(super) async fn over_whep(planes: &Planes, event: EventId, pass: &Pass, seed: u8) -> Self {
        let mut wired = Wired::new(HERE, seed.into()).await;
        let offer = wired.endpoint(seed).watch();
        let made = Client::new(planes.port, HERE).sdp(&format!("/whep/{event}"), Some(pass), &offer).await.expect(201);
        wired.accept(&made.body);
        wired.run(|peer| peer.connected).await;
        Self::new(wired)
    }

    fn new(wired: Wired) -> Self {
        Self { wired, packets: 0, last: Instant::now() }
    }

    async fn listen(&mut self, until: Instant) {
        self.wired.listen(until).await;
        let packets = self.wired.peer.video().len() + self.wired.peer.audio().len();
        if packets > self.packets {
            (self.packets, self.last) = (packets, Instant::now());
        }
    }
}

/// A broadcast, and who watches it.
pub(super) struct Scene {
    pub(super) studio: Wired,
    frame: u32,
    pub(super) viewers: Vec<Viewer>,
    // Their ends would be theirs, too.
    _sockets: Vec<Socket>,
}

impl Scene {
    pub(super) async fn new(planes: &Planes, event: EventId) -> Self {
        Self::by(planes, event, &planes.tool(event, Scope::Broadcast)).await
    }

    /// Whose broadcast it is.
    pub(super) async fn by(planes: &Planes, event: EventId, pass: &Pass) -> Self {
        let mut studio = Wired::new(HERE, 1).await;
        let offer = studio.endpoint(1).broadcast();
        let made = Client::new(planes.port, HERE).sdp(&format!("/whip/{event}"), Some(pass), &offer).await.expect(201);
        studio.accept(&made.body);
        studio.run(|peer| peer.connected).await;
        Self { studio, frame: 0, viewers: Vec::new(), _sockets: Vec::new() }
    }

    pub(super) fn keep(&mut self, socket: Socket) {
        self._sockets.push(socket);
    }

    /// Sends and receives for so long.
    pub(super) async fn play(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.studio.peer.send_video(self.frame * 3_000, true, 2, 500);
            self.studio.peer.send_audio(self.frame * 960);
            self.studio.flush().await;
            self.studio.listen(Instant::now() + Duration::from_millis(2)).await;
            self.frame += 1;
            for viewer in &mut self.viewers {
                viewer.listen(Instant::now() + Duration::from_millis(4)).await;
            }
        }
    }

    /// How long after `since` the last packet came to any of these.
    pub(super) fn late(&self, viewers: std::ops::Range<usize>, since: Instant) -> Duration {
        let late = self.viewers[viewers].iter().map(|viewer| viewer.last.saturating_duration_since(since));
        late.max().expect("somebody watches")
    }

    /// Everybody gets packets.
    pub(super) async fn begin(&mut self) {
        for _ in 0..50 {
            self.play(Duration::from_millis(100)).await;
            if self.viewers.iter().all(|viewer| viewer.packets > 10) {
                return;
            }
        }
        panic!("the broadcast does not arrive");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_came_by_a_revoked_invitation_gets_nothing_more() {
    let planes = Planes::start().await;
    within(AT_ONCE, async || {
        let event = planes.event("Rehearsal", true).await;
        let (his, invitation) = planes.invite(event, Scope::Watch).await;
        let hers = planes.invited(event, Scope::Watch).await;
        let mut scene = Scene::new(&planes, event).await;
        let (viewer, mut page) = Viewer::over_socket(&planes, &his, 2).await;
        scene.viewers.push(viewer);
        scene.viewers.push(Viewer::over_whep(&planes, event, &his, 3).await);
        let (viewer, socket) = Viewer::over_socket(&planes, &hers, 4).await;
        scene.viewers.push(viewer);
        scene._sockets.push(socket);
        scene.begin().await;
        // As another process does it: the server hears of it from the records.
        let out = planes.issuer.revoke_invitation(&event, &invitation, SystemTime::now()).await.expect("written");
        let revoked = Instant::now();
        assert!(out.is_some());
        scene.play(AFTERWARDS).await;
        assert!(scene.viewers[2].last > revoked + AFTERWARDS / 2, "nobody else is put out");
        assert_eq!(page.until("fault").await["fault"]["code"], "access-revoked");
        assert!(page.hear().await.is_none());
        let client = Client::new(planes.port, HERE);
        let offer = scene.viewers[0].wired.endpoint(5).watch();
        client.sdp(&format!("/whep/{event}"), Some(&his), &offer).await.expect(401);
        let late = scene.viewers[..2].iter().map(|viewer| viewer.last.saturating_duration_since(revoked));
        late.max().expect("two viewers")
    })
    .await;
    planes.stop().await;
}

/// Signed in on two devices, and out on one of them: by whoever holds the other, a provider or a command.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_signed_out_elsewhere_gets_nothing_more() {
    let planes = Planes::start().await;
    let now = SystemTime::now();
    let account = planes.records.create_account(Role::Operator, None, now).await.expect("is made");
    within(AT_ONCE, async || {
        let event = planes.event("Rehearsal", true).await;
        let mut scene = Scene::new(&planes, event).await;
        let client = Client::new(planes.port, HERE);
        let mut sessions = Vec::new();
        for seed in [2, 5] {
            let session = planes.issuer.open_session(&account, "Phone", Level::Single, now).await.expect("is opened");
            let admin = client.operator(session.cookie.expose_text()).await;
            let wanted = json!({ "role": "viewer" });
            let own = client.post(&format!("/api/v1/events/{event}/token"), Some(&admin), &wanted).await.expect(200);
            let pass = admin.with(own.json()["token"].as_str().expect("a token"));
            let (viewer, socket) = Viewer::over_socket(&planes, &pass, seed).await;
            scene.viewers.push(viewer);
            scene.viewers.push(Viewer::over_whep(&planes, event, &pass, seed + 1).await);
            sessions.push((session, socket));
        }
        scene.begin().await;
        planes.issuer.sign_out(sessions[0].0.cookie.expose_text()).await.expect("is written");
        let out = Instant::now();
        scene.play(AFTERWARDS).await;
        assert_eq!(sessions[0].1.until("fault").await["fault"]["code"], "access-revoked");
        assert!(scene.viewers[2..].iter().all(|viewer| viewer.last > out + AFTERWARDS / 2), "the other device stays");
        let late = scene.viewers[..2].iter().map(|viewer| viewer.last.saturating_duration_since(out));
        late.max().expect("two viewers")
    })
    .await;
    planes.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_has_run_out_carries_nothing_more() {
    let planes = Planes::start().await;
    within(AT_ONCE, async || {
        let event = planes.event("Rehearsal", true).await;
        let mut scene = Scene::new(&planes, event).await;
        let now = SystemTime::now();
        let brief = planes.issuer.tool_token(event, Scope::Watch, Duration::from_secs(4), now).expect("is minted");
        // Whole seconds (RFC 7519 section 2, NumericDate).
        let since = now.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
        let left = Duration::from_secs(since.as_secs() + 4) - since;
        let end = Instant::now() + left;
        let pass = Pass::tool(brief.token.expose_text());
        scene.viewers.push(Viewer::over_whep(&planes, event, &pass, 2).await);
        scene.begin().await;
        scene.play((end + AFTERWARDS).saturating_duration_since(Instant::now())).await;
        let last = scene.viewers[0].last;
        assert!(last + Duration::from_secs(1) > end, "it had its time");
        last.saturating_duration_since(end)
    })
    .await;
    planes.stop().await;
}
