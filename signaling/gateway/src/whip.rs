//! WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep-03): the same five verbs, publishing or watching.

use crate::app::App;
use crate::config::IceServer;
use crate::credentials::{Caller, Credentials};
use crate::extract::{EventPath, SdpBody, SessionPath};
use crate::fault::Problem;
use crate::methods;
use crate::random;
use crate::sdp::{FragmentShape, Origin, parse_fragment, write_fragment};
use crate::session::{Access, HttpSession, end_of, permission, same_certificate};
use axum::Router;
use axum::extract::State;
use axum::http::header::{ALLOW, CONTENT_TYPE, ETAG, IF_MATCH, LINK, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, options};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::sync::Arc;
use veilcast_auth::{EventId, Expiry, Grant};
use veilcast_control::Role;
use veilcast_protocol::FaultCode;
use veilcast_room::SessionId;

pub(crate) const SDP: HeaderValue = HeaderValue::from_static("application/sdp");
const FRAGMENT: HeaderValue = HeaderValue::from_static("application/trickle-ice-sdpfrag");
const ENDPOINT: &str = "POST, OPTIONS";
const SESSION: &str = "PATCH, DELETE, OPTIONS";

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/whip/{event}", endpoint().post(publish))
        .route("/whep/{event}", endpoint().post(watch))
        .route("/whip/{event}/{session}", session().patch(patch_publisher).delete(delete_publisher))
        .route("/whep/{event}/{session}", session().patch(patch_viewer).delete(delete_viewer))
}

/// OPTIONS answers the same for every event and session, whether it exists or not, and needs no token.
fn endpoint() -> MethodRouter<Arc<App>> {
    let answer =
        || async { (StatusCode::NO_CONTENT, [(ALLOW.as_str(), ENDPOINT), ("accept-post", "application/sdp")]) };
    methods::only(options(answer), ENDPOINT)
}

fn session() -> MethodRouter<Arc<App>> {
    let accepted = "application/trickle-ice-sdpfrag";
    let answer =
        move || async move { (StatusCode::NO_CONTENT, [(ALLOW.as_str(), SESSION), ("accept-patch", accepted)]) };
    methods::only(options(answer), SESSION)
}

async fn publish(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    event: EventPath,
    body: SdpBody<false>,
) -> Result<Response, Problem> {
    app.create(Role::Broadcaster, &credentials, &event, &body).await
}

async fn watch(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    event: EventPath,
    body: SdpBody<false>,
) -> Result<Response, Problem> {
    app.create(Role::Viewer, &credentials, &event, &body).await
}

async fn patch_publisher(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    path: SessionPath,
    headers: HeaderMap,
    body: SdpBody<true>,
) -> Result<Response, Problem> {
    app.patch(Role::Broadcaster, &credentials, &path, &headers, &body).await
}

async fn patch_viewer(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    path: SessionPath,
    headers: HeaderMap,
    body: SdpBody<true>,
) -> Result<Response, Problem> {
    app.patch(Role::Viewer, &credentials, &path, &headers, &body).await
}

async fn delete_publisher(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    path: SessionPath,
) -> Result<StatusCode, Problem> {
    app.delete(Role::Broadcaster, &credentials, &path).await
}

async fn delete_viewer(
    State(app): State<Arc<App>>,
    credentials: Credentials,
    path: SessionPath,
) -> Result<StatusCode, Problem> {
    app.delete(Role::Viewer, &credentials, &path).await
}

