//! WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep-03) as their texts have it, seen from outside.

use super::process::Server;
use super::wire::{
    FRAGMENT, PASSWORD, Reply, SDP, UFRAG, ask, broadcast, delete, fragment, is, offer, patch, post, watch,
};

#[tokio::test]
async fn an_offer_makes_a_session() {
    let server = Server::start().await;
    let event = server.event();
    for (verb, scope, sdp) in [("whip", "broadcast", broadcast()), ("whep", "watch", watch())] {
        let token = server.token(&event, scope);
        let made = post(&server, &format!("/{verb}/{event}"), &token, &sdp).await;
        assert_eq!(made.header("content-type"), SDP);
        assert!(made.header("etag").starts_with('"'), "a strong entity tag: {}", made.header("etag"));
        let (place, id) = made.header("location").rsplit_once('/').expect("a path");
        assert_eq!(place, format!("/{verb}/{event}"));
        assert!(id.len() >= 22, "128 bits that nobody guesses: {id}");
        for line in ["a=ice-lite", "a=setup:passive", "a=rtcp-mux", "a=fingerprint:sha-256 ", "a=group:BUNDLE 0 1"] {
            assert!(made.body.contains(line), "{line} is missing in\n{}", made.body);
        }
        assert!(made.body.contains("a=candidate:") && made.body.contains(&format!(" {} typ host", server.media_port)));
        assert!(!made.body.contains(UFRAG) && !made.body.contains(PASSWORD), "nothing of the offer comes back");
        let direction = if verb == "whip" { "a=recvonly" } else { "a=sendonly" };
        assert_eq!(made.body.matches(direction).count(), 2, "{}", made.body);
        assert_eq!(delete(&server, &made.location(), &token).await.status, 200);
        assert_eq!(delete(&server, &made.location(), &token).await.fault(), is(404, "session-unknown"));
    }
}

#[tokio::test]
async fn trickle_and_restart_follow_the_entity_tag() {
    let server = Server::start().await;
    let event = server.event();
    let token = server.token(&event, "watch");
    let made = post(&server, &format!("/whep/{event}"), &token, &watch()).await;
    let (place, tag) = (made.location(), made.header("etag").to_owned());
    let (candidates, anew) = (fragment(UFRAG, PASSWORD), fragment("nEwU", "zyxwvutsrqponmlkjihgfedc"));

    // RFC 9725 section 4.3.1: conditional requests.
    let refused = patch(&server, &place, &token, None, &candidates).await;
    assert_eq!(refused.fault(), is(428, "precondition-required"));
    let refused = patch(&server, &place, &token, Some("\"another\""), &candidates).await;
    assert_eq!(refused.fault(), is(412, "precondition-failed"));
    let trickled = patch(&server, &place, &token, Some(&tag), &candidates).await;
    assert_eq!((trickled.status, trickled.body.as_str()), (204, ""));

    // RFC 9725 section 4.3.3: an ICE restart answers with a fragment and a new tag.
    let restarted = patch(&server, &place, &token, Some("*"), &anew).await;
    assert_eq!((restarted.status, restarted.header("content-type")), (200, FRAGMENT));
    let newer = restarted.header("etag").to_owned();
    assert!(newer.starts_with('"') && newer != tag);
    for line in ["a=ice-ufrag:", "a=ice-pwd:", "a=candidate:"] {
        assert!(restarted.body.contains(line), "{line} is missing in\n{}", restarted.body);
    }
    let credentials = |text: &str| text.lines().find(|line| line.starts_with("a=ice-pwd:")).map(str::to_owned);
    assert!(credentials(&restarted.body) != credentials(&made.body), "new credentials");
    assert_eq!(patch(&server, &place, &token, Some(&tag), &candidates).await.status, 412, "the old tag is over");
    assert_eq!(
        patch(&server, &place, &token, Some(&newer), &anew).await.status,
        204,
        "a repeated request changes nothing"
    );

    let wrong = ask(&server, "PATCH", &place).bearer_auth(&token).header("if-match", &newer);
    let wrong = Reply::of(wrong.header("content-type", SDP).body(watch())).await;
    assert_eq!(wrong.fault(), is(415, "media-type-unsupported"));
}

#[tokio::test]
async fn options_tell_everybody_the_same() {
    let server = Server::start().await;
    let (event, ended) = (server.event(), server.event());
    server.end(&ended);
    let unknown = "a".repeat(26);
    for (tail, allow, header, accepted) in
        [("", "POST, OPTIONS", "accept-post", SDP), ("/x", "PATCH, DELETE, OPTIONS", "accept-patch", FRAGMENT)]
    {
        let mut shapes = Vec::new();
        for id in [event.as_str(), &ended, &unknown, "not-an-id", "..%2f..", "%00"] {
            for verb in ["whip", "whep"] {
                let reply = Reply::of(ask(&server, "OPTIONS", &format!("/{verb}/{id}{tail}"))).await;
                assert_eq!((reply.status, reply.header("allow"), reply.header(header)), (204, allow, accepted), "{id}");
                shapes.push(reply.shape());
            }
        }
        assert!(shapes.windows(2).all(|pair| pair[0] == pair[1]), "{shapes:#?}");
    }
}

