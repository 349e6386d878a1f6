use crate::{Error, random_bits};
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use sqlx::{Row, SqlitePool};
use veilcast_privacy::Secret;

/// Seals `clear` as nonce ‖ ciphertext ‖ tag. `place` names the table and row, so that a sealed value moved
/// elsewhere does not open.
pub(crate) fn seal(key: &Secret, place: &str, clear: &[u8]) -> Result<Vec<u8>, Error> {
    let key = RandomizedNonceKey::new(&AES_256_GCM, key.expose_secret()).map_err(|_| Error::Sealed)?;
    let mut body = clear.to_vec();
    let nonce = key.seal_in_place_append_tag(Aad::from(place), &mut body).map_err(|_| Error::Randomness)?;
    Ok([nonce.as_ref().as_slice(), &body].concat())
}

/// Opens what [`seal`] made for the same `place`.
pub(crate) fn open(key: &Secret, place: &str, sealed: &[u8]) -> Result<Secret, Error> {
    let key = RandomizedNonceKey::new(&AES_256_GCM, key.expose_secret()).map_err(|_| Error::Sealed)?;
    let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or(Error::Sealed)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Error::Sealed)?;
    let mut body = zeroize::Zeroizing::new(body.to_vec());
    let clear = key.open_in_place(nonce, Aad::from(place), &mut body).map_err(|_| Error::Sealed)?;
    Ok(Secret::new(clear.to_vec()))
}

/// HMAC-SHA256 of `parts`, each preceded by its length so that no two lists collide.
pub(crate) fn keyed(key: &Secret, parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret()));
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(context.sign().as_ref());
    digest
}

/// Of the names of programs' keys.
const CLIENT: &str = "client:";

/// The keys file.
pub(crate) struct Keys {
    pool: SqlitePool,
    pub(crate) instance: Secret,
    pub(crate) lookup: Secret,
    pub(crate) pairwise: Secret,
    /// What refresh tokens follow each other by.
    pub(crate) rotation: Secret,
}

impl Keys {
    pub(crate) async fn open(pool: SqlitePool) -> Result<Self, Error> {
        let instance = find_or_make(&pool, "instance").await?;
        let lookup = find_or_make(&pool, "lookup").await?;
        let pairwise = find_or_make(&pool, "pairwise").await?;
        let rotation = find_or_make(&pool, "rotation").await?;
        Ok(Self { pool, instance, lookup, pairwise, rotation })
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }

    /// A person's key, made at first use.
    pub(crate) async fn person(&self, account: &str) -> Result<Secret, Error> {
        find_or_make(&self.pool, &format!("person:{account}")).await
    }

    /// What a program's people are known by, made at first use.
    pub(crate) async fn client(&self, client: &str) -> Result<Secret, Error> {
        find_or_make(&self.pool, &format!("{CLIENT}{client}")).await
    }

    /// Makes what is kept of a program's people mean nothing any more.
    pub(crate) async fn destroy_client(&self, client: &str) -> Result<(), Error> {
        let statement = sqlx::query("DELETE FROM key WHERE name = ?1").bind(format!("{CLIENT}{client}"));
        statement.execute(&self.pool).await?;
        Ok(())
    }

    /// The programs that have such a key.
    pub(crate) async fn clients(&self) -> Result<Vec<String>, Error> {
        let rows = sqlx::query("SELECT substr(name, 8) FROM key WHERE name GLOB 'client:*'").fetch_all(&self.pool);
        rows.await?.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    /// Makes everything sealed for a person unreadable, in every copy of the records.
    pub(crate) async fn destroy_person(&self, account: &str) -> Result<(), Error> {
        let statement = sqlx::query("DELETE FROM key WHERE name = ?1").bind(format!("person:{account}"));
        statement.execute(&self.pool).await?;
        Ok(())
    }
}

async fn find_or_make(pool: &SqlitePool, name: &str) -> Result<Secret, Error> {
    if let Some(key) = find(pool, name).await? {
        return Ok(key);
    }
    // Another process may make it at the same moment: whoever comes first wins and both read the same.
    let fresh = Secret::new(random_bits::<32>()?);
    let statement = sqlx::query("INSERT OR IGNORE INTO key (name, bytes) VALUES (?1, ?2)");
    statement.bind(name).bind(fresh.expose_secret()).execute(pool).await?;
    find(pool, name).await?.ok_or(Error::Sealed)
}

async fn find(pool: &SqlitePool, name: &str) -> Result<Option<Secret>, Error> {
    let row = sqlx::query("SELECT bytes FROM key WHERE name = ?1").bind(name).fetch_optional(pool).await?;
    Ok(row.map(|row| row.try_get::<Vec<u8>, _>(0)).transpose()?.map(Secret::new))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::Scratch;
    use crate::{Records, Role};

    #[test]
    fn a_sealed_value_opens_in_its_place_only() {
        let (key, other) = (Secret::new([1; 32]), Secret::new([2; 32]));
        let sealed = seal(&key, "event.title:a", b"clear").expect("sealed");
        assert!(!sealed.windows(5).any(|w| w == b"clear"));
        assert_eq!(open(&key, "event.title:a", &sealed).expect("opens").expose_secret(), b"clear");
        assert!(open(&key, "event.title:b", &sealed).is_err());
        assert!(open(&other, "event.title:a", &sealed).is_err());
        assert!(open(&key, "event.title:a", &sealed[..8]).is_err());
    }

    /// Every file of the data directory that holds these bytes.
    fn holders(directory: &std::path::Path, bytes: &[u8]) -> Vec<String> {
        let files = std::fs::read_dir(directory).expect("the directory").map(|file| file.expect("an entry").path());
        let holds = |path: &std::path::PathBuf| {
            std::fs::read(path).expect("a file").windows(bytes.len()).any(|part| part == bytes)
        };
        let name = |path: std::path::PathBuf| path.file_name().expect("a name").to_string_lossy().into_owned();
        files.filter(|path| path.is_file() && holds(path)).map(name).collect()
    }

    #[tokio::test]
    async fn an_erased_key_is_in_no_file() {
        let place = Scratch::new("shred");
        let records = Records::open(place.path()).await.expect("opens");
        let now = std::time::SystemTime::now();
        let mut people = Vec::new();
        for name in ["Ada", "Bea", "Cleo"] {
            people.push(records.create_account(Role::Member, Some(name), now).await.expect("made"));
        }
        let key = records.keys().person(people[1].as_str()).await.expect("there");
        assert_eq!(holders(place.path(), key.expose_secret()), ["keys.db"], "one file, and no log beside it");
        records.erase_account(&people[1]).await.expect("erased");
        assert!(holders(place.path(), key.expose_secret()).is_empty(), "while it is open");
        let beside = ["keys.db-wal", "keys.db-shm", "keys.db-journal"];
        assert!(beside.iter().all(|name| !place.path().join(name).exists()), "no log is left");
        records.close().await;
        assert!(holders(place.path(), key.expose_secret()).is_empty(), "and afterwards");
        let other = Records::open(place.path()).await.expect("opens");
        let kept = other.account(&people[2]).await.expect("read").expect("there");
        assert_eq!(kept.name.expect("a name").expose_redacted(), "Cleo", "nobody else's is");
    }

    #[test]
    fn parts_do_not_run_together() {
        let key = Secret::new([1; 32]);
        assert_ne!(keyed(&key, &[b"ab", b"c"]), keyed(&key, &[b"a", b"bc"]));
    }
}
