/// A value about a person that may be used but never printed: an address, a name, a title.
///
/// There is deliberately no `Debug`, `Display`, `Deref` or serialisation.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Redacted<T>(T);

impl<T> Redacted<T> {
    /// Guards `value`.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The guarded value, for the one place that needs it.
    pub const fn expose_redacted(&self) -> &T {
        &self.0
    }

    /// The guarded value, ending the guard.
    pub fn expose_into(self) -> T {
        self.0
    }
}
