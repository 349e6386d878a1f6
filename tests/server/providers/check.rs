//! `veilcast check` asks providers what they are.

use super::super::process::{Done, Scratch, run};
use super::realm::{Realm, SECRET, client};
use serde_json::json;

fn check(settings: &str) -> Done {
    let scratch = Scratch::new();
    let file = scratch.write("veilcast.toml", settings).display().to_string();
    let data = scratch.path("data").display().to_string();
    run(["check", "--config", &file, "--data-dir", &data])
}

#[tokio::test]
async fn check_says_whether_a_provider_will_do_and_how_to_mend_it() {
    let realm = Realm::open(&json!({ "clients": [client(8_080)] })).await;
    let good = check(&realm.settings(""));
    assert_eq!(good.code, 0, "{}", good.err);
    let said = "Test University: ";
    assert!(
        good.err.contains(said) && good.err.contains("http://localhost:8080/oauth/provider/callback/0"),
        "{}",
        good.err
    );
    let slash = check(&realm.settings("").replace("\"\nclient_id", "/\"\nclient_id"));
    assert!(slash.code == 2 && slash.err.contains("not what OpenID Connect"), "{}", slash.err);
    realm.down(true).await;
    let down = check(&realm.settings(""));
    assert!(down.code == 2 && down.err.contains("nobody answers"), "{}", down.err);
    for (lacks, words) in [
        ("code_challenge_methods_supported", "S256"),
        ("token_endpoint", "token_endpoint"),
        ("id_token_signing_alg_values_supported", "ID tokens"),
        ("jwks_uri", "not what OpenID Connect"),
    ] {
        let poor = Realm::open(&json!({ "clients": [client(8_080)], "lacks": lacks })).await;
        let refused = check(&poor.settings(""));
        assert!(refused.code == 2 && refused.err.contains(words), "{lacks}: {}", refused.err);
    }
    for done in [good, slash, down] {
        assert!(!done.err.contains(SECRET) && !done.out.contains(SECRET));
    }
}

#[test]
fn a_provider_s_settings_say_what_is_missing() {
    let sign_in = "name = \"U\"\nissuer = \"https://id.example\"\nclient_id = \"c\"\n";
    let resource = "mode = \"resource-server\"\nissuer = \"https://id.example\"\n";
    let whole = "audience = \"a\"\nbinding = \"dpop\"\nscope = \"s\"\n";
    for (settings, words) in [
        ("name = \"U\"\nclient_id = \"c\"\n".to_owned(), "needs issuer"),
        ("name = \"U\"\nissuer = \"https://id.example\"\n".to_owned(), "needs client_id"),
        ("issuer = \"https://id.example\"\nclient_id = \"c\"\n".to_owned(), "needs name"),
        (sign_in.replace("https", "http"), "not https"),
        (sign_in.replace("id.example", "user@id.example"), "not https"),
        (format!("{sign_in}colour = \"red\"\n"), "unknown key colour"),
        (format!("{sign_in}audience = \"a\"\n"), "unknown key audience"),
        (format!("{sign_in}scopes = [\"email\"]\n"), "only where roles"),
        (format!("{sign_in}roles = [{{ claim = \"g\", value = \"v\", role = \"king\" }}]\n"), "roles is a list"),
        (format!("{sign_in}client_secret_file = \"/nowhere\"\n"), "client_secret_file cannot be read"),
        (format!("{sign_in}root = \"/nowhere\"\n"), "root cannot be read"),
        (resource.to_owned(), "needs audience"),
        (format!("{resource}audience = \"a\"\n"), "needs binding"),
        (format!("{resource}audience = \"a\"\nbinding = \"dpop\"\n"), "needs either scope or claim"),
        (format!("{resource}{whole}"), "needs typ"),
        (format!("{resource}{whole}typ = \"at+jwt\"\n"), "needs algs"),
        (format!("{resource}{whole}typ = \"at+jwt\"\nalgs = [\"HS256\"]\n"), "needs algs"),
        (format!("{resource}{whole}typ = \"JWT\"\nalgs = [\"RS256\"]\n"), "needs client_id"),
        (format!("{resource}{whole}typ = \"at+jwt\"\nalgs = [\"RS256\"]\nrole = \"broadcaster\"\n"), "event_claim"),
        (format!("{resource}{whole}introspection = \"https://other.example/i\"\nclient_id = \"c\"\n"), "host"),
        (format!("{resource}{whole}mode_ = \"x\"\n"), "unknown key mode_"),
    ] {
        let done = check(&format!("[[provider]]\n{settings}"));
        assert!(
            done.code == 2 && done.err.contains("line 1, provider: ") && done.err.contains(words),
            "{settings}\n{}",
            done.err
        );
    }
    let readable = format!("{resource}{whole}typ = \"at+jwt\"\nalgs = [\"RS256\"]\n");
    let opaque = format!("{resource}{whole}introspection = \"https://id.example/i\"\nclient_id = \"c\"\n");
    for (first, second, words) in [
        (sign_in.to_owned(), sign_in.replace("\"U\"", "\"V\""), "has the issuer and mode of one above"),
        (readable.clone(), opaque.clone(), "has the issuer and mode of one above"),
        (opaque.clone(), opaque.replace("id.example", "other.example"), "is the second with introspection"),
    ] {
        let done = check(&format!("[[provider]]\n{first}[[provider]]\n{second}"));
        assert!(done.code == 2 && done.err.contains(words), "{second}\n{}", done.err);
    }
    let both = check(&format!("[[provider]]\n{sign_in}[[provider]]\n{opaque}"));
    assert!(!both.err.contains("one above"), "one provider in two roles: {}", both.err);
    let flag = run(["check", "--provider", "x"]);
    assert_eq!(flag.code, 2, "never in a list of processes");
}
