use crate::{Added, Terms};

/// What is asked for, one by one. What the service needs anyway is not in this list and has no switch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Purpose {
    /// Taking part in the chat.
    Chat,
    /// Being listed by name.
    Presence,
    /// Showing roughly where one is.
    Location,
    /// Counting towards an event's figures.
    Analytics,
    /// Having choices remembered from event to event.
    Personalisation,
    /// Something that whoever runs the server does elsewhere.
    Added(Added),
}

impl Purpose {
    /// Those that something is done for here, in the order in which they are shown.
    pub const BUILT_IN: [Self; 5] =
        [Self::Chat, Self::Presence, Self::Location, Self::Analytics, Self::Personalisation];

    /// The name on the wire, in receipts and in settings.
    pub const fn name(self) -> &'static str {
        Terms::of(self).name
    }

    /// Reads [`Self::name`] of what is built in.
    pub fn built_in(name: &str) -> Option<Self> {
        Self::BUILT_IN.into_iter().find(|purpose| purpose.name() == name)
    }

    /// Whether Global Privacy Control refuses it. What a person shows to others by their own hand is not meant by the signal;
    /// what is learned about them is, and what goes to somebody else.
    pub const fn yields_to_signal(self) -> bool {
        match self {
            Self::Analytics | Self::Personalisation => true,
            Self::Chat | Self::Presence | Self::Location => false,
            Self::Added(added) => added.outside(),
        }
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A purpose as a type, so that what needs one consent does not take another. One that was added has no type: nothing here can
/// need it.
pub trait Asked: sealed::Sealed {
    /// Which.
    const PURPOSE: Purpose;
}

macro_rules! asked {
    ($($name:ident),*) => {$(
        #[doc = concat!("See [`Purpose::", stringify!($name), "`].")]
        pub enum $name {}
        impl sealed::Sealed for $name {}
        impl Asked for $name {
            const PURPOSE: Purpose = Purpose::$name;
        }
    )*};
}

asked!(Chat, Presence, Location, Analytics, Personalisation);
