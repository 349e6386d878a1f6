//! What may be recorded at all: closed lists, and words of which each letter is known.

/// A closed set of words.
macro_rules! words {
    ($(#[doc = $about:literal])+ $name:ident { $($(#[doc = $doc:literal])+ $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum $name {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl $name {
            /// The word for it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// What a word stands for.
            pub fn parse(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

pub(crate) use words;

words! {
    /// Why somebody left: classes, no more.
    Leaving {
        /// They wanted to, or closed the page.
        OwnWill = "own-will",
        /// Their network went, or never came.
        LineLost = "line-lost",
        /// Somebody who looks after the event, or a withdrawn permission, put them out.
        PutOut = "put-out",
        /// The event was over.
        EventEnded = "event-ended",
        /// A fault of ours or of their program's.
        Fault = "fault",
    }
}

words! {
    /// How the best picture arrives.
    Bucket {
        /// All of it.
        High = "high",
        /// The middle size.
        Medium = "medium",
        /// The smallest.
        Low = "low",
        /// Sound alone.
        SoundOnly = "sound-only",
        /// None for now.
        Paused = "paused",
    }
}

words! {
    /// All that is told apart of what people watch with.
    Family {
        /// Chrome, Edge, and what else is made of it.
        Chromium = "chromium",
        /// Firefox.
        Firefox = "firefox",
        /// Safari, and every browser on Apple's telephones.
        Safari = "safari",
        /// WHIP and WHEP.
        Program = "program",
        /// None of these.
        Unknown = "unknown",
    }
}

words! {
    /// How somebody was put out.
    Moderation {
        /// They may come back.
        ForNow = "for-now",
        /// They may not.
        ForGood = "for-good",
    }
}

words! {
    /// What somebody chose.
    Decision {
        /// Yes.
        Granted = "granted",
        /// No.
        Refused = "refused",
        /// No more.
        Withdrawn = "withdrawn",
    }
}

/// A name from a list of ours, such as a fault code or a purpose: 1 to 32 of `a` to `z` and hyphens. Nothing that a person has
/// written and no address fits in by chance.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Word {
    letters: [u8; Self::LONGEST],
    length: u8,
}

impl Word {
    const LONGEST: usize = 32;

    /// `None`: something else stands in it.
    pub fn new(text: &str) -> Option<Self> {
        let fine = text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        let length =
            u8::try_from(text.len()).ok().filter(|length| (1..=Self::LONGEST).contains(&usize::from(*length)))?;
        let mut letters = [0; Self::LONGEST];
        letters.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        fine.then_some(Self { letters, length })
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.letters[..usize::from(self.length)]).unwrap_or_default()
    }
}

/// An event's random id: 26 of `a` to `z` and `2` to `7`. Its title is nowhere near.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventName([u8; 26]);

impl EventName {
    /// `None`: not of that form.
    pub fn new(text: &str) -> Option<Self> {
        is_base32(text).then(|| text.as_bytes().try_into().ok().map(Self)).flatten()
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// An account's random id, for break-glass alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Account(String);

impl Account {
    /// `None`: not of that form.
    pub fn new(text: &str) -> Option<Self> {
        is_base32(text).then(|| Self(text.to_owned()))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_base32(text: &str) -> bool {
    text.len() == 26 && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'))
}

/// What may be told of somebody, if enough others have all of it in common with them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Attributes {
    /// What they watch with.
    pub family: Family,
    /// How it arrives, once that is known.
    pub quality: Option<Bucket>,
}

/// Everything that may be recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fact {
    /// Media flows.
    Joined(Attributes),
    /// It does no more.
    Left(Leaving),
    /// It arrives otherwise than before.
    Quality(Attributes),
    /// They chose.
    Consent {
        /// What for.
        purpose: Word,
        /// What.
        decision: Decision,
    },
    /// They were put out.
    Moderated(Moderation),
    /// They were shown a fault.
    Fault(Word),
}
