//! What a request shows of its sender: a token bound to a key with a proof of that key (RFC 9449 section 7.1), or a program's
//! token or stream key (RFC 6750 section 2.1). Never from a query or a body.

use crate::app::App;
use crate::edge::PrefixTag;
use crate::fault::Problem;
use axum::extract::{FromRequestParts, OriginalUri, Request, State};
use axum::http::header::{AUTHORIZATION, HeaderName, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;
use std::time::SystemTime;
use veilcast_auth::{
    Asking, EventId, Expiry, Freshness, Grant, Party, Proof, Scope, Target, TokenError, is_stream_key,
};
use veilcast_control::Role;
use veilcast_privacy::Secret;
use veilcast_protocol::FaultCode;

pub(crate) const DPOP: HeaderName = HeaderName::from_static("dpop");
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// A request's credentials, not checked yet.
pub(crate) struct Credentials {
    shown: Shown,
    proof: Option<Secret>,
    method: Method,
    path: String,
    tag: Option<PrefixTag>,
    /// A page sent it: browsers say so wherever it matters, and programs do not.
    from_page: bool,
}

enum Shown {
    Nothing,
    Bound(Secret),
    Tool(Secret),
    StreamKey(Secret),
}

/// Who sent a request that may come from a program.
pub(crate) struct Caller {
    pub(crate) grant: Grant,
    /// `None` for a program.
    pub(crate) proof: Option<Proof>,
}

impl<S: Send + Sync> FromRequestParts<S> for Credentials {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // The path as it was asked for: routers may strip what they have matched.
        let OriginalUri(uri) =
            OriginalUri::from_request_parts(parts, state).await.unwrap_or_else(|never| match never {});
        Ok(Self {
            shown: shown(&parts.headers)?,
            proof: proof(&parts.headers)?,
            method: parts.method.clone(),
            path: uri.path().to_owned(),
            tag: parts.extensions.get::<PrefixTag>().copied(),
            from_page: parts.headers.contains_key(ORIGIN),
        })
    }
}

fn shown(headers: &HeaderMap) -> Result<Shown, Problem> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(Shown::Nothing) };
    if values.next().is_some() {
        return Err(Problem::new(FaultCode::TokenInvalid));
    }
    let text = value.to_str().map_err(|_| Problem::new(FaultCode::TokenInvalid))?;
    let (scheme, token) = text.split_once(' ').ok_or(Problem::new(FaultCode::TokenMissing))?;
    let token = Secret::new(token.trim());
    match scheme {
        scheme if scheme.eq_ignore_ascii_case("bearer") => match is_stream_key(token.expose_text()) {
            true => Ok(Shown::StreamKey(token)),
            false => Ok(Shown::Tool(token)),
        },
        scheme if scheme.eq_ignore_ascii_case("dpop") => Ok(Shown::Bound(token)),
        _ => Err(Problem::new(FaultCode::TokenMissing)),
    }
}

/// RFC 9449 section 4.3, point 1: not more than one.
fn proof(headers: &HeaderMap) -> Result<Option<Secret>, Problem> {
    let mut values = headers.get_all(DPOP).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().ok().filter(|_| values.next().is_none());
    text.map(|text| Some(Secret::new(text))).ok_or(Problem::new(FaultCode::ProofInvalid))
}

impl Credentials {
    fn target(&self) -> Target<'_> {
        Target { method: self.method.as_str(), path: &self.path, freshness: Freshness::Nonce, party: self.party() }
    }

    /// A bound token as it was shown; empty where there is none.
    pub(crate) fn shown_token(&self) -> &str {
        match &self.shown {
            Shown::Bound(token) => token.expose_text(),
            Shown::Tool(_) | Shown::StreamKey(_) | Shown::Nothing => "",
        }
    }

    /// Whose share of memory the request takes.
    pub(crate) fn party(&self) -> Party {
        self.tag.map_or(Party::default(), PrefixTag::party)
    }

    /// Counts a refusal that is no failure by its code as one of this network; past the limit it becomes "too many".
    pub(crate) fn failed(&self, app: &App, problem: Problem) -> Problem {
        match self.tag {
            Some(tag) => app.throttle.count(tag, problem),
            None => problem,
        }
    }

    /// The network that the request came from.
    pub(crate) const fn tag(&self) -> Option<PrefixTag> {
        self.tag
    }

    fn proof(&self) -> &str {
        self.proof.as_ref().map_or("", Secret::expose_text)
    }
}

impl App {
    /// The sender, who has to hold the key of its token.
    pub(crate) async fn holder(&self, credentials: &Credentials) -> Result<(Grant, Proof), Problem> {
        match &credentials.shown {
            Shown::Bound(token) => self.bound(credentials, token, Expiry::Enforced).await,
            Shown::Tool(token) => {
                // A forged one is told apart from one that is for elsewhere.
                self.issuer.verify_tool(token.expose_text(), SystemTime::now(), Expiry::Enforced).await?;
                Err(TokenError::Unbound.into())
            }
            Shown::StreamKey(_) => Err(TokenError::Unbound.into()),
            Shown::Nothing => Err(TokenError::Missing.into()),
        }
    }

    /// Like [`Self::holder`], where nobody has to show anything.
    pub(crate) async fn holder_if_any(&self, credentials: &Credentials) -> Result<Option<Grant>, Problem> {
        match credentials.shown {
            Shown::Nothing => Ok(None),
            _ => self.holder(credentials).await.map(|(grant, _)| Some(grant)),
        }
    }

