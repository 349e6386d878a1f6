use crate::Error;
use sqlx::SqlitePool;

/// How long one kind of record is kept.
pub struct Retention {
    /// Its table.
    pub kind: &'static str,
    /// What it holds.
    pub what: &'static str,
    /// Why it is kept at all.
    pub why: &'static str,
    /// When it is forgotten.
    pub until: &'static str,
    /// Removes what is past its time; `?1` is now. `None`: only a person removes it.
    sweep: Option<&'static str>,
}

/// Everything the records keep. A table that is not named here fails a test.
pub const RETENTION: &[Retention] = &[
    Retention {
        kind: "instance",
        what: "a random id and the public address of this instance",
        why: "tokens are made for it and refused elsewhere",
        until: "the data directory is removed",
        sweep: None,
    },
    Retention {
        kind: "account",
        what: "a random id, a role and, where its person chose one, a sign-in name, sealed",
        why: "signing in",
        until: "the account is erased; its key is destroyed with it",
        sweep: None,
    },
    Retention {
        kind: "factor",
        what: "a password's hash, a passkey's public key, the secret of an authenticator app, the mark of a recovery code; sealed",
        why: "recognising the account's person",
        until: "its person removes or replaces it, or the account is erased; a recovery code: its use",
        sweep: None,
    },
    Retention {
        kind: "issuer_session",
        what: "the digest of a sign-in cookie, when it was opened and, sealed, the label of what it was opened with",
        why: "staying signed in, and seeing who else is",
        until: "12 hours without use, 30 days after signing in, or signing out",
        sweep: Some("DELETE FROM issuer_session WHERE expires <= ?1"),
    },
    Retention {
        kind: "refresh_family",
        what: "digests of the two last refresh tokens of a page, when it renewed its token last, and a mark of its key",
        why: "staying signed in while the page is in use, and noticing copies",
        until: "its session ends",
        sweep: Some(
            "DELETE FROM refresh_family WHERE session NOT IN (SELECT id FROM issuer_session WHERE expires > ?1)",
        ),
    },
    Retention {
        kind: "identity",
        what: "a digest of who somebody is at a sign-in provider, and the minute of their last sign-in there; neither name nor provider",
        why: "being the same person at the next sign-in, and no operator whom the provider has long forgotten",
        until: "the account is erased",
        sweep: None,
    },
    Retention {
        kind: "identity_session",
        what: "a digest of a sign-in provider's session",
        why: "signing out there signs out here",
        until: "30 days after signing in",
        sweep: Some("DELETE FROM identity_session WHERE expires <= ?1"),
    },
    Retention {
        kind: "activity",
        what: "to the minute: sign-ins, sessions ended, factors changed; labels sealed; no address, no place, no browser",
        why: "noticing that somebody else has come in",
        until: "90 days, or the account is erased",
        sweep: Some("DELETE FROM activity WHERE at <= ?1 - 90 * 86400"),
    },
    Retention {
        kind: "setup_token",
        what: "the digest of a one-time setup link, and whose account it recovers",
        why: "making the first account, or letting its person in again",
        until: "30 minutes, or its use",
        sweep: Some("DELETE FROM setup_token WHERE expires <= ?1"),
    },
    Retention {
        kind: "event",
        what: "an event's title, sealed, and its settings",
        why: "its link and its page",
        until: "the operator removes it",
        sweep: None,
    },
    Retention {
        kind: "invitation",
        what: "the digest of an invitation's code, a random id for whoever came by it, a mark of that browser's key and, of a program's grant, a digest of whom it is for",
        why: "an invitation is for one person, and can be withdrawn",
        until: "its time is over, or the operator revokes it",
        sweep: Some("DELETE FROM invitation WHERE expires <= ?1"),
    },
    Retention {
        kind: "stream_key",
        what: "the digest of a stream key, a random id for the program that has it, whom to ask about it, sealed, and the minutes in which it was made and last used",
        why: "a program broadcasts with it, and it can be withdrawn",
        until: "its time is over (a year at most), 90 days without use, its event ends, or the operator revokes it",
        sweep: Some(
            "DELETE FROM stream_key WHERE expires <= ?1 OR coalesce(last_used, created) + 90 * 86400 <= ?1 OR event IN (SELECT id FROM event WHERE state = 'ended')",
        ),
    },
    Retention {
        kind: "ban",
        what: "a digest of whom an event keeps out, under a key of that event, and the minute; no name, address or device",
        why: "whoever was put out for good stays out",
        until: "a moderator lets them back in, or the event ends or is removed",
        sweep: Some("DELETE FROM ban WHERE event IN (SELECT id FROM event WHERE state = 'ended')"),
    },
    Retention {
        kind: "ban_key",
        what: "the key of an event's bans, sealed",
        why: "bans of two events have nothing in common, and none means anything without it",
        until: "the event ends or is removed",
        sweep: Some("DELETE FROM ban_key WHERE event IN (SELECT id FROM event WHERE state = 'ended')"),
    },
    Retention {
        kind: "client",
        what: "a program of an integrator: label and owner, sealed, what it may do, the minute of its last use, how many events and grants it has made",
        why: "letting programs in, and reviewing them",
        until: "its end, after a year at most, 90 days without use, or the operator revokes it; the key to its people with it",
        sweep: Some("DELETE FROM client WHERE expires <= ?1 OR coalesce(last_used, created) + 90 * 86400 <= ?1"),
    },
    Retention {
        kind: "client_key",
        what: "a public key of such a program",
        why: "it proves by it that it is itself",
        until: "another has taken its place, or the program has gone",
        sweep: Some("DELETE FROM client_key WHERE expires <= ?1"),
    },
    Retention {
        kind: "webhook",
        what: "the address and the secrets of a server that is told what happens here and whom to ask about it, sealed; what it is told, how many messages it took, and to the minute when the last",
        why: "telling it, and showing the operator whether it listens",
        until: "its time is over (a year at most), 90 days in which it took nothing, 30 days after it said that it is gone, or the operator removes it; a secret that was replaced: 24 hours",
        sweep: Some(
            "DELETE FROM webhook WHERE expires <= ?1 OR ended <= ?1 - 30 * 86400 OR coalesce(delivered, created) + 90 * 86400 <= ?1",
        ),
    },
    Retention {
        kind: "webhook",
        what: "the secret of a receiver before its last rotation, sealed",
        why: "a receiver changes its secret when it gets round to it",
        until: "24 hours after the rotation",
        sweep: Some("UPDATE webhook SET former_sealed = NULL, former_until = NULL WHERE former_until <= ?1"),
    },
    Retention {
        kind: "webhook_message",
        what: "a message that its receiver has not taken yet, sealed; no name, no title, nobody's id",
        why: "telling a receiver that was away",
        until: "its receiver takes it, or 24 hours",
        sweep: Some("DELETE FROM webhook_message WHERE made <= ?1 - 86400"),
    },
    Retention {
        kind: "webhook_news",
        what: "that an event has started or ended, until the server has made messages of it",
        why: "telling receivers of it whichever process did it",
        until: "a moment, or 24 hours while the server is stopped",
        sweep: Some("DELETE FROM webhook_news WHERE at <= ?1 - 86400"),
    },
    Retention {
        kind: "security_event",
        what: "how often a kind of suspicious thing was seen in an hour, and at which event; nobody, no address",
        why: "noticing an attack",
        until: "90 days",
        sweep: Some("DELETE FROM security_event WHERE hour <= ?1 - 90 * 86400"),
    },
    Retention {
        kind: "signing_key",
        what: "a key that signs access tokens, sealed",
        why: "tokens stay valid over a restart",
        until: "30 days after another took its place, which is every 90 days, or at once when it is withdrawn",
        sweep: Some("DELETE FROM signing_key WHERE until <= ?1"),
    },
    Retention {
        kind: "receipt",
        what: "a receipt of what somebody agreed to or refused, sealed: signed by them and by the server, to the minute; a digest of the key that they signed with",
        why: "showing that they were asked, and what they answered",
        until: "a guest's: 24 hours after the event, 30 days at most; an account's: two years, or the account is erased",
        sweep: Some("DELETE FROM receipt WHERE until <= ?1"),
    },
    Retention {
        kind: "receipt_key",
        what: "a key that signs receipts, sealed, and its public half",
        why: "receipts can be looked at for as long as anybody has them",
        until: "a year, then its public half alone stays, until the data directory is removed",
        sweep: Some("UPDATE receipt_key SET key_sealed = NULL WHERE until <= ?1 AND key_sealed IS NOT NULL"),
    },
    Retention {
        kind: "revocation",
        what: "the random id of a token, or of its holder in one event, that is refused before its time",
        why: "a revoked token must not come back",
        until: "the token would have expired",
        sweep: Some("DELETE FROM revocation WHERE expires <= ?1"),
    },
];

