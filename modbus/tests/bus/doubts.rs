//! Lines that bring an answer twice: radio modems, repeaters, gateways that ask again by themselves.

use passline_modbus::{
    link::{Bus, Discipline, LinkError, Options},
    pdu::{ExceptionCode, Request, Response},
};

use super::bench::{Bench, SECOND, answer, frame, holds, ms, read, rtu, slow};

/// A call to unit 1 at which this comes, each so many milliseconds after what came before. Ends as
/// the call does.
async fn asked(
    bench: &mut Bench,
    request: Request<'static>,
    parts: &[(u64, Vec<u8>)],
) -> Result<passline_modbus::pdu::Answer, LinkError> {
    let length = if matches!(request, Request::WriteMultipleRegisters(..)) { 11 } else { 8 };
    let call = bench.start(7, request);
    bench.hear(length).await;
    for (after, bytes) in parts {
        bench.say(*after, bytes).await;
    }
    call.await.unwrap().result
}

/// A line on which the answer to one read came again at the next one, which was answered then.
async fn caught() -> Bench {
    let mut bench = Bench::new(rtu(slow()));
    assert_eq!(asked(&mut bench, read(0x10), &[(30, answer(1))]).await, holds(1));
    let parts = [(10, answer(1)), (20, answer(2))];
    assert_eq!(asked(&mut bench, read(0x11), &parts).await, holds(2));
    bench
}

