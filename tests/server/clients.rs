//! `veilcast client` on the real process: registered, listed, warned about, given another key, revoked.

use super::process::Server;
use holder::Holder;

const SCOPES: [&str; 2] = ["--scope", "events:manage,grants:issue"];

fn create(server: &Server, more: &[&str]) -> super::process::Done {
    let named = ["client", "create", "--label", "Canary LMS", "--owner", "Canary IT"];
    server.run(&[&named[..], &SCOPES, more].concat())
}

fn listed(server: &Server) -> Vec<String> {
    let done = server.run(&["client", "list"]);
    assert_eq!(done.code, 0, "{}", done.err);
    done.out.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_program_is_registered_and_revoked_from_the_command_line() {
    let server = Server::start().await;
    let made = create(&server, &[]);
    assert_eq!(made.code, 0, "{}", made.err);
    let mut lines = made.out.lines();
    let id = lines.next().expect("an id").to_owned();
    assert!(id.len() == 26 && lines.next() == Some("-----BEGIN PRIVATE KEY-----"));
    assert_eq!(lines.next_back(), Some("-----END PRIVATE KEY-----"));
    assert!(made.err.contains("shown this once") && made.err.contains(&format!(":{}", server.port)));
    // What is left of the ninetieth day is rounded down.
    let [row] = &listed(&server)[..] else { panic!("one program") };
    let expected = [&id, "Canary LMS", "Canary IT", "events:manage grants:issue", "ends in 89d", "not used yet"];
    assert_eq!(row.split('\t').take(6).collect::<Vec<_>>(), expected);

    let rotated = server.run(&["client", "rotate", "--id", &id, "--overlap", "1d"]);
    assert!(rotated.code == 0 && rotated.out.starts_with("-----BEGIN PRIVATE KEY-----"), "{}", rotated.err);
    assert_eq!(server.run(&["client", "revoke", "--id", &id, "--grants"]).code, 0);
    assert!(listed(&server).is_empty());
    for wrong in [["client", "revoke", "--id", &id], ["client", "rotate", "--id", &id]] {
        let done = server.run(&wrong);
        assert!(done.code == 1 && done.err.contains("no such program"), "{}", done.err);
    }
}

#[tokio::test]
async fn a_key_of_its_own_is_public_and_an_end_is_announced() {
    let server = Server::start().await;
    let file = std::env::temp_dir().join(format!("veilcast-key-{}.json", server.port));
    let name = file.to_str().expect("a name").to_owned();
    let key = Holder::new().jwk();
    std::fs::write(&file, key.to_string()).expect("written");
    let made = create(&server, &["--key", &name, "--ttl", "7d"]);
    assert!(made.code == 0 && made.out.lines().count() == 1, "nothing private: {}", made.out);
    let id = made.value().to_owned();
    let check = server.run(&["check"]);
    assert!(check.err.contains("warning") && check.err.contains(&id) && !check.err.contains("Canary"), "{}", check.err);
    let mut private = key;
    private["d"] = "AA".into();
    std::fs::write(&file, private.to_string()).expect("written");
    let refused = create(&server, &["--key", &name]);
    assert!(refused.code == 1 && refused.err.contains("private key"), "{}", refused.err);
    std::fs::remove_file(&file).expect("removed");
    let missing = create(&server, &["--key", &name]);
    assert!(missing.code == 1 && missing.err.contains(&name), "{}", missing.err);
}
