//! Programs of integrators: confidential clients that act for themselves (RFC 6749 section 4.4) and for people of whom they alone
//! know who they are.

use crate::assertion::Assertion;
use crate::invitation::Invitation;
use crate::issuer::{BOUND_LIFE, Minting};
use crate::proof::{PRIVATE, Thumbprint, thumbprint};
use crate::secrets::{digest_of, random_secret};
use crate::token::{parse_bits, seconds};
use crate::{AccessToken, ClientError, ClientTokenError, Error, Grant, Issuer, Principal, Scope, Subject, TokenError};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};
use veilcast_privacy::{Pseudonym, Secret};
use veilcast_records::{Client, ClientId, ClientKey, EventId, Granted, InvitationId, NewClient, NewGrant, base32};

/// `client_id` of whoever came by a program's grant: all of them alike.
pub(crate) const CLIENT_GRANT: &str = "veilcast-grant";

/// A year: nobody remembers for longer what a program was for.
const LONGEST_LIFE: Duration = Duration::from_secs(365 * 24 * 3_600);
const SHORTEST_LIFE: Duration = Duration::from_secs(3_600);

/// Characters of what a program calls one of its people.
const SUBJECT: std::ops::RangeInclusive<usize> = 1..=128;

/// What a program may do; no right includes another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rights(u8);

impl Rights {
    /// Seeing its own events, and the grants to them.
    pub const READ_EVENTS: Self = Self(1);
    /// Making, changing and ending its own events.
    pub const MANAGE_EVENTS: Self = Self(2);
    /// Letting its own people in to its own events, and withdrawing that.
    pub const ISSUE_GRANTS: Self = Self(4);

    /// The text of every set of rights, by its bits.
    const TEXTS: [&'static str; 8] = [
        "",
        "events:read",
        "events:manage",
        "events:read events:manage",
        "grants:issue",
        "events:read grants:issue",
        "events:manage grants:issue",
        "events:read events:manage grants:issue",
    ];

    /// All that there are, each alone.
    pub const EACH: [Self; 3] = [Self::READ_EVENTS, Self::MANAGE_EVENTS, Self::ISSUE_GRANTS];

    /// As a token has them: separated by spaces, each once, in any order, at least one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rights = Self(0);
        for word in text.split(' ') {
            let right = Self::EACH.into_iter().find(|right| right.as_str() == word)?;
            if rights.include(right) {
                return None;
            }
            rights.0 |= right.0;
        }
        Some(rights)
    }

    /// The scopes in text.
    pub fn as_str(self) -> &'static str {
        Self::TEXTS[usize::from(self.0 & 7)]
    }

    /// Whether all of `others` are among them.
    pub const fn include(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }
}

/// A program to be registered.
pub struct Registration<'a> {
    /// What the operator calls it: 1 to 64 characters.
    pub label: &'a str,
    /// Whom to ask about it, alike.
    pub owner: &'a str,
    /// What it may do.
    pub rights: Rights,
    /// Its public keys: a JWK or a set of them (RFC 7517), P-256 or Ed25519.
    pub keys: &'a str,
    /// An hour to a year.
    pub life: Duration,
}

/// Whom a program lets in, where, and as what.
pub struct Granting<'a> {
    /// By which program.
    pub client: &'a ClientId,
    /// To which event.
    pub event: &'a EventId,
    /// The program's own name for the person: 1 to 128 characters. Not kept.
    pub subject: &'a str,
    /// [`Scope::Broadcast`] or [`Scope::Watch`].
    pub scope: Scope,
    /// Its life.
    pub life: Duration,
}

impl Grant {
    /// The program that the grant is for, if it has these rights; whoever is no program lacks them.
    pub fn client(&self, needed: Rights) -> Result<ClientId, TokenError> {
        match self.scope {
            Scope::Program(rights) if rights.include(needed) => Ok(client_of(&self.principal)),
            _ => Err(TokenError::ScopeMissing),
        }
    }
}

/// A program is its own principal (RFC 9068 section 2.2).
fn client_of(principal: &Principal) -> ClientId {
    ClientId::new(&base32(principal.0.expose_bits()))
}

impl Issuer {
    /// Registers a program. Its private keys stay where they are.
    pub async fn register_client(&self, new: &Registration<'_>, now: SystemTime) -> Result<ClientId, ClientError> {
        if !(SHORTEST_LIFE..=LONGEST_LIFE).contains(&new.life) {
            return Err(ClientError::LifeInvalid);
        }
        let (keys, scopes, expires) = (public_keys(new.keys)?, new.rights.as_str(), now + new.life);
        let row = NewClient { label: new.label, owner: new.owner, scopes, expires };
        Ok(self.inner().records.create_client(&row, &keys, now).await?)
    }

    /// Gives a program another key. The older ones count for `overlap` more; without any, what they have brought ends now.
    pub async fn rotate_client(
        &self,
        id: &ClientId,
        key: &str,
        overlap: Duration,
        now: SystemTime,
    ) -> Result<bool, ClientError> {
        let keys = public_keys(key)?;
        let [key] = keys.as_slice() else { return Err(ClientError::KeyInvalid) };
        let stale = now + BOUND_LIFE;
        Ok(self.inner().records.rotate_client(id, key, now + overlap, stale, now).await?)
    }

