//! What WHIP, WHEP and `/ws` do alike: a token becomes a permission, an offer becomes a command and its
//! report an answer. The three differ only in how they are spoken to.

mod directory;
mod hub;
mod standing;
mod verbs;

pub(crate) use directory::{Frame, HttpSession, Letter, Mail, SocketGone};
pub(crate) use hub::{Hub, Pumps};
pub(crate) use standing::{Rank, Standing};
pub(crate) use verbs::{Access, end_of, permission, same_certificate};
