use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// What was seen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// A proof of possession was shown a second time (RFC 9449 section 11.1).
    ProofReplayed,
    /// An authorization code was shown again after its exchange (RFC 6749 section 4.1.2).
    CodeReplayed,
    /// A refresh token was shown again and its family has ended (RFC 9700 section 4.14.2).
    RefreshReplayed,
    /// Invitations to one event that somebody had accepted were shown by somebody else.
    InvitationReused,
    /// Sign-ins at one account failed.
    SignInsFailed,
    /// Sign-ins failed at whatever accounts.
    SignInsFailedWidely,
    /// One account joined again and again.
    JoinsByOne,
    /// One account exported again and again.
    ExportBurst,
    /// What is good for one event, or for one program, was shown at another one's.
    ForeignProbe,
    /// A receiver of webhooks stands at an address that may not be asked.
    AddressRefused,
}

impl Kind {
    /// Every kind, in the order of its discriminants.
    pub const ALL: [Self; 10] = [
        Self::ProofReplayed,
        Self::CodeReplayed,
        Self::RefreshReplayed,
        Self::InvitationReused,
        Self::SignInsFailed,
        Self::SignInsFailedWidely,
        Self::JoinsByOne,
        Self::ExportBurst,
        Self::ForeignProbe,
        Self::AddressRefused,
    ];

    /// The kind in text, as records, metrics and messages have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ProofReplayed => "proof-replayed",
            Self::CodeReplayed => "code-replayed",
            Self::RefreshReplayed => "refresh-replayed",
            Self::InvitationReused => "invitation-reused",
            Self::SignInsFailed => "sign-ins-failed",
            Self::SignInsFailedWidely => "sign-ins-failed-widely",
            Self::JoinsByOne => "joins-by-one",
            Self::ExportBurst => "export-burst",
            Self::ForeignProbe => "foreign-probe",
            Self::AddressRefused => "address-refused",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// How many signs about the same are an event.
    pub const fn threshold(self) -> usize {
        match self {
            // No honest client shows these again, and an address that may not be asked is one thing, not many.
            Self::CodeReplayed | Self::RefreshReplayed | Self::AddressRefused => 1,
            // A browser may repeat a request on a connection that broke, and the proof with it.
            Self::ProofReplayed => 3,
            // A link that was passed on among friends is no attack; a link in a forum is.
            Self::InvitationReused => 5,
            Self::ExportBurst => 5,
            // As many as the throttle of one account lets through.
            Self::SignInsFailed => 10,
            Self::ForeignProbe => 10,
            // Twenty tabs of one account renew their tokens so often, or one reconnects every ten seconds.
            Self::JoinsByOne => 60,
            Self::SignInsFailedWidely => 100,
        }
    }

    /// Within what time, and how long before the same is an event again.
    pub const fn window(self) -> Duration {
        match self {
            Self::InvitationReused | Self::ExportBurst | Self::AddressRefused => HOUR,
            _ => Duration::from_secs(10 * MINUTE.as_secs()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_found_again() {
        for (at, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!((kind as usize, Kind::parse(kind.name())), (at, Some(kind)));
        }
        assert_eq!(Kind::parse("canary"), None);
    }
}