#[tokio::test]
async fn other_methods_are_named_as_such() {
    let server = Server::start().await;
    let event = server.event();
    for verb in ["whip", "whep"] {
        for method in ["GET", "PUT", "PATCH", "DELETE"] {
            let reply = Reply::of(ask(&server, method, &format!("/{verb}/{event}"))).await;
            assert_eq!((reply.fault(), reply.header("allow")), (is(405, "method-not-allowed"), "POST, OPTIONS"));
        }
        for method in ["GET", "PUT", "POST"] {
            let reply = Reply::of(ask(&server, method, &format!("/{verb}/{event}/x"))).await;
            let allow = "PATCH, DELETE, OPTIONS";
            assert_eq!((reply.fault(), reply.header("allow")), (is(405, "method-not-allowed"), allow));
        }
        let head = Reply::of(ask(&server, "HEAD", &format!("/{verb}/{event}"))).await;
        assert_eq!((head.status, head.body.as_str()), (405, ""));
    }
}

#[tokio::test]
async fn descriptions_that_cannot_be_used_say_why() {
    let server = Server::start().await;
    let event = server.event();
    let token = server.token(&event, "broadcast");
    let path = format!("/whip/{event}");
    let good = broadcast();
    let data_only = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n\
        c=IN IP4 0.0.0.0\r\na=mid:0\r\na=ice-ufrag:tEsT\r\na=ice-pwd:0123456789abcdefghijklmn\r\na=setup:actpass\r\n";
    let data_only = format!("{data_only}a=fingerprint:sha-256 {}\r\na=sctp-port:5000\r\n", ["AB"; 32].join(":"));
    let cases = [
        (String::new(), (400, "sdp-invalid"), "line 1: "),
        ("v=0\r\nnonsense\r\n".to_owned(), (400, "sdp-invalid"), "line 2: "),
        (good.replace("a=rtcp-mux\r\n", ""), (400, "sdp-invalid"), "line 6: a=rtcp-mux"),
        (good.replace("sha-256", "md5"), (400, "sdp-invalid"), "line "),
        (good.replace("tEsT", "x"), (400, "sdp-invalid"), "line "),
        (good.replace("a=group:BUNDLE 0 1\r\n", ""), (400, "sdp-invalid"), "line 5: several"),
        (good.replace(" 96\r\n", " 300\r\n"), (400, "sdp-invalid"), "line "),
        (offer("sendonly", "speex/8000", "H265/90000"), (406, "codec-unsupported"), ""),
        (data_only, (400, "sdp-invalid"), "line 5: there is no audio or video section"),
    ];
    for (sdp, (status, code), detail) in cases {
        let refused = post(&server, &path, &token, &sdp).await;
        assert_eq!(refused.fault(), is(status, code), "{sdp}");
        assert!(refused.detail().starts_with(detail), "{} for\n{sdp}", refused.detail());
    }
    let nothing = offer("recvonly", "speex/8000", "H265/90000");
    let watch = server.token(&event, "watch");
    assert_eq!(post(&server, &format!("/whep/{event}"), &watch, &nothing).await.fault(), is(406, "codec-unsupported"));
    // An unknown section beside usable ones does not fail the offer.
    let beside = good.replace("BUNDLE 0 1", "BUNDLE 0 1 2")
        + "m=hologram 9 UDP/TLS/RTP/SAVPF 99\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\n";
    let made = post(&server, &path, &token, &beside).await;
    assert!(made.status == 201 && made.body.contains("m=hologram 0 "), "{} {}", made.status, made.body);
}

#[tokio::test]
async fn bodies_have_a_limit_and_a_type() {
    let server = Server::start().await;
    let event = server.event();
    let token = server.token(&event, "broadcast");
    let path = format!("/whip/{event}");
    let long = broadcast() + &"a=x:0123456789\r\n".repeat(20_000);
    assert_eq!(post(&server, &path, &token, &long).await.fault(), is(413, "too-large"));
    for kind in ["application/json", "text/plain", ""] {
        let request = ask(&server, "POST", &path).bearer_auth(&token).header("content-type", kind).body(broadcast());
        assert_eq!(Reply::of(request).await.fault(), is(415, "media-type-unsupported"), "{kind}");
    }
    let shouted =
        ask(&server, "POST", &path).bearer_auth(&token).header("content-type", "Application/SDP; charset=utf-8");
    assert_eq!(Reply::of(shouted.body(broadcast())).await.status, 201, "types have no case and may have parameters");
}

#[tokio::test]
async fn events_that_are_not_there() {
    let server = Server::start().await;
    let (event, ended) = (server.event(), server.event());
    let (token, late) = (server.token(&event, "broadcast"), server.token(&ended, "broadcast"));
    let late_viewer = server.token(&ended, "watch");
    server.end(&ended);
    let unknown = format!("/whip/{}", "a".repeat(26));
    assert_eq!(post(&server, &unknown, &token, &broadcast()).await.fault(), is(404, "event-unknown"));
    assert_eq!(post(&server, "/whip/not-an-id", &token, &broadcast()).await.fault(), is(404, "event-unknown"));
    assert_eq!(post(&server, &format!("/whip/{ended}"), &late, &broadcast()).await.fault(), is(410, "event-ended"));
    assert_eq!(post(&server, &format!("/whep/{ended}"), &late_viewer, &watch()).await.fault(), is(410, "event-ended"));
    let nowhere = Reply::of(ask(&server, "POST", "/whip").body("x")).await;
    assert_eq!(nowhere.fault(), is(404, "not-found"));
}
