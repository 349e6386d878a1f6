//! What a peer says of itself stays with the server (DESIGN, a join), and its descriptions stay within limits (THREATS 14).

use super::offers::Endpoint;
use super::planes::Planes;
use harness::Random;
use holder::client::{Client, Pass, Reply};
use std::fmt::Write;
use veilcast_auth::Scope;

/// What of `endpoint` stands in something that somebody else received.
fn betrayed(endpoint: &Endpoint, received: &str) -> Vec<&'static str> {
    let told = endpoint.secrets().into_iter().filter(|(_, text)| received.contains(text));
    told.map(|(name, _)| name).collect()
}

#[tokio::test]
async fn nobody_learns_of_anybodys_addresses() {
    let planes = Planes::start().await;
    let event = planes.event("Recital", true).await;
    let (host, guest) = (planes.invited(event, Scope::Broadcast).await, planes.invited(event, Scope::Watch).await);
    let (studio, player, tool) = (Endpoint::new(41), Endpoint::new(42), Endpoint::new(43));
    let client = Client::new(planes.port, [127, 0, 0, 1]);
    let mut on_air = client.join(&host).await;
    on_air.offer(1, &studio.broadcast()).await;
    on_air.until("answer").await;
    let mut watching = client.join(&guest).await;
    watching.offer(1, &player.watch()).await;
    watching.until("answer").await;
    let path = format!("/whep/{event}");
    let whep = client.sdp(&path, Some(&guest), &tool.watch()).await.expect(201);
    let trickled = client.patch(whep.header("location"), &guest, "*", &tool.fragment("renewed43")).await.expect(200);
    // The same person publishes with a tool instead.
    let encoder = Endpoint::new(44);
    let whip = client.sdp(&format!("/whip/{event}"), Some(&host), &encoder.broadcast()).await.expect(201);
    on_air.until("disconnected").await;
    let second = client.sdp(&path, Some(&guest), &Endpoint::new(45).watch()).await.expect(201);
    planes.records.end_event(&event).await.expect("is ended");
    on_air.until("ended").await;
    watching.until("ended").await;
    let whep = whep.everything() + &trickled.everything();
    let received = [
        ("studio", &on_air.heard, vec![&player, &tool, &encoder]),
        ("player", &watching.heard, vec![&studio, &tool, &encoder]),
        ("tool", &whep, vec![&studio, &player, &encoder]),
        ("encoder", &whip.everything(), vec![&studio, &player, &tool]),
        ("late tool", &second.everything(), vec![&studio, &player, &tool, &encoder]),
    ];
    for (whose, text, others) in received {
        assert!(text.contains("a=ice-lite"), "{whose} has an answer");
        for other in others {
            assert_eq!(betrayed(other, text), [""; 0], "{whose} received {text}");
        }
    }
    // Nor does the server repeat to anybody what only he himself said.
    assert_eq!(betrayed(&studio, &on_air.heard), [""; 0]);
    // The search works.
    assert_eq!(betrayed(&studio, &studio.broadcast()).len(), 9);
    assert_eq!(betrayed(&studio, &format!("a=candidate:1 1 udp 1 {} 9 typ host", studio.v6)), ["IPv6 address"]);
    planes.stop().await;
}

struct Door {
    planes: Planes,
    path: String,
    token: Pass,
    knocks: u8,
}

impl Door {
    async fn open() -> Self {
        let planes = Planes::start().await;
        let event = planes.event("Rehearsal", true).await;
        let token = planes.tool(event, Scope::Broadcast);
        Self { planes, path: format!("/whip/{event}"), token, knocks: 0 }
    }

    /// From another network every ten times: failures are throttled by network.
    async fn knock(&mut self, offer: &str) -> Reply {
        self.knocks += 1;
        let client = Client::new(self.planes.port, [127, 1, self.knocks / 10, 1]);
        client.sdp(&self.path, Some(&self.token), offer).await
    }
}

