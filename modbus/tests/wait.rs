//! Waits that end on time: never early, and closer than tokio's timer steps.

#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::future::ready;
use std::time::Duration;

use passline_modbus::wait::Alarm;
use tokio::time::Instant;

/// The lateness of a hundred waits, least first.
async fn lateness(wait: Duration) -> Vec<Duration> {
    let mut alarm = Alarm::new();
    let mut late = Vec::new();
    for _ in 0..100 {
        let at = Instant::now() + wait;
        alarm.until(at).await;
        late.push(Instant::now().checked_duration_since(at).expect("the wait ended early"));
    }
    late.sort();
    late
}

/// Tokio's own wait would be late by 0.25 to 1.25 ms here, each time. A busy machine may be late
/// almost always.
#[tokio::test]
async fn real_time_is_kept_to_within_a_fraction_of_a_millisecond() {
    for micros in [50, 300, 1750, 4010] {
        let late = lateness(Duration::from_micros(micros)).await;
        let least = late.first().copied().unwrap_or(Duration::MAX);
        assert!(least < Duration::from_micros(150), "{micros} µs: late by {least:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn paused_time_is_tokios() {
    let begin = std::time::Instant::now();
    let late = lateness(Duration::from_hours(1)).await;
    assert!(late.iter().all(|late| *late < Duration::from_millis(2)), "{late:?}");
    assert!(begin.elapsed() < Duration::from_mins(1));
}

#[tokio::test]
async fn a_wait_that_was_dropped_disturbs_no_other() {
    let mut alarm = Alarm::new();
    let begin = Instant::now();
    // Looked at once and dropped, unless this program stood still for so long.
    tokio::select! {
        biased;
        () = alarm.until(begin + Duration::from_micros(1500)) => {}
        () = ready(()) => {}
    }
    alarm.until(begin + Duration::from_millis(9)).await;
    assert!(begin.elapsed() >= Duration::from_millis(9));
    alarm.until(begin).await;
}