fn refused() -> Vec<u8> {
    frame(&[1, 0x83, 2])
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_again_when_something_else_is_asked_is_not_its_answer() {
    caught().await;
}

#[tokio::test(start_paused = true)]
async fn two_places_that_hold_the_same_cost_a_short_while_and_no_request() {
    let mut bench = Bench::new(rtu(slow()));
    assert_eq!(asked(&mut bench, read(0), &[(30, answer(1))]).await, holds(1));
    // Nor does it become longer from one to the next.
    for place in 1..10 {
        let begun = bench.now();
        assert_eq!(asked(&mut bench, read(place), &[(30, answer(1))]).await, holds(1));
        assert!(bench.now() - begun < 200, "{} {begun}", bench.now());
    }
    let requests = bench.log().into_iter().filter(|line| line.contains("> request"));
    assert_eq!(requests.count(), 10);
}

#[tokio::test(start_paused = true)]
async fn the_answer_behind_a_repeated_one_may_take_twice_as_long_as_answers_took() {
    let mut bench = Bench::new(rtu(slow()));
    assert_eq!(asked(&mut bench, read(0x10), &[(300, answer(1))]).await, holds(1));
    let parts = [(10, answer(1)), (570, answer(2))];
    assert_eq!(asked(&mut bench, read(0x11), &parts).await, holds(2));
}

#[tokio::test(start_paused = true)]
async fn where_answers_take_no_time_adapters_do() {
    let mut bench = Bench::new(rtu(Bus::rtu(None)));
    assert_eq!(asked(&mut bench, read(0x10), &[(1, answer(1))]).await, holds(1));
    let parts = [(1, answer(1)), (16, answer(2))];
    assert_eq!(asked(&mut bench, read(0x11), &parts).await, holds(2));
}

#[tokio::test(start_paused = true)]
async fn a_repeated_answer_just_before_the_time_is_over_is_listened_behind_all_the_same() {
    // With 28 ms to spare, and with none.
    for (bus, at) in [(slow(), 980), (Bus::rtu(None), 1000)] {
        let mut bench = Bench::new(rtu(bus));
        assert_eq!(asked(&mut bench, read(0x10), &[(900, answer(1))]).await, holds(1));
        let parts = [(at, answer(1)), (300, answer(2))];
        assert_eq!(asked(&mut bench, read(0x11), &parts).await, holds(2));
    }
}

#[tokio::test(start_paused = true)]
async fn where_answers_come_twice_one_copy_is_not_the_answer_to_something_else() {
    let mut bench = caught().await;
    // Of the next request nothing arrives but what was said before.
    let timeout = Err(LinkError::Timeout { after: SECOND });
    assert_eq!(asked(&mut bench, read(0x12), &[(10, answer(2))]).await, timeout);
}

#[tokio::test(start_paused = true)]
async fn where_answers_come_twice_two_copies_are_one() {
    let mut bench = caught().await;
    let begun = bench.now();
    let parts = [(10, answer(2)), (20, answer(2))];
    assert_eq!(asked(&mut bench, read(0x12), &parts).await, holds(2));
    assert!(bench.now() - begun < 200, "{} {begun}", bench.now());
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_equal_content_that_comes_twice_catches_the_line() {
    let mut bench = Bench::new(rtu(slow()));
    assert_eq!(asked(&mut bench, read(0x10), &[(30, answer(1))]).await, holds(1));
    let parts = [(10, answer(1)), (20, answer(1))];
    assert_eq!(asked(&mut bench, read(0x11), &parts).await, holds(1));
    let timeout = Err(LinkError::Timeout { after: SECOND });
    assert_eq!(asked(&mut bench, read(0x12), &[(10, answer(1))]).await, timeout);
}

#[tokio::test(start_paused = true)]
async fn where_answers_come_twice_one_copy_of_each_of_two_is_none() {
    let mut bench = caught().await;
    let timeout = Err(LinkError::Timeout { after: SECOND });
    let parts = [(10, answer(1)), (20, answer(2))];
    assert_eq!(asked(&mut bench, read(0x12), &parts).await, timeout);
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_comes_while_nothing_is_asked_catches_the_line() {
    let mut bench = Bench::new(rtu(slow()));
    assert_eq!(asked(&mut bench, read(0x10), &[(30, answer(1))]).await, holds(1));
    bench.say(100, &answer(1)).await;
    tokio::time::sleep(ms(50)).await;
    let timeout = Err(LinkError::Timeout { after: SECOND });
    assert_eq!(asked(&mut bench, read(0x11), &[(10, answer(1))]).await, timeout);
}

#[tokio::test(start_paused = true)]
async fn what_was_believed_is_remembered_by_its_own_bytes() {
    let mut bench = Bench::new(rtu(slow()));
    assert_eq!(asked(&mut bench, read(0x10), &[(30, answer(1))]).await, holds(1));
    // Something else passes by on the line before it is believed.
    let parts = [(30, answer(1)), (10, frame(&[9, 3, 2, 0, 5]))];
    assert_eq!(asked(&mut bench, read(0x11), &parts).await, holds(1));
    // The first is forgotten by now, the second is not.
    tokio::time::sleep(ms(900)).await;
    let parts = [(10, answer(1)), (20, answer(3))];
    assert_eq!(asked(&mut bench, read(0x12), &parts).await, holds(3));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_comes_again_is_none_of_something_else() {
    let mut bench = Bench::new(rtu(slow()));
    let exception = Ok(Err(ExceptionCode::IllegalDataAddress));
    assert_eq!(asked(&mut bench, read(0x10), &[(30, refused())]).await, exception);
    let parts = [(10, refused()), (20, answer(5))];
    assert_eq!(asked(&mut bench, read(0x11), &parts).await, holds(5));
}

#[tokio::test(start_paused = true)]
async fn devices_that_refuse_one_thing_after_the_other_are_believed() {
    let mut bench = Bench::new(rtu(slow()));
    let exception = Ok(Err(ExceptionCode::IllegalDataAddress));
    for place in 0..10 {
        let begun = bench.now();
        assert_eq!(asked(&mut bench, read(place), &[(30, refused())]).await, exception);
        assert!(bench.now() - begun < 200, "{} {begun}", bench.now());
    }
}

#[tokio::test(start_paused = true)]
async fn who_searches_believes_refusals_at_once_until_the_line_is_caught() {
    let discipline = Discipline::Rtu(slow()).searching();
    let mut bench = Bench::new(Options { discipline, ..Options::default() });
    let exception = Ok(Err(ExceptionCode::IllegalDataAddress));
    for place in 0..10 {
        let begun = bench.now();
        assert_eq!(asked(&mut bench, read(place), &[(30, refused())]).await, exception);
        assert!(bench.now() - begun <= 34, "{} {begun}", bench.now());
    }
    bench.say(30, &refused()).await;
    tokio::time::sleep(ms(50)).await;
    let parts = [(10, refused()), (20, answer(5))];
    assert_eq!(asked(&mut bench, read(0x20), &parts).await, holds(5));
}

#[tokio::test(start_paused = true)]
async fn a_repeated_answer_is_none_to_a_write_either() {
    let mut bench = Bench::new(rtu(slow()));
    let several = |value: u16| Request::WriteMultipleRegisters(4, vec![value].into());
    let written = || frame(&[1, 0x10, 0, 4, 0, 1]);
    let done = Ok(Ok(Response::WriteMultipleRegisters(4, 1)));
    assert_eq!(asked(&mut bench, several(1), &[(30, written())]).await, done);
    let failed = Ok(Err(ExceptionCode::ServerDeviceFailure));
    let parts = [(10, written()), (20, frame(&[1, 0x90, 4]))];
    assert_eq!(asked(&mut bench, several(2), &parts).await, failed);
}

#[tokio::test(start_paused = true)]
async fn what_is_in_doubt_is_no_answer_to_a_write_if_a_refusal_follows() {
    let mut bench = Bench::new(rtu(slow()));
    let several = |place, value: u16| Request::WriteMultipleRegisters(place, vec![value].into());
    let written = || frame(&[1, 0x10, 0, 8, 0, 1]);
    let timeout = Err(LinkError::Timeout { after: SECOND });
    assert_eq!(asked(&mut bench, several(4, 1), &[]).await, timeout);
    let done = Ok(Ok(Response::WriteMultipleRegisters(8, 1)));
    assert_eq!(asked(&mut bench, several(8, 1), &[(30, written())]).await, done);
    // Answers keep their order: behind that to this write none to the first could come.
    assert_eq!(asked(&mut bench, several(4, 2), &[]).await, timeout);
    assert_eq!(asked(&mut bench, several(8, 1), &[(30, written())]).await, done);
    let failed = Ok(Err(ExceptionCode::ServerDeviceFailure));
    let parts = [(10, written()), (20, frame(&[1, 0x90, 4]))];
    assert_eq!(asked(&mut bench, several(8, 2), &parts).await, failed);
}

#[tokio::test(start_paused = true)]
async fn what_came_longer_ago_than_the_timeout_casts_no_doubt() {
    let mut bench = Bench::new(rtu(slow()));
    assert_eq!(asked(&mut bench, read(0x10), &[(30, answer(1))]).await, holds(1));
    tokio::time::sleep(SECOND).await;
    let begun = bench.now();
    assert_eq!(asked(&mut bench, read(0x11), &[(30, answer(1))]).await, holds(1));
    assert_eq!(bench.now() - begun, 30);
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_that_comes_again_is_none_to_the_next_request() {
    let mut bench = Bench::new(rtu(slow()));
    let timeout = Err(LinkError::Timeout { after: SECOND });
    assert_eq!(asked(&mut bench, read(0x10), &[]).await, timeout);
    bench.say(100, &answer(1)).await;
    let parts = [(10, answer(1)), (20, answer(2))];
    assert_eq!(asked(&mut bench, read(0x11), &parts).await, holds(2));
}
