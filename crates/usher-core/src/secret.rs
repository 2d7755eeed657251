//! A value that nobody may see: no `Debug`, no `Display`, no serialisation; wiped when dropped.

use zeroize::Zeroizing;

/// A password, token or key.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Keeps the text secret from now on.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The secret in the clear: for the one place that must send or compare it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}