#[tokio::test]
async fn descriptions_have_limits() {
    let mut door = Door::open().await;
    let good = Endpoint::new(51).broadcast();
    let with = |lines: &str| format!("{good}{lines}");
    let many = |count: usize, line: &str| line.repeat(count);
    let formats: Vec<String> = (0..65).map(|number| number.to_string()).collect();
    let sections = many(65, "m=video 0 UDP/TLS/RTP/SAVPF 96\r\n");
    for (what, offer, status) in [
        ("nothing", String::new(), 400),
        ("49 KiB", with(&many(1_000, &format!("a=x:{}\r\n", "y".repeat(45)))), 413),
        ("5,001 lines", with(&many(5_001, "a=x\r\n")), 400),
        ("a line of 2,001 bytes", with(&format!("a=x:{}\r\n", "y".repeat(2_000))), 400),
        ("66 sections", with(&sections), 400),
        ("65 payload types", good.replace("SAVPF 111", &format!("SAVPF {}", formats.join(" "))), 400),
        ("NUL", with("a=x:\0\r\n"), 400),
        ("a line without =", with("hello\r\n"), 400),
        ("a stranger's letters", with("ab=c\r\n"), 400),
        ("payload type 128", good.replace("SAVPF 111", "SAVPF 128"), 400),
        ("payload type twice", good.replace("SAVPF 96 97", "SAVPF 96 96"), 400),
        ("a short password", good.replace("a=ice-pwd:password", "a=ice-pwd:p\r\na=x:"), 400),
        ("no fingerprint", good.replace("a=fingerprint", "a=finger"), 400),
        ("a mid twice", good.replace("a=mid:1", "a=mid:0"), 400),
        ("an SSRC of 33 bits", good.replace("a=ssrc:2000", "a=ssrc:4294967296"), 400),
        ("an unknown section", with("m=hologram 9 UDP/X 1 2\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\n"), 201),
        ("a data channel", with("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:2\r\n"), 201),
    ] {
        let reply = door.knock(&offer).await;
        assert_eq!(reply.status, status, "{what}: {}", reply.body);
        if status == 201 {
            assert!(reply.body.contains("m=hologram 0 ") || reply.body.contains("m=application 0 "), "{}", reply.body);
        } else {
            assert_eq!(reply.header("content-type"), "application/problem+json", "{what}");
        }
    }
    door.planes.stop().await;
}

/// What the engine has no word for is not even offered back: a browser writes only what was answered.
#[tokio::test]
async fn extensions_that_go_no_further_are_refused() {
    let mut door = Door::open().await;
    let offered = [
        (4, "urn:ietf:params:rtp-hdrext:toffset"),
        (5, "http://www.webrtc.org/experiments/rtp-hdrext/video-timing"),
        (6, "http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00"),
        (7, "urn:3gpp:video-orientation"),
        (8, "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"),
        (9, "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"),
        (10, "http://www.webrtc.org/experiments/rtp-hdrext/color-space"),
    ];
    let lines: String = offered.iter().map(|(id, uri)| format!("a=extmap:{id} {uri}\r\n")).collect();
    let reply = door.knock(&(Endpoint::new(53).broadcast() + &lines)).await.expect(201);
    let answered: Vec<&str> = reply.body.lines().filter_map(|line| line.strip_prefix("a=extmap:")).collect();
    let uris = answered.iter().filter_map(|line| line.split(' ').nth(1));
    let kept: Vec<&str> = uris.filter(|uri| offered.iter().any(|(_, other)| other == uri)).collect();
    assert_eq!(kept, [offered[6].1], "of {answered:?}");
    door.planes.stop().await;
}

#[tokio::test]
async fn mangled_descriptions_are_answered_and_nothing_breaks() {
    let mut door = Door::open().await;
    let good = Endpoint::new(52).broadcast();
    let mut random = Random::new(0x5d9);
    let mut outcomes = std::collections::BTreeMap::new();
    for _ in 0..200 {
        let mangled = mangle(&good, &mut random);
        let reply = door.knock(&mangled).await;
        *outcomes.entry(reply.status).or_insert(0) += 1;
        // 429: it would do, but nobody takes a place so often at once.
        assert!(matches!(reply.status, 201 | 400 | 406 | 429), "{} {}: {mangled}", reply.status, reply.body);
    }
    assert!(outcomes.contains_key(&400) && outcomes.contains_key(&201), "both ways are taken: {outcomes:?}");
    let reply = door.knock(&good).await;
    assert!(matches!(reply.status, 201 | 429), "{} {}", reply.status, reply.body);
    door.planes.stop().await;
}

/// One to four edits of lines: dropped, doubled, swapped, cut, filled, with a byte changed.
fn mangle(text: &str, random: &mut Random) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..=random.bits() % 4 {
        let (at, other) = (random.bits() as usize % lines.len(), random.bits() as usize % lines.len());
        match random.bits() % 6 {
            0 => drop(lines.remove(at)),
            1 => lines.insert(other, lines[at].clone()),
            2 => lines.swap(at, other),
            3 => lines[at].truncate(random.bits() as usize % 20),
            4 => _ = write!(lines[at], " {}", u64::MAX),
            _ => {
                let mut characters: Vec<char> = lines[at].chars().collect();
                if let Some(character) = characters.get_mut(other % 40) {
                    *character = char::from(random.bits() as u8 % 95 + 32);
                }
                lines[at] = characters.into_iter().collect();
            }
        }
    }
    lines.join("\r\n") + "\r\n"
}
