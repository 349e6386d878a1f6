//! What an ID token says (OpenID Connect Core section 3.1.3.7), and what it counts for here.

use super::jwt::{self, JwtError, Signed};
use super::{Door, SignInSettings};
use serde_json::Value;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use subtle::ConstantTimeEq;
use veilcast_records::{Level, Role};

/// An ID token is redeemed as soon as it is made.
const OLDEST: Duration = Duration::from_secs(600);

/// How long ago a provider may have asked for the factors that it vouches for: as long as they count here.
pub(crate) const MAX_AGE: Duration = Duration::from_secs(600);

/// Longer than a session here.
const LONG_AGO: Duration = Duration::from_secs(24 * 3_600);

/// Whom a provider vouches for.
pub(crate) struct Vouched {
    pub(crate) subject: String,
    /// The provider's name for its session, for when that ends.
    pub(crate) session: Option<String>,
    /// `None`: no rule lets them in.
    pub(crate) role: Option<Role>,
    /// How surely they were recognised.
    pub(crate) level: Level,
    /// When they were recognised there.
    pub(crate) authenticated: SystemTime,
}

/// Why an ID token lets nobody in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refused {
    Invalid,
    Unavailable,
}

/// Checks an ID token and reads what is kept of it. The rest is dropped here.
pub(crate) async fn read(door: &Door, token: &str, nonce: &str, now: SystemTime) -> Result<Vouched, Refused> {
    let document = door.remote.document(now).await.map_err(|_| Refused::Unavailable)?;
    let signed = jwt::verify(token, &door.remote, &document.algorithms(), now).await.map_err(|error| match error {
        JwtError::Invalid => Refused::Invalid,
        JwtError::Unavailable => Refused::Unavailable,
    })?;
    check(&signed, door.remote.client_id(), nonce, now).ok_or(Refused::Invalid)?;
    let claims = &signed.claims;
    let subject = jwt::subject(claims).ok_or(Refused::Invalid)?.to_owned();
    let session = jwt::text(claims, "sid").map(str::to_owned);
    let role = role(&door.settings, claims);
    let level = if strong(&door.settings, claims, now) { Level::Multi } else { Level::Single };
    Ok(Vouched { subject, session, role, level, authenticated: authenticated(claims, now) })
}

/// When a provider recognised somebody: a provider that knows them still may have asked nothing (OpenID Connect Core section 2,
/// `auth_time`). Where it does not say, so long ago that nothing here counts it as just now.
fn authenticated(claims: &Value, now: SystemTime) -> SystemTime {
    let at = jwt::number(claims, "auth_time").and_then(|at| UNIX_EPOCH.checked_add(Duration::from_secs(at)));
    at.map_or_else(|| now.checked_sub(LONG_AGO).unwrap_or(UNIX_EPOCH), |at| at.min(now))
}

fn check(signed: &Signed, client: &str, nonce: &str, now: SystemTime) -> Option<()> {
    let claims = &signed.claims;
    // An access token or a logout token says what it is.
    let typed = signed.typ.as_deref().is_none_or(|typ| typ == "jwt");
    let made = UNIX_EPOCH.checked_add(Duration::from_secs(jwt::number(claims, "iat")?))?;
    let recent = now.duration_since(made).unwrap_or_default() <= OLDEST;
    let dated = jwt::number(claims, "exp").is_some();
    let fresh = jwt::text(claims, "nonce").is_some_and(|own| bool::from(own.as_bytes().ct_eq(nonce.as_bytes())));
    let no_logout = claims.get("events").is_none();
    (typed && recent && dated && fresh && no_logout && is_for(claims, client)).then_some(())
}

/// For this client: alone, or among others if it is the one that asked (`azp`).
fn is_for(claims: &Value, client: &str) -> bool {
    let audiences = jwt::audiences(claims);
    let party = claims.get("azp");
    let asked = party.is_none_or(|party| party.as_str() == Some(client));
    audiences.contains(&client) && asked && (audiences.len() == 1 || party.is_some())
}

/// The highest role that a rule gives. Where a rule says who is a member, nobody else is.
fn role(settings: &SignInSettings, claims: &Value) -> Option<Role> {
    let gives = |role| settings.roles.iter().any(|rule| rule.role == role && rule.claim.fits(claims));
    let selective = settings.roles.iter().any(|rule| rule.role == Role::Member);
    if gives(Role::Operator) {
        return Some(Role::Operator);
    }
    (!selective || gives(Role::Member)).then_some(Role::Member)
}

