use zeroize::Zeroizing;

/// Bytes that grant something: a password, a key, a token. Overwritten when dropped.
///
/// Compare secrets in constant time at the place of use; `==` is deliberately absent.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes ownership of `bytes`.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The bytes, for the one place that needs them.
    pub fn expose_secret(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text, or an empty string where they are not UTF-8.
    pub fn expose_text(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text.into_bytes())
    }
}
