//! The other ways in which access ends, each read where packets and messages arrive: a token, an account, an event, a stream key, a
//! moderator's removal and ban (THREATS 16). Invitations, sessions and leases are in `revoked`.

use super::planes::Planes;
use super::revoked::{AFTERWARDS, AT_ONCE, HERE, Scene, Viewer};
use crate::server::process::within;
use holder::client::{Client, Pass};
use serde_json::json;
use std::time::{Duration, Instant, SystemTime};
use veilcast_auth::{Expiry, Freshness, Level, Party, Role, Scope, Target};
use veilcast_records::EventId;

async fn grant(planes: &Planes, pass: &Pass) -> veilcast_auth::Grant {
    let nonce = planes.issuer.nonce(SystemTime::now());
    let proof = pass.proof("GET", &format!("{}/", planes.issuer.public_url()), &nonce);
    let target = Target { method: "GET", path: "/", freshness: Freshness::Nonce, party: Party::default() };
    let verified = planes.issuer.verify_bound(&pass.token, &proof, &target, SystemTime::now(), Expiry::Enforced).await;
    verified.unwrap_or_else(|error| panic!("{error}")).0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_by_a_revoked_token_is_over_and_nothing_else_of_its_holder() {
    let planes = Planes::start().await;
    within(AT_ONCE, async || {
        let event = planes.event("Rehearsal", true).await;
        let mut scene = Scene::new(&planes, event).await;
        let his = planes.invited(event, Scope::Watch).await;
        let hers = planes.invited(event, Scope::Watch).await;
        let (viewer, mut page) = Viewer::over_socket(&planes, &his, 2).await;
        scene.viewers.push(viewer);
        scene.viewers.push(Viewer::over_whep(&planes, event, &his, 3).await);
        scene.viewers.push(Viewer::over_whep(&planes, event, &hers, 4).await);
        scene.begin().await;
        planes.issuer.revoke(&grant(&planes, &his).await).await.expect("is written");
        let revoked = Instant::now();
        scene.play(AFTERWARDS).await;
        assert!(scene.viewers[2].last > revoked + AFTERWARDS / 2, "nobody else is put out");
        assert_eq!(page.until("fault").await["fault"]["code"], "access-revoked");
        assert!(page.hear().await.is_none());
        scene.late(0..2, revoked)
    })
    .await;
    planes.stop().await;
}

/// Of an account whose sessions all end: by an operator's command, its person, or a provider.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_signed_out_everywhere_gets_nothing_more_anywhere() {
    let planes = Planes::start().await;
    let now = SystemTime::now();
    let [account, other] = [(); 2].map(|()| planes.records.create_account(Role::Operator, None, now));
    let (account, other) = (account.await.expect("is made"), other.await.expect("is made"));
    within(AT_ONCE, async || {
        let event = planes.event("Rehearsal", true).await;
        let mut scene = Scene::new(&planes, event).await;
        let client = Client::new(planes.port, HERE);
        let mut sockets = Vec::new();
        for (who, seed) in [(&account, 2), (&account, 4), (&other, 6)] {
            let session = planes.issuer.open_session(who, "Phone", Level::Single, SystemTime::now()).await;
            let admin = client.operator(session.expect("is opened").cookie.expose_text()).await;
            let wanted = json!({ "role": "viewer" });
            let own = client.post(&format!("/api/v1/events/{event}/token"), Some(&admin), &wanted).await.expect(200);
            let pass = admin.with(own.json()["token"].as_str().expect("a token"));
            let (viewer, socket) = Viewer::over_socket(&planes, &pass, seed).await;
            scene.viewers.push(viewer);
            scene.viewers.push(Viewer::over_whep(&planes, event, &pass, seed + 1).await);
            sockets.push(socket);
        }
        scene.begin().await;
        planes.records.end_sessions(&account).await.expect("is written");
        let ended = Instant::now();
        scene.play(AFTERWARDS).await;
        for socket in &mut sockets[..2] {
            assert_eq!(socket.until("fault").await["fault"]["code"], "access-revoked");
        }
        assert!(scene.viewers[4..].iter().all(|viewer| viewer.last > ended + AFTERWARDS / 2), "somebody else stays");
        scene.late(0..4, ended)
    })
    .await;
    planes.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_has_ended_carries_nothing_more() {
    let planes = Planes::start().await;
    within(AT_ONCE, async || {
        let event = planes.event("Rehearsal", true).await;
        let mut scene = Scene::new(&planes, event).await;
        let (viewer, mut page) = Viewer::over_socket(&planes, &planes.invited(event, Scope::Watch).await, 2).await;
        scene.viewers.push(viewer);
        scene.viewers.push(Viewer::over_whep(&planes, event, &planes.tool(event, Scope::Watch), 3).await);
        scene.begin().await;
        planes.records.end_event(&event).await.expect("is written");
        let ended = Instant::now();
        scene.play(AFTERWARDS).await;
        page.until("ended").await;
        assert!(page.hear().await.is_none());
        scene.late(0..2, ended)
    })
    .await;
    planes.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_more_comes_of_a_program_whose_stream_key_was_revoked() {
    let planes = Planes::start().await;
    within(AT_ONCE, async || {
        let event = planes.event("Rehearsal", true).await;
        let key = planes.issuer.make_stream_key(&event, Duration::from_secs(3_600), SystemTime::now()).await;
        let key = key.expect("is made");
        let mut scene = Scene::by(&planes, event, &Pass::tool(key.key.expose_text())).await;
        watched(&planes, &mut scene, event).await;
        planes.issuer.revoke_stream_key(&event, &key.id).await.expect("is written").expect("there was one");
        let revoked = Instant::now();
        scene.play(AFTERWARDS).await;
        again(&planes, &scene, event, &Pass::tool(key.key.expose_text())).await.expect(401);
        scene.late(0..2, revoked)
    })
    .await;
    planes.stop().await;
}

/// A co-host is on air, looks on, and is put out: what they send reaches nobody, and they hear nothing more. Their own view has nothing of what
/// they send, so that its packets are no measure.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whom_a_moderator_puts_out_neither_sends_nor_gets_anything_more() {
    let planes = Planes::start().await;
    for (verb, answer, code, afterwards) in [("removals", 204, "removed", 201), ("bans", 201, "banned", 403)] {
        within(AT_ONCE, async || {
            let event = planes.event("Rehearsal", true).await;
            let (cohost, moderator) =
                (planes.invited(event, Scope::Broadcast).await, planes.invited(event, Scope::Moderate).await);
            let mut scene = Scene::by(&planes, event, &cohost).await;
            watched(&planes, &mut scene, event).await;
            let (_own, mut page) = Viewer::come_as(&planes, &cohost, Some("viewer"), 7).await;
            scene.begin().await;
            let path = format!("/api/v1/events/{event}/{verb}");
            let client = Client::new(planes.port, HERE);
            client.post(&path, Some(&moderator), &json!({ "place": 0, "tenure": 1 })).await.expect(answer);
            let out = Instant::now();
            scene.play(AFTERWARDS).await;
            assert_eq!(page.until("fault").await["fault"]["code"], code);
            assert!(page.hear().await.is_none());
            again(&planes, &scene, event, &cohost).await.expect(afterwards);
            scene.late(0..2, out)
        })
        .await;
    }
    planes.stop().await;
}

/// Somebody over a socket and somebody over WHEP get the broadcast.
async fn watched(planes: &Planes, scene: &mut Scene, event: EventId) {
    let (viewer, socket) = Viewer::over_socket(planes, &planes.invited(event, Scope::Watch).await, 2).await;
    scene.viewers.push(viewer);
    scene.keep(socket);
    scene.viewers.push(Viewer::over_whep(planes, event, &planes.tool(event, Scope::Watch), 3).await);
    scene.begin().await;
}

/// The broadcaster tries once more.
async fn again(planes: &Planes, scene: &Scene, event: EventId, pass: &Pass) -> holder::client::Reply {
    let offer = scene.studio.endpoint(9).broadcast();
    Client::new(planes.port, HERE).sdp(&format!("/whip/{event}"), Some(pass), &offer).await
}
