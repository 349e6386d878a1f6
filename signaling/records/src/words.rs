//! The words that rows have for what the program has types for.

use crate::Error;

/// A closed set of words in a column.
macro_rules! words {
    ($(#[doc = $about:literal])+ $name:ident { $($(#[doc = $doc:literal])+ $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum $name {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl $name {
            /// The word for it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            pub(crate) fn from_row(word: &str) -> Result<Self, Error> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(Error::Database { code: "unexpected content".into() }),
                }
            }
        }
    };
}

words! {
    /// What an account may do here.
    Role {
        /// Administers this instance.
        Operator = "operator",
        /// Has an account, and what others grant it.
        Member = "member",
    }
}

words! {
    /// How surely a person was recognised.
    Level {
        /// By one factor alone.
        Single = "single",
        /// By two factors, or by a passkey that made sure of its person.
        Multi = "multi",
    }
}

words! {
    /// What a person shows to be recognised.
    FactorKind {
        /// Known by heart.
        Password = "password",
        /// A key in a device that makes sure of its person (WebAuthn).
        Passkey = "passkey",
        /// Six digits that change (RFC 6238).
        Totp = "totp",
        /// Written down, for once.
        Recovery = "recovery",
    }
}

words! {
    /// What happened to an account.
    ActivityKind {
        /// A session was opened; the body is the label of what it was opened with.
        SignIn = "sign-in",
        /// Somebody who was signed in was asked again; the body is the label.
        StepUp = "step-up",
        /// A session was ended by its person.
        SessionEnded = "session-ended",
        /// A sign-in was said to be somebody else's.
        NotMe = "not-me",
        /// The body is its label, as with the others of factors.
        FactorAdded = "factor-added",
        /// A factor has another secret or another label.
        FactorReplaced = "factor-replaced",
        /// A factor is gone.
        FactorRemoved = "factor-removed",
        /// Every factor was replaced by a link from the command line.
        Recovered = "recovered",
        /// The password was right, and the code with it wrong.
        CodeWrong = "code-wrong",
        /// The password was right, and no code came.
        CodeMissing = "code-missing",
        /// What keeps a page signed in was used as a copy would be; its session ended.
        RefreshCopied = "refresh-copied",
        /// The session log was read: by its person, or by whoever has the server's files.
        JournalRead = "journal-read",
        /// Break-glass was asked for or taken back at an event; the body says which.
        BreakGlass = "break-glass",
    }
}