    /// An operator.
    pub(crate) async fn admin(&self, credentials: &Credentials) -> Result<Grant, Problem> {
        let (grant, _) = self.holder(credentials).await?;
        grant.require(Scope::Admin)?;
        Ok(grant)
    }

    /// An operator who was recognised by two factors not long ago (RFC 9470).
    pub(crate) async fn stepped_up(&self, credentials: &Credentials) -> Result<Grant, Problem> {
        let grant = self.admin(credentials).await?;
        grant.require_step_up(SystemTime::now())?;
        Ok(grant)
    }

    /// The sender, which may be a program that comes as a `role`. Where the path names an event, a provider's own token will do.
    pub(crate) async fn caller(
        &self,
        credentials: &Credentials,
        role: Role,
        expiry: Expiry,
        event: Option<&EventId>,
    ) -> Result<Caller, Problem> {
        if let (Some(event), true) = (event, self.shows_foreign(credentials)) {
            return self.foreign_caller(credentials, event).await;
        }
        match &credentials.shown {
            Shown::Bound(token) => {
                let (grant, proof) = self.bound(credentials, token, expiry).await?;
                Ok(Caller { grant, proof: Some(proof) })
            }
            Shown::Tool(token) => {
                let grant = self.issuer.verify_tool(token.expose_text(), SystemTime::now(), expiry).await?;
                // A page that has got hold of a program's token is not the program.
                if credentials.from_page { Err(TokenError::Unbound.into()) } else { Ok(Caller { grant, proof: None }) }
            }
            // Looked at only where it may be used: everywhere else, a good one is not told apart from a wrong one.
            Shown::StreamKey(key) if role == Role::Broadcaster && !credentials.from_page => {
                let grant = self.issuer.verify_stream_key(key.expose_text(), SystemTime::now()).await?;
                Ok(Caller { grant, proof: None })
            }
            Shown::StreamKey(_) => Err(TokenError::Unbound.into()),
            Shown::Nothing => Err(TokenError::Missing.into()),
        }
    }

    fn shows_foreign(&self, credentials: &Credentials) -> bool {
        match &credentials.shown {
            Shown::Bound(token) | Shown::Tool(token) => self.issuer.is_foreign(token.expose_text()),
            Shown::StreamKey(_) | Shown::Nothing => false,
        }
    }

    async fn foreign_caller(&self, credentials: &Credentials, event: &EventId) -> Result<Caller, Problem> {
        let now = SystemTime::now();
        match &credentials.shown {
            Shown::Tool(token) => {
                let asking = Asking { party: credentials.party(), allowed: self.may_ask(credentials) };
                let grant = self.issuer.verify_foreign_tool(token.expose_text(), event, asking, now).await?;
                if credentials.from_page { Err(TokenError::Unbound.into()) } else { Ok(Caller { grant, proof: None }) }
            }
            _ => self.foreign_holder(credentials, event).await?.ok_or(TokenError::Missing.into()),
        }
    }

    /// The sender, if it shows a provider's token with a proof of the key that this is bound to.
    pub(crate) async fn foreign_holder(
        &self,
        credentials: &Credentials,
        event: &EventId,
    ) -> Result<Option<Caller>, Problem> {
        let Shown::Bound(token) = &credentials.shown else { return Ok(None) };
        if !self.issuer.is_foreign(token.expose_text()) {
            return Ok(None);
        }
        let (token, proof, target) = (token.expose_text(), credentials.proof(), credentials.target());
        let (may_ask, now) = (self.may_ask(credentials), SystemTime::now());
        let verified = self.issuer.verify_foreign_bound(token, event, proof, &target, may_ask, now).await?;
        Ok(Some(Caller { grant: verified.0, proof: Some(verified.1) }))
    }

    /// A provider is asked nothing for a network that has used up its failures: each question costs both of us more than it costs
    /// whoever makes tokens up.
    fn may_ask(&self, credentials: &Credentials) -> bool {
        credentials.tag.is_none_or(|tag| !self.throttle.is_over(tag))
    }

    /// The key of somebody who asks for a first token.
    pub(crate) fn newcomer(&self, credentials: &Credentials) -> Result<Proof, Problem> {
        Ok(self.issuer.prove(credentials.proof(), &credentials.target(), SystemTime::now())?)
    }

    async fn bound(
        &self,
        credentials: &Credentials,
        token: &Secret,
        expiry: Expiry,
    ) -> Result<(Grant, Proof), Problem> {
        let (target, now) = (credentials.target(), SystemTime::now());
        Ok(self.issuer.verify_bound(token.expose_text(), credentials.proof(), &target, now, expiry).await?)
    }
}

/// Hands out the present nonce wherever proofs are taken (RFC 9449 section 8.2).
pub(crate) async fn hand_out_nonce(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    // A page asks something before it proves anything, and has its nonce by then; programs have no use for one.
    let for_pages = request.method() != Method::OPTIONS && (path.starts_with("/api/") || path == "/oauth/token");
    let proves = request.headers().contains_key(DPOP);
    let mut response = next.run(request).await;
    if (for_pages || proves)
        && let Ok(nonce) = HeaderValue::from_str(&app.issuer.nonce(SystemTime::now()))
    {
        response.headers_mut().insert(DPOP_NONCE, nonce);
    }
    response
}