impl App {
    /// RFC 9725 section 4.2: an offer makes a session, named by `Location`.
    async fn create(
        &self,
        role: Role,
        credentials: &Credentials,
        EventPath(event): &EventPath,
        body: &SdpBody<false>,
    ) -> Result<Response, Problem> {
        let Caller { grant, proof } = self.caller(credentials, role, Expiry::Enforced, Some(event)).await?;
        let access = self.access_of(&grant, event).await?;
        if let Some(proof) = proof {
            same_certificate(&proof, body.text()?)?;
        }
        if access.role != role {
            return Err(Problem::new(FaultCode::ScopeMissing));
        }
        let (id, entity_tag) = (random::session()?, random::entity_tag()?);
        let origin = Origin { session: random::number()?, version: 1 };
        let answered = self.join(&access, id, None, body.text()?, origin).await;
        let answered = answered
            .inspect_err(|problem| self.hub.journal.note_fault(event, &access.principal, problem.fault.code))?;
        let http = HttpSession {
            event: *event,
            role,
            principal: access.principal,
            standing: access.standing,
            entity_tag: entity_tag.clone(),
            remote_ufrag: answered.remote_ufrag,
            fragment: FragmentShape::of(&answered.answer, &answered.shape),
            key: access.key,
            until: access.until,
            signed_in: access.signed_in.clone(),
            ticket: access.ticket.clone(),
        };
        self.remember(id, &access, http)?;
        if let Err(problem) = self.confirm_sign_in(&access).await {
            _ = self.leave(id, access.principal);
            return Err(problem);
        }
        let location = format!("/{}/{event}/{}", segment(role), URL_SAFE_NO_PAD.encode(id.expose_bits()));
        let servers = self.ice_servers()?;
        let mut response = (StatusCode::CREATED, answered.text).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, SDP);
        insert(headers, LOCATION, &location)?;
        insert(headers, ETAG, &entity_tag)?;
        for link in servers.iter().filter_map(IceServer::link) {
            headers.append(LINK, link);
        }
        Ok(response)
    }

    /// Keeps what later requests need, unless the session is over already.
    fn remember(&self, id: SessionId, access: &Access, http: HttpSession) -> Result<(), Problem> {
        self.hub.with(|rooms, _| {
            // Under the rooms' lock, so that the session's end cannot pass between the two.
            rooms.peer_of(id, access.principal)?;
            self.hub.directory.add_http(id, http);
            Ok(())
        })
    }

    /// RFC 9725 section 4.3: candidates are taken note of by doing nothing, new credentials restart ICE.
    async fn patch(
        &self,
        role: Role,
        credentials: &Credentials,
        path: &SessionPath,
        headers: &HeaderMap,
        body: &SdpBody<true>,
    ) -> Result<Response, Problem> {
        let event = path.event.parse().ok();
        let grant = self.caller(credentials, role, Expiry::Enforced, event.as_ref()).await?.grant;
        let (id, session) = self.owned(role, path, &grant)?;
        // An operator is one principal in every event; a token goes on with what it permits.
        if grant.for_event(&session.event).is_ok_and(|scope| permission(scope) == Some(role)) {
            self.hub.directory.extend(id, end_of(&grant), &grant);
        }
        let condition = headers.get(IF_MATCH).ok_or(Problem::new(FaultCode::PreconditionRequired))?;
        let matches = condition.to_str().is_ok_and(|text| is_match(text, &session.entity_tag));
        let remote = parse_fragment(body.text()?)?;
        if !matches {
            return Err(Problem::new(FaultCode::PreconditionFailed));
        }
        let Some(remote) = remote.filter(|ice| ice.ufrag != session.remote_ufrag) else {
            return Ok(StatusCode::NO_CONTENT.into_response());
        };
        let (ufrag, entity_tag) = (remote.ufrag.clone(), random::entity_tag()?);
        let local = self.restart(id, session.principal, remote).await?;
        self.hub.directory.restarted(id, ufrag, entity_tag.clone());
        let mut response = write_fragment(&session.fragment, &local).into_response();
        response.headers_mut().insert(CONTENT_TYPE, FRAGMENT);
        insert(response.headers_mut(), ETAG, &entity_tag)?;
        Ok(response)
    }

    /// RFC 9725 section 4.2: leaving. A token that ran out meanwhile is good enough for that; with a stream key, the session has
    /// ended by then.
    async fn delete(&self, role: Role, credentials: &Credentials, path: &SessionPath) -> Result<StatusCode, Problem> {
        let event = path.event.parse().ok();
        let grant = self.caller(credentials, role, Expiry::Ignored, event.as_ref()).await?.grant;
        let (id, session) = self.owned(role, path, &grant)?;
        self.leave(id, session.principal)?;
        Ok(StatusCode::OK)
    }

    /// The session that a path names, for its owner. Somebody else's, another path's and none look the same.
    fn owned(
        &self,
        role: Role,
        SessionPath { event, session: id }: &SessionPath,
        grant: &Grant,
    ) -> Result<(SessionId, HttpSession), Problem> {
        let unknown = || Problem::new(FaultCode::SessionUnknown);
        let event: EventId = event.parse().map_err(|_| unknown())?;
        let bits: [u8; 16] =
            URL_SAFE_NO_PAD.decode(id).ok().and_then(|bits| bits.try_into().ok()).ok_or_else(unknown)?;
        let id = SessionId::new(bits);
        let Some(session) = self.hub.directory.http(id) else {
            // What has ended by itself says why, to whom it was: a program hears of it in no other way.
            let lost = self.hub.directory.lost(id, role, event, grant);
            return Err(lost.map_or_else(unknown, Problem::new));
        };
        let same_place = session.event == event && session.role == role;
        let is_owner = session.principal == grant.principal.pseudonym() && session.key == grant.key;
        if same_place && is_owner { Ok((id, session)) } else { Err(unknown()) }
    }
}

const fn segment(role: Role) -> &'static str {
    match role {
        Role::Broadcaster => "whip",
        Role::Viewer => "whep",
    }
}

/// RFC 9110 section 13.1.1: `*` or a list that holds the tag.
pub(crate) fn is_match(condition: &str, entity_tag: &str) -> bool {
    condition.trim() == "*" || condition.split(',').any(|tag| tag.trim() == entity_tag)
}

fn insert(headers: &mut HeaderMap, name: axum::http::HeaderName, value: &str) -> Result<(), Problem> {
    let value = HeaderValue::from_str(value).map_err(|_| Problem::new(FaultCode::Internal))?;
    headers.insert(name, value);
    Ok(())
}
