//! The commands that work on the records and return, also while the server runs.

use crate::cli::{EndArguments, InviteArguments, NewEventArguments, Place, SetupArguments};
use crate::config::{Config, Problem, Sources};
use crate::{Failure, clients, console, memory, network, serve};
use std::time::{Duration, SystemTime};
use veilcast_auth::{EventId, Federation, FetchError, Issuer, ProviderMode, Scope, callback_path};
use veilcast_privacy::Redacted;
use veilcast_records::{Event, EventState, LocationCap, NewEvent, Planned, Records};
use veilcast_webhooks::Courier;

/// What links are made with where no server has run yet.
const FIRST_PUBLIC_URL: &str = "http://localhost:8080";

/// A broadcast is prepared in the morning and given in the evening.
const INVITATION_LIFE: Duration = Duration::from_secs(12 * 3_600);

/// `veilcast event create`
pub(crate) async fn create_event(arguments: NewEventArguments) -> Result<(), Failure> {
    let admission = arguments.admission();
    let NewEventArguments {
        place,
        title,
        listed,
        broadcasters,
        latency,
        starts,
        location,
        location_minutes,
        asks_nothing,
        ..
    } = arguments;
    let office = Office::open(place).await?;
    let title = Redacted::new(title);
    let new = NewEvent { title, admission, listed, broadcasters, latency: latency.latency() };
    let planned = Planned { starts, client: None, asks_nothing };
    let id = office.records.plan_event(new, &planned, SystemTime::now()).await?;
    if let Some(cap) = LocationCap::new(location, location_minutes).filter(|cap| *cap != LocationCap::NONE) {
        office.records.set_location_cap(&id, cap).await?;
    }
    console::value(id.as_str());
    let origin = office.origin().await?;
    console::say(&format!("Viewers watch at {origin}/watch/{id}; broadcast from {origin}/studio/{id}."));
    Ok(())
}

/// `veilcast event list`
pub(crate) async fn list_events(place: Place) -> Result<(), Failure> {
    let events = Office::open(place).await?.records.events().await?;
    for event in &events {
        console::value(&line_of(event));
    }
    if events.is_empty() {
        console::say("There are no events yet; create one with 'veilcast event create --title TITLE'.");
    }
    Ok(())
}

/// Separated by tabs, so that scripts can cut it; a title has no control characters.
fn line_of(event: &Event) -> String {
    let admission = event.admission.name();
    let listing = if event.listed { "listed" } else { "unlisted" };
    let title = event.title.expose_redacted();
    format!("{}\t{}\t{admission}\t{listing}\t{title}", event.id, event.state.name())
}

/// `veilcast event end`
pub(crate) async fn end_event(arguments: EndArguments) -> Result<(), Failure> {
    let records = Office::open(arguments.place).await?.records;
    if records.end_event(&arguments.event).await? {
        console::say("The event has ended.");
        return Ok(());
    }
    match records.event(&arguments.event).await? {
        Some(_) => console::say("The event had ended before."),
        None => return Err(Failure::EventUnknown),
    }
    Ok(())
}

/// `veilcast invite`
pub(crate) async fn invite(arguments: InviteArguments) -> Result<(), Failure> {
    let office = Office::open(arguments.place).await?;
    let event = office.open_event(&arguments.event).await?;
    let now = SystemTime::now();
    let issuer = office.issuer(now).await?;
    let (scope, life) = (arguments.role.scope(), arguments.ttl.unwrap_or(INVITATION_LIFE));
    let code = issuer.invite(&event.id, scope, life, now).await?.code;
    let page = if scope == Scope::Broadcast { "studio" } else { "watch" };
    console::value(&format!("{}/{page}/{}#invitation={}", issuer.public_url(), event.id, code.expose_text()));
    console::say("It is for one person: it works in the browser that opens it first.");
    Ok(())
}

/// `veilcast setup`
pub(crate) async fn setup(arguments: SetupArguments) -> Result<(), Failure> {
    let now = SystemTime::now();
    let issuer = Office::open(arguments.place).await?.issuer(now).await?;
    if !arguments.recover {
        return offer_setup(&issuer, now).await;
    }
    let token = issuer.recovery_link_token(arguments.name.as_deref(), now).await?.ok_or(Failure::OperatorUnknown)?;
    console::say(
        "Open this link within 30 minutes to make a new way to sign in; it works once. Every older way, and whoever is signed in \
         by one, is gone then:",
    );
    console::value(&format!("{}/setup#{}", issuer.public_url(), token.expose_text()));
    Ok(())
}

/// Prints the one-time link and says what it is for.
pub(crate) async fn offer_setup(issuer: &Issuer, now: SystemTime) -> Result<(), Failure> {
    let token = issuer.setup_link_token(now).await?;
    console::say("There is no operator yet. Open this link within 30 minutes to create the account; it works once:");
    console::value(&format!("{}/setup#{}", issuer.public_url(), token.expose_text()));
    Ok(())
}

/// `veilcast check`
pub(crate) async fn check(sources: &Sources, network: bool) -> Result<(), Failure> {
    warn(sources);
    let config = Config::resolve(sources).map_err(Failure::Configuration)?;
    check_edge(&config)?;
    let file = sources.file.as_ref().map_or_else(|| "no file".to_owned(), |path| path.display().to_string());
    console::say(&format!("The configuration is good ({file})."));
    console::say(&format!("Pages: {} on port {}.", config.public_url_on(config.listen.port()), config.listen.port()));
    console::say(&format!("Media: UDP and TCP {}.", config.media_ports()));
    if !config.ice_servers.is_empty() {
        console::say(&format!("ICE servers told to everybody who is let in: {}.", config.ice_servers.len()));
    }
    console::say(&format!("Records: {}.", config.data_dir.display()));
    memory::warn_of_ways_out();
    warn_of_unknown_proxies(&config).await?;
    clients::warn_of_ends(&config).await?;
    check_providers(&config).await?;
    if network { network::check(&config) } else { Ok(()) }
}

