//! Stops a build without the web client early and says how to make it.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=../../client-web/dist/index.html");
    if !Path::new("../../client-web/dist/index.html").is_file() {
        println!("cargo::error=client-web/dist is missing: run `make build`, which builds the web client first");
    }
}
