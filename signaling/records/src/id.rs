use crate::Error;
use std::fmt;
use std::str::FromStr;

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// 128 bits in base32 (RFC 4648, lower case, no padding).
const LENGTH: usize = 26;

/// Fills an array from the operating system's randomness.
pub fn random_bits<const N: usize>() -> Result<[u8; N], Error> {
    let mut bits = [0; N];
    getrandom::fill(&mut bits).map_err(|_| Error::Randomness)?;
    Ok(bits)
}

/// 128 bits as 26 characters `[a-z2-7]`.
pub fn base32(bits: &[u8; 16]) -> String {
    encode(bits).iter().map(|&b| char::from(b)).collect()
}

fn encode(bits: &[u8; 16]) -> [u8; LENGTH] {
    let number = u128::from_be_bytes(*bits);
    let mut text = [0; LENGTH];
    for (place, character) in text.iter_mut().enumerate() {
        // 26 × 5 = 130 bits: the last character carries three bits, followed by two zero bits.
        let shifted = match 123_usize.checked_sub(place * 5) {
            Some(shift) => number >> shift,
            None => number << 2,
        };
        *character = ALPHABET[(shifted & 31) as usize];
    }
    text
}

/// An event's name in links: exactly 26 characters `[a-z2-7]`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventId([u8; LENGTH]);

/// The text is not of an event id's form.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an event id has 26 characters, a to z and 2 to 7")]
pub struct NotAnEventId;

impl EventId {
    pub(crate) fn random() -> Result<Self, Error> {
        Ok(Self(encode(&random_bits()?)))
    }

    /// The 26 characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("every byte was checked against the ASCII alphabet")
    }
}

impl FromStr for EventId {
    type Err = NotAnEventId;

    fn from_str(text: &str) -> Result<Self, NotAnEventId> {
        let bytes: [u8; LENGTH] = text.as_bytes().try_into().map_err(|_| NotAnEventId)?;
        if bytes.iter().all(|b| ALPHABET.contains(b)) { Ok(Self(bytes)) } else { Err(NotAnEventId) }
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An account's key in the records. Never leaves the control plane; tokens carry a pairwise `sub` instead.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AccountId(String);

impl AccountId {
    /// That of an account which is about to be made.
    pub fn random() -> Result<Self, Error> {
        Ok(Self(base32(&random_bits()?)))
    }

    pub(crate) fn from_row(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Names that only their person hears, or whoever looks after an event.
macro_rules! names {
    ($($(#[doc = $doc:literal])+ $name:ident),+) => { $(
        $(#[doc = $doc])+
        #[derive(Clone, PartialEq, Eq, Hash)]
        pub struct $name(String);

        impl $name {
            /// The name that was heard from a page; it may be of nothing.
            pub fn new(text: &str) -> Self {
                Self(text.to_owned())
            }

            /// 26 characters `[a-z2-7]`.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            pub(crate) fn random() -> Result<Self, Error> {
                Ok(Self(base32(&random_bits()?)))
            }

            pub(crate) fn from_row(text: String) -> Self {
                Self(text)
            }
        }
    )+ };
}

names! {
    /// A factor of an account.
    FactorId,
    /// A program of an integrator.
    ClientId,
    /// A session at the issuer: the claim `sid` of its tokens.
    IssuerSessionId,
    /// An entry of an account's activity.
    ActivityId,
    /// A ban from an event.
    BanId
}

/// A page's refresh tokens, one after another. It stands in each of them, and nowhere else.
#[derive(Clone, PartialEq, Eq)]
pub struct FamilyId(String);

impl FamilyId {
    /// That of a family which is about to begin.
    pub fn fresh() -> Result<Self, Error> {
        Ok(Self(base32(&random_bits()?)))
    }

    /// The name that a token has; it may be of nothing.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// 26 characters `[a-z2-7]`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_what_links_expect() {
        let id = EventId::random().expect("randomness");
        assert!(id.as_str().parse::<EventId>() == Ok(id));
        assert_eq!(base32(&[0; 16]), "a".repeat(26));
        assert_eq!(base32(&[0xff; 16]), format!("{}4", "7".repeat(25)));
        assert_eq!(base32(b"0123456789abcdef"), "gaytemzugu3doobzmfrggzdfmy");
    }

    #[test]
    fn nothing_else_is_an_event_id() {
        let (short, long) = ("a".repeat(25), "a".repeat(27));
        let hostile = [
            "",
            &short,
            &long,
            "../../../../etc/passwd.....",
            "A2345672345672345672345672",
            "aaaaaaaaaaaaaaaaaaaaaaaa\r\n",
        ];
        for text in hostile {
            assert!(text.parse::<EventId>().is_err());
        }
        assert!("01234567890123456789012345".parse::<EventId>().is_err());
        assert!("éaaaaaaaaaaaaaaaaaaaaaaaa".parse::<EventId>().is_err());
    }
}
