use std::io::ErrorKind;
use tracing::Value;

mod sealed {
    /// Nobody outside adds a type.
    pub trait Sealed {}
}

/// What a log line may hold.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not logged: it could tell of a person",
    label = "only Count, Millis, ShardId, Reason and Route are"
)]
pub trait Field: sealed::Sealed {
    /// How it is written down: a number, or a text that stands in the source.
    #[doc(hidden)]
    type Shown: Value;
    #[doc(hidden)]
    fn shown(self) -> Self::Shown;
}

/// How many.
#[derive(Clone, Copy, Debug)]
pub struct Count(pub u64);

/// How long.
#[derive(Clone, Copy, Debug)]
pub struct Millis(pub u64);

/// Which thread of the media plane.
#[derive(Clone, Copy, Debug)]
pub struct ShardId(pub u8);

/// Why, in words that stand in the source.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reason(&'static str);

/// A route as it stands in the source, such as `/watch/{id}`: never what was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Route(&'static str);

impl Reason {
    /// Words of the source.
    pub const fn new(words: &'static str) -> Self {
        Self(words)
    }
}

impl Route {
    /// A template of the router's.
    pub const fn new(template: &'static str) -> Self {
        Self(template)
    }
}

/// The kind alone: an error of the system may name a file.
impl From<ErrorKind> for Reason {
    fn from(kind: ErrorKind) -> Self {
        Self(match kind {
            ErrorKind::NotFound => "not found",
            ErrorKind::PermissionDenied => "permission denied",
            ErrorKind::ConnectionRefused => "connection refused",
            ErrorKind::ConnectionReset => "connection reset",
            ErrorKind::NotConnected => "not connected",
            ErrorKind::AddrInUse => "address in use",
            ErrorKind::AddrNotAvailable => "address not available",
            ErrorKind::NetworkDown => "network down",
            ErrorKind::BrokenPipe => "broken pipe",
            ErrorKind::AlreadyExists => "already exists",
            ErrorKind::InvalidInput => "invalid input",
            ErrorKind::TimedOut => "timed out",
            ErrorKind::StorageFull => "storage full",
            ErrorKind::ReadOnlyFilesystem => "read-only file system",
            ErrorKind::OutOfMemory => "out of memory",
            ErrorKind::Unsupported => "unsupported",
            _ => "another reason of the system",
        })
    }
}

macro_rules! fields {
    ($($kind:ident: $shown:ty = $of:expr;)*) => {$(
        impl sealed::Sealed for $kind {}
        impl Field for $kind {
            type Shown = $shown;
            fn shown(self) -> $shown {
                $of(self)
            }
        }
    )*};
}

fields! {
    Count: u64 = |count: Count| count.0;
    Millis: u64 = |millis: Millis| millis.0;
    ShardId: u8 = |shard: ShardId| shard.0;
    Reason: &'static str = |reason: Reason| reason.0;
    Route: &'static str = |route: Route| route.0;
}
