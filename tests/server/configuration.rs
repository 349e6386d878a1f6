//! Settings from flags, environment and file, and what `check` says about them.

use super::process::{Done, Scratch, command, finish, run};
use std::path::Path;

fn check(file: &Path, variables: &[(&str, &str)], flags: &[&str]) -> Done {
    let mut command = command(["check", "--config"]);
    command.arg(file).args(flags).envs(variables.iter().copied());
    finish(&mut command)
}

#[test]
fn flag_over_environment_over_file_over_default() {
    let scratch = Scratch::new();
    let (none, file) = (scratch.write("none.toml", ""), scratch.write("some.toml", "media_port = 21001\n"));
    let variable = [("VEILCAST_MEDIA_PORT", "21002")];
    let flag = ["--media-port", "21003"];
    for (done, port) in [
        (check(&none, &[], &[]), 10_000),
        (check(&file, &[], &[]), 21_001),
        (check(&file, &variable, &[]), 21_002),
        (check(&file, &variable, &flag), 21_003),
    ] {
        assert_eq!((done.code, done.out.as_str()), (0, ""), "{}", done.err);
        let (one, more) =
            (format!("Media: UDP and TCP port {port}.\n"), format!("Media: UDP and TCP ports {port} to "));
        assert!(done.err.contains(&one) || done.err.contains(&more), "{}", done.err);
        assert!(done.err.contains("The configuration is good"), "{}", done.err);
    }
    let several = check(&none, &[], &["--shards", "3"]);
    assert!(several.err.contains("Media: UDP and TCP ports 10000 to 10002.\n"), "{}", several.err);
}

#[test]
fn the_file_beside_the_person_is_found_and_another_can_be_named() {
    let scratch = Scratch::new();
    scratch.write("veilcast.toml", "listen = \"127.0.0.1:21004\"\n");
    let other = scratch.write("other.toml", "listen = \"127.0.0.1:21005\"\n");
    let here = |variables: &[(&str, &str)]| {
        let mut command = command(["check"]);
        finish(command.current_dir(scratch.path("")).envs(variables.iter().copied()))
    };
    assert!(here(&[]).err.contains("port 21004"));
    let named = other.display().to_string();
    assert!(here(&[("VEILCAST_CONFIG", &named)]).err.contains("port 21005"));
    let missing = scratch.path("missing.toml").display().to_string();
    let refused = run(["check", "--config", &missing]);
    assert!(refused.refusal(2).contains("missing.toml: cannot be read: there is no such file"), "{}", refused.err);
}

#[test]
fn mistakes_in_the_file_have_line_and_remedy() {
    let scratch = Scratch::new();
    for (text, words) in [
        ("# comment\n\nmedia-prot = 1\n", &["bad.toml line 3: ", "media-prot", "did you mean media_port?"][..]),
        ("listen = \"127.0.0.1:1\"\ncolour = \"red\"\n", &["bad.toml line 2: ", "unknown key colour"]),
        ("\nlisten = \n", &["bad.toml line 2: "]),
        ("shards = 0\n", &["bad.toml line 1, shards: ", "'0'"]),
        ("[server]\nlisten = \"127.0.0.1:1\"\n", &["bad.toml line 1: ", "unknown key server"]),
    ] {
        let file = scratch.write("bad.toml", text);
        for command in ["check", "serve"] {
            let done = run([command, "--config", &file.display().to_string()]);
            let line = done.refusal(2);
            assert!(words.iter().all(|word| line.contains(word)), "{line}");
        }
    }
}

#[test]
fn an_unknown_variable_warns_and_a_wrong_one_stops() {
    let scratch = Scratch::new();
    let file = scratch.write("none.toml", "");
    let done = check(&file, &[("VEILCAST_LISTN", "x")], &[]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(
        done.err.starts_with("veilcast: warning: VEILCAST_LISTN: ")
            && done.err.contains("did you mean VEILCAST_LISTEN?")
    );
    let done = check(&file, &[("VEILCAST_SHARDS", "many"), ("VEILCAST_MEDIA_PORT", "70000")], &["--listen", "nowhere"]);
    assert_eq!(done.code, 2);
    for place in ["VEILCAST_SHARDS: ", "VEILCAST_MEDIA_PORT: ", "--listen: "] {
        assert!(done.err.contains(&format!("veilcast: {place}")), "every mistake at once: {}", done.err);
    }
}

#[test]
fn plain_http_stays_on_loopback() {
    for listen in ["0.0.0.0:8443", "[::]:8443", "192.0.2.1:8443"] {
        for command in ["check", "serve"] {
            let done = run([command, "--listen", listen]);
            let line = done.refusal(2);
            for way in ["--tls-cert", "--tls-key", "--acme-directory", "127.0.0.1"] {
                assert!(line.contains(way), "{line}");
            }
        }
    }
}
