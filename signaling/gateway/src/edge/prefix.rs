use crate::app::App;
use aws_lc_rs::hmac;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use veilcast_auth::Party;
use veilcast_logs::Reason;
use veilcast_outgoing::{Network, masked};
use veilcast_privacy::heard_somebody;

/// How long two requests from one network can be told to be so, at most.
pub(crate) const KEY_LIFE: Duration = Duration::from_secs(600);

/// Stands for the network prefix that a request came from, for ten minutes and for counting only. The address
/// itself goes no further than this file.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PrefixTag([u8; 16]);

impl PrefixTag {
    /// Whose share of memory a request takes.
    pub(crate) const fn party(self) -> Party {
        Party(self.0)
    }
}

/// Marks a request that a trusted proxy passed on: the host name is the proxy's business.
#[derive(Clone, Copy)]
pub(crate) struct BehindProxy;

/// Marks a request of a program on this machine, as far as that can be told: from loopback, and no proxy says that it
/// speaks for somebody else.
#[derive(Clone, Copy)]
pub(crate) struct FromHere;

/// What a proxy adds, trusted or not.
const FORWARDING: [&str; 5] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

/// What names somebody else as the sender.
const CLAIMING: [&str; 3] = ["forwarded", "x-forwarded-for", "x-real-ip"];

/// Turns addresses into tags.
pub(crate) struct Prefixes {
    key: Mutex<(Instant, hmac::Key)>,
    /// Of accounts. It does not change: a count that began anew with it would give guesses away, and a tag of what somebody typed
    /// tells nothing to whoever has not this process.
    accounts: hmac::Key,
    proxies: Vec<Network>,
    /// When somebody last spoke for others whom nobody has named as a proxy, and whether that is to be noted.
    unknown: Mutex<Option<Instant>>,
}

/// An unknown proxy is noted so often: it sends every request so.
const NOTED: Duration = Duration::from_secs(600);

impl Prefixes {
    pub(crate) fn new(proxies: Vec<Network>) -> Result<Self, getrandom::Error> {
        let key = Mutex::new((Instant::now(), fresh_key()?));
        Ok(Self { key, accounts: fresh_key()?, proxies, unknown: Mutex::new(None) })
    }

    /// Whether a request claims to be forwarded, comes from nobody who was named for it, and none such was noted for a while.
    fn is_news_of_a_proxy(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        if self.is_proxy(peer) || !CLAIMING.iter().any(|name| headers.contains_key(*name)) {
            return false;
        }
        let mut noted = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = noted.is_none_or(|at| at.elapsed() >= NOTED);
        if is_news {
            *noted = Some(Instant::now());
        }
        is_news
    }

    /// The tag of an address's prefix: /24 (IPv4), /56 (IPv6, what a household gets), under a key that nobody keeps.
    pub(crate) fn tag(&self, address: IpAddr) -> PrefixTag {
        let address = address.to_canonical();
        let (family, bits) = if address.is_ipv4() { (4, 24) } else { (6, 56) };
        let mut input = [family; 17];
        input[1..].copy_from_slice(&masked(address, bits).to_be_bytes());
        let full = hmac::sign(&self.current_key(), &input);
        let mut tag = [0; 16];
        tag.copy_from_slice(&full.as_ref()[..16]);
        PrefixTag(tag)
    }

    /// A tag of an account as somebody names it.
    pub(crate) fn tag_of(&self, account: &[u8]) -> PrefixTag {
        let full = hmac::sign(&self.accounts, account);
        let mut tag = [0; 16];
        tag.copy_from_slice(&full.as_ref()[..16]);
        PrefixTag(tag)
    }

    fn current_key(&self) -> hmac::Key {
        let mut held = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        if held.0.elapsed() >= KEY_LIFE {
            // Without randomness the old key serves on; counting failures matters more at that moment.
            if let Ok(key) = fresh_key() {
                *held = (Instant::now(), key);
            }
        }
        held.1.clone()
    }

    pub(crate) fn is_proxy(&self, address: IpAddr) -> bool {
        self.proxies.iter().any(|network| network.contains(address.to_canonical()))
    }

    /// Whose request it is: the last address that no trusted proxy vouches for being itself.
    pub(crate) fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.is_proxy(peer) {
            return peer;
        }
        let hops = forwarded(headers);
        hops.iter().rev().copied().find(|hop| !self.is_proxy(*hop)).unwrap_or(peer)
    }
}

fn fresh_key() -> Result<hmac::Key, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

/// Addresses of `Forwarded` (RFC 7239), else of `X-Forwarded-For`, nearest last.
fn forwarded(headers: &HeaderMap) -> Vec<IpAddr> {
    let values = |name: &str| -> Vec<String> {
        let all = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        all.flat_map(|value| value.split(',')).map(|part| part.trim().to_owned()).collect()
    };
    let standard = values("forwarded");
    let named = standard.iter().filter_map(|element| {
        let pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
        pairs.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("for")).map(|(_, value)| value)
    });
    let found: Vec<IpAddr> = named.filter_map(node).collect();
    if found.is_empty() { values("x-forwarded-for").iter().filter_map(|value| node(value)).collect() } else { found }
}

