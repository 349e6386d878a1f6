use super::{Config, Problem, Sources, Tls};
use crate::cli::{Cli, Command, Flags};
use clap::Parser;
use std::ffi::OsString;
use std::path::PathBuf;

/// A configuration file that is gone at the end of the test.
struct File(PathBuf);

impl File {
    fn new(text: &str) -> Self {
        let random = veilcast_records::base32(&veilcast_records::random_bits().expect("randomness"));
        let path = std::env::temp_dir().join(format!("veilcast-{random}.toml"));
        std::fs::write(&path, text).expect("a scratch file");
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        _ = std::fs::remove_file(&self.0);
    }
}

fn flags(line: &str) -> Flags {
    let words = ["veilcast", "check"].into_iter().chain(line.split_whitespace());
    match Cli::try_parse_from(words).map(|cli| cli.command) {
        Ok(Command::Check(arguments)) => arguments.flags,
        _ => panic!("not a line of flags: {line}"),
    }
}

fn environment(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    pairs.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))).collect()
}

fn read(line: &str, variables: &[(&str, &str)], file: &File) -> Result<Sources, Vec<Problem>> {
    let line = format!("{line} --config {}", file.0.display());
    Sources::read(flags(&line), environment(variables).into_iter())
}

fn resolve(line: &str, variables: &[(&str, &str)], file: &str) -> Result<Config, String> {
    let file = File::new(file);
    let sources = read(line, variables, &file).map_err(|problems| text(&problems))?;
    Config::resolve(&sources).map_err(|problems| text(&problems))
}

