use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::Arc;
use tokio::sync::Semaphore;
use veilcast_privacy::Secret;

/// Each hashing takes one core and 19 MiB for some tens of milliseconds; media must not feel it.
const AT_ONCE: usize = 2;

/// Beyond these, a sign-in is refused at once instead of waiting for seconds.
const WAITING: usize = 32;

/// Verified against when there is no such account. Of our parameters, so that it costs the same; no password
/// is known for it, and a match would be refused all the same.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$dmVpbGNhc3Qtbm9ib2R5IQ$3Ixtm9oHHRXMvAh0yzoaJJ9ej3wSvdrKJIXHvDHLA0g";

/// Hashing of passwords, off the runtime's threads and a few at a time.
pub(crate) struct Passwords {
    running: Arc<Semaphore>,
    queue: Arc<Semaphore>,
}

/// Why a password was not hashed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PasswordError {
    Busy,
    Failed,
}

impl Passwords {
    pub(crate) fn new() -> Self {
        Self { running: Arc::new(Semaphore::new(AT_ONCE)), queue: Arc::new(Semaphore::new(WAITING)) }
    }

    /// The PHC string of a new password.
    pub(crate) async fn hash(&self, password: Secret) -> Result<Secret, PasswordError> {
        let hashed = self.off_thread(move || hash_now(&password)).await?;
        hashed.ok_or(PasswordError::Failed)
    }

    /// Whether `password` belongs to `hash`; without a hash it takes as long and is false.
    pub(crate) async fn verify(&self, password: Secret, hash: Option<Secret>) -> Result<bool, PasswordError> {
        self.off_thread(move || verify_now(&password, hash.as_ref())).await
    }

    async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let waiting = Arc::clone(&self.queue).try_acquire_owned().map_err(|_| PasswordError::Busy)?;
        let turn = Arc::clone(&self.running).acquire_owned().await.map_err(|_| PasswordError::Failed)?;
        // The permits go with the work: a caller who hangs up does not make room for another hashing.
        let task = tokio::task::spawn_blocking(move || {
            let result = work();
            drop((turn, waiting));
            result
        });
        task.await.map_err(|_| PasswordError::Failed)
    }
}

/// argon2id with the first choice of the OWASP password storage cheat sheet: 19 MiB, two passes, one lane.
fn argon2id() -> Option<Argon2<'static>> {
    let parameters = Params::new(19_456, 2, 1, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters))
}

fn hash_now(password: &Secret) -> Option<Secret> {
    let hash = argon2id()?.hash_password(password.expose_secret()).ok()?;
    Some(Secret::from(hash.to_string()))
}

fn verify_now(password: &Secret, hash: Option<&Secret>) -> bool {
    verify_by(hash, |hash| argon2id().is_some_and(|a| a.verify_password(password.expose_secret(), hash).is_ok()))
}

/// Asks `matches` exactly once, whether there is a hash or not.
fn verify_by(hash: Option<&Secret>, matches: impl FnOnce(&PasswordHash) -> bool) -> bool {
    let text = hash.map_or(NOBODY, Secret::expose_text);
    PasswordHash::new(text).is_ok_and(|parsed| matches(&parsed)) && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let passwords = Passwords::new();
        let hash = passwords.hash(Secret::new("correct horse battery")).await.expect("hashed");
        assert!(hash.expose_text().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let check = |text: &str, hash: Option<Secret>| passwords.verify(Secret::new(text), hash);
        assert!(check("correct horse battery", Some(hash.clone())).await == Ok(true));
        assert!(check("wrong horse battery", Some(hash)).await == Ok(false));
        assert!(check("correct horse battery", None).await == Ok(false));
    }

    /// What the hashing that `verify_by` asks for costs: everything that argon2 takes its work from.
    fn cost(hash: Option<&Secret>) -> Option<String> {
        let mut cost = None;
        let matches = verify_by(hash, |hash| {
            let parameters = Params::try_from(hash).expect("of argon2");
            let lengths = (hash.salt.map(|salt| salt.len()), hash.hash.map(|hash| hash.len()));
            cost = Some(format!("{} {:?} {parameters:?} {lengths:?}", hash.algorithm, hash.version));
            true
        });
        assert_eq!(matches, hash.is_some(), "nobody is let in, whatever matches");
        cost
    }

    #[test]
    fn nobody_costs_as_much_as_somebody() {
        let hash = hash_now(&Secret::new("correct horse battery")).expect("hashed");
        let somebody = cost(Some(&hash)).expect("hashed once");
        assert_eq!(cost(None).expect("hashed once"), somebody);
    }

    #[tokio::test]
    async fn a_crowd_is_refused_not_queued() {
        let passwords = Arc::new(Passwords::new());
        let everybody = (0..WAITING + 8).map(|_| {
            let passwords = Arc::clone(&passwords);
            tokio::spawn(async move { passwords.off_thread(|| std::thread::sleep(Duration::from_millis(20))).await })
        });
        let mut refused = 0;
        for one in everybody.collect::<Vec<_>>() {
            refused += usize::from(one.await.expect("no panic") == Err(PasswordError::Busy));
        }
        assert_eq!(refused, 8);
    }
}