    /// Ends a program: its keys and tokens are refused from now on. With `grants`, whoever came by one is out, too, and they are
    /// told; else those stay good until their end, and may be withdrawn later by the same call. `None`: there is nothing of such a program.
    pub async fn revoke_client(
        &self,
        id: &ClientId,
        grants: bool,
        now: SystemTime,
    ) -> Result<Option<Vec<Principal>>, Error> {
        let removed = self.inner().records.remove_client(id).await?;
        // Also of one that has gone: its grants are nobody else's to withdraw.
        let out = match grants {
            true => self.inner().records.remove_all_grants(id, last_token(now)).await?,
            false => Vec::new(),
        };
        if !removed && out.is_empty() {
            return Ok(None);
        }
        Ok(Some(principals(out)))
    }

    /// Lets one of a program's people in to one of its events. `None`: there are too many already.
    pub async fn issue_grant(&self, new: &Granting<'_>, now: SystemTime) -> Result<Option<Invitation>, ClientError> {
        let legible = SUBJECT.contains(&new.subject.chars().count()) && !new.subject.chars().any(char::is_control);
        // Part of an address later, where these two mean something else.
        let legible = legible && new.subject != "." && new.subject != "..";
        if !legible {
            return Err(ClientError::SubjectInvalid);
        }
        let code = random_secret()?;
        let row = NewGrant {
            client: new.client,
            event: new.event,
            subject: new.subject,
            broadcasts: new.scope == Scope::Broadcast,
            expires: now + new.life,
        };
        let id = self.inner().records.put_grant(&digest_of(code.expose_text()), &row, now).await?;
        Ok(id.map(|id| Invitation { id, code }))
    }

    /// Withdraws a grant and says whom to put out; nobody: there is no such grant.
    pub async fn revoke_grant(
        &self,
        client: &ClientId,
        event: &EventId,
        id: &InvitationId,
        now: SystemTime,
    ) -> Result<Vec<Principal>, Error> {
        let removed = self.inner().records.remove_grants(client, event, Granted::One(id), last_token(now)).await?;
        Ok(principals(removed))
    }

    /// The same of everything that a person has at an event.
    pub async fn revoke_person(
        &self,
        client: &ClientId,
        event: &EventId,
        subject: &str,
        now: SystemTime,
    ) -> Result<Vec<Principal>, Error> {
        let which = Granted::Subject(subject);
        Ok(principals(self.inner().records.remove_grants(client, event, which, last_token(now)).await?))
    }

    /// A program's token, bound to `key`, for an assertion that it has signed (RFC 7523 section 2.2). `scope`: fewer rights than it
    /// has, or none for all of them.
    pub async fn client_token(
        &self,
        assertion: &str,
        scope: &str,
        key: Thumbprint,
        now: SystemTime,
    ) -> Result<AccessToken, ClientTokenError> {
        let unavailable = |_| ClientTokenError::Unavailable;
        let records = &self.inner().records;
        let read = Assertion::read(assertion)?;
        let client = records.client(&ClientId::new(read.client()), now).await.map_err(unavailable)?;
        let client = client.ok_or(ClientTokenError::Invalid)?;
        read.verify(&client, self.public_url(), &self.inner().assertions, now)?;
        let owned = Rights::parse(&client.scopes).ok_or(ClientTokenError::Unavailable)?;
        let rights = match scope {
            "" => owned,
            asked => {
                Rights::parse(asked).filter(|asked| owned.include(*asked)).ok_or(ClientTokenError::ScopeInvalid)?
            }
        };
        records.client_was_used(&client.id, now).await.map_err(unavailable)?;
        let token = self.token_of(&client, rights, key, now)?;
        // Its key may have been withdrawn meanwhile.
        let still = records.client(&client.id, now).await.map_err(unavailable)?;
        if still.is_some_and(|still| still.stale == client.stale) { Ok(token) } else { Err(ClientTokenError::Invalid) }
    }

    fn token_of(
        &self,
        client: &Client,
        rights: Rights,
        key: Thumbprint,
        now: SystemTime,
    ) -> Result<AccessToken, ClientTokenError> {
        let own = parse_bits(client.id.as_str()).map_err(|_| ClientTokenError::Invalid)?;
        let minting = Minting {
            client: client.id.as_str(),
            subject: Subject::Of(Principal(own)),
            scope: Scope::Program(rights),
            event: None,
            life: client.expires.duration_since(now).unwrap_or_default().min(BOUND_LIFE),
            key: Some(key),
            recognised: None,
        };
        Ok(self.mint(&minting, now).map_err(|_| ClientTokenError::Unavailable)?.0)
    }

    /// Whether a token claims to be a program's. It is verified wherever that matters.
    pub fn is_program(&self, token: &str) -> bool {
        crate::token::claimed_scope(token).is_some_and(|scope| matches!(scope, Scope::Program(_)))
    }

