//! What people say to each other during an event, and being listed by name.
//!
//! Everything that somebody said carries the number of the grant it was said under. A client that hears that this grant has ended
//! clears all of it, and drops what comes later.

use serde::{Deserialize, Serialize};
#[cfg(feature = "typescript")]
use ts_rs::TS;

/// The longest message, in characters.
pub const MAX_CHAT_TEXT: usize = 500;

/// The longest name, in characters.
pub const MAX_CHAT_NAME: usize = 24;

/// What somebody does in a chat. Messages and authors go by names that are random and good in one event alone.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(tag = "verb", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ChatVerb {
    /// Says something.
    Say {
        /// What. At most [`MAX_CHAT_TEXT`] characters on one line.
        text: String,
        /// The message that it answers.
        #[serde(default)]
        reply: Option<String>,
    },
    /// Chooses a name for this event.
    Name {
        /// At most [`MAX_CHAT_NAME`] characters. One that can be taken for somebody else's gets a number.
        name: String,
    },
    /// Takes back a message of one's own.
    Delete {
        /// Which.
        message: String,
    },
    /// Reacts to a message, or no longer does.
    React {
        /// Which.
        message: String,
        /// How.
        reaction: ChatReaction,
        /// False: no longer.
        on: bool,
    },
    /// Is listed by name from the next tick on. Needs the consent to that, not the one to the chat.
    ListMe {
        /// As in `name`.
        name: String,
    },
    /// Removes a message. For whoever broadcasts or looks after the event, as all that follows.
    Remove {
        /// Which.
        message: String,
    },
    /// Has an author say nothing more, and removes what they said; or lets them speak again.
    Mute {
        /// Who.
        author: String,
        /// False: no longer.
        on: bool,
    },
    /// Has a message stand above the others.
    Pin {
        /// Which; none takes it down.
        message: Option<String>,
    },
    /// Has everybody wait between two messages.
    Slow {
        /// For so many seconds; 0 ends it. At most 300.
        seconds: u32,
    },
    /// Puts an author out of the event for good. For whoever looks after it.
    Ban {
        /// Who.
        author: String,
    },
}

/// The reactions that there are.
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum ChatReaction {
    /// Thumbs up.
    Like,
    /// A heart.
    Love,
    /// Laughing.
    Laugh,
    /// Astonished.
    Wow,
    /// Sad.
    Sad,
    /// Clapping.
    Applause,
}

impl ChatReaction {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 6] = [Self::Like, Self::Love, Self::Laugh, Self::Wow, Self::Sad, Self::Applause];
}

/// What an author is in the event. Names cannot claim it.
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum ChatRole {
    /// One of the audience.
    Viewer,
    /// Broadcasts.
    Host,
    /// Looks after the event.
    Moderator,
}

/// What happens in a chat, for those who have agreed to take part.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(tag = "news", rename_all = "kebab-case")]
pub enum ChatNews {
    /// From here on comes all that there is; what is on the screen goes.
    Begin,
    /// Somebody said something.
    Message(ChatMessage),
    /// Messages are gone. May come before the messages themselves, which are then not to be shown.
    Removed {
        /// Which.
        messages: Vec<String>,
    },
    /// How many react to a message.
    Sums(ChatSums),
    /// What stands above the messages.
    Board(ChatBoard),
    /// What this person goes by.
    Own(ChatSelf),
    /// That was all that there is, after `begin` and what follows it.
    End,
    /// Who is here and has agreed to be listed; for those who have.
    Listed {
        /// In the order of their names.
        people: Vec<ChatListed>,
    },
}

/// Something said.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct ChatMessage {
    /// Random.
    pub id: String,
    /// Random by person and event.
    pub author: String,
    /// What they were when they said it.
    pub role: ChatRole,
    /// What they went by.
    pub name: String,
    /// Of the grant it was said under.
    pub generation: u32,
    /// On one line. Text and nothing else.
    pub text: String,
    /// The message it answers. Its words are not repeated: they stand in one place, and go from one.
    pub reply: Option<String>,
}

/// The reactions to a message, once a second at most.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct ChatSums {
    /// Which.
    pub message: String,
    /// Those that are there.
    pub sums: Vec<ChatSum>,
}

/// How many react in one way.
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct ChatSum {
    /// How.
    pub reaction: ChatReaction,
    /// How many.
    pub count: u32,
}

/// What stands above the messages.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct ChatBoard {
    /// The message that was pinned.
    pub pinned: Option<String>,
    /// So many seconds between two messages of one person; 0: as many as they like, within reason.
    pub slow: u32,
}

/// What a person goes by in this event, for themselves.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct ChatSelf {
    /// Marks their own messages.
    pub author: String,
    /// Perhaps with a number.
    pub name: String,
}

/// Somebody who has agreed to be listed.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct ChatListed {
    /// Chosen for this event.
    pub name: String,
    /// Of the grant to be listed.
    pub generation: u32,
}
