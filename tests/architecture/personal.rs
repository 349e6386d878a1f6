//! What is somebody's has no way into a text, and what grants something is compared by nobody who forgot about time.

use super::compile::Compiler;

const GOOD: &str = "let secret = Secret::new(\"s\"); let _ = secret.expose_text().len(); let _ = Redacted::new(1).expose_into(); \
     let _ = Pseudonym::new([0; 16]) == Pseudonym::new([1; 16]);";
const BAD: [(&str, &str); 8] = [
    ("let _ = format!(\"{:?}\", Secret::new(\"s\"));", "`Secret` doesn't implement `Debug`"),
    ("let _ = format!(\"{}\", Secret::new(\"s\"));", "`Secret` doesn't implement `std::fmt::Display`"),
    ("let _ = Secret::new(\"s\") == Secret::new(\"t\");", "binary operation `==` cannot be applied to type `Secret`"),
    ("let _ = format!(\"{:?}\", Redacted::new(\"ada\"));", "`Redacted<&str>` doesn't implement `Debug`"),
    ("let _ = format!(\"{}\", Redacted::new(\"ada\"));", "`Redacted<&str>` doesn't implement `std::fmt::Display`"),
    ("let _ = format!(\"{:?}\", Pseudonym::new([0; 16]));", "`Pseudonym` doesn't implement `Debug`"),
    ("let _ = format!(\"{}\", Pseudonym::new([0; 16]));", "`Pseudonym` doesn't implement `std::fmt::Display`"),
    ("#[derive(Debug)] struct Row { name: Redacted<String> }", "`Redacted<String>` doesn't implement `Debug`"),
];

#[test]
fn what_is_somebodys_is_printed_by_nothing() {
    let function = |body: &str| format!("pub fn line() {{ {body} }}");
    let prelude = "use veilcast_privacy::{Pseudonym, Redacted, Secret};";
    let compiler = Compiler::new(&["veilcast_privacy"], prelude, &function(GOOD));
    compiler.refuses(BAD.iter().map(|(body, says)| (function(body), *says)));
}
