use crate::assertion::Assertions;
use crate::authorize::{Codes, Minted, Origin};
use crate::ceremony::Ceremonies;
use crate::key::{Keyring, LONGEST_TOKEN};
use crate::name_try::NameTries;
use crate::open_question::OpenQuestions;
use crate::password::Passwords;
use crate::proof::{self, Proof, Target, Thumbprint};
use crate::pushed::Pushed;
use crate::replay::Nonces;
use crate::second_try::SecondTries;
use crate::token::{self, Claims, Confirmation, Expected, Expiry, seconds};
use crate::{Error, Federation, Grant, Principal, Recognised, Scope, Subject, TokenError, TokenId, details};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use veilcast_privacy::{Pseudonym, Secret};
use veilcast_records::{EventId, LocationCap, Records, Role, base32, random_bits};
use veilcast_security::{Kind, Security};
use webauthn_rs::Webauthn;

/// Of a browser's tokens: long enough to join, so short that what was withdrawn is soon over everywhere. A page renews it
/// by itself.
pub(crate) const BOUND_LIFE: Duration = Duration::from_secs(300);

/// Who a token was issued to (`client_id`, RFC 9068 section 2.2).
pub(crate) const CLIENT_GUEST: &str = "veilcast-guest";
const CLIENT_TOKEN: &str = "veilcast-token";
/// Of whoever came by a provider's own token.
pub(crate) const CLIENT_FOREIGN: &str = "veilcast-foreign";

/// The embedded issuer of one instance: mints tokens and verifies them. Cheap to clone.
#[derive(Clone)]
pub struct Issuer(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) records: Records,
    pub(crate) public_url: String,
    pub(crate) passwords: Passwords,
    pub(crate) codes: Codes,
    pub(crate) assertions: Assertions,
    pub(crate) nonces: Nonces,
    pub(crate) federation: Federation,
    pub(crate) ceremonies: Ceremonies,
    pub(crate) open_questions: OpenQuestions,
    pub(crate) second_tries: SecondTries,
    pub(crate) name_tries: NameTries,
    pub(crate) security: Security,
    /// The relying party of passkeys; none where the public address cannot be one.
    pub(crate) site: Option<Webauthn>,
    pub(crate) pushed: Pushed,
    pub(crate) keys: Keyring,
}

/// A freshly minted access token.
pub struct AccessToken {
    /// For `Authorization`.
    pub token: Secret,
    /// Its life.
    pub expires_in: Duration,
    /// What it permits.
    pub scope: Scope,
    /// Its id (`jti`), by which it can be revoked: 26 characters.
    pub id: String,
}

/// What goes into a token besides the instance's own facts.
pub(crate) struct Minting<'a> {
    pub(crate) client: &'a str,
    pub(crate) subject: Subject,
    pub(crate) scope: Scope,
    pub(crate) event: Option<EventId>,
    pub(crate) life: Duration,
    /// The key that it is bound to (RFC 9449 section 6).
    pub(crate) key: Option<Thumbprint>,
    /// Of whoever has signed in.
    pub(crate) recognised: Option<Recognised>,
}

impl Issuer {
    /// The issuer named `public_url`, with the signing key from `records`; the first start makes one.
    pub async fn open(records: Records, public_url: &str, now: SystemTime) -> Result<Self, Error> {
        Self::open_with(records, public_url, Federation::default(), now).await
    }

    /// The same, with providers that people may sign in at or bring tokens of.
    pub async fn open_with(
        records: Records,
        public_url: &str,
        federation: Federation,
        now: SystemTime,
    ) -> Result<Self, Error> {
        let keys = Keyring::open(&records, now).await?;
        let public_url = public_url.trim_end_matches('/').to_owned();
        let (passwords, ceremonies) = (Passwords::new(), Ceremonies::default());
        let site = crate::passkey::site(&public_url);
        Ok(Self(Arc::new(Inner {
            records,
            public_url,
            passwords,
            ceremonies,
            open_questions: OpenQuestions::new(now)?,
            second_tries: SecondTries::default(),
            name_tries: NameTries::default(),
            security: Security::new()?,
            site,
            codes: Codes::default(),
            assertions: Assertions::new(now),
            nonces: Nonces::new()?,
            federation,
            pushed: Pushed::default(),
            keys,
        })))
    }

    /// The one origin: issuer of tokens, base of links.
    pub fn public_url(&self) -> &str {
        &self.0.public_url
    }

