use serde::{Deserialize, Serialize};
#[cfg(feature = "typescript")]
use ts_rs::TS;

/// What an account may do.
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum AccountRole {
    /// Administers this instance.
    Operator,
    /// Has an account, and what others grant it.
    Member,
}

/// What a person shows to be recognised.
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum FactorKind {
    /// Known by heart.
    Password,
    /// A key in a device that makes sure of its person.
    Passkey,
    /// An authenticator app.
    Totp,
}

/// `GET /api/v1/account`: everything that a person may know of their account, but what happened to it.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Account {
    /// What it may do.
    pub role: AccountRole,
    /// The sign-in name, for whoever has a password.
    pub name: Option<String>,
    /// Ways to be recognised, oldest first.
    pub factors: Vec<Factor>,
    /// How many recovery codes are left.
    pub recovery_codes: u32,
    /// Who is signed in, newest first.
    pub sessions: Vec<AccountSession>,
}

/// A way to be recognised.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Factor {
    /// Its name in addresses.
    pub id: String,
    /// What it is.
    pub kind: FactorKind,
    /// What its person calls it.
    pub label: String,
    /// Seconds since 1970, to the minute.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub created: u64,
    /// Seconds since 1970, to the minute; `null` before its first use.
    #[cfg_attr(feature = "typescript", ts(type = "number | null"))]
    pub last_used: Option<u64>,
}

/// Somebody who is signed in.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct AccountSession {
    /// Its name in addresses.
    pub id: String,
    /// The label of what it was opened with.
    pub label: String,
    /// Seconds since 1970, to the minute.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub opened: u64,
    /// The one that asks.
    pub current: bool,
}

/// What happened to an account.
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum ActivityKind {
    /// Somebody signed in.
    SignIn,
    /// Somebody who was signed in was asked again.
    StepUp,
    /// A session was ended by its person.
    SessionEnded,
    /// A sign-in was said to be somebody else's; every session ended.
    NotMe,
    /// A factor more.
    FactorAdded,
    /// A factor has another secret or another label.
    FactorReplaced,
    /// A factor less.
    FactorRemoved,
    /// Every factor was replaced by a link from the command line.
    Recovered,
    /// Somebody gave the right password and a wrong code.
    CodeWrong,
    /// Somebody gave the right password, and no code within ten minutes; told once an hour at most.
    CodeMissing,
    /// What keeps a page signed in was used as a copy would be; its session ended.
    RefreshCopied,
    /// The session log was read, by them or by whoever has the server's files; the label says which.
    JournalRead,
    /// They asked for break-glass at an event, or took it back.
    BreakGlass,
}

/// `GET /api/v1/account/activity`: the last ninety days, newest first.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct ActivityList {
    /// What happened.
    pub activity: Vec<AccountActivity>,
}

/// Something that happened to an account.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct AccountActivity {
    /// Its name in addresses.
    pub id: String,
    /// What.
    pub kind: ActivityKind,
    /// The label of the factor that it was about; empty if it was about none.
    pub label: String,
    /// Seconds since 1970, to the minute.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub at: u64,
}

/// A question for the browser's authenticators: the answer to every address that ends with `/start` but that of an app.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct PasskeyQuestion {
    /// What the answer has to name; once, and for two minutes.
    pub ceremony: String,
    /// For `navigator.credentials` (WebAuthn), binary members in base64url.
    #[cfg_attr(feature = "typescript", ts(type = "unknown"))]
    pub options: serde_json::Value,
}

/// `POST /oauth/sign-in/passkey` and `POST /api/v1/account/step-up/passkey`: what an authenticator answered.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct PasskeyAnswer {
    /// From the question.
    pub ceremony: String,
    /// `PublicKeyCredential.toJSON()`
    #[cfg_attr(feature = "typescript", ts(type = "unknown"))]
    pub credential: serde_json::Value,
}

/// `POST /api/v1/account/passkeys` and `POST /api/v1/setup/passkey`: a new passkey.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct NewPasskey {
    /// From the question.
    pub ceremony: String,
    /// `PublicKeyCredential.toJSON()`
    #[cfg_attr(feature = "typescript", ts(type = "unknown"))]
    pub credential: serde_json::Value,
    /// What its person calls it, 1 to 64 characters.
    pub label: String,
}

/// `POST /api/v1/setup/passkey/start`: asks for the passkey of a setup link.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct SetupPasskey {
    /// From the link's fragment.
    pub token: String,
}

/// `POST /api/v1/account/totp/start`: a secret for an authenticator app.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct TotpSecret {
    /// What the answer has to name; once, and for two minutes.
    pub ceremony: String,
    /// Base32, to be typed.
    pub secret: String,
    /// `otpauth://`, for an app on the same device.
    pub link: String,
}

/// `POST /api/v1/account/totp`: the first code of an app, which shows that it has the secret.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct NewTotp {
    /// From the secret's answer.
    pub ceremony: String,
    /// Six digits.
    pub code: String,
    /// What its person calls it, 1 to 64 characters.
    pub label: String,
}

/// `POST /api/v1/account/password`: a password, or another one.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// A sign-in name for whoever has none, or another one.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub name: Option<String>,
    /// At least 12 characters, none of the common ones.
    pub password: String,
}

/// `PATCH /api/v1/account/factors/{id}`
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct FactorChange {
    /// What its person calls it, 1 to 64 characters.
    pub label: String,
}

/// `POST /api/v1/account/recovery-codes`: the answer, this once. Older codes are worth nothing any more.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct RecoveryCodes {
    /// Ten, each for one use.
    pub codes: Vec<String>,
}

/// `POST /api/v1/account/step-up/password`: somebody who is signed in is recognised again.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct PasswordAgain {
    /// As at signing in.
    pub password: String,
    /// Six digits, where the account has an authenticator app.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub code: Option<String>,
}

/// `POST /oauth/sign-in/recovery`: for whoever has no password.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(deny_unknown_fields)]
pub struct RecoverySignIn {
    /// One of the ten.
    pub code: String,
}
