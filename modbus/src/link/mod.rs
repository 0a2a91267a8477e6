//! One task owns one physical line: a queue, a window of requests in flight, a deadline each,
//! reconnection. Knows frames and PDUs; nothing of points, values or tests.
