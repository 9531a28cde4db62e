//! The real window: the real binary under Xvfb and a D-Bus of its own, driven through WebKitWebDriver.

use crate::support::{TestHome, eventually, program};
use att_process::{CommandSpec, GuardedChild};
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::json;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// The longest that one WebDriver command may take.
const COMMAND: Duration = Duration::from_secs(20);

/// One open window with all that carries it.
pub struct Window {
    client: Client,
    driver: GuardedChild,
    screen: GuardedChild,
}

impl Window {
    /// Opens the desktop on `home`.
    pub async fn open(home: &TestHome) -> Self {
        let (screen, display) = start_screen().await;
        let port = free_port();
        let private = home.path().join("session");
        std::fs::create_dir_all(&private).unwrap();
        let driver = start_driver(home, &private, &display, port);
        let capabilities = json!({
            "webkitgtk:browserOptions": {"binary": program("att-desktop").display().to_string(), "args": []}
        });
        let capabilities = capabilities.as_object().unwrap().clone();
        let url = format!("http://127.0.0.1:{port}");
        let client = eventually("a WebDriver session", Duration::from_secs(40), async || {
            let mut builder = ClientBuilder::new(fantoccini_connector());
            builder.capabilities(capabilities.clone());
            tokio::time::timeout(COMMAND, builder.connect(&url)).await.ok()?.ok()
        })
        .await;
        let window = Self { client, driver, screen };
        // Without content a screenshot hangs (measured); and nothing can be clicked yet.
        window.find("nav-fleet").await;
        window
    }

    /// The element with that test id, once it is there.
    pub async fn find(&self, test_id: &str) -> fantoccini::elements::Element {
        let selector = format!("[data-testid=\"{test_id}\"]");
        eventually(&format!("{test_id} on screen"), Duration::from_secs(30), async || {
            let found =
                tokio::time::timeout(COMMAND, self.client.find(Locator::Css(&selector))).await.ok()?;
            found.ok()
        })
        .await
    }

    /// True when an element with that test id is on screen.
    pub async fn has(&self, test_id: &str) -> bool {
        let selector = format!("[data-testid=\"{test_id}\"]");
        let found = tokio::time::timeout(COMMAND, self.client.find(Locator::Css(&selector))).await;
        matches!(found, Ok(Ok(_)))
    }

    /// Clicks the element with that test id.
    pub async fn click(&self, test_id: &str) {
        eventually(&format!("a click on {test_id}"), Duration::from_secs(30), async || {
            let element = self.find(test_id).await;
            tokio::time::timeout(COMMAND, element.click()).await.ok()?.ok()
        })
        .await;
    }

    /// Types into the element with that test id, replacing what stands there.
    pub async fn type_into(&self, test_id: &str, text: &str) {
        let element = self.find(test_id).await;
        tokio::time::timeout(COMMAND, element.clear()).await.unwrap().unwrap();
        tokio::time::timeout(COMMAND, element.send_keys(text)).await.unwrap().unwrap();
    }

    /// An attribute of the element with that test id; `None` while either is missing.
    pub async fn attribute(&self, test_id: &str, name: &str) -> Option<String> {
        let script = "const e = document.querySelector(`[data-testid=\"${arguments[0]}\"]`); return e ? e.getAttribute(arguments[1]) : null;";
        self.script(script, vec![json!(test_id), json!(name)]).await.as_str().map(str::to_owned)
    }

