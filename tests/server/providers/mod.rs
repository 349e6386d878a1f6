//! Sign-in at a provider that others have made, and its access tokens: tests/provider, configured as providers really are.

mod check;
mod realm;
mod refused;
mod sign_in;
mod tokens;
