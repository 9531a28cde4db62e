//! Reads `mcp.json` with its positions. One bad entry never hides its sound neighbours.

use std::collections::{BTreeMap, BTreeSet};

use jsonc_parser::ast::{Object, ObjectProp, Value};
use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast, parse_to_serde_value};

use super::global::GlobalSettings;
use super::settings::BOUNDS;
use super::{ConfigProblem, DriftPolicy, Endpoint, Probe, ProblemLevel, ServerConfig};
use crate::auth::AuthConfig;

/// The sound servers of a file, and what is wrong with the rest.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ParsedConfig {
    /// The servers that can be used, in the file's order.
    pub servers: Vec<ServerConfig>,
    /// What is wrong, in the file's order.
    pub problems: Vec<ConfigProblem>,
}

/// Reads the text of an `mcp.json` (comments and trailing commas allowed). `file` is what problems name.
#[must_use]
pub fn parse(text: &str, file: Option<&str>) -> ParsedConfig {
    parse_with(text, file, &GlobalSettings::default())
}

/// The same, with what holds for a server that does not say otherwise.
#[must_use]
pub fn parse_with(text: &str, file: Option<&str>, global: &GlobalSettings) -> ParsedConfig {
    let mut reader = Reader { text, file, global, server: None, problems: Vec::new() };
    let servers = reader.file();
    let mut problems = reader.problems;
    problems.sort_by_key(|p| (p.line, p.column));
    ParsedConfig { servers, problems }
}

/// What the file's text may look like: JSON with comments and trailing commas, nothing looser.
pub(crate) fn options() -> ParseOptions {
    ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    }
}

/// Marks that an entry cannot be used; the problem is recorded already.
struct Unusable;

struct Reader<'t> {
    text: &'t str,
    file: Option<&'t str>,
    global: &'t GlobalSettings,
    server: Option<String>,
    problems: Vec<ConfigProblem>,
}

