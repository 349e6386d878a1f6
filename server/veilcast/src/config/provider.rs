//! Sign-in providers. They stand in the file alone: a secret may be among what is said of one.

use super::{Problem, resolve};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use veilcast_auth::{
    Binding, ClaimRule, Federation, Profile, ProviderMode, ProviderSettings, Requirement, Role, RoleRule, Scope,
    SignInSettings, SigningAlgorithm, TokenForm, TokenType,
};
use veilcast_privacy::Secret;

/// What may be said of every provider, then of one to sign in at, then of one whose tokens are taken.
const COMMON: [&str; 7] = ["client_id", "client_secret", "client_secret_file", "hosts", "issuer", "mode", "root"];
const SIGN_IN: [&str; 4] = ["acr", "name", "roles", "scopes"];
const RESOURCE: [&str; 9] =
    ["algs", "audience", "binding", "claim", "event_claim", "introspection", "role", "scope", "typ"];

/// A value, as far as providers have any.
#[derive(Clone)]
enum Value {
    Text(String),
    List(Vec<Value>),
    Table(BTreeMap<String, Value>),
}

/// An entry as it was written.
#[derive(Clone)]
pub(super) struct Entry {
    place: String,
    fields: BTreeMap<String, Value>,
}

/// Reads the file's value: `[[provider]]`, any number of times.
pub(super) fn entries(
    value: &Spanned<DeValue<'_>>,
    place: impl Fn(Range<usize>) -> String,
    problems: &mut Vec<Problem>,
) -> Vec<Entry> {
    let items: Vec<_> = match value.get_ref() {
        DeValue::Array(items) => items.iter().collect(),
        _ => vec![value],
    };
    let mut found = Vec::new();
    for item in items {
        let here = format!("{}, provider", place(item.span()));
        match item.get_ref() {
            DeValue::Table(table) => match table_of(table) {
                Some(fields) => found.push(Entry { place: here, fields }),
                None => problems.push(Problem::new(here, "has text, lists of text and tables of text, nothing else")),
            },
            _ => problems.push(Problem::new(here, "is a table; begin it with [[provider]] on a line of its own")),
        }
    }
    found
}

fn table_of(table: &DeTable<'_>) -> Option<BTreeMap<String, Value>> {
    table.iter().map(|(key, value)| Some((key.get_ref().to_string(), value_of(value.get_ref())?))).collect()
}

fn value_of(value: &DeValue<'_>) -> Option<Value> {
    match value {
        DeValue::String(text) => Some(Value::Text(text.to_string())),
        DeValue::Array(items) => {
            items.iter().map(|item| value_of(item.get_ref())).collect::<Option<_>>().map(Value::List)
        }
        DeValue::Table(table) => table_of(table).map(Value::Table),
        _ => None,
    }
}

/// Refuses what could not be told apart: two that are one provider in one role, and two whose tokens say nothing of where they are
/// from.
pub(super) fn distinct(entries: &[(&Entry, ProviderSettings)], problems: &mut Vec<Problem>) {
    let role = |settings: &ProviderSettings| matches!(settings.mode, ProviderMode::SignIn(_));
    let is_opaque = |settings: &ProviderSettings| match &settings.mode {
        ProviderMode::ResourceServer(profile) => matches!(profile.form, TokenForm::Opaque { .. }),
        ProviderMode::SignIn(_) => false,
    };
    for (index, (entry, settings)) in entries.iter().enumerate() {
        let before = || entries.iter().take(index).map(|(_, other)| other);
        if before().any(|other| other.issuer == settings.issuer && role(other) == role(settings)) {
            let why = "has the issuer and mode of one above; say everything of a provider in one [[provider]]";
            problems.push(Problem::new(&entry.place, why));
        } else if is_opaque(settings) && before().any(is_opaque) {
            let why = "is the second with introspection: such tokens do not say whose they are, and must not be shown to another \
                       provider; have one of the two issue tokens that can be read (typ, algs)";
            problems.push(Problem::new(&entry.place, why));
        }
    }
}

impl Entry {
    pub(super) fn is_secret(&self) -> bool {
        self.fields.contains_key("client_secret")
    }

    /// What the issuer works with, or what is wrong. A secret is never quoted.
    pub(super) fn settings(&self) -> Result<ProviderSettings, Problem> {
        self.read().map_err(|why| Problem::new(&self.place, why))
    }

