use serde::{Deserialize, Serialize};
#[cfg(feature = "typescript")]
use ts_rs::TS;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// A refusal, the same over HTTP (`application/problem+json`, RFC 9457) and WebSocket: what went wrong and
/// how to mend it, and nothing about the inside.
#[derive(Clone, Serialize, Deserialize, PartialEq, Eq, Debug, ToSchema)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Fault {
    /// `/problems/CODE`
    #[serde(rename = "type")]
    pub kind: String,
    /// Machine-readable.
    pub code: FaultCode,
    /// One sentence: what went wrong.
    pub title: String,
    /// What it was about, where that helps: a line, a field, a limit. Never a value that somebody sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub detail: Option<String>,
    /// One sentence: how to mend it.
    pub remedy: String,
    /// The HTTP status.
    pub status: u16,
}

impl Fault {
    /// The fault that `code` stands for.
    pub fn new(code: FaultCode) -> Self {
        let (status, title, remedy) = code.text();
        Self {
            kind: format!("/problems/{}", code.name()),
            code,
            title: title.to_owned(),
            detail: None,
            remedy: remedy.to_owned(),
            status,
        }
    }

    /// Adds what it was about. `detail` must not repeat what somebody sent.
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

impl From<FaultCode> for Fault {
    fn from(code: FaultCode) -> Self {
        Self::new(code)
    }
}

macro_rules! faults {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $status:literal, $title:literal, $remedy:literal;)+) => {
        /// Every way in which a request can be refused.
        #[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, Debug, Hash)]
        #[cfg_attr(feature = "typescript", derive(TS))]
        pub enum FaultCode {
            $($(#[doc = $doc])+ #[serde(rename = $name)] $variant,)+
        }

        impl FaultCode {
            /// Every code, for pages and tests that list them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code in text.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Status, sentence, remedy.
            pub const fn text(self) -> (u16, &'static str, &'static str) {
                match self { $(Self::$variant => ($status, $title, $remedy)),+ }
            }
        }
    };
}

// By hand: the derive does not see names that come out of a macro.
impl PartialSchema for FaultCode {
    fn schema() -> RefOr<Schema> {
        let names = Self::ALL.iter().map(|code| code.name());
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).into()
    }
}

impl ToSchema for FaultCode {}

