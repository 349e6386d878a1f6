//! Passkeys (WebAuthn level 3): user verification always, attestation never, found without a name.

use crate::ceremony::Ceremony;
use crate::factor;
use crate::session::IssuerSession;
use crate::{Error, FactorError, Issuer, Level};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::SystemTime;
use veilcast_privacy::Secret;
use veilcast_records::{AccountId, Factor, FactorKind, NewFactor, SetupLink};
use webauthn_rs::prelude::{
    AuthenticationResult, CredentialID, Passkey, PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential,
    Url, Uuid,
};
use webauthn_rs::{Webauthn, WebauthnBuilder};

/// Of an account that has no name: what the browser's own dialog calls it. It is shown to the person alone.
const NAMELESS: &str = "Veilcast";

/// The relying party, if the public address can be one: a passkey belongs to a host name, not to an address in numbers.
pub(crate) fn site(public_url: &str) -> Option<Webauthn> {
    let url = Url::parse(public_url).ok()?;
    // A name in a certificate is either; a domain alone may be the id of a relying party (WebAuthn section 5.1.2).
    let host = url.domain()?.to_owned();
    WebauthnBuilder::new(&host, &url).ok()?.rp_name(NAMELESS).build().ok()
}

/// A question for the browser's authenticators.
pub struct Question {
    /// What the answer has to name. Once, and for two minutes.
    pub ceremony: Secret,
    /// For `navigator.credentials`: the JSON of `CredentialCreationOptions` or `CredentialRequestOptions`.
    pub options: Value,
}

/// The answer of an authenticator, as `PublicKeyCredential.toJSON()` gives it.
pub struct Answer<'a> {
    /// From the [`Question`].
    pub ceremony: &'a str,
    /// The credential.
    pub credential: Value,
}

/// A passkey as it is kept.
#[derive(serde::Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) label: String,
    passkey: Passkey,
}

impl Issuer {
    /// Whether passkeys can be had at this server's public address.
    pub fn has_passkeys(&self) -> bool {
        self.inner().site.is_some()
    }

    /// Asks for a first passkey with a setup link: of the first operator, or of whoever is to be let in again.
    pub async fn ask_first_passkey(&self, token: &str, now: SystemTime) -> Result<Question, FactorError> {
        let link = crate::secrets::digest_of(token);
        let known = self.inner().records.setup_link(&link, now).await?.ok_or(FactorError::LinkInvalid)?;
        let account = match known {
            SetupLink::First => AccountId::random()?,
            SetupLink::Recovery(account) => account,
        };
        let (options, state) = self.registration(&account, NAMELESS, &[])?;
        let asked = Ceremony::SetUp { link, account: account.clone(), state };
        let ceremony = self.inner().ceremonies.put(asked, &account, now)?;
        Ok(Question { ceremony, options })
    }

    /// Makes the account of a setup link with its first passkey, and signs in.
    pub async fn set_up_with_passkey(
        &self,
        answer: Answer<'_>,
        label: &str,
        now: SystemTime,
    ) -> Result<IssuerSession, FactorError> {
        let label = factor::parse_label(label)?;
        let Some(Ceremony::SetUp { link, account, state }) = self.inner().ceremonies.take(answer.ceremony, now) else {
            return Err(FactorError::AnswerInvalid);
        };
        let new = self.registered(answer.credential, &state, &label)?;
        let account = self.use_setup_link(&link, &account, None, &new, now).await?.ok_or(FactorError::LinkInvalid)?;
        Ok(self.open_session(&account, &label, Level::Multi, now).await?)
    }

    /// Asks for any passkey of anybody's. Nothing is kept of it: the question's name is the question itself, sealed.
    pub fn ask_passkey(&self, now: SystemTime) -> Result<Question, FactorError> {
        let (mut challenge, state) =
            self.site()?.start_discoverable_authentication().map_err(|_| FactorError::AnswerInvalid)?;
        // The page decides whether it asks at once or waits for a choice in a list.
        challenge.mediation = None;
        let options = serde_json::to_value(challenge).map_err(|_| FactorError::AnswerInvalid)?;
        let ceremony = self.inner().open_questions.seal(state, now)?;
        Ok(Question { ceremony, options })
    }

    /// Opens a session for whoever has a passkey. Which part of the answer was wrong is not told.
    pub async fn sign_in_with_passkey(
        &self,
        answer: Answer<'_>,
        now: SystemTime,
    ) -> Result<IssuerSession, FactorError> {
        let asked = self.inner().open_questions.open(answer.ceremony, now).ok_or(FactorError::AnswerInvalid)?;
        let credential: PublicKeyCredential = parse(answer.credential)?;
        let (handle, id) =
            self.site()?.identify_discoverable_authentication(&credential).map_err(|_| FactorError::AnswerInvalid)?;
        let factor = self.inner().records.factor_by_lookup(FactorKind::Passkey, id).await?;
        let factor = factor.ok_or(FactorError::AnswerInvalid)?;
        if handle.as_bytes() != &self.inner().records.user_handle(&factor.account) {
            return Err(FactorError::AnswerInvalid);
        }
        let kept = kept(&factor)?;
        let state = asked.state.clone();
        let result = self.site()?.finish_discoverable_authentication_v2(&credential, state, &kept.passkey);
        let result = result.map_err(|_| FactorError::AnswerInvalid)?;
        self.inner().open_questions.spend(&asked, now)?;
        let label = self.note_use(&factor, kept, &result, now).await?;
        self.open_session_by(&factor, &label, Level::Multi, now).await?.ok_or(FactorError::AnswerInvalid)
    }

