//! The link against hand-written bytes.
use passline_modbus::link::*;
use passline_modbus::pdu::{Request, Response};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test(start_paused = true)]
async fn smoke() {
    let (near, mut far) = tokio::io::duplex(1000);
    let mut near = Some(near);
    let link = Link::spawn(
        move || {
            let n = near.take();
            async move { n.ok_or_else(|| std::io::ErrorKind::ConnectionRefused.into()) }
        },
        Options::default(),
        |e| println!("{e:?}"),
    );
    let server = tokio::spawn(async move {
        let mut b = [0; 12];
        far.read_exact(&mut b).await.unwrap();
        assert_eq!(b, [0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1]);
        far.write_all(&[0, 1, 0, 0, 0, 5, 1, 3, 2, 0, 7]).await.unwrap();
        far.read_exact(&mut b).await.unwrap();
        far
    });
    let call = Call {
        id: 7,
        unit: 1,
        request: Request::ReadHoldingRegisters(0, 1),
        timeout: Duration::from_secs(1),
    };
    let done = link.call(call.clone()).await;
    assert_eq!(done.result, Ok(Ok(Response::ReadHoldingRegisters(vec![7]))));
    let done = link.call(call.clone()).await;
    assert_eq!(done.result, Err(LinkError::Timeout { after: Duration::from_secs(1) }));
    link.close().await;
    let mut far = server.await.unwrap();
    assert_eq!(far.read(&mut [0]).await.unwrap(), 0);
}
