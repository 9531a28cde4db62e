//! The generated TypeScript.

/// Regenerate with `ATT_WRITE_BINDINGS=1 cargo test -p att-desktop --test product bindings`.
#[test]
fn the_typescript_bindings_in_the_tree_are_those_of_the_commands() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/ui/src/backend/bindings.ts");
    let fresh = att_desktop::typescript_bindings().unwrap();
    if std::env::var_os("ATT_WRITE_BINDINGS").is_some() {
        std::fs::write(path, &fresh).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap();
    assert!(kept == fresh, "ui/src/backend/bindings.ts is stale; write it again as this test's comment says");
}

#[test]
fn every_command_has_a_permission_and_every_permission_a_command() {
    let permissions = [
        include_str!("../../src-tauri/permissions/observe.toml"),
        include_str!("../../src-tauri/permissions/act.toml"),
    ];
    let mut allowed: Vec<&str> = permissions
        .iter()
        .flat_map(|text| text.split_once("commands.allow = [").unwrap().1.split('"').skip(1).step_by(2))
        .collect();
    allowed.sort_unstable();
    let bindings = att_desktop::typescript_bindings().unwrap();
    let mut commands: Vec<&str> = bindings
        .match_indices("__TAURI_INVOKE")
        .filter_map(|(at, _)| bindings[at..].split_once("(\"")?.1.split('"').next())
        .chain(
            bindings
                .match_indices("typedError")
                .filter_map(|(at, _)| bindings[at..].split_once("invoke(\"")?.1.split('"').next()),
        )
        .filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        .collect();
    commands.sort_unstable();
    commands.dedup();
    assert_eq!(commands, allowed);
}
