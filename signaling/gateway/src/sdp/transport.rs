use super::error::{SdpError, SdpReason};
use super::lines::Line;
use veilcast_control::{Fingerprint, HashFunction, IceCredentials, Setup};
use veilcast_privacy::Secret;

/// What a section, or the session for sections that say nothing, tells about the transport.
#[derive(Default, Clone)]
pub(super) struct Transport {
    pub(super) ufrag: Option<String>,
    pub(super) password: Option<Secret>,
    fingerprint: Option<Fingerprint>,
    setup: Option<Setup>,
    pub(super) mux: bool,
}

impl Transport {
    /// Takes the attribute if it is one of the transport's.
    pub(super) fn take(&mut self, line: &Line<'_>, name: &str, value: &str) -> Result<(), SdpError> {
        match name {
            "ice-ufrag" => self.ufrag = Some(ufrag(line, value)?),
            "ice-pwd" => self.password = Some(password(line, value)?),
            "fingerprint" => self.take_fingerprint(line, value)?,
            "setup" => self.setup = Some(setup(line, value)?),
            // RFC 8858: rtcp-mux-only says the same to an answerer that multiplexes.
            "rtcp-mux" | "rtcp-mux-only" => self.mux = true,
            _ => {}
        }
        Ok(())
    }

    /// Several lines may stand for one certificate (RFC 8122 section 5); the first accepted function counts.
    fn take_fingerprint(&mut self, line: &Line<'_>, value: &str) -> Result<(), SdpError> {
        let parsed = fingerprint(value).map_err(|()| line.fault(SdpReason::FingerprintInvalid))?;
        self.fingerprint = self.fingerprint.take().or(parsed);
        Ok(())
    }

    /// This one, with the session's values where it has none. `line` is named if something is missing.
    pub(super) fn complete(&self, session: &Self, line: usize) -> Result<Complete, SdpError> {
        let ice = match (&self.ufrag, &self.password) {
            (None, None) => session.credentials(),
            _ => self.credentials(),
        };
        let fingerprint = self.fingerprint.clone().or_else(|| session.fingerprint.clone());
        if !self.mux && !session.mux {
            return Err(SdpError::at(line, SdpReason::MuxMissing));
        }
        Ok(Complete {
            ice: ice.ok_or(SdpError::at(line, SdpReason::IceInvalid))?,
            fingerprint: fingerprint.ok_or(SdpError::at(line, SdpReason::FingerprintInvalid))?,
            // RFC 4145 section 4: without the attribute an offer means `active`.
            setup: self.setup.or(session.setup).unwrap_or(Setup::Active),
        })
    }

    /// Both halves, or nothing.
    pub(super) fn credentials(&self) -> Option<IceCredentials> {
        Some(IceCredentials { ufrag: self.ufrag.clone()?, password: self.password.clone()? })
    }
}

/// A transport with nothing missing.
pub(super) struct Complete {
    pub(super) ice: IceCredentials,
    pub(super) fingerprint: Fingerprint,
    pub(super) setup: Setup,
}

pub(super) fn ufrag(line: &Line<'_>, value: &str) -> Result<String, SdpError> {
    ice_chars(value, 4).then(|| value.to_owned()).ok_or(line.fault(SdpReason::IceInvalid))
}

pub(super) fn password(line: &Line<'_>, value: &str) -> Result<Secret, SdpError> {
    ice_chars(value, 22).then(|| Secret::new(value)).ok_or(line.fault(SdpReason::IceInvalid))
}

/// RFC 8839 section 5.4: `ice-char`, at most 256 of them
fn ice_chars(value: &str, least: usize) -> bool {
    (least..=256).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
}

fn setup(line: &Line<'_>, value: &str) -> Result<Setup, SdpError> {
    match value {
        "actpass" => Ok(Setup::ActPass),
        "active" => Ok(Setup::Active),
        "passive" => Ok(Setup::Passive),
        _ => Err(line.fault(SdpReason::SetupInvalid)),
    }
}

/// `None` for a hash function that is not accepted, an error for a line that contradicts itself.
fn fingerprint(value: &str) -> Result<Option<Fingerprint>, ()> {
    let (function, hex) = value.split_once(' ').ok_or(())?;
    let (function, length) = match function.to_ascii_lowercase().as_str() {
        "sha-256" => (HashFunction::Sha256, 32),
        "sha-384" => (HashFunction::Sha384, 48),
        "sha-512" => (HashFunction::Sha512, 64),
        _ => return Ok(None),
    };
    let bytes: Option<Vec<u8>> = hex.trim().split(':').map(octet).collect();
    let value = bytes.filter(|bytes| bytes.len() == length).ok_or(())?;
    Ok(Some(Fingerprint { function, value }))
}

fn octet(text: &str) -> Option<u8> {
    let two_digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_hexdigit());
    two_digits.then(|| u8::from_str_radix(text, 16).ok())?
}