    /// Where signs of misuse are noted, and what became of them.
    pub fn security(&self) -> &Security {
        &self.0.security
    }

    /// What a client puts into its next proof over HTTP (RFC 9449 section 8).
    pub fn nonce(&self, now: SystemTime) -> String {
        self.0.nonces.current(now)
    }

    /// Checks a proof that comes without a token: of whoever asks for one.
    pub fn prove(&self, proof: &str, target: &Target<'_>, now: SystemTime) -> Result<Proof, TokenError> {
        self.proven(proof, None, target, now)
    }

    /// Checks a proof that comes with a token which was verified before: whether its key is that token's, too, is for the
    /// caller to compare.
    pub fn prove_with(
        &self,
        proof: &str,
        token: &str,
        target: &Target<'_>,
        now: SystemTime,
    ) -> Result<Proof, TokenError> {
        self.proven(proof, Some(token), target, now)
    }

    /// Verifies a token that is bound to a key, and the proof of that key.
    pub async fn verify_bound(
        &self,
        token: &str,
        proof: &str,
        target: &Target<'_>,
        now: SystemTime,
        expiry: Expiry,
    ) -> Result<(Grant, Proof), TokenError> {
        let grant = self.checked(token, expiry, now).await?;
        let Some(key) = grant.key else { return Err(TokenError::Unbound) };
        let proof = self.proven(proof, Some(token), target, now)?;
        if proof.key == key { Ok((grant, proof)) } else { Err(TokenError::ProofInvalid) }
    }

    /// Verifies a token of a program that knows no proofs. One that is bound to a key is refused without its proof.
    pub async fn verify_tool(&self, token: &str, now: SystemTime, expiry: Expiry) -> Result<Grant, TokenError> {
        let grant = self.checked(token, expiry, now).await?;
        if grant.key.is_none() { Ok(grant) } else { Err(TokenError::ProofMissing) }
    }

    /// Refuses the grant's token from now on.
    pub async fn revoke(&self, grant: &Grant) -> Result<(), Error> {
        Ok(self.0.records.revoke(&token_id_text(&grant.token), grant.expires).await?)
    }

    /// Refuses every token of this principal from now on; `expires` is when the last of them would have ended.
    pub(crate) async fn revoke_subject(&self, principal: &Principal, expires: SystemTime) -> Result<(), Error> {
        Ok(self.0.records.revoke(&base32(principal.0.expose_bits()), expires).await?)
    }

    /// A token for one event, for a program, for [`LONGEST_TOKEN`] at most. `scope` is [`Scope::Broadcast`] or [`Scope::Watch`].
    /// Whoever holds it is one principal, unknown otherwise.
    pub fn tool_token(
        &self,
        event: EventId,
        scope: Scope,
        life: Duration,
        now: SystemTime,
    ) -> Result<AccessToken, Error> {
        let (client, subject, life) = (CLIENT_TOKEN, Subject::OwnId, life.min(LONGEST_TOKEN));
        let minting = Minting { client, subject, scope, event: Some(event), life, key: None, recognised: None };
        Ok(self.mint(&minting, now)?.0)
    }

    /// An operator's own token for one event, bound to the key that the operator's token is bound to.
    pub async fn own_token(
        &self,
        operator: &Grant,
        event: EventId,
        scope: Scope,
        now: SystemTime,
    ) -> Result<AccessToken, TokenError> {
        let (client, subject, life) = (crate::CLIENT_WEB, Subject::Of(operator.principal), BOUND_LIFE);
        let (key, recognised) = (operator.key, operator.recognised.clone());
        let cap = self.0.records.location_cap(&event).await.map_err(|_| TokenError::Unavailable)?;
        let minting = Minting { client, subject, scope, event: Some(event), life, key, recognised };
        self.mint_by(operator, &minting, cap, now)
    }

