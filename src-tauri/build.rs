//! Tells Tauri where capabilities and permissions are, and when to look again.

use std::path::Path;

/// What stands in for the UI until it is built, so that a clean clone compiles.
const PLACEHOLDER: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>ATT</title>\
<p>The user interface has not been built. Start ATT with <code>./run</code>.</p></html>\n";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for path in ["src-tauri/capabilities", "src-tauri/permissions", "tauri.conf.json", "ui/dist"] {
        println!("cargo:rerun-if-changed={path}");
    }
    let dist = Path::new("ui/dist");
    if !dist.join("index.html").is_file() {
        std::fs::create_dir_all(dist)?;
        std::fs::write(dist.join("index.html"), PLACEHOLDER)?;
    }
    let manifest = tauri_build::AppManifest::new().permissions_path_pattern("./src-tauri/permissions/**/*");
    let attributes = tauri_build::Attributes::new()
        .capabilities_path_pattern("./src-tauri/capabilities/**/*")
        .app_manifest(manifest);
    tauri_build::try_build(attributes)?;
    Ok(())
}
