use att_core::ManualClock;

use super::*;

fn log() -> WireLog {
    WireLog::new("s", KnownSecrets::default(), Arc::new(ManualClock::at(7)), None)
}

fn passing(raw: &[u8]) -> Passing<'_> {
    Passing {
        direction: WireDirection::In,
        kind: WireKind::Notification,
        method: Some("notifications/message"),
        id: None,
        status: None,
        session: None,
        raw,
    }
}

#[test]
fn the_ring_is_bounded_by_entries_and_by_bytes_and_the_sequence_goes_on() {
    let log = log();
    for _ in 0..2 * RING_ENTRIES {
        log.keep(1, passing(b"{}"));
    }
    let all = log.read(Some(0), usize::MAX);
    assert_eq!((all.len(), all[0].seq), (RING_ENTRIES, RING_ENTRIES as u64 + 1));
    let big = vec![b'a'; 10 * 1024 * 1024];
    for _ in 0..100 {
        log.keep(2, passing(&big));
    }
    assert!(log.ring().bytes <= RING_BYTES);
    let newest = log.read(None, 3);
    assert_eq!(newest.len(), 3);
    assert_eq!((newest[2].bytes, newest[2].text.len(), newest[2].cut), (big.len() as u64, TEXT_BYTES, true));
    assert_eq!(newest[2].seq, 2 * RING_ENTRIES as u64 + 100);
    assert_eq!(log.read(Some(newest[1].seq), 10).len(), 1);
    assert_eq!((newest[0].at_ms, newest[0].generation), (7, 2));
}

#[test]
fn what_the_server_was_given_and_what_looks_like_a_secret_is_not_shown() {
    let given = "gi\"ven-42";
    let log = log();
    log.known.learn("${env:GIVEN}", given);
    let written = given.replace('"', "\\\"");
    let edge = "b".repeat(TEXT_BYTES - 3);
    for text in
        [format!(r#"{{"at": "{written}", "password": "hunter22222"}}"#), format!("{edge}{given} and more")]
    {
        log.keep(1, passing(text.as_bytes()));
    }
    let shown = log.read(None, 2);
    assert!(shown[0].text.contains("${env:GIVEN}") && !shown[0].text.contains("hunter"), "{}", shown[0].text);
    assert!(
        shown[1].cut && shown[1].text.ends_with("${e"),
        "a secret on the edge is taken out before the cut"
    );
}

#[test]
fn a_session_is_shown_by_its_mark() {
    let log = log();
    let session: Arc<str> = "0123456789abcdef".into();
    log.keep(1, Passing { session: Some(&session), status: Some(200), ..passing(b"{}") });
    let shown = log.read(None, 1).remove(0);
    assert_eq!((shown.status, shown.session.as_deref().map(str::len)), (Some(200), Some(8)));
    assert!(!session.contains(&shown.session.unwrap()));
}
