//! Nothing is left behind by the desktop: not after TERM, not after KILL, grandchildren included.

use crate::support::{TestHome, alive, eventually, processes_of, program};
use crate::window::{Window, session_environment, start_screen};
use att_process::GuardedChild;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A desktop that runs as it does for an operator: without the tests' own guard, which would clean up after it.
struct Desktop {
    child: Child,
    _screen: GuardedChild,
    _bus: (GuardedChild, tempfile::TempDir),
}

impl Drop for Desktop {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn start(home: &TestHome) -> Desktop {
    // `everything` leaves a grandchild in a session of its own.
    home.write("demo/control/everything.json", r#"{"grandchild": true}"#);
    let (screen, display) = start_screen().await;
    let spec = session_environment(home.command("att-desktop", &[]), &home.path().join("session"), &display);
    // Outside the home: what names the home is looked for.
    let bus_dir = tempfile::tempdir().unwrap();
    let socket = format!("unix:path={}", bus_dir.path().join("bus").display());
    let bus = att_process::CommandSpec::new(["dbus-daemon", "--session", "--nofork", "--address", &socket]);
    let bus = GuardedChild::spawn(&bus).unwrap();
    let child = Command::new(program("att-desktop"))
        .envs(&spec.env)
        .env("DBUS_SESSION_BUS_ADDRESS", &socket)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let desktop = Desktop { child, _screen: screen, _bus: (bus, bus_dir) };
    eventually("five servers and a grandchild", Duration::from_secs(60), async || {
        let lines = processes_of(home.path());
        let of = |part: &str| {
            lines.iter().filter(|(_, line)| line.contains(part) && !line.contains("att-guard")).count()
        };
        (of("att-demo-server") >= 5 && of("sleep 600") >= 1).then_some(())
    })
    .await;
    desktop
}

async fn assert_all_gone(home: &TestHome, limit: Duration) {
    let started = std::time::Instant::now();
    loop {
        let left = processes_of(home.path());
        if left.is_empty() {
            return;
        }
        assert!(started.elapsed() < limit, "left behind: {left:#?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn send(desktop: &Desktop, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(desktop.child.id().cast_signed()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn window_terminated_leaves_no_process_behind() {
    let home = TestHome::demo().await;
    let mut desktop = start(&home).await;
    send(&desktop, rustix::process::Signal::TERM);
    let status =
        eventually("its end", Duration::from_secs(15), async || desktop.child.try_wait().unwrap()).await;
    assert!(status.success(), "TERM is a request to quit: {status}");
    assert_all_gone(&home, Duration::from_secs(5)).await;
    home.assert_journal_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn window_killed_leaves_no_process_behind() {
    let home = TestHome::demo().await;
    let mut desktop = start(&home).await;
    let pid = i64::from(desktop.child.id());
    send(&desktop, rustix::process::Signal::KILL);
    desktop.child.wait().unwrap();
    assert!(!alive(pid));
    assert_all_gone(&home, Duration::from_secs(10)).await;
    home.assert_journal_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn window_closed_by_a_person_ends_the_app_and_every_server() {
    let home = TestHome::demo().await;
    home.write("demo/control/everything.json", r#"{"grandchild": true}"#);
    let window = Window::open(&home).await;
    window
        .wait_attribute("server-row-everything", "data-status", &["healthy"], Duration::from_secs(60))
        .await;
    let ours = |home: &TestHome| -> Vec<(i64, String)> {
        let wanted = |line: &str| {
            !line.contains("WebKitWebDriver")
                && ["att-desktop", "att-demo-server", "sleep 600"].iter().any(|part| line.contains(part))
        };
        processes_of(home.path()).into_iter().filter(|(_, line)| wanted(line)).collect()
    };
    assert!(ours(&home).len() >= 7, "{:#?}", ours(&home));
    window.close_as_a_person().await;
    eventually("nothing left of the app", Duration::from_secs(15), async || {
        ours(&home).is_empty().then_some(())
    })
    .await;
    window.close().await;
    home.assert_journal_whole().await;
}