    /// The visible text of the element with that test id; empty while it is missing.
    pub async fn text(&self, test_id: &str) -> String {
        let script = "const e = document.querySelector(`[data-testid=\"${arguments[0]}\"]`); return e ? e.textContent : '';";
        self.script(script, vec![json!(test_id)]).await.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until an attribute has one of `values`; answers which.
    pub async fn wait_attribute(
        &self,
        test_id: &str,
        name: &str,
        values: &[&str],
        limit: Duration,
    ) -> String {
        eventually(&format!("{test_id} with {name} of {values:?}"), limit, async || {
            self.attribute(test_id, name).await.filter(|value| values.contains(&value.as_str()))
        })
        .await
    }

    /// Runs a script in the page.
    pub async fn script(&self, script: &str, arguments: Vec<serde_json::Value>) -> serde_json::Value {
        let ran = tokio::time::timeout(COMMAND, self.client.execute(script, arguments)).await;
        ran.expect("a script in the page hangs").unwrap_or(serde_json::Value::Null)
    }

    /// Pictures of the window for a person to look at, in both sizes; only where `ATT_SHOTS` names a folder for them.
    pub async fn shots(&self, name: &str) {
        let Some(folder) = std::env::var_os("ATT_SHOTS") else { return };
        std::fs::create_dir_all(&folder).unwrap();
        for (width, height) in [(1280, 800), (900, 600)] {
            tokio::time::timeout(COMMAND, self.client.set_window_size(width, height)).await.unwrap().unwrap();
            tokio::time::sleep(Duration::from_millis(700)).await;
            let png = tokio::time::timeout(COMMAND, self.client.screenshot()).await.unwrap().unwrap();
            std::fs::write(Path::new(&folder).join(format!("{name}-{width}x{height}.png")), png).unwrap();
        }
        tokio::time::timeout(COMMAND, self.client.set_window_size(1280, 800)).await.unwrap().unwrap();
    }

    /// Closes the window as a person does, and leaves what carried it running.
    pub async fn close_as_a_person(&self) {
        tokio::time::timeout(COMMAND, self.client.close_window()).await.unwrap().unwrap();
    }

    /// Closes the window and ends what carried it.
    pub async fn close(self) {
        let _ = tokio::time::timeout(COMMAND, self.client.close()).await;
        self.driver.shutdown(Duration::from_millis(100)).await;
        self.screen.shutdown(Duration::from_millis(100)).await;
    }
}

fn fantoccini_connector() -> hyper_util::client::legacy::connect::HttpConnector {
    hyper_util::client::legacy::connect::HttpConnector::new()
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// An X server on a display of its own choosing.
pub async fn start_screen() -> (GuardedChild, String) {
    let spec =
        CommandSpec::new(["Xvfb", "-displayfd", "1", "-screen", "0", "1400x900x24", "-nolisten", "tcp"]);
    let mut screen = GuardedChild::spawn(&spec).unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(screen.take_stdout().unwrap());
    tokio::time::timeout(Duration::from_secs(20), stdout.read_line(&mut line)).await.unwrap().unwrap();
    drain(screen.take_stderr());
    (screen, format!(":{}", line.trim()))
}

/// The environment of a desktop session that is nobody else's.
pub fn session_environment(mut spec: CommandSpec, private: &Path, display: &str) -> CommandSpec {
    for (name, folder) in [
        ("XDG_DATA_HOME", "data"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_CACHE_HOME", "cache"),
        ("XDG_RUNTIME_DIR", "runtime"),
    ] {
        let path = private.join(folder);
        std::fs::create_dir_all(&path).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        spec = spec.env(name, path.display().to_string());
    }
    spec.env("DISPLAY", display)
        .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
        .env("WEBKIT_DISABLE_COMPOSITING_MODE", "1")
        .env("LIBGL_ALWAYS_SOFTWARE", "1")
        .env("GDK_BACKEND", "x11")
        .env("NO_AT_BRIDGE", "1")
}

fn start_driver(home: &TestHome, private: &Path, display: &str, port: u16) -> GuardedChild {
    let port = format!("--port={port}");
    let spec = CommandSpec::new(["dbus-run-session", "--", "WebKitWebDriver", &port, "--host=127.0.0.1"])
        .env("ATT_HOME", home.path().display().to_string())
        .env("TAURI_WEBVIEW_AUTOMATION", "true");
    let mut driver = GuardedChild::spawn(&session_environment(spec, private, display)).unwrap();
    drain(driver.take_stdout());
    drain(driver.take_stderr());
    driver
}

/// Keeps a pipe from filling up; what goes through it is shown when the test fails.
fn drain(stream: Option<impl tokio::io::AsyncRead + Unpin + Send + 'static>) {
    let Some(stream) = stream else { return };
    tokio::spawn(async move {
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            eprintln!("{line}");
        }
    });
}