    fn read(&self) -> Result<ProviderSettings, String> {
        let is_resource = match self.text("mode")?.as_deref() {
            None | Some("sign-in") => false,
            Some("resource-server") => true,
            Some(_) => return Err("mode is \"sign-in\" or \"resource-server\"".to_owned()),
        };
        let own: &[&str] = if is_resource { &RESOURCE } else { &SIGN_IN };
        if let Some(other) =
            self.fields.keys().find(|key| !COMMON.contains(&key.as_str()) && !own.contains(&key.as_str()))
        {
            let known = COMMON.iter().chain(own).copied().collect::<Vec<_>>().join(", ");
            return Err(format!("unknown key {other}; in this mode there are {known}"));
        }
        let settings = ProviderSettings {
            issuer: self.needed("issuer", "the provider's address, to the letter as its tokens have it in iss")?,
            hosts: self.list("hosts")?,
            root: self.text("root")?.map(|path| root(&path)).transpose()?,
            client_id: self.text("client_id")?.unwrap_or_default(),
            client_secret: self.secret()?,
            mode: if is_resource { self.profile()? } else { self.sign_in()? },
        };
        let sound = Federation::new(std::slice::from_ref(&settings));
        sound.map(|_| settings).map_err(|error| format!("cannot be used: {error}"))
    }

    fn sign_in(&self) -> Result<ProviderMode, String> {
        self.needed("client_id", "the name that the provider knows this server by")?;
        let name = self.needed("name", "what stands on the button, such as the name of your organisation")?;
        if name.chars().count() > 60 || name.chars().any(char::is_control) {
            return Err("name stands on a button: at most 60 characters, no control characters".to_owned());
        }
        let (scopes, roles) = (self.list("scopes")?, self.roles()?);
        if !scopes.is_empty() && roles.is_empty() {
            return Err(
                "scopes tell more about people than who they are; they are asked for only where roles name what for"
                    .to_owned(),
            );
        }
        if scopes.iter().any(|scope| !is_token(scope)) {
            return Err("a scope has no spaces and no quotation marks; write each as an entry of the list".to_owned());
        }
        let strong_acr = self.list("acr")?;
        if strong_acr.iter().any(|acr| !is_token(acr)) {
            return Err("acr lists the exact values that stand for several factors, without spaces".to_owned());
        }
        Ok(ProviderMode::SignIn(SignInSettings { name, scopes, roles, strong_acr }))
    }

    fn profile(&self) -> Result<ProviderMode, String> {
        let audience = self.list("audience")?;
        if audience.is_empty() {
            return Err("needs audience: what its tokens have in aud when they are for this server, exactly".to_owned());
        }
        let event_claim = self.text("event_claim")?;
        let scope = match self.text("role")?.as_deref() {
            None | Some("viewer") => Scope::Watch,
            Some("broadcaster") if event_claim.is_some() => Scope::Broadcast,
            Some("broadcaster") => {
                return Err("lets people broadcast only where event_claim says to which event".to_owned());
            }
            Some(_) => return Err("role is \"viewer\" or \"broadcaster\"".to_owned()),
        };
        let binding = match self.text("binding")?.as_deref() {
            Some("dpop") => Binding::Dpop,
            Some("bearer") => Binding::Bearer,
            _ => return Err("needs binding: \"dpop\", or \"bearer\" for programs alone".to_owned()),
        };
        let requirement = match (self.text("scope")?, self.claim("claim")?) {
            (Some(scope), None) => Requirement::Scope(scope),
            (None, Some(claim)) => Requirement::Claim(claim),
            _ => return Err("needs either scope or claim: what a token has to say to be good here".to_owned()),
        };
        Ok(ProviderMode::ResourceServer(Profile {
            form: self.form()?,
            audience,
            requirement,
            event_claim,
            scope,
            binding,
        }))
    }