    /// The options for a new passkey of `account`, which must not be on an authenticator that has one of `others`.
    pub(crate) fn registration(
        &self,
        account: &AccountId,
        name: &str,
        others: &[Factor],
    ) -> Result<(Value, PasskeyRegistration), FactorError> {
        let others: Vec<CredentialID> =
            others.iter().filter_map(|other| kept(other).ok()).map(|kept| kept.passkey.cred_id().clone()).collect();
        let handle = Uuid::from_bytes(self.inner().records.user_handle(account));
        let started = self.site()?.start_passkey_registration(handle, name, name, Some(others));
        let (challenge, state) = started.map_err(|_| FactorError::AnswerInvalid)?;
        let mut options = serde_json::to_value(challenge).map_err(|_| FactorError::AnswerInvalid)?;
        // Signing in without a name needs a credential that its authenticator finds by itself (section 5.4.6).
        options["publicKey"]["authenticatorSelection"]["residentKey"] = json!("required");
        options["publicKey"]["authenticatorSelection"]["requireResidentKey"] = json!(true);
        // What an authenticator tells of itself by these is nothing that we want to know.
        options["publicKey"]["extensions"] = json!({});
        Ok((options, state))
    }

    /// The factor that an authenticator's answer to a registration makes.
    pub(crate) fn registered(
        &self,
        credential: Value,
        state: &PasskeyRegistration,
        label: &str,
    ) -> Result<NewFactor, FactorError> {
        let credential: RegisterPublicKeyCredential = parse(credential)?;
        let passkey = self.site()?.finish_passkey_registration(&credential, state);
        let passkey = passkey.map_err(|_| FactorError::AnswerInvalid)?;
        let lookup = Some(passkey.cred_id().as_slice().to_vec());
        let body = without_maker(&Kept { label: label.to_owned(), passkey })?;
        Ok(NewFactor { kind: FactorKind::Passkey, lookup, body })
    }

    /// Notes that a passkey was used, and what its authenticator counts. Returns its label.
    pub(crate) async fn note_use(
        &self,
        factor: &Factor,
        mut kept: Kept,
        result: &AuthenticationResult,
        now: SystemTime,
    ) -> Result<String, FactorError> {
        if !result.user_verified() {
            return Err(FactorError::AnswerInvalid);
        }
        kept.passkey.update_credential(result);
        let (label, body) = (kept.label.clone(), without_maker(&kept)?);
        match self.inner().records.change_factor(factor, &body, Some(now)).await? {
            true => Ok(label),
            // Removed meanwhile, or used by another request at the same moment.
            false => Err(FactorError::AnswerInvalid),
        }
    }

    pub(crate) fn site(&self) -> Result<&Webauthn, FactorError> {
        self.inner().site.as_ref().ok_or(FactorError::PasskeysUnavailable)
    }
}

impl Kept {
    pub(crate) const fn passkey(&self) -> &Passkey {
        &self.passkey
    }
}

pub(crate) fn kept(factor: &Factor) -> Result<Kept, FactorError> {
    serde_json::from_slice(factor.body.expose_secret()).map_err(|_| FactorError::Unavailable)
}

/// The same passkey under another label.
pub(crate) fn relabelled(factor: &Factor, label: &str) -> Result<Secret, FactorError> {
    let mut kept = kept(factor)?;
    label.clone_into(&mut kept.label);
    without_maker(&kept)
}

pub(crate) fn label_of(factor: &Factor) -> Result<String, FactorError> {
    Ok(kept(factor)?.label)
}

pub(crate) fn parse<T: for<'a> Deserialize<'a>>(credential: Value) -> Result<T, FactorError> {
    serde_json::from_value(credential).map_err(|_| FactorError::AnswerInvalid)
}

/// An authenticator that attests although it was not asked to tells its make (AAGUID, certificates): that is not kept.
fn without_maker(kept: &Kept) -> Result<Secret, FactorError> {
    let mut value = serde_json::to_value(kept).map_err(|_| FactorError::Unavailable)?;
    value["passkey"]["cred"]["attestation"] = json!({ "data": "None", "metadata": "None" });
    value["passkey"]["cred"]["attestation_format"] = json!("none");
    Ok(Secret::from(value.to_string()))
}

impl From<veilcast_records::Error> for FactorError {
    fn from(_: veilcast_records::Error) -> Self {
        Self::Unavailable
    }
}

impl From<Error> for FactorError {
    fn from(_: Error) -> Self {
        Self::Unavailable
    }
}