/// A week: whoever looks after a change of the proxy sees what it was like before, too, and is told so.
const LOOKED_BACK: Duration = Duration::from_secs(7 * 86_400);

/// A proxy that is not named has everybody's failures counted as one network's; whoever made such headers up was not believed.
async fn warn_of_unknown_proxies(config: &Config) -> Result<(), Failure> {
    if Records::unknown_proxy_since(&config.data_dir, SystemTime::now() - LOOKED_BACK).await? {
        console::say(
            "veilcast: warning: within the last week requests came with forwarded headers (X-Forwarded-For and the like) from a peer \
             that trusted_proxy does not name. If a proxy of yours stands before this server, name its address there; if none does, \
             somebody made them up, and they were not believed",
        );
    }
    Ok(())
}

/// Asks each provider what it is, as its first use would.
async fn check_providers(config: &Config) -> Result<(), Failure> {
    let mut problems = Vec::new();
    let public_url = config.public_url_on(config.listen.port());
    // As they are numbered on the buttons: those whose tokens are taken have none.
    let mut numbers = 0..;
    for provider in &config.providers {
        let issuer = &provider.issuer;
        let number = match provider.mode {
            ProviderMode::SignIn(_) => numbers.next(),
            ProviderMode::ResourceServer(_) => None,
        };
        match (Federation::examine(provider).await, &provider.mode) {
            (Ok(()), ProviderMode::SignIn(settings)) => console::say(&format!(
                "Sign-in with {}: {issuer} answers. It has to know this address of ours: {public_url}{}",
                settings.name,
                callback_path(number.unwrap_or_default())
            )),
            (Ok(()), ProviderMode::ResourceServer(_)) => {
                console::say(&format!("Access tokens of {issuer} are taken; it answers."));
            }
            (Err(error), _) => problems.push(Problem::new(format!("provider {issuer}"), error.to_string())),
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(Failure::Configuration(problems)) }
}

/// Settings of a provider that got through and cannot be used all the same.
pub(crate) fn unsound(error: FetchError) -> Failure {
    Failure::Configuration(vec![Problem::new("provider", error.to_string())])
}

/// What only the edge can tell: whether a certificate belongs to its key, for instance.
fn check_edge(config: &Config) -> Result<(), Failure> {
    let settings = serve::gateway_config(config, &config.public_url_on(config.listen.port()));
    let checked = veilcast_gateway::check(config.listen, &settings);
    checked.map_err(|error| Failure::Configuration(vec![Problem::new("configuration", error.to_string())]))
}

/// Shows what does not stop anything but should be looked at.
pub(crate) fn warn(sources: &Sources) {
    for warning in &sources.warnings {
        console::say(&format!("veilcast: warning: {warning}"));
    }
}

/// The records, and the origin that their links and tokens are made with.
pub(crate) struct Office {
    records: Records,
    sources: Sources,
}

impl Office {
    pub(crate) const fn records(&self) -> &Records {
        &self.records
    }

    /// For those whom webhooks are sent to.
    pub(crate) async fn courier(&self, now: SystemTime) -> Result<Courier, Failure> {
        let settings = Config::webhooks(&self.sources).map_err(Failure::Configuration)?;
        let security = self.issuer(now).await?.security().clone();
        let courier = Courier::new(self.records.clone(), security, settings);
        courier.map_err(|_| Failure::from(veilcast_gateway::StartError::WebhookRoot))
    }

    /// An event that somebody may still come to.
    pub(crate) async fn open_event(&self, id: &EventId) -> Result<Event, Failure> {
        let event = self.records.event(id).await?.ok_or(Failure::EventUnknown)?;
        if event.state == EventState::Ended { Err(Failure::EventEnded) } else { Ok(event) }
    }

    pub(crate) async fn open(place: Place) -> Result<Self, Failure> {
        let sources = Sources::place(place)?;
        warn(&sources);
        let directory = Config::data_dir(&sources).map_err(Failure::Configuration)?;
        let missing = !directory.exists();
        let records = Records::open(&directory).await?;
        if missing {
            let made = std::path::absolute(&directory).unwrap_or(directory);
            let made = made.display();
            console::say(&format!("Made the data directory {made}. If the records are elsewhere, use --data-dir."));
        }
        Ok(Self { records, sources })
    }

    /// What the server recorded when it last started; before that, what it would record.
    async fn origin(&self) -> Result<String, Failure> {
        if let Some(url) = self.records.public_url().await? {
            return Ok(url);
        }
        let configured = Config::resolve(&self.sources).ok();
        let url = configured.map_or_else(|| FIRST_PUBLIC_URL.to_owned(), |c| c.public_url_on(c.listen.port()));
        console::say(&format!("No server has run on these records yet: links and tokens are made for {url}."));
        Ok(url)
    }

    pub(crate) async fn issuer(&self, now: SystemTime) -> Result<Issuer, Failure> {
        Ok(Issuer::open(self.records.clone(), &self.origin().await?, now).await?)
    }
}
