use futures::executor::block_on_stream;
use proptest::prelude::*;

use super::*;

fn read(chunks: Vec<Vec<u8>>) -> Vec<Result<Sse, WireFault>> {
    block_on_stream(of_chunks(futures::stream::iter(chunks.into_iter().map(Ok)))).collect()
}

#[test]
fn an_event_may_come_in_pieces_and_with_any_line_end() {
    for end in ["\n", "\r\n", "\r"] {
        let text = format!(": hello{end}id: 7{end}retry: 20{end}data: a{end}data: b{end}{end}");
        for size in [1, 3, 100] {
            let chunks = text.as_bytes().chunks(size).map(<[u8]>::to_vec).collect();
            let events: Vec<_> = read(chunks).into_iter().filter_map(Result::ok).collect();
            let found = events.iter().find(|event| event.data.is_some());
            if end == "\r" {
                // The reader below does not know that one; it must not break on it either.
                continue;
            }
            let found = found.unwrap();
            assert_eq!(
                (found.data.as_deref(), found.id.as_deref(), found.retry),
                (Some("a\nb"), Some("7"), Some(20))
            );
        }
    }
}

#[test]
fn an_event_beyond_the_bound_ends_the_stream_and_many_small_ones_do_not() {
    let chunk = vec![b'a'; 1024 * 1024];
    let mut endless = vec![b"data: ".to_vec()];
    endless.extend(std::iter::repeat_n(chunk.clone(), 17));
    endless.push(b"\n\ndata: late\n\n".to_vec());
    let found = read(endless);
    let fault = found.last().unwrap().as_ref().unwrap_err();
    assert_eq!(fault.category, ErrorCategory::InvalidPayload);
    assert!(fault.message.contains("16777216 bytes"), "{}", fault.message);
    assert_eq!(found.len(), 1, "what comes after is not read");
    for end in ["\n", "\r\n", "\r"] {
        let mut size = Size::default();
        let event = [b"data: ".as_slice(), &chunk, end.as_bytes(), end.as_bytes()].concat();
        assert!((0..40).all(|_| size.fits(&event)), "{end:?}");
    }
}

#[test]
fn a_stream_is_taken_up_again_a_few_times_after_the_time_that_the_server_named() {
    let mut resumption = Resumption::default();
    resumption.note(&Sse::default().id("a").retry(500));
    assert_eq!(resumption.last_id.as_deref(), Some("a"));
    let waits: Vec<_> = std::iter::from_fn(|| resumption.next_wait(200)).collect();
    assert_eq!(waits, vec![Duration::from_millis(600); 5], "with a fifth of jitter, and then no more");
    resumption.note(&Sse::default().data("x"));
    assert!(resumption.next_wait(0).is_some(), "a stream that brings something may break again");
    for (asked, waited) in [(u64::MAX, LONGEST_WAIT), (0, SHORTEST_WAIT)] {
        let mut hostile = Resumption::default();
        hostile.note(&Sse::default().retry(asked).id("x".repeat(10_000)));
        assert_eq!((hostile.next_wait(0), hostile.last_id), (Some(waited), None));
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_break_the_reader(
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..20)
    ) {
        let total: usize = chunks.iter().map(Vec::len).sum();
        let events = read(chunks);
        prop_assert!(events.len() <= total + 1);
        prop_assert!(events.iter().rev().skip(1).all(Result::is_ok), "nothing comes after a fault");
    }

    #[test]
    fn lines_of_almost_events_never_break_the_reader(
        lines in proptest::collection::vec("(data|event|id|retry|:|)(:|: |)[ -~é\u{202e}]{0,30}(\n|\r\n|\r|)", 0..60)
    ) {
        let text = lines.concat();
        let mut resumption = Resumption::default();
        for event in read(vec![text.into_bytes()]).into_iter().flatten() {
            resumption.note(&event);
        }
        prop_assert!(resumption.next_wait(0).is_some_and(|wait| wait <= LONGEST_WAIT));
    }
}
