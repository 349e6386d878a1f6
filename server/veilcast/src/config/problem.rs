use std::fmt;

/// One thing that is wrong with a setting: where it stands, what is wrong, how to mend it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    place: String,
    text: String,
}

impl Problem {
    pub(crate) fn new(place: impl Into<String>, text: impl Into<String>) -> Self {
        Self { place: place.into(), text: text.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}
