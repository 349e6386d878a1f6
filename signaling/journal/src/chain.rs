//! What anybody may check: hashes over ciphertexts, and signed statements of when an epoch begins, how far it is, and that it is
//! gone.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use veilcast_privacy::{CoarseTime, Secret};

/// SHA-256.
pub(crate) type Root = [u8; 32];

/// What is signed: lines of text that no two statements have in common.
pub(crate) trait Statement {
    /// The bytes under the signature.
    fn bytes(&self) -> Vec<u8>;
    /// When it was made.
    fn made(&self) -> CoarseTime;
}

/// An epoch has begun. Times are seconds since 1970, on the minute.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Opening {
    /// 128 random bits, in hexadecimal.
    pub epoch: String,
    /// When it began.
    pub begins: u64,
    /// When its key is going to be destroyed.
    pub ends: u64,
}

/// How far an epoch is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Head {
    /// Which.
    pub epoch: String,
    /// So many blocks.
    pub blocks: u64,
    /// Of all of them, in order; hexadecimal.
    pub root: String,
    /// When this was said.
    pub at: u64,
}

/// Why an epoch has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Its time was over.
    Schedule,
    /// The server began anew, and had no key or not all of the blocks.
    Restart,
}

/// An epoch's key and blocks are gone.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tombstone {
    /// Which.
    pub epoch: String,
    /// When it began.
    pub begins: u64,
    /// When it was to end.
    pub ends: u64,
    /// When it did.
    pub at: u64,
    /// So many blocks there were.
    pub blocks: u64,
    /// Of all of them, in order; hexadecimal.
    pub root: String,
    /// Why.
    pub cause: Cause,
}

impl Statement for Opening {
    fn bytes(&self) -> Vec<u8> {
        format!("veilcast-journal-opening-1\n{}\n{}\n{}\n", self.epoch, self.begins, self.ends).into_bytes()
    }

    fn made(&self) -> CoarseTime {
        CoarseTime::from_unix(self.begins)
    }
}

impl Statement for Head {
    fn bytes(&self) -> Vec<u8> {
        let Self { epoch, blocks, root, at } = self;
        format!("veilcast-journal-head-1\n{epoch}\n{blocks}\n{root}\n{at}\n").into_bytes()
    }

    fn made(&self) -> CoarseTime {
        CoarseTime::from_unix(self.at)
    }
}

impl Statement for Tombstone {
    fn bytes(&self) -> Vec<u8> {
        let Self { epoch, begins, ends, at, blocks, root, cause } = self;
        let cause = match cause {
            Cause::Schedule => "schedule",
            Cause::Restart => "restart",
        };
        format!("veilcast-journal-tombstone-1\n{epoch}\n{begins}\n{ends}\n{at}\n{blocks}\n{root}\n{cause}\n")
            .into_bytes()
    }

    fn made(&self) -> CoarseTime {
        CoarseTime::from_unix(self.at)
    }
}

/// A statement with its signature (Ed25519, RFC 8032).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Signed<T> {
    /// What is said.
    #[serde(flatten)]
    pub body: T,
    /// By which key.
    pub kid: String,
    /// Base64url without padding.
    pub signature: String,
}

/// A key that signs the journal and nothing else.
pub struct Signer {
    kid: String,
    pair: Ed25519KeyPair,
    from: CoarseTime,
    until: CoarseTime,
}

impl Signer {
    /// Of 32 random bytes; `None`: not 32.
    pub fn new(seed: &Secret, from: CoarseTime, until: CoarseTime) -> Option<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose_secret()).ok()?;
        let kid = URL_SAFE_NO_PAD.encode(&digest(&SHA256, pair.public_key().as_ref()).as_ref()[..12]);
        Some(Self { kid, pair, from, until })
    }

    /// Its name.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// When it is to be followed by another.
    pub const fn until(&self) -> CoarseTime {
        self.until
    }

    /// What others check its signatures by.
    pub fn public_key(&self) -> PublicKey {
        PublicKey {
            kid: self.kid.clone(),
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            x: URL_SAFE_NO_PAD.encode(self.pair.public_key().as_ref()),
            from: self.from.unix_seconds(),
            until: self.until.unix_seconds(),
        }
    }

    /// `body`, signed.
    pub(crate) fn sign<T: Statement>(&self, body: T) -> Signed<T> {
        let signature = URL_SAFE_NO_PAD.encode(self.pair.sign(&body.bytes()).as_ref());
        Signed { body, kid: self.kid.clone(), signature }
    }
}

/// A public key (RFC 8037), with the time in which it may sign.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PublicKey {
    /// Its name.
    pub kid: String,
    /// `OKP`
    pub kty: String,
    /// `Ed25519`
    pub crv: String,
    /// 32 bytes, base64url.
    pub x: String,
    /// Signs nothing that was said before.
    pub from: u64,
    /// Signs nothing that was said afterwards.
    pub until: u64,
}

impl PublicKey {
    fn verifies<T: Statement>(&self, statement: &Signed<T>) -> bool {
        let (Ok(key), Ok(signature)) = (URL_SAFE_NO_PAD.decode(&self.x), URL_SAFE_NO_PAD.decode(&statement.signature))
        else {
            return false;
        };
        let made = statement.body.made().unix_seconds();
        let in_time = (self.from..=self.until).contains(&made);
        in_time && UnparsedPublicKey::new(&ED25519, key).verify(&statement.body.bytes(), &signature).is_ok()
    }
}

/// Everything that is public of an epoch.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EpochRecord {
    /// That it began.
    pub opening: Signed<Opening>,
    /// How far it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub head: Option<Signed<Head>>,
    /// That it is gone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tombstone: Option<Signed<Tombstone>>,
}

/// What stands at `/.well-known/veilcast-heads.json`: whoever keeps a copy is a witness.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Heads {
    /// All keys that have ever signed here.
    pub keys: Vec<PublicKey>,
    /// The latest first.
    pub epochs: Vec<EpochRecord>,
}

impl Heads {
    /// Whether a statement is of this server, said while its key was good.
    pub(crate) fn vouch_for<T: Statement>(&self, statement: &Signed<T>) -> bool {
        self.keys.iter().any(|key| key.kid == statement.kid && key.verifies(statement))
    }
}

/// What the chain of an epoch begins with.
pub(crate) fn start(opening: &Opening) -> Root {
    hash(&[b"veilcast journal chain", &opening.bytes()])
}

/// The chain with one more block.
pub(crate) fn next(before: &Root, number: u64, sealed: &[u8]) -> Root {
    hash(&[b"veilcast journal block", before, &number.to_be_bytes(), sealed])
}

fn hash(parts: &[&[u8]]) -> Root {
    let joined: Vec<u8> = parts
        .iter()
        .flat_map(|part| (part.len() as u64).to_be_bytes().into_iter().chain(part.iter().copied()))
        .collect();
    let mut root = [0; 32];
    root.copy_from_slice(digest(&SHA256, &joined).as_ref());
    root
}

pub(crate) fn hex(root: &Root) -> String {
    root.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Says of an epoch of which nothing can be read any more that it is gone. `head`: the last that was said of it.
pub fn lost(signer: &Signer, opening: &Opening, head: Option<&Head>, at: CoarseTime) -> Signed<Tombstone> {
    let (blocks, root) = head.map_or((0, hex(&start(opening))), |head| (head.blocks, head.root.clone()));
    let Opening { epoch, begins, ends } = opening.clone();
    signer.sign(Tombstone { epoch, begins, ends, at: at.unix_seconds(), blocks, root, cause: Cause::Restart })
}