    /// A program's token ends with the program, and with the keys that it came of.
    pub(crate) async fn program_lasts(&self, grant: &Grant, now: SystemTime) -> Result<bool, TokenError> {
        if !matches!(grant.scope, Scope::Program(_)) {
            return Ok(true);
        }
        let client = self.inner().records.client(&client_of(&grant.principal), now).await;
        let client = client.map_err(|_| TokenError::Unavailable)?;
        Ok(client.is_some_and(|client| seconds(grant.expires) > seconds(client.stale)))
    }
}

/// A key's thumbprint as JWKs have it (RFC 7638 section 3.1).
pub fn thumbprint_text(thumbprint: &[u8; 32]) -> String {
    Thumbprint(*thumbprint).text()
}

/// When the last token has ended that somebody may be getting at this moment.
fn last_token(now: SystemTime) -> SystemTime {
    now + BOUND_LIFE + Duration::from_secs(60)
}

fn principals(subjects: Vec<[u8; 16]>) -> Vec<Principal> {
    subjects.into_iter().map(|subject| Principal(Pseudonym::new(subject))).collect()
}

/// A fresh key pair for a program that has none: the private half as PEM (PKCS #8), and the public one as JWK.
pub fn generate_client_key() -> Result<(Secret, String), Error> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| Error::Key)?;
    let pkcs8 = pair.to_pkcs8v1().map_err(|_| Error::Key)?;
    // SEC 1 section 2.3.3: a byte of form, then both coordinates.
    let (x, y) = pair.public_key().as_ref().get(1..).ok_or(Error::Key)?.split_at(32);
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) });
    let body = Secret::from(STANDARD.encode(pkcs8.as_ref()));
    let lines: Vec<&str> =
        body.expose_text().as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----", lines.join("\n"));
    Ok((Secret::from(pem), jwk.to_string()))
}

/// A JWK or a set of them, with the public members alone.
fn public_keys(text: &str) -> Result<Vec<ClientKey>, ClientError> {
    let value: Value = serde_json::from_str(text).map_err(|_| ClientError::KeyInvalid)?;
    match value.get("keys").and_then(Value::as_array) {
        Some(several) => several.iter().map(public_key).collect(),
        None => Ok(vec![public_key(&value)?]),
    }
}

fn public_key(value: &Value) -> Result<ClientKey, ClientError> {
    // Somebody who sends a private key has given it away.
    if PRIVATE.iter().any(|member| value.get(member).is_some()) {
        return Err(ClientError::KeyPrivate);
    }
    let text = |member: &str| value.get(member).and_then(Value::as_str).ok_or(ClientError::KeyInvalid);
    let coordinate = |member: &str| {
        let decoded = URL_SAFE_NO_PAD.decode(text(member)?).map_err(|_| ClientError::KeyInvalid)?;
        if decoded.len() == 32 { text(member) } else { Err(ClientError::KeyInvalid) }
    };
    let public = match (text("kty")?, text("crv")?) {
        ("EC", "P-256") => json!({ "kty": "EC", "crv": "P-256", "x": coordinate("x")?, "y": coordinate("y")? }),
        ("OKP", "Ed25519") => json!({ "kty": "OKP", "crv": "Ed25519", "x": coordinate("x")? }),
        _ => return Err(ClientError::KeyInvalid),
    };
    let jwk: Jwk = serde_json::from_value(public.clone()).map_err(|_| ClientError::KeyInvalid)?;
    let thumbprint = thumbprint(&jwk).ok_or(ClientError::KeyInvalid)?;
    Ok(ClientKey { thumbprint: thumbprint.0, jwk: public.to_string(), expires: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_survive_their_text() {
        for bits in 1..8 {
            assert_eq!(Rights::parse(Rights(bits).as_str()), Some(Rights(bits)));
        }
        assert_eq!(Rights::parse("grants:issue events:read"), Some(Rights(5)));
        for wrong in ["", " ", "admin", "events:read ", "events:read events:read", "events:manage\nevents:read"] {
            assert_eq!(Rights::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_private_key_is_not_taken() {
        let (pem, public) = generate_client_key().expect("randomness");
        assert!(
            pem.expose_text().starts_with("-----BEGIN PRIVATE KEY-----\n") && pem.expose_text().lines().count() > 3
        );
        assert!(public_keys(&public).is_ok_and(|keys| keys.len() == 1));
        assert!(public_keys(&format!("{{\"keys\":[{public},{public}]}}")).is_ok_and(|keys| keys.len() == 2));
        let mut private: Value = serde_json::from_str(&public).expect("JSON");
        private["d"] = json!("AA");
        assert!(matches!(public_keys(&private.to_string()), Err(ClientError::KeyPrivate)));
        let wrong = [
            json!({ "kty": "oct", "k": "AA" }),
            json!({ "kty": "RSA", "n": "AA", "e": "AQAB" }),
            json!({ "kty": "EC", "crv": "P-384", "x": "AA", "y": "AA" }),
            json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" }),
            json!([]),
        ];
        assert!(wrong.iter().all(|key| public_keys(&key.to_string()).is_err()));
    }
}