/// RFC 7239 section 6: an address, perhaps quoted, in brackets, or with a port.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address);
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(address.ip());
    }
    text.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

/// Replaces the address of a request by its tag.
pub(crate) async fn tag_request(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    heard_somebody();
    if let Some(ConnectInfo(peer)) = request.extensions_mut().remove::<ConnectInfo<SocketAddr>>() {
        let tag = app.prefixes.tag(app.prefixes.origin(peer.ip(), request.headers()));
        request.extensions_mut().insert(tag);
        if app.prefixes.is_news_of_a_proxy(peer.ip(), request.headers()) {
            note_unknown_proxy(&app);
        }
        if app.prefixes.is_proxy(peer.ip()) {
            request.extensions_mut().insert(BehindProxy);
        } else if peer.ip().to_canonical().is_loopback()
            && !FORWARDING.iter().any(|name| request.headers().contains_key(*name))
        {
            request.extensions_mut().insert(FromHere);
        }
    }
    for name in CLAIMING {
        request.headers_mut().remove(name);
    }
    let response = next.run(request).await;
    // Other threads than the first may have taken steps of it.
    heard_somebody();
    response
}

/// For `veilcast check`: that it happened, in which hour, and nothing else.
fn note_unknown_proxy(app: &Arc<App>) {
    veilcast_logs::warn!("requests come with forwarded headers from a peer that trusted_proxy does not name");
    let records = app.records.clone();
    tokio::spawn(async move {
        if let Err(error) = records.note_unknown_proxy(SystemTime::now()).await {
            veilcast_logs::error!("an unknown proxy could not be noted", reason = Reason::from(&error));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().expect("it is a header"));
        headers
    }

    impl Prefixes {
        /// As after ten minutes.
        fn renew_key(&self) {
            self.key.lock().expect("whole").1 = fresh_key().expect("there is randomness");
        }
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect("it is an address")
    }

    #[test]
    fn a_prefix_has_one_tag_and_others_have_others() {
        let prefixes = Prefixes::new(Vec::new()).expect("there is randomness");
        let same = |a: &str, b: &str| prefixes.tag(address(a)) == prefixes.tag(address(b));
        assert!(same("192.0.2.1", "192.0.2.200") && !same("192.0.2.1", "192.0.3.1"));
        assert!(same("::ffff:192.0.2.1", "192.0.2.7"));
        assert!(same("2001:db8:0:11::1", "2001:db8:0:22::1") && !same("2001:db8::1", "2001:db8:0:100::1"));
        let other = Prefixes::new(Vec::new()).expect("there is randomness");
        assert!(prefixes.tag(address("192.0.2.1")) != other.tag(address("192.0.2.1")), "the key is nobody else's");
    }

    #[test]
    fn networks_are_told_apart_for_ten_minutes_and_accounts_for_good() {
        let prefixes = Prefixes::new(Vec::new()).expect("there is randomness");
        let (network, account) = (prefixes.tag(address("192.0.2.1")), prefixes.tag_of(b"ada"));
        prefixes.renew_key();
        assert!(prefixes.tag(address("192.0.2.1")) != network);
        assert!(prefixes.tag_of(b"ada") == account && prefixes.tag_of(b"eve") != account, "guesses stay counted");
    }

    #[test]
    fn an_unknown_proxy_is_noted_once_in_a_while() {
        let known = Network::parse("10.0.0.0/8").expect("it is a range");
        let prefixes = Prefixes::new(vec![known]).expect("there is randomness");
        let claimed = headers("x-forwarded-for", "198.51.100.1");
        assert!(!prefixes.is_news_of_a_proxy(address("10.0.0.1"), &claimed), "named");
        assert!(!prefixes.is_news_of_a_proxy(address("192.0.2.1"), &HeaderMap::new()), "claims nothing");
        assert!(prefixes.is_news_of_a_proxy(address("192.0.2.1"), &claimed));
        assert!(!prefixes.is_news_of_a_proxy(address("192.0.2.1"), &claimed), "was noted");
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let proxy = Network::parse("10.0.0.0/8").expect("it is a range");
        let prefixes = Prefixes::new(vec![proxy]).expect("there is randomness");
        let claimed = headers("x-forwarded-for", "198.51.100.1, 203.0.113.5, 10.0.0.2");
        assert_eq!(prefixes.origin(address("10.0.0.1"), &claimed), address("203.0.113.5"));
        assert_eq!(prefixes.origin(address("192.0.2.1"), &claimed), address("192.0.2.1"));
        let standard = headers("forwarded", "for=\"[2001:db8::7]:4711\";proto=https, for=10.0.0.2:80");
        assert_eq!(prefixes.origin(address("10.0.0.1"), &standard), address("2001:db8::7"));
        let nonsense = headers("forwarded", "for=unknown, for=_hidden;;=,");
        assert_eq!(prefixes.origin(address("10.0.0.1"), &nonsense), address("10.0.0.1"));
    }
}