    fn form(&self) -> Result<TokenForm, String> {
        if let Some(endpoint) = self.text("introspection")? {
            if self.fields.contains_key("typ") || self.fields.contains_key("algs") {
                return Err(
                    "introspection is for tokens that cannot be read here; typ and algs are for the others".to_owned()
                );
            }
            self.needed("client_id", "as introspection asks for it")?;
            return Ok(TokenForm::Opaque { endpoint });
        }
        let typ = match self.text("typ")?.as_deref() {
            Some("at+jwt") => TokenType::AccessToken,
            Some("JWT") => TokenType::Jwt,
            Some("none") => TokenType::Absent,
            _ => {
                return Err(
                    "needs typ: \"at+jwt\", \"JWT\" or \"none\", as its tokens have it in their header".to_owned()
                );
            }
        };
        if typ != TokenType::AccessToken {
            self.needed("client_id", "an ID token for it looks like an access token, and is refused by that")?;
        }
        let names = self.list("algs")?;
        let algorithms: Option<Vec<_>> = names.iter().map(|name| SigningAlgorithm::parse(name)).collect();
        match algorithms {
            Some(algorithms) if !algorithms.is_empty() => Ok(TokenForm::Jwt { typ, algorithms }),
            _ => Err(format!("needs algs, a list of {}", SigningAlgorithm::NAMES.join(", "))),
        }
    }

    fn roles(&self) -> Result<Vec<RoleRule>, String> {
        let wrong = || {
            "roles is a list like { claim = \"groups\", value = \"staff\", role = \"operator\" }, or \"member\""
                .to_owned()
        };
        let Some(Value::List(items)) = self.fields.get("roles") else {
            return if self.fields.contains_key("roles") { Err(wrong()) } else { Ok(Vec::new()) };
        };
        let rule = |item: &Value| {
            let Value::Table(table) = item else { return None };
            let field = |name: &str| table.get(name).and_then(Value::as_text);
            let role = match field("role")? {
                "operator" => Role::Operator,
                "member" => Role::Member,
                _ => return None,
            };
            let claim = ClaimRule { name: field("claim")?.to_owned(), value: field("value")?.to_owned() };
            (table.len() == 3).then_some(RoleRule { claim, role })
        };
        items.iter().map(rule).collect::<Option<_>>().ok_or_else(wrong)
    }

    fn claim(&self, key: &str) -> Result<Option<ClaimRule>, String> {
        let wrong = || format!("{key} is like {{ name = \"groups\", value = \"viewers\" }}");
        let Some(value) = self.fields.get(key) else { return Ok(None) };
        let Value::Table(table) = value else { return Err(wrong()) };
        let field = |name: &str| table.get(name).and_then(Value::as_text).map(str::to_owned);
        match (field("name"), field("value"), table.len()) {
            (Some(name), Some(value), 2) => Ok(Some(ClaimRule { name, value })),
            _ => Err(wrong()),
        }
    }

    fn secret(&self) -> Result<Option<Secret>, String> {
        let given = match (self.text("client_secret")?, self.text("client_secret_file")?) {
            (None, None) => return Ok(None),
            (Some(secret), None) => Secret::from(secret),
            (None, Some(path)) => {
                let path = resolve::private(&path).map_err(|why| format!("client_secret_file {why}"))?;
                read(&path).map(Secret::new).map_err(|why| format!("client_secret_file {why}"))?
            }
            _ => return Err("has client_secret and client_secret_file; remove one of them".to_owned()),
        };
        let trimmed = Secret::new(given.expose_text().trim());
        if trimmed.expose_secret().is_empty() {
            Err("its client secret is empty".to_owned())
        } else {
            Ok(Some(trimmed))
        }
    }

    fn needed(&self, key: &str, what: &str) -> Result<String, String> {
        self.text(key)?.ok_or_else(|| format!("needs {key}: {what}"))
    }

    fn text(&self, key: &str) -> Result<Option<String>, String> {
        match self.fields.get(key) {
            None => Ok(None),
            Some(Value::Text(text)) if !text.trim().is_empty() => Ok(Some(text.trim().to_owned())),
            Some(_) => Err(format!("{key} takes text in quotation marks")),
        }
    }

    fn list(&self, key: &str) -> Result<Vec<String>, String> {
        let texts = match self.fields.get(key) {
            None => return Ok(Vec::new()),
            Some(Value::Text(text)) => Some(vec![text.clone()]),
            Some(Value::List(items)) => items.iter().map(|item| item.as_text().map(str::to_owned)).collect(),
            Some(Value::Table(_)) => None,
        };
        texts.ok_or_else(|| format!("{key} takes text in quotation marks, or a list of it"))
    }
}

impl Value {
    fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// RFC 6749 section 3.3: `scope-token`.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
}

fn root(path: &str) -> Result<Vec<u8>, String> {
    let path: PathBuf = resolve::readable(path).map_err(|why| format!("root {why}"))?;
    read(&path).map_err(|why| format!("root {why}"))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("cannot be read: {}", crate::words::reason(error.kind())))
}