/// Whether several factors were asked for. It counts only where exactly this `acr` was mapped, was therefore asked for, and came
/// back with an `auth_time` as it was asked for; what is missing means no.
fn strong(settings: &SignInSettings, claims: &Value, now: SystemTime) -> bool {
    let mapped = jwt::text(claims, "acr").is_some_and(|acr| settings.strong_acr.iter().any(|mapped| mapped == acr));
    let at = jwt::number(claims, "auth_time").and_then(|at| UNIX_EPOCH.checked_add(Duration::from_secs(at)));
    mapped
        && at.is_some_and(|at| {
            let ahead = at.duration_since(now).unwrap_or_default();
            let age = now.duration_since(at).unwrap_or_default();
            ahead <= jwt::SKEW && age <= MAX_AGE + jwt::SKEW
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClaimRule, RoleRule};
    use serde_json::json;

    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }

    fn claims() -> Value {
        json!({ "sub": "s", "aud": "us", "nonce": "n", "iat": 1_799_999_990_u64, "exp": 1_800_000_300_u64 })
    }

    fn accepted(changes: &Value, typ: Option<&str>) -> bool {
        let mut claims = claims();
        for (name, value) in changes.as_object().expect("members") {
            claims[name] = value.clone();
        }
        let typ = typ.map(str::to_owned);
        check(&Signed { typ, claims }, "us", "n", now()).is_some()
    }

    #[test]
    fn an_id_token_is_ours_and_of_this_sign_in() {
        for (changes, typ) in [
            (json!({}), None),
            (json!({}), Some("jwt")),
            (json!({ "aud": ["us"] }), None),
            (json!({ "aud": ["us", "them"], "azp": "us" }), None),
            (json!({ "azp": "us" }), None),
        ] {
            assert!(accepted(&changes, typ), "{changes}");
        }
        for (changes, typ) in [
            (json!({}), Some("at+jwt")),
            (json!({}), Some("logout+jwt")),
            (json!({ "aud": "them" }), None),
            (json!({ "aud": [] }), None),
            (json!({ "aud": ["us", "them"] }), None),
            (json!({ "aud": ["us", 7], "azp": "us" }), None),
            (json!({ "aud": null }), None),
            (json!({ "azp": "them" }), None),
            (json!({ "azp": 7 }), None),
            (json!({ "nonce": "m" }), None),
            (json!({ "nonce": null }), None),
            (json!({ "iat": null }), None),
            (json!({ "iat": 1_799_999_000_u64 }), None),
            (json!({ "exp": null }), None),
            (json!({ "events": {} }), None),
        ] {
            assert!(!accepted(&changes, typ), "{changes} {typ:?}");
        }
    }

    fn settings(roles: &[(&str, &str, Role)]) -> SignInSettings {
        let rule = |&(name, value, role): &(&str, &str, Role)| {
            let claim = ClaimRule { name: name.to_owned(), value: value.to_owned() };
            RoleRule { claim, role }
        };
        let roles = roles.iter().map(rule).collect();
        SignInSettings { name: String::new(), scopes: Vec::new(), roles, strong_acr: vec!["mfa".to_owned()] }
    }

    #[test]
    fn roles_follow_the_rules_and_nothing_else() {
        use Role::{Member, Operator};
        let open = settings(&[("groups", "staff", Operator)]);
        assert_eq!(role(&open, &json!({ "groups": ["staff"] })), Some(Operator));
        assert_eq!(role(&open, &json!({ "groups": "staff" })), Some(Operator));
        for other in [json!({}), json!({ "groups": ["staffs"] }), json!({ "groups": { "staff": true } })] {
            assert_eq!(role(&open, &other), Some(Member), "{other}");
        }
        let closed = settings(&[("/realm/roles", "viewer", Member), ("/realm/roles", "boss", Operator)]);
        assert_eq!(role(&closed, &json!({ "realm": { "roles": ["viewer"] } })), Some(Member));
        assert_eq!(role(&closed, &json!({ "realm": { "roles": ["viewer", "boss"] } })), Some(Operator));
        assert_eq!(role(&closed, &json!({ "/realm/roles": ["viewer"] })), None);
        assert_eq!(role(&settings(&[]), &json!({ "groups": ["staff"] })), Some(Member));
    }

    #[test]
    fn a_provider_s_word_for_several_factors_needs_all_of_it() {
        let settings = settings(&[]);
        let strong = |claims: Value| strong(&settings, &claims, now());
        assert!(strong(json!({ "acr": "mfa", "auth_time": 1_799_999_940_u64 })));
        for missing in [
            json!({ "acr": "mfa" }),
            json!({ "auth_time": 1_799_999_940_u64 }),
            json!({ "acr": "MFA", "auth_time": 1_799_999_940_u64 }),
            json!({ "acr": ["mfa"], "auth_time": 1_799_999_940_u64 }),
            json!({ "acr": "pwd", "amr": ["mfa"], "auth_time": 1_799_999_940_u64 }),
            json!({ "acr": "mfa", "auth_time": 1_799_999_000_u64 }),
            json!({ "acr": "mfa", "auth_time": 1_800_000_900_u64 }),
            json!({ "acr": "mfa", "auth_time": "1799999940" }),
        ] {
            assert!(!strong(missing.clone()), "{missing}");
        }
        let unmapped = SignInSettings { strong_acr: Vec::new(), ..settings };
        let claims = json!({ "acr": "mfa", "auth_time": 1_799_999_940_u64 });
        assert!(!super::strong(&unmapped, &claims, now()));
    }

    #[test]
    fn a_silent_answer_is_no_fresh_authentication() {
        let at = |seconds: u64| UNIX_EPOCH + Duration::from_secs(seconds);
        let said = |claims: Value| authenticated(&claims, now());
        assert_eq!(said(json!({ "auth_time": 1_799_990_000_u64 })), at(1_799_990_000));
        assert_eq!(said(json!({ "auth_time": 1_800_000_900_u64 })), now(), "never later than now");
        for silent in [json!({}), json!({ "auth_time": null }), json!({ "auth_time": "1800000000" })] {
            assert_eq!(said(silent.clone()), now() - LONG_AGO, "{silent}");
        }
    }
}
