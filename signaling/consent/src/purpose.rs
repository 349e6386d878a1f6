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
}

impl Purpose {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 5] = [Self::Chat, Self::Presence, Self::Location, Self::Analytics, Self::Personalisation];

    pub(crate) const fn place(self) -> usize {
        self as usize
    }

    /// The name on the wire, in receipts and in settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Presence => "presence",
            Self::Location => "location",
            Self::Analytics => "analytics",
            Self::Personalisation => "personalisation",
        }
    }

    /// Reads [`Self::name`].
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.name() == name)
    }

    /// Whether Global Privacy Control refuses it. What a person shows to others by their own hand is not meant by the signal;
    /// what is learned about them is.
    pub const fn yields_to_signal(self) -> bool {
        matches!(self, Self::Analytics | Self::Personalisation)
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A purpose as a type, so that what needs one consent does not take another.
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