/// Removes everything past its time, and its traces in the write-ahead log.
pub(crate) async fn sweep(pool: &SqlitePool, now: i64) -> Result<u64, Error> {
    let mut gone = 0;
    for statement in RETENTION.iter().filter_map(|row| row.sweep) {
        gone += sqlx::query(statement).bind(now).execute(pool).await?.rows_affected();
    }
    if gone > 0 {
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(pool).await?;
    }
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Records;
    use crate::store::tests::Scratch;
    use sqlx::Row;
    use std::time::{Duration, SystemTime};

    #[tokio::test]
    async fn every_table_has_its_row() {
        let place = Scratch::new("retention");
        let records = Records::open(place.path()).await.expect("opens");
        let rows = sqlx::query("SELECT name FROM sqlite_schema WHERE type = 'table'").fetch_all(records.pool()).await;
        for row in rows.expect("read") {
            let name: String = row.try_get(0).expect("a name");
            assert!(RETENTION.iter().any(|r| r.kind == name), "{name} has no retention");
        }
    }

    #[tokio::test]
    async fn what_is_past_its_time_goes() {
        let place = Scratch::new("forget");
        let records = Records::open(place.path()).await.expect("opens");
        let (now, hour) = (SystemTime::now(), Duration::from_secs(3600));
        records.put_setup_token(&[7; 32], now + hour).await.expect("written");
        records.revoke("jti", now + hour).await.expect("written");
        assert_eq!(records.forget(now).await.expect("swept"), 0);
        assert!(records.is_revoked("jti", "sub").await.expect("read"));
        assert_eq!(records.forget(now + 2 * hour).await.expect("swept"), 2);
        assert!(!records.is_revoked("jti", "sub").await.expect("read"));
    }
}