    /// A viewer's token for whoever has signed in, with a token for their account: in every event somebody else.
    pub async fn member_token(
        &self,
        account: &Grant,
        event: EventId,
        now: SystemTime,
    ) -> Result<AccessToken, TokenError> {
        let recognised = account.recognised.clone().ok_or(TokenError::Invalid)?;
        let session = self.0.records.session_by_id(&recognised.session, now).await;
        let session = session.map_err(|_| TokenError::Unavailable)?.ok_or(TokenError::Invalid)?;
        let person = self.0.records.pairwise_subject(&session.account, crate::CLIENT_WEB);
        self.0.security.raise_about(Kind::JoinsByOne, &person, Some(event), now);
        let subject = Principal(Pseudonym::new(self.0.records.member_subject(&event, &session.account)));
        self.refuse_banned(&event, &subject).await?;
        let cap = self.0.records.location_cap(&event).await.map_err(|_| TokenError::Unavailable)?;
        let (client, subject, key) = (crate::CLIENT_WEB, Subject::Of(subject), account.key);
        let (scope, event, recognised) = (Scope::Watch, Some(event), Some(recognised));
        let minting = Minting { client, subject, scope, event, life: BOUND_LIFE, key, recognised };
        self.mint_by(account, &minting, cap, now)
    }

    /// A token in exchange for a page's own. If the code that this one came of has come twice, nothing more comes of it.
    fn mint_by(
        &self,
        own: &Grant,
        minting: &Minting<'_>,
        cap: LocationCap,
        now: SystemTime,
    ) -> Result<AccessToken, TokenError> {
        let token = self.mint_capped(minting, cap, now).map_err(|_| TokenError::Unavailable)?.0;
        let minted = Minted { id: token.id.clone(), expires: now + minting.life };
        let follows = self.0.codes.follow(&Origin::Token(&token_id_text(&own.token)), minted);
        if follows { Ok(token) } else { Err(TokenError::Invalid) }
    }

    /// Our own token for one event in exchange for a provider's, bound to the same key and good for no longer.
    pub async fn exchanged_token(
        &self,
        foreign: &Grant,
        event: EventId,
        now: SystemTime,
    ) -> Result<AccessToken, Error> {
        let cap = self.0.records.location_cap(&event).await?;
        let left = foreign.expires.duration_since(now).unwrap_or_default();
        let minting = Minting {
            client: CLIENT_FOREIGN,
            subject: Subject::Of(foreign.principal),
            scope: foreign.scope,
            event: Some(event),
            life: left.min(BOUND_LIFE),
            key: foreign.key,
            recognised: None,
        };
        Ok(self.mint_capped(&minting, cap, now)?.0)
    }

    /// A guest's token for watching one event. The same key is the same guest there, and nobody elsewhere.
    pub async fn guest_token(
        &self,
        event: EventId,
        key: Thumbprint,
        now: SystemTime,
    ) -> Result<AccessToken, TokenError> {
        let subject = Principal(Pseudonym::new(self.0.records.guest_subject(&event, &key.0)));
        self.refuse_banned(&event, &subject).await?;
        let cap = self.0.records.location_cap(&event).await.map_err(|_| TokenError::Unavailable)?;
        let (scope, subject, life) = (Scope::Watch, Subject::Of(subject), BOUND_LIFE);
        let (client, recognised) = (CLIENT_GUEST, None);
        let minting = Minting { client, subject, scope, event: Some(event), life, key: Some(key), recognised };
        Ok(self.mint_capped(&minting, cap, now).map_err(|_| TokenError::Unavailable)?.0)
    }

    /// Refuses whom an event keeps out: wherever a grant for it is given or looked at.
    pub(crate) async fn refuse_banned(&self, event: &EventId, who: &Principal) -> Result<(), TokenError> {
        let banned = self.0.records.is_banned(event, who.0.expose_bits()).await;
        if banned.map_err(|_| TokenError::Unavailable)? { Err(TokenError::Banned) } else { Ok(()) }
    }

