use super::{Ask, Bench, config, is};
use crate::edge::contain;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::middleware::from_fn;
use axum::routing::get;
use holder::Holder;
use serde_json::json;
use tower::ServiceExt;
use veilcast_auth::Scope;

#[tokio::test]
async fn pages_are_one_app_with_a_strict_policy() {
    let bench = Bench::new().await;
    for path in ["/", "/sign-in", "/setup", "/studio", "/studio/x", "/watch/x", "/privacy", "/operator", "/callback"] {
        let reply = bench.ask(Ask::new("GET", path)).await;
        assert_eq!((reply.status, reply.header("content-type")), (StatusCode::OK, "text/html"), "{path}");
        assert_eq!(reply.header("cache-control"), "no-store");
        let policy = reply.header("content-security-policy");
        for part in ["default-src 'none'", "script-src 'self';", "frame-ancestors 'none'", "trusted-types lit-html"] {
            assert!(policy.contains(part), "{part}");
        }
        assert!(policy.contains("connect-src 'self' ws://localhost:8080;") && !policy.contains("unsafe"));
    }
    for path in ["/nothing", "/studio/x/y", "/watch", "/assets/../index.html", "/.hidden", "/assets/", "//"] {
        let reply = bench.ask(Ask::new("GET", path)).await;
        assert_eq!(reply.fault(), is(404, "not-found"), "{path}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert!(reply.headers.contains_key("content-security-policy") && !reply.headers.contains_key("server"));
    }
    let mistyped = bench.ask(Ask::new("GET", "/nothing").header("accept", "text/html,*/*;q=0.8")).await;
    assert_eq!((mistyped.status, mistyped.header("content-type")), (StatusCode::NOT_FOUND, "text/html"));
    assert!(bench.ask(Ask::new("GET", "/problems/event-ended")).await.body.contains("This event has ended."));
    assert_eq!(bench.ask(Ask::new("GET", "/healthz")).await.status, StatusCode::OK);
    assert_eq!(bench.ask(Ask::new("GET", "/readyz")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn pages_live_under_one_name_and_the_rest_under_any() {
    let bench = Bench::new().await;
    let asked = |path: &str, host: &str| {
        Request::builder().uri(path).header("host", host).body(Body::empty()).expect("a request")
    };
    for host in ["127.0.0.1:8080", "evil.example", "localhost"] {
        let router = crate::app::router(bench.app.clone());
        let reply = router.oneshot(asked("/watch/x?y=1", host)).await.expect("cannot fail");
        assert_eq!(reply.status(), StatusCode::TEMPORARY_REDIRECT, "{host}");
        assert_eq!(reply.headers()["location"], "http://localhost:8080/watch/x?y=1");
        let router = crate::app::router(bench.app.clone());
        let reply = router.oneshot(asked("/api/v1/instance", host)).await.expect("cannot fail");
        assert_eq!(reply.status(), StatusCode::OK, "{host}");
    }
}

#[tokio::test]
async fn foreign_pages_are_refused_and_friends_may_read() {
    let bench = Bench::new().await;
    let event = bench.store.event(true).await;
    let guest = format!("/api/v1/events/{event}/guest");
    for origin in ["https://evil.example", "null", "http://localhost:8080.evil.example", "http://localhost:80801"] {
        let reply = bench.ask(Ask::new("POST", &guest).header("origin", origin)).await;
        assert_eq!(reply.fault(), is(403, "origin-refused"), "{origin}");
        let socket = bench.ask(Ask::new("GET", "/ws").header("origin", origin)).await;
        assert_eq!(socket.fault(), is(403, "origin-refused"), "{origin}");
        let read = bench.ask(Ask::new("GET", "/api/v1/instance").header("origin", origin)).await;
        assert!(!read.headers.contains_key("access-control-allow-origin"));
    }
    for origin in ["http://localhost:8080", "https://friend.example"] {
        let reply = bench.ask(Ask::new("POST", &guest).newcomer(&bench, &Holder::new()).header("origin", origin)).await;
        assert_eq!((reply.status, reply.header("access-control-allow-origin")), (StatusCode::OK, origin));
        assert!(!reply.headers.contains_key("access-control-allow-credentials"));
        let preflight = Ask::new("OPTIONS", &guest).header("origin", origin);
        let preflight = bench.ask(preflight.header("access-control-request-method", "POST")).await;
        assert_eq!(preflight.status, StatusCode::NO_CONTENT);
        assert!(preflight.header("access-control-allow-headers").contains("authorization, content-type, dpop"));
        assert!(reply.header("access-control-expose-headers").contains("dpop-nonce"));
    }
    let tool = bench.ask(Ask::new("POST", &guest).newcomer(&bench, &Holder::new())).await;
    assert_eq!(tool.status, StatusCode::OK, "tools send no origin");
    // A friend on the same site would have the issuer's cookie sent along: that is for our own pages.
    for path in ["/oauth/sign-out", "/oauth/sign-in", "/oauth/token"] {
        let friend = bench.ask(Ask::new("POST", path).header("origin", "https://friend.example")).await;
        assert_eq!(friend.fault(), is(403, "origin-refused"), "{path}");
    }
    let own = bench.ask(Ask::new("POST", "/oauth/sign-out").header("origin", "http://localhost:8080")).await;
    assert_eq!(own.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn failures_are_counted_by_prefix_and_successes_never() {
    let bench = Bench::new().await;
    let event = bench.store.event(true).await;
    let path = format!("/whip/{event}");
    let good = bench.store.token(event, Scope::Watch);
    let watch = || Ask::new("POST", &format!("/whep/{event}")).token(&good).sdp(crate::sdp::samples::FIREFOX);
    for _ in 0..40 {
        assert_eq!(bench.ask(watch().from([192, 0, 2, 7])).await.status, StatusCode::CREATED);
    }
    let forged = || Ask::new("POST", &path).token("forged").sdp("v=0");
    for _ in 0..30 {
        assert_eq!(bench.ask(forged().from([192, 0, 2, 1])).await.fault(), is(401, "token-invalid"));
    }
    let throttled = bench.ask(forged().from([192, 0, 2, 99])).await;
    assert_eq!(throttled.fault(), is(429, "too-many"));
    assert!(throttled.header("retry-after").parse::<u32>().is_ok_and(|wait| (1..=60).contains(&wait)));
    assert_eq!(bench.ask(forged().from([198, 51, 100, 1])).await.fault(), is(401, "token-invalid"), "another prefix");
    assert_eq!(bench.ask(watch().from([192, 0, 2, 1])).await.status, StatusCode::CREATED, "a success is a success");
    let guess = json!({ "name": "n", "password": "p" });
    let guess = Ask::new("POST", "/oauth/sign-in").json(&guess);
    assert_eq!(bench.ask(guess.from([192, 0, 2, 1])).await.fault(), is(429, "too-many"), "not even looked at");
}

#[tokio::test]
async fn forwarded_addresses_count_only_from_a_proxy_that_is_trusted() {
    let bench = Bench::new().await;
    let forged = |peer: [u8; 4], claimed: &str| {
        let ask = Ask::new("POST", "/whip/x/y").header("x-forwarded-for", claimed);
        ask.token("forged").sdp("v=0").from(peer)
    };
    let path = Ask::new("GET", "/api/v1/events").token("forged");
    assert_eq!(bench.ask(path).await.fault(), is(401, "token-invalid"));
    let get = |peer: [u8; 4], claimed: &str| {
        Ask::new("GET", "/api/v1/events").token("forged").header("x-forwarded-for", claimed).from(peer)
    };
    for number in 0..31 {
        let reply = bench.ask(get([192, 0, 2, 1], &format!("203.0.{number}.1"))).await;
        assert_eq!(reply.status.as_u16(), if number < 30 { 401 } else { 429 }, "a claim from anybody is worth nothing");
        let reply = bench.ask(get([10, 0, 0, 1], &format!("198.51.{number}.1"))).await;
        assert_eq!(reply.status.as_u16(), 401, "behind the proxy these are different people");
    }
    assert_eq!(bench.ask(forged([10, 0, 0, 1], "10.0.0.9")).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_panic_stays_in_its_request() {
    async fn bomb() -> &'static str {
        panic!("a defect, with a secret in its words");
    }
    let router = Router::new().route("/", get(bomb)).layer(from_fn(contain));
    let request = Request::builder().uri("/").body(Body::empty()).expect("a request");
    let reply = router.oneshot(request).await.expect("cannot fail");
    assert_eq!(reply.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let body = axum::body::to_bytes(reply.into_body(), 10_000).await.expect("a body");
    let text = String::from_utf8_lossy(&body);
    assert!(text.contains("/problems/internal") && !text.contains("secret"));
}

#[tokio::test]
async fn https_is_remembered_and_its_cookie_is_secure() {
    let mut config = config();
    config.public_url = "https://stage.example".to_owned();
    let bench = Bench::with(config).await;
    let reply = bench.ask(Ask::new("GET", "/api/v1/instance")).await;
    assert!(reply.header("strict-transport-security").starts_with("max-age="));
    assert!(reply.header("content-security-policy").contains("wss://stage.example"));
    let link = bench.store.issuer.setup_link_token(std::time::SystemTime::now()).await.expect("there is no operator");
    let body = json!({ "token": link.expose_text(), "name": "n", "password": "long enough password" });
    let reply = bench.ask(Ask::new("POST", "/api/v1/setup").json(&body)).await;
    assert!(reply.header("set-cookie").contains("; Secure"));
}