faults! {
    /// The request's form is wrong.
    BadRequest = "bad-request", 400, "The request could not be understood.", "Check the request against the documentation and send it again.";
    /// The SDP is wrong.
    SdpInvalid = "sdp-invalid", 400, "The session description could not be used.", "Send an SDP offer with BUNDLE, rtcp-mux, ICE credentials and a SHA-256, SHA-384 or SHA-512 certificate fingerprint.";
    /// Nothing in common.
    CodecUnsupported = "codec-unsupported", 406, "No offered codec can be carried here.", "Offer Opus for audio and VP8, H.264, VP9 or AV1 for video.";
    /// RSA or another kind.
    CertificateUnsupported = "certificate-unsupported", 400, "The media connection's certificate is of a kind this server does not take.", "Use an ECDSA certificate on P-256 or P-384.";
    /// No Authorization header.
    TokenMissing = "token-missing", 401, "This needs a token.", "Send it as 'Authorization: Bearer TOKEN'.";
    /// A program's token where a page's is needed.
    TokenUnbound = "token-unbound", 401, "This token is for programs; it is not taken here.", "Get a token that is bound to a key of your own: as a guest, by an invitation, or by signing in.";
    /// A bound token without its proof.
    ProofMissing = "proof-missing", 401, "This needs a proof that the token's key is yours.", "Send 'Authorization: DPoP TOKEN' with a 'DPoP' header, as RFC 9449 describes.";
    /// Forged, for another request or another key, or used before.
    ProofInvalid = "proof-invalid", 401, "The proof of the token's key does not fit this request.", "Make a new proof for each request: method, address, token, nonce and, with an offer, its certificate's fingerprint.";
    /// Without a nonce, or with an old one.
    ProofNonce = "proof-nonce", 401, "The proof of the token's key needs a fresh nonce.", "Take the nonce of this answer's DPoP-Nonce header and send the request again.";
    /// Forged, foreign, or for something else.
    TokenInvalid = "token-invalid", 401, "This token is not valid here.", "Get a new token for this event from this server.";
    /// Past its time.
    TokenExpired = "token-expired", 401, "This token has expired.", "Get a new token and try again.";
    /// Unknown, ended, signed by another key, too old, or used before.
    ClientRefused = "client-refused", 401, "This program could not be recognised.", "Sign a new assertion with the key that is registered: iss and sub its id, aud this server's address, exp within a minute, jti and iat fresh.";
    /// Valid, but for other things.
    ScopeMissing = "scope-missing", 403, "This token does not permit that.", "Get a token with the scope that this action needs.";
    /// Not recognised surely enough, or too long ago (RFC 9470).
    StepUpRequired = "step-up-required", 401, "This needs a fresh proof that it is you.", "Confirm with a passkey, or with your password and an authenticator app, and try again.";
    /// The account is not known or the password is wrong; the two are not told apart.
    SignInFailed = "sign-in-failed", 401, "The name or the password is wrong.", "Check both and try again.";
    /// The password is right, and the account has an authenticator app.
    CodeMissing = "code-missing", 401, "This account asks for a code, too.", "Type the six digits that your authenticator app shows, or a recovery code.";
    /// Wrong, too late, or answered before; which of these is not told.
    FactorInvalid = "factor-invalid", 403, "That did not prove that it is you.", "Try again; each question can be answered once, within two minutes.";
    /// Nobody could sign in afterwards.
    FactorLast = "factor-last", 409, "This is the last way to sign in.", "Add another way first.";
    /// The public address is one in numbers.
    PasskeysUnavailable = "passkeys-unavailable", 409, "This server's address cannot have passkeys.", "Use a name and a password, or run the server under a name: localhost or a domain.";
    /// No session at the issuer.
    SignInRequired = "sign-in-required", 401, "You are not signed in.", "Sign in and try again.";
    /// The one-time link is used up or too old, or an operator exists.
    SetupInvalid = "setup-invalid", 403, "This setup link is no longer valid.", "Run 'veilcast setup' on the server to get a new one; once there is an operator, 'veilcast setup --recover'.";
    /// A page of another origin.
    OriginRefused = "origin-refused", 403, "Pages of this origin may not use this server.", "Ask whoever runs the server to add the page's origin to allowed_origins.";
    /// No such event.
    EventUnknown = "event-unknown", 404, "There is no such event here.", "Check the link, or ask the organiser for a new one.";
    /// Over.
    EventEnded = "event-ended", 410, "This event has ended.", "Ask the organiser whether there will be another.";
    /// Not public.
    EventPrivate = "event-private", 403, "This event is by invitation.", "Ask the organiser for an invitation.";
    /// For whoever has signed in.
    EventSignIn = "event-sign-in", 403, "This event is for people who are signed in.", "Sign in here and open the event again.";
    /// Each person is let in by hand.
    EventApproval = "event-approval", 403, "Whoever comes to this event is let in by its host.", "Open the event's page in a browser and ask there to be let in.";
    /// The host said no.
    TurnedAway = "turned-away", 403, "The host did not let you in.", "If you think that is a mistake, ask the organiser.";
    /// Nobody has decided.
    KnockUnanswered = "knock-unanswered", 403, "Nobody has answered.", "Ask again when the host is there.";
    /// The provider's answer does not fit, or nobody asked for it.
    ProviderRefused = "provider-refused", 403, "You could not be signed in with the answer that came back.", "Begin again, in the same browser; if it happens again, tell whoever runs this server.";
    /// The person said no.
    ProviderCancelled = "provider-cancelled", 403, "You were not signed in, because that was cancelled.", "Sign in again whenever you like.";
    /// Good there, and let in here by no rule.
    ProviderNotAdmitted = "provider-not-admitted", 403, "Your account there does not let you in here.", "Ask whoever runs this server who may sign in.";
    /// It does not answer, or not as it should.
    ProviderUnavailable = "provider-unavailable", 503, "The place where you sign in cannot be reached at the moment.", "Try again in a minute; if it happens again, tell whoever runs this server.";
    /// Unknown, withdrawn, or past its time.
    InvitationInvalid = "invitation-invalid", 403, "This invitation is not valid, or not any more.", "Ask the organiser for a new one.";
    /// Another browser came first.
    InvitationUsed = "invitation-used", 403, "This invitation was used in another browser.", "Open it there, or ask the organiser for one of your own.";
    /// Withdrawn while in use.
    AccessRevoked = "access-revoked", 403, "Your access to this event was withdrawn.", "Ask the organiser.";
    /// Put out by whoever looks after the event, for now.
    Removed = "removed", 403, "A moderator has removed you from this event.", "You may come back; if it happens again, ask the organiser why.";
    /// Kept out by whoever looks after the event.
    Banned = "banned", 403, "A moderator keeps you out of this event.", "If you think that is a mistake, ask the organiser to let you back in; other events here are open to you as before.";
    /// Nobody asked, it was answered, or too long ago.
    QuestionUnknown = "question-unknown", 409, "This question is no longer open.", "Ask again: a question is good once, for ten minutes, while the page that asked is open.";
    /// Nothing without consent.
    ConsentMissing = "consent-missing", 403, "You have not agreed to this, or not any more.", "Agree to it first; watching needs no consent.";
    /// Neither built in nor added.
    PurposeUnknown = "purpose-unknown", 404, "This server asks for nothing of that name.", "Use a purpose that /api/v1/purposes lists; whoever runs the server can add one to the settings.";
    /// Not signed by the key that it names.
    StatementInvalid = "statement-invalid", 400, "The choice is not signed as it has to be.", "Sign it with ES256 and put the public key into the header; docs/consent.md has the form.";
    /// The words have changed meanwhile.
    ConsentOutdated = "consent-outdated", 409, "What you were asked has changed since it was shown.", "Read the new words and choose again.";
    /// Refused by the browser's signal.
    ConsentSignal = "consent-signal", 409, "Your browser's privacy signal speaks against this.", "Choose it in the privacy settings, after being told of the signal, or leave it off.";
    /// The event does without.
    ConsentLeftOut = "consent-left-out", 403, "This event asks for nothing of the kind.", "Take part without it: watching always works.";
    /// Each choice is kept as a receipt.
    ConsentTooOften = "consent-too-often", 429, "You have changed your choices very often here.", "What you chose last holds, and taking back always works; for more, wait for another event.";
    /// Receipts of guests are bounded for each event.
    ConsentFull = "consent-full", 503, "No more choices can be kept at this event.", "What you chose holds, and taking back always works; watching needs none. Tell the organiser.";
    /// A moderator has muted them.
    ChatMuted = "chat-muted", 403, "You have been muted in this chat.", "You read and watch as before; ask the organiser if you think that is a mistake.";
    /// Too soon after the last one.
    ChatSlow = "chat-slow", 429, "The chat is in slow mode, or you are writing very fast.", "Wait a moment and send it again.";
    /// Deleted, removed, withdrawn, or never there.
    ChatGone = "chat-gone", 404, "This message is no longer there, or its author is not.", "Answer or react to another one.";
    /// Empty, too long, or nothing but what cannot be seen.
    ChatText = "chat-text", 400, "This cannot be sent as a message.", "Write up to 500 characters of text.";
    /// Empty, too long, or it claims to be somebody.
    ChatName = "chat-name", 400, "This name cannot be used here.", "Choose one of up to 24 letters, digits and spaces that claims no role.";
    /// No cell, of another size, or no country.
    LocationInvalid = "location-invalid", 400, "This is no area of the size that was chosen.", "Send a country's two letters, or an H3 cell of resolution 4, 6 or 9.";
    /// Finer than may be shown here.
    LocationTooFine = "location-too-fine", 403, "Locations are shown more coarsely here.", "Choose a larger area.";
    /// The precision was chosen with the consent.
    LocationFixed = "location-fixed", 409, "You share an area of another size at the moment.", "Stop sharing, and choose again.";
    /// Areas follow each other slowly.
    LocationTooSoon = "location-too-soon", 429, "Your area was changed a moment ago.", "Wait: another one is taken five minutes after the last.";
    /// A page of somebody else's.
    OriginForeign = "origin-foreign", 403, "Only this server's own pages may answer for a person.", "Open the question on this server's page; a page that embeds the player cannot answer it.";
    /// Nobody is there to be put out.
    PlaceEmpty = "place-empty", 409, "Nobody is at this place on stage.", "Look at the stage again: whoever was there has left.";
    /// The place has changed hands since whoever asks has looked.
    PlaceChanged = "place-changed", 409, "Somebody else is at this place on stage by now.", "Look at the stage again: nobody was removed.";
    /// Gone, or decided by somebody else.
    NobodyKnocks = "nobody-knocks", 409, "Nobody with this number waits to be let in.", "Look again: they have gone, or somebody else has decided.";
    /// Operators, and moderators by moderators.
    NotRemovable = "not-removable", 403, "Whoever looks after this event cannot be removed from it.", "Ask an operator: a moderator's invitation can be revoked.";
    /// As many are on as the event takes.
    BroadcasterPresent = "broadcaster-present", 409, "Somebody else is broadcasting to this event, and it takes no more at once.", "Wait until a broadcast ends, replace one with the token it was started with, or have the operator let more co-hosts in.";
    /// A newer session of the same principal took the broadcast over.
    Replaced = "replaced", 409, "This broadcast was taken over from another page or device of yours.", "Close the other one, or go live again here to take it back.";
    /// No such session.
    SessionUnknown = "session-unknown", 404, "There is no such session, or it has ended.", "Start a new session.";
    /// If-Match does not match.
    PreconditionFailed = "precondition-failed", 412, "The session has changed since.", "Read the current ETag and send it in If-Match.";
    /// PATCH or DELETE without If-Match where it is needed.
    PreconditionRequired = "precondition-required", 428, "This change needs the session's ETag.", "Send the ETag of the session in If-Match, or '*' for an ICE restart.";
    /// Not this method.
    MethodNotAllowed = "method-not-allowed", 405, "This address does not take that method.", "Use one of the methods in the Allow header.";
    /// Not this content type.
    MediaTypeUnsupported = "media-type-unsupported", 415, "The body is of the wrong type.", "Send the content type that the documentation names: application/sdp, application/trickle-ice-sdpfrag or application/json.";
    /// Over a limit.
    TooLarge = "too-large", 413, "The request is larger than this server takes.", "Make it smaller.";
    /// Throttled, or full.
    TooMany = "too-many", 429, "There were too many requests.", "Wait a minute and try again.";
    /// Somebody knows the password and has tried a day's worth of codes.
    CodesSpent = "codes-spent", 429, "Too many wrong codes were tried today.", "Sign in with a passkey, or with the app again tomorrow. If it was not you, change the password.";
    /// About to stop.
    Draining = "draining", 503, "The server is about to restart.", "Connect again in a few seconds.";
    /// Nothing here.
    NotFound = "not-found", 404, "There is nothing at this address.", "Check the address.";
    /// The media connection did not come about.
    ConnectionFailed = "connection-failed", 504, "The media connection could not be made.", "Check that this network lets UDP through to the server, and try again.";
    /// It was there and is not any more.
    ConnectionLost = "connection-lost", 504, "The media connection was lost.", "Check the network, and connect again.";
    /// The certificate is another.
    FingerprintMismatch = "fingerprint-mismatch", 400, "The media connection's certificate is not the one that was announced.", "Start a new session; if it happens again, somebody may be between you and the server.";
    /// Our own fault.
    Internal = "internal", 500, "Something went wrong on the server.", "Try again; if it happens again, tell whoever runs this server.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_a_sentence_with_a_remedy_and_survives_the_wire() {
        for &code in FaultCode::ALL {
            let fault = Fault::new(code);
            assert!((400..=599).contains(&fault.status), "{}", code.name());
            assert!(fault.title.ends_with('.') && fault.remedy.ends_with('.'), "{}", code.name());
            let text = serde_json::to_string(&fault).expect("a fault is plain data");
            assert!(text.contains(&format!("\"type\":\"/problems/{}\"", code.name())));
            assert_eq!(serde_json::from_str::<Fault>(&text).expect("it was just written"), fault);
        }
    }
}