    /// Forgets what is past its time: codes in memory, and the records by their table of retention; and notes whose password
    /// was given without what goes with it. Another key signs when its time has come. Returns how many records are gone.
    pub async fn forget(&self, now: SystemTime) -> Result<u64, Error> {
        self.0.codes.forget(now);
        self.0.pushed.forget(now);
        self.0.assertions.forget(now);
        self.0.federation.forget(now);
        self.0.ceremonies.forget(now);
        self.0.name_tries.forget(now);
        self.0.open_questions.forget(now)?;
        let gone = self.0.records.forget(now).await?;
        self.note_left_open(now).await?;
        self.turn_keys_in_time(now).await?;
        self.reload_keys(now).await?;
        Ok(gone)
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    /// Checks a proof. One that comes a second time is a sign of somebody who listens in.
    pub(crate) fn proven(
        &self,
        proof: &str,
        token: Option<&str>,
        target: &Target<'_>,
        now: SystemTime,
    ) -> Result<Proof, TokenError> {
        proof::verify(proof, token, target, &self.0.public_url, &self.0.nonces, now).map_err(|error| match error {
            TokenError::ProofReplayed => {
                let about = token.map_or(b"".as_slice(), str::as_bytes);
                self.0.security.raise_about(Kind::ProofReplayed, about, None, now);
                TokenError::ProofInvalid
            }
            error => error,
        })
    }

    pub(crate) fn mint(&self, minting: &Minting<'_>, now: SystemTime) -> Result<(AccessToken, TokenId), Error> {
        self.mint_capped(minting, LocationCap::NONE, now)
    }

    /// The same for a person at an event, who could agree to so much.
    pub(crate) fn mint_capped(
        &self,
        minting: &Minting<'_>,
        cap: LocationCap,
        now: SystemTime,
    ) -> Result<(AccessToken, TokenId), Error> {
        let id = TokenId(Pseudonym::new(random_bits()?));
        let subject = match minting.subject {
            Subject::OwnId => id.0,
            Subject::Of(principal) => principal.0,
        };
        let claims = Claims {
            iss: self.0.public_url.clone(),
            aud: self.0.records.audience().to_owned(),
            sub: base32(subject.expose_bits()),
            client_id: minting.client.to_owned(),
            iat: seconds(now),
            exp: seconds(now).saturating_add(minting.life.as_secs()),
            nbf: None,
            jti: token_id_text(&id),
            scope: minting.scope.as_str().to_owned(),
            event: minting.event.map(|event| event.to_string()),
            cnf: minting.key.map(|key| Confirmation { jkt: key.text() }),
            sid: minting.recognised.as_ref().map(|recognised| recognised.session.as_str().to_owned()),
            auth_time: minting.recognised.as_ref().map(|recognised| seconds(recognised.at)),
            acr: minting.recognised.as_ref().map(|recognised| token::acr(recognised.level).to_owned()),
            authorization_details: details::written(cap),
        };
        let token = self.0.keys.sign(now, |key| token::sign(&claims, key))?;
        let (expires_in, scope, text) = (minting.life, minting.scope, token_id_text(&id));
        Ok((AccessToken { token, expires_in, scope, id: text }, id))
    }

    pub(crate) async fn checked(&self, token: &str, expiry: Expiry, now: SystemTime) -> Result<Grant, TokenError> {
        let expected = Expected { issuer: &self.0.public_url, audience: self.0.records.audience() };
        let mut grant = token::verify(token, &self.0.keys.all(), &expected, expiry, now)?;
        let revoked =
            self.0.records.is_revoked(&token_id_text(&grant.token), &base32(grant.principal.0.expose_bits())).await;
        if revoked.map_err(|_| TokenError::Unavailable)? || !self.session_lasts(&mut grant, expiry, now).await? {
            return Err(TokenError::Invalid);
        }
        if let Some(event) = &grant.event {
            self.refuse_banned(event, &grant.principal).await?;
        }
        if self.program_lasts(&grant, now).await? { Ok(grant) } else { Err(TokenError::Invalid) }
    }

    /// A token that came of a session ends with it, and an operator's with the role; leaving is still allowed afterwards.
    async fn session_lasts(&self, grant: &mut Grant, expiry: Expiry, now: SystemTime) -> Result<bool, TokenError> {
        let Some(recognised) = grant.recognised.as_ref().filter(|_| expiry == Expiry::Enforced) else {
            return Ok(true);
        };
        let session = self.0.records.session_by_id(&recognised.session, now).await;
        let Some(session) = session.map_err(|_| TokenError::Unavailable)? else { return Ok(false) };
        // Members are somebody else at every event; an operator is the same everywhere.
        let own = self.0.records.pairwise_subject(&session.account, crate::CLIENT_WEB);
        let as_operator =
            grant.scope == Scope::Admin || (grant.event.is_some() && *grant.principal.0.expose_bits() == own);
        grant.operator = as_operator && session.role == Role::Operator;
        let operators = matches!(grant.scope, Scope::Admin | Scope::Broadcast | Scope::Moderate);
        Ok(!operators || session.role == Role::Operator)
    }
}

pub(crate) fn token_id_text(id: &TokenId) -> String {
    base32(id.0.expose_bits())
}