fn text(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn refusal(line: &str, variables: &[(&str, &str)], file: &str) -> String {
    resolve(line, variables, file).err().expect("refused")
}

#[test]
fn defaults() {
    let config = resolve("", &[], "").unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(veilcast_shard::MAX_SHARDS);
    assert_eq!((config.media_port, config.shards), (10_000, cores));
    assert_eq!(config.public_url_on(8080), "http://localhost:8080");
    assert!(matches!(config.tls, Tls::Off) && config.media_addresses.is_empty());
}

#[test]
fn flags_win_over_environment_over_file() {
    let file = "media_port = 3\nshards = 3\nlog = 'warn'";
    let variables = [("VEILCAST_MEDIA_PORT", "2"), ("VEILCAST_SHARDS", "2")];
    let config = resolve("--media-port 1", &variables, file).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!((config.media_port, config.shards, config.log.as_str()), (1, 2, "warn"));
}

#[test]
fn lists_are_commas_or_toml_arrays() {
    let from_file = resolve("", &[], "media_address = ['192.0.2.1', '2001:db8::1']").map(|c| c.media_addresses);
    let from_flag = resolve("--media-address 192.0.2.1,2001:db8::1", &[], "").map(|c| c.media_addresses);
    let from_variable =
        resolve("", &[("VEILCAST_MEDIA_ADDRESS", "192.0.2.1, 2001:db8::1")], "").map(|c| c.media_addresses);
    assert_eq!(from_file.as_ref().map(Vec::len), Ok(2));
    assert!(from_file == from_flag && from_flag == from_variable);
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_one() {
    let text = refusal("", &[], "# comment\n\nmedia-prot = 1\n");
    assert!(text.contains(".toml line 3: unknown key media-prot; did you mean media_port?"), "{text}");
    let text = refusal("", &[], "colour = 'red'");
    assert!(text.contains("line 1") && !text.contains("did you mean"), "{text}");
}

#[test]
fn an_unknown_variable_is_a_warning() {
    let sources =
        read("", &[("VEILCAST_LISTN", "x"), ("OTHER", "x")], &File::new("")).unwrap_or_else(|p| panic!("{p:?}"));
    assert_eq!(sources.warnings.len(), 1);
    assert!(text(&sources.warnings).contains("did you mean VEILCAST_LISTEN?"));
}

#[test]
fn mistakes_in_the_file_have_their_line() {
    assert!(refusal("", &[], "\nlisten = \n").contains("line 2"));
    assert!(refusal("", &[], "\n\nshards = true").contains("line 3"));
    assert!(refusal("", &[], "[server]\nlisten = 'x'").contains("line 1: unknown key server"));
    let wrong = refusal("", &[], "\nshards = 0");
    assert!(wrong.contains("line 2, shards: '0' is not a number of threads"), "{wrong}");
}

#[test]
fn all_mistakes_are_named_at_once() {
    let wrong = refusal("--shards 0", &[("VEILCAST_MEDIA_PORT", "x")], "public_url = 'https://a/b'");
    assert!(
        wrong.contains("--shards: ") && wrong.contains("VEILCAST_MEDIA_PORT: ") && wrong.contains("public_url: "),
        "{wrong}"
    );
}

#[test]
fn plain_http_stays_on_loopback() {
    for listen in ["0.0.0.0:8080", "[::]:8080", "192.0.2.1:8080"] {
        let wrong = refusal(&format!("--listen {listen}"), &[], "");
        assert!(wrong.contains("--tls-cert") && wrong.contains("--acme-directory"), "{wrong}");
    }
    assert!(resolve("--listen [::1]:8080", &[], "").is_ok());
    assert!(resolve("--listen localhost:0", &[], "").is_ok());
}

#[test]
fn ports_that_do_not_exist() {
    assert!(refusal("--media-port 65535 --shards 2", &[], "").contains("65536"));
    assert!(refusal("--media-public-port 65535 --shards 2", &[], "").contains("--media-public-port"));
    assert!(refusal("--listen 127.0.0.1", &[], "").contains("ADDRESS:PORT"));
    assert!(refusal("--listen 127.0.0.1:99999", &[], "").contains("ADDRESS:PORT"));
}

#[test]
fn all_shards_on_one_port() {
    for (line, variables, file, shared) in [
        ("", &[][..], "", false),
        ("--media-shared-port", &[], "", true),
        ("--media-shared-port=false", &[], "media_shared_port = true", false),
        ("", &[("VEILCAST_MEDIA_SHARED_PORT", "true")], "media_shared_port = false", true),
        ("", &[], "media_shared_port = true", true),
        ("", &[], "media_shared_port = 'true'", true),
    ] {
        let config = resolve(&format!("--shards 4 {line}"), variables, file).unwrap_or_else(|wrong| panic!("{wrong}"));
        assert_eq!(config.media_shared_port, shared, "{line} {file}");
        assert_eq!(config.media_ports(), if shared { "port 10000" } else { "ports 10000 to 10003" });
    }
    let wrong = refusal("--media-shared-port=yes", &[], "");
    assert!(wrong.contains("--media-shared-port: 'yes' is neither true nor false"), "{wrong}");
    let highest = "--shards 4 --media-port 65535 --media-public-port 65535";
    assert!(refusal(highest, &[], "").contains("--media-shared-port"));
    assert!(resolve(&format!("{highest} --media-shared-port"), &[], "").is_ok(), "there is no second one");
}

#[test]
fn certificates_come_in_pairs_or_by_acme() {
    let pem = File::new("");
    let path = pem.0.display();
    assert!(refusal(&format!("--tls-cert {path}"), &[], "").contains("--tls-key"));
    assert!(refusal("--tls-cert /nowhere --tls-key /nowhere", &[], "").contains("cannot be read"));
    let open = refusal(&format!("--tls-cert {path} --tls-key {path}"), &[], "");
    assert!(open.contains("chmod 600"), "{open}");
    let acme = "--acme-directory https://ca.example/dir";
    assert!(refusal(acme, &[], "").contains("--acme-domain"));
    assert!(refusal("--acme-domain live.example.org", &[], "").contains("--acme-directory"));
    let whole =
        format!("--listen 0.0.0.0:443 {acme} --acme-domain live.example.org --acme-contact mailto:a@example.org");
    let config = resolve(&whole, &[], "").unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(config.public_url.as_deref(), Some("https://live.example.org"));
    assert!(refusal(&format!("{whole} --tls-cert {path}"), &[], "").contains("exclude each other"));
}

/// A purpose as an integrator writes it, with one line in place of another.
fn purpose(line: &str, other: &str) -> String {
    let whole = "[[purpose]]\nname = 'x-newsletter'\nversion = 3\nsince = '2026-11-22'\ntitle = 'Get the newsletter?'\n\
                 what = 'Your address.'\nwho = 'The organiser.'\nhow_long = 'A year.'\nrefusing = 'Nothing changes.'\n";
    assert!(whole.contains(line), "{line}");
    whole.replace(line, other)
}

#[test]
fn purposes_are_added_with_all_their_words() {
    let config = resolve("", &[], &purpose("", "")).unwrap_or_else(|problems| panic!("{problems}"));
    let added: Vec<_> = config.purposes.added().collect();
    let terms = veilcast_consent::Terms::of(added[0]);
    assert_eq!((added.len(), terms.name, terms.version, terms.remains), (1, "x-newsletter", 3, None));
    assert!(!added[0].yields_to_signal());
    let outside = purpose("version", "outside = true\nremains = 'A letter that was sent.'\nversion");
    let config = resolve("", &[], &outside).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(config.purposes.added().all(|purpose| purpose.yields_to_signal()));
    assert!(resolve("", &[], "").is_ok_and(|config| config.purposes.added().next().is_none()));
}

#[test]
fn what_is_wrong_with_a_purpose_is_said_with_its_line() {
    for (line, other, says) in [
        ("name = 'x-newsletter'", "name = 'chat'", "line 1, purpose: name is x- and up to 30"),
        ("name = 'x-newsletter'\n", "", "needs name"),
        ("version = 3\n", "", "needs version: a number that counts up whenever a word changes"),
        ("version = 3", "version = 0", "raise it whenever a word changes"),
        ("version = 3", "version = 'new'", "version is a number"),
        ("'2026-11-22'", "'22 November'", "since is the date"),
        ("who = 'The organiser.'\n", "", "needs who: who gets to see it"),
        ("'A year.'", "' '", "how_long is empty"),
        ("Your address.", &"long ".repeat(80), "what is longer than 300 characters"),
        ("who =", "whom =", "unknown key whom; there are how_long, name, outside"),
        ("version", "outside = 'maybe'\nversion", "outside is true where somebody besides you receives it"),
        ("'A year.'", "['A year.']", "has text, a number (version)"),
        ("[[purpose]]", "[[purposes]]", "did you mean purpose?"),
    ] {
        let wrong = refusal("", &[], &purpose(line, other));
        assert!(wrong.contains(says), "{line}: {wrong}");
        assert!(wrong.contains("line 1"), "{wrong}");
    }
    let twice = refusal("", &[], &format!("{}{}", purpose("", ""), purpose("version = 3", "version = 4")));
    assert!(twice.contains("line 10, purpose: has the name of one above"), "{twice}");
    let many: String = ('a'..='i').map(|letter| purpose("x-newsletter", &format!("x-{letter}"))).collect();
    assert!(refusal("", &[], &many).contains("is one too many: 8 can be added"));
    assert!(refusal("", &[], "purpose = 'x-newsletter'").contains("begin it with [[purpose]]"));
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let missing = Sources::read(flags("--config /nowhere/veilcast.toml"), std::iter::empty());
    assert!(text(&missing.err().expect("refused")).contains("/nowhere/veilcast.toml: cannot be read"));
    let by_variable = environment(&[("VEILCAST_CONFIG", "/nowhere/else.toml")]);
    let missing = Sources::read(Flags::default(), by_variable.into_iter());
    assert!(text(&missing.err().expect("refused")).contains("/nowhere/else.toml"));
}
