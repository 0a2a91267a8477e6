//! What comes, and what the call makes of it.

use super::bench::{Bench, answer, hex, holds, read, rtu, slow};

#[tokio::test(start_paused = true)]
async fn an_answer_is_taken_at_once() {
    let mut bench = Bench::new(rtu(slow()));
    let call = bench.start(7, read(0x10));
    // Written out: unit 1, function 3, address 0x0010, 1 register, CRC.
    assert_eq!(hex(&bench.hear(8).await), "01030010000185cf");
    bench.say(30, &answer(0x1234)).await;
    let done = call.await.unwrap();
    assert_eq!(done.result, holds(0x1234));
    assert_eq!(
        bench.log(),
        [
            "0 connected",
            // 4 ms of silence, 8 characters of 1 ms.
            "12 > request 7 01030010000185cf",
            "34 < answer 7 0103021234b533",
        ]
    );
}

/// A byte of noise before each answer, as when a driver is switched on, costs no gap each time: the
/// silence that parts frames shows that the answer was whole.
#[tokio::test(start_paused = true)]
async fn noise_before_an_answer_costs_the_least_silence() {
    let mut bench = Bench::new(rtu(slow()));
    let call = bench.start(7, read(0x10));
    bench.hear(8).await;
    bench.say(30, &[&[0x00][..], &answer(0x1234)].concat()).await;
    assert_eq!(call.await.unwrap().result, holds(0x1234));
    assert_eq!(bench.log()[2..], ["38 < garbage - 00", "38 < answer 7 0103021234b533"]);
}