impl Reader<'_> {
    fn file(&mut self) -> Vec<ServerConfig> {
        if self.text.trim().is_empty() {
            return Vec::new();
        }
        let parsed = match parse_to_ast(self.text, &CollectOptions::default(), &options()) {
            Ok(parsed) => parsed,
            Err(error) => {
                self.error(
                    error.range(),
                    format!("this is not valid JSON: {}", error.kind()),
                    "Correct the text at this place; comments and trailing commas are allowed.",
                );
                return Vec::new();
            }
        };
        let Some(root) = parsed.value else { return Vec::new() };
        let Some(root) = root.as_object() else {
            self.error(root.range(), "the file must hold one object", "Write {\"mcpServers\": { ... }}.");
            return Vec::new();
        };
        let Some(servers) = root.get("mcpServers") else {
            self.error(
                root.range,
                "there is no \"mcpServers\"",
                "Write {\"mcpServers\": {\"NAME\": {\"command\": ...} or {\"url\": ...}}}.",
            );
            return Vec::new();
        };
        let Some(servers) = servers.value.as_object() else {
            self.error(
                servers.value.range(),
                "\"mcpServers\" must be an object",
                "Write {\"NAME\": { ... }} after it.",
            );
            return Vec::new();
        };
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        for entry in &servers.properties {
            let name = entry.name.as_str().to_owned();
            self.server = Some(name.clone());
            if name.trim().is_empty() || name.len() > 100 || name.chars().any(char::is_control) {
                self.error(
                    entry.range,
                    "a server's name must have 1 to 100 visible characters",
                    "Give it a short name.",
                );
            } else if !seen.insert(name.clone()) {
                self.error(
                    entry.range,
                    format!("the server {name} stands here a second time; the first is used"),
                    "Rename one of the two.",
                );
            } else if let Ok(server) = self.server(&name, entry) {
                found.push(server);
            }
            self.server = None;
        }
        found
    }

    fn server(&mut self, name: &str, entry: &ObjectProp<'_>) -> Result<ServerConfig, Unusable> {
        let Some(object) = entry.value.as_object() else {
            return Err(self.error(
                entry.value.range(),
                "a server must be an object",
                "Write {\"command\": ...} or {\"url\": ...}.",
            ));
        };
        let command = self.string(object, "command")?;
        let url = self.string(object, "url")?;
        let kind = match self.string(object, "type")? {
            Some(kind) => Some(kind),
            None => self.string(object, "transport")?,
        };
        let mut config = match (command, url) {
            (Some(command), None) if !command.trim().is_empty() => {
                let args = self.strings(object, "args")?.unwrap_or_default();
                ServerConfig::stdio(name, command, args)
            }
            (None, Some(url)) => {
                self.check_url(object, &url)?;
                let mut config = ServerConfig::http(name, url);
                if let Endpoint::Http { headers, .. } = &mut config.endpoint {
                    *headers = self.string_map(object, "headers")?;
                    for header in headers.keys() {
                        if http::HeaderName::from_bytes(header.as_bytes()).is_err() {
                            return Err(self.error(
                                prop_range(object, "headers"),
                                format!("{header:?} is no header name"),
                                "Use letters, digits and dashes.",
                            ));
                        }
                    }
                }
                config
            }
            (Some(_), Some(_)) => {
                return Err(self.error(
                    object.range,
                    "a server has either \"command\" or \"url\", not both",
                    "Remove one of the two.",
                ));
            }
            _ => {
                return Err(self.error(
                    object.range,
                    "a server needs \"command\" or \"url\"",
                    "Add \"command\" (a program) or \"url\" (http:// or https://).",
                ));
            }
        };
        config.settings = self.global.server.clone();
        config.drift = self.global.drift;
        config.sse = kind.as_deref() == Some("sse") && matches!(config.endpoint, Endpoint::Http { .. });
        config.env = self.string_map(object, "env")?;
        config.cwd = self.string(object, "cwd")?;
        config.disabled = self.boolean(object, "disabled")?.unwrap_or(false);
        if let Some(att) = object.get("att") {
            match att.value.as_object() {
                Some(att) => self.att(att, &mut config)?,
                None => {
                    return Err(self.error(
                        att.value.range(),
                        "\"att\" must be an object",
                        "Write {\"group\": ...} and so on after it.",
                    ));
                }
            }
        }
        self.check_secrets(object, &config)?;
        Ok(config)
    }

    fn att(&mut self, att: &Object<'_>, config: &mut ServerConfig) -> Result<(), Unusable> {
        for prop in &att.properties {
            let key = prop.name.as_str();
            if let Some(bound) = BOUNDS.iter().find(|b| b.key == key) {
                let value = prop.value.as_number_lit().and_then(|n| n.value.parse::<i64>().ok());
                match value {
                    Some(value) if (bound.min..=bound.max).contains(&value) => {
                        (bound.set)(&mut config.settings, value);
                    }
                    _ => self.warning(
                        prop.value.range(),
                        format!("att.{key} must be a whole number from {} to {}", bound.min, bound.max),
                        "The default is used until it is corrected.",
                    ),
                }
                continue;
            }
            match key {
                "group" => config.group = self.string(att, key)?,
                "disabled" => {
                    config.disabled = config.disabled || self.boolean(att, key)?.unwrap_or(false);
                }
                "wire_log" => {
                    config.settings.wire_log = self.boolean(att, key)?.unwrap_or(false);
                }
                "progress_resets" => {
                    config.settings.progress_resets = self.boolean(att, key)?.unwrap_or(true);
                }
                "idempotent" => config.idempotent = self.strings(att, key)?.unwrap_or_default(),
                "roots" => config.roots = self.strings(att, key)?.unwrap_or_default(),
                "probe" => match self.string(att, key)?.as_deref() {
                    Some("ping") => config.settings.probe = Probe::Ping,
                    Some("none") => config.settings.probe = Probe::None,
                    _ => self.warning(
                        prop.value.range(),
                        "att.probe must be \"ping\" or \"none\"",
                        "\"ping\" is used until it is corrected.",
                    ),
                },
                "drift" => match self.string(att, key)?.as_deref() {
                    Some("notify") => config.drift = DriftPolicy::Notify,
                    Some("quarantine_items") => config.drift = DriftPolicy::QuarantineItems,
                    Some("quarantine_server") => config.drift = DriftPolicy::QuarantineServer,
                    _ => self.warning(
                        prop.value.range(),
                        "att.drift must be \"notify\", \"quarantine_items\" or \"quarantine_server\"",
                        "\"notify\" is used until it is corrected.",
                    ),
                },
                "auth" => self.auth(prop, config)?,
                "start" => {
                    let argv = self.strings(att, key)?.unwrap_or_default();
                    match &mut config.endpoint {
                        Endpoint::Http { start, .. } if !argv.is_empty() => *start = Some(argv),
                        Endpoint::Http { .. } => {
                            return Err(self.error(
                                prop.value.range(),
                                "att.start is empty",
                                "Write the program and its arguments as a list.",
                            ));
                        }
                        Endpoint::Stdio { .. } => self.warning(
                            prop.range,
                            "att.start is for servers with a \"url\"; a \"command\" is started anyway",
                            "Remove it.",
                        ),
                    }
                }
                unknown => self.warning(
                    prop.range,
                    format!("att.{unknown} is not a setting"),
                    "Remove it or correct its spelling.",
                ),
            }
        }
        if config.settings.backoff_cap_ms < config.settings.backoff_base_ms {
            self.warning(
                att.range,
                "att.backoff_cap_ms is smaller than att.backoff_base_ms",
                "Make the cap at least as large as the base; the base is used for both.",
            );
            config.settings.backoff_cap_ms = config.settings.backoff_base_ms;
        }
        Ok(())
    }

    fn auth(&mut self, prop: &ObjectProp<'_>, config: &mut ServerConfig) -> Result<(), Unusable> {
        let range = prop.value.range();
        let text = self.text.get(range.start..range.end).unwrap_or_default();
        let parsed = parse_to_serde_value::<Option<AuthConfig>>(text, &ParseOptions::default());
        let auth = match parsed {
            Ok(auth) => auth.unwrap_or_default(),
            Err(error) => {
                let cure = format!("Correct it: {}.", att_core::redact(&error.to_string()));
                return Err(self.error(prop.value.range(), "att.auth is not understood", cure));
            }
        };
        if let Some((problem, cure)) = auth.problem() {
            return Err(self.error(prop.value.range(), problem, cure));
        }
        config.auth = Some(auth);
        Ok(())
    }

    fn check_url(&mut self, object: &Object<'_>, url: &str) -> Result<(), Unusable> {
        let sound =
            reqwest::Url::parse(url).is_ok_and(|u| matches!(u.scheme(), "http" | "https") && u.has_host());
        if sound {
            return Ok(());
        }
        Err(self.error(
            prop_range(object, "url"),
            "\"url\" is no http:// or https:// address",
            "Write it like http://127.0.0.1:9901/mcp.",
        ))
    }

    fn check_secrets(&mut self, object: &Object<'_>, config: &ServerConfig) -> Result<(), Unusable> {
        let headers = match &config.endpoint {
            Endpoint::Http { headers, .. } => Some(headers),
            Endpoint::Stdio { .. } => None,
        };
        let command_line = config.command_line();
        let texts =
            config.env.values().chain(headers.into_iter().flat_map(BTreeMap::values)).chain(&command_line);
        for text in texts {
            if let Err(error) = att_core::secret::references(text) {
                return Err(self.error(
                    object.range,
                    att_core::redact(&error.to_string()),
                    "Write ${env:NAME} or ${keyring:NAME}.",
                ));
            }
        }
        Ok(())
    }

    fn string(&mut self, object: &Object<'_>, key: &str) -> Result<Option<String>, Unusable> {
        match object.get(key).map(|p| &p.value) {
            None | Some(Value::NullKeyword(_)) => Ok(None),
            Some(Value::StringLit(text)) => Ok(Some(text.value.clone().into_owned())),
            Some(other) => Err(self.error(
                other.range(),
                format!("\"{key}\" must be a text"),
                format!("Put the value of \"{key}\" in double quotes."),
            )),
        }
    }

    fn boolean(&mut self, object: &Object<'_>, key: &str) -> Result<Option<bool>, Unusable> {
        match object.get(key).map(|p| &p.value) {
            None | Some(Value::NullKeyword(_)) => Ok(None),
            Some(Value::BooleanLit(flag)) => Ok(Some(flag.value)),
            Some(other) => Err(self.error(
                other.range(),
                format!("\"{key}\" must be true or false"),
                "Write true or false without quotes.",
            )),
        }
    }

    fn strings(&mut self, object: &Object<'_>, key: &str) -> Result<Option<Vec<String>>, Unusable> {
        let list = match object.get(key).map(|p| &p.value) {
            None | Some(Value::NullKeyword(_)) => return Ok(None),
            Some(Value::Array(list)) => list,
            Some(other) => {
                return Err(self.error(
                    other.range(),
                    format!("\"{key}\" must be a list of texts"),
                    format!("Write \"{key}\": [\"a\", \"b\"]."),
                ));
            }
        };
        let mut out = Vec::new();
        for element in &list.elements {
            match element {
                Value::StringLit(text) => out.push(text.value.clone().into_owned()),
                other => {
                    return Err(self.error(
                        other.range(),
                        format!("\"{key}\" must hold texts only"),
                        "Put each element in double quotes.",
                    ));
                }
            }
        }
        Ok(Some(out))
    }

    fn string_map(&mut self, object: &Object<'_>, key: &str) -> Result<BTreeMap<String, String>, Unusable> {
        let map = match object.get(key).map(|p| &p.value) {
            None | Some(Value::NullKeyword(_)) => return Ok(BTreeMap::new()),
            Some(Value::Object(map)) => map,
            Some(other) => {
                return Err(self.error(
                    other.range(),
                    format!("\"{key}\" must be an object of texts"),
                    format!("Write \"{key}\": {{\"NAME\": \"value\"}}."),
                ));
            }
        };
        let mut out = BTreeMap::new();
        for prop in &map.properties {
            match &prop.value {
                Value::StringLit(text) => {
                    out.insert(prop.name.as_str().to_owned(), text.value.clone().into_owned());
                }
                other => {
                    return Err(self.error(
                        other.range(),
                        format!("{key}.{} must be a text", prop.name.as_str()),
                        "Put the value in double quotes.",
                    ));
                }
            }
        }
        Ok(out)
    }

    fn error(&mut self, range: Range, message: impl Into<String>, cure: impl Into<String>) -> Unusable {
        self.problem(range, ProblemLevel::Error, message.into(), cure.into());
        Unusable
    }

    fn warning(&mut self, range: Range, message: impl Into<String>, cure: impl Into<String>) {
        self.problem(range, ProblemLevel::Warning, message.into(), cure.into());
    }

    fn problem(&mut self, range: Range, level: ProblemLevel, message: String, cure: String) {
        let (line, column) = position(self.text, range.start);
        let file = self.file.map(str::to_owned);
        let server = self.server.clone();
        self.problems.push(ConfigProblem { file, server, line, column, level, message, cure });
    }
}

fn prop_range(object: &Object<'_>, key: &str) -> Range {
    object.get(key).map_or(object.range, |p| p.value.range())
}

/// Line and column (in characters), both from 1, of the byte `at`.
pub(super) fn position(text: &str, at: usize) -> (u32, u32) {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests;
