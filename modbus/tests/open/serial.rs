//! Serial ports, as pseudo-terminals: the far end is the device.

use std::{fs, os::unix::fs::symlink, path::Path, time::Duration};

use passline_modbus::{
    address::{Address, Place},
    link::{ConnectError, EventKind, Link, LinkError, Options},
    serial::resolve,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc::unbounded_channel,
};
use tokio_serial::{SerialPort, SerialStream};

use crate::{ANSWER, PATIENCE, REQUEST, holds, open, read, watched};

/// After trouble a link listens for as long: the answer to an earlier request may still come.
const TIMEOUT: Duration = Duration::from_secs(2);

/// A pseudo-terminal: the device's end, and the path of the other.
fn pair() -> (SerialStream, String) {
    let (device, port) = SerialStream::pair().unwrap();
    let path = port.name().unwrap();
    (device, path)
}

/// Takes one request, which must be [`REQUEST`].
async fn request(device: &mut SerialStream) {
    let mut bytes = [0; REQUEST.len()];
    device.read_exact(&mut bytes).await.unwrap();
    assert_eq!(bytes, REQUEST);
}

/// The device answers as often as it is asked: after trouble a link reads twice.
async fn read_from(link: &Link, device: &mut SerialStream) {
    let serve = async {
        loop {
            request(device).await;
            device.write_all(&ANSWER).await.unwrap();
        }
    };
    tokio::select! {
        result = read(link, 0, TIMEOUT) => assert_eq!(result, holds(7)),
        () = serve => {}
    }
}

async fn connect_error(link: &Link) -> ConnectError {
    match read(link, 0, PATIENCE).await {
        Err(LinkError::Connect(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn frames_go_over_a_port_as_they_are() {
    let (mut device, path) = pair();
    // Raw: nothing is echoed, no byte has a meaning of its own, 0x03, 0x0d and 0x11 included.
    let link = open(&format!("rtu://{path}?baud=115200"));
    link.connect().await.unwrap();
    read_from(&link, &mut device).await;
    link.close().await;
    let link = open(&format!("ascii://{path}?baud=115200"));
    link.connect().await.unwrap();
    let device = async {
        let mut request = [0; 17];
        device.read_exact(&mut request).await.unwrap();
        assert_eq!(&request, b":010300000001FB\r\n");
        device.write_all(b":0103020007F3\r\n").await.unwrap();
    };
    let (result, ()) = tokio::join!(read(&link, 0, PATIENCE), device);
    assert_eq!(result, holds(7));
}

#[tokio::test]
async fn a_port_that_is_in_use_is_busy_by_every_name() {
    let (mut device, path) = pair();
    let folder = tempfile::tempdir().unwrap();
    let alias = folder.path().join("usb-adapter");
    symlink(&path, &alias).unwrap();
    let first = open(&format!("rtu://{path}"));
    first.connect().await.unwrap();
    for name in [path.as_str(), alias.to_str().unwrap()] {
        let second = open(&format!("rtu://{name}"));
        let error = connect_error(&second).await;
        assert_eq!(error, ConnectError::PortBusy { path: name.to_owned() });
        assert!(error.to_string().contains("close the program"), "{error}");
    }
    // The first is not disturbed, and whoever waits gets the port once it is free.
    read_from(&first, &mut device).await;
    first.close().await;
    let third = open(&format!("rtu://{}", alias.display()));
    third.connect().await.unwrap();
    read_from(&third, &mut device).await;
}

#[tokio::test]
async fn a_port_that_disappears_is_found_again_where_it_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let by_id = folder.path().join("usb-adapter");
    let (mut device, path) = pair();
    symlink(&path, &by_id).unwrap();
    let link = open(&format!("rtu://{}?baud=115200", by_id.display()));
    link.connect().await.unwrap();
    read_from(&link, &mut device).await;

    // Unplugged in the middle of an answer.
    let unplug = async {
        request(&mut device).await;
        device.write_all(&ANSWER[..3]).await.unwrap();
        // As udev does; the device file itself may soon be another's.
        fs::remove_file(&by_id).unwrap();
        drop(device);
    };
    let (result, ()) = tokio::join!(read(&link, 0, PATIENCE), unplug);
    let error = result.unwrap_err();
    assert_eq!(error.class(), "closed");
    assert!(error.to_string().contains("is it unplugged?"), "{error}");

    // Nothing is there.
    let error = connect_error(&link).await;
    assert!(matches!(&error, ConnectError::NoSuchPort { .. }), "{error:?}");

    // Another device file, as it is when a port is plugged in again while it was open.
    let (mut device, path) = pair();
    symlink(&path, &by_id).unwrap();
    link.connect().await.unwrap();
    read_from(&link, &mut device).await;
}

#[tokio::test]
async fn what_happens_to_an_idle_port_is_nobodys_error() {
    let folder = tempfile::tempdir().unwrap();
    let by_id = folder.path().join("usb-adapter");
    let (mut device, path) = pair();
    symlink(&path, &by_id).unwrap();
    let address: Address = format!("rtu://{}?baud=115200", by_id.display()).parse().unwrap();
    let (tell, mut ends) = unbounded_channel();
    let link = Link::open(&address, Options::of(&address), move |event| {
        if let EventKind::Closed(reason) = event.kind {
            tell.send(reason.to_string()).unwrap();
        }
    });
    link.connect().await.unwrap();
    read_from(&link, &mut device).await;
    fs::remove_file(&by_id).unwrap();
    drop(device);
    assert!(ends.recv().await.unwrap().contains("is it unplugged?"));
    let (mut device, path) = pair();
    symlink(&path, &by_id).unwrap();
    link.connect().await.unwrap();
    read_from(&link, &mut device).await;
}

#[tokio::test]
async fn what_came_before_the_port_was_opened_is_nobodys() {
    let (mut device, port) = SerialStream::pair().unwrap();
    let path = port.name().unwrap();
    device.write_all(&ANSWER).await.unwrap();
    while port.bytes_to_read().unwrap() < 7 {
        tokio::task::yield_now().await;
    }
    let (link, seen) = watched(&format!("rtu://{path}?baud=115200"));
    link.connect().await.unwrap();
    read_from(&link, &mut device).await;
    assert_eq!(seen.lock().unwrap().len(), 2, "the request and its answer");
    drop(port);
}

#[tokio::test]
async fn what_is_no_port_is_told_with_what_there_is() {
    for path in ["/dev/null", "/etc/passwd", "/etc"] {
        let error = connect_error(&open(&format!("rtu://{path}"))).await;
        assert!(
            matches!(&error, ConnectError::NotAPort { path: at, .. } if at == path),
            "{error:?}"
        );
        assert!(error.to_string().starts_with(&format!("{path} is no serial port: this machine")));
    }
    let error = connect_error(&open("rtu:///dev/ttyNOWHERE")).await;
    assert!(matches!(&error, ConnectError::NoSuchPort { .. }), "{error:?}");
    assert!(error.to_string().contains("this machine"), "{error}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_port_without_rs485_mode_says_so() {
    let (_device, path) = pair();
    let error = connect_error(&open(&format!("rtu://{path}?rs485=rts"))).await;
    assert!(matches!(&error, ConnectError::NoRs485 { .. }), "{error:?}");
    assert!(error.to_string().contains("leave out `rs485`"), "{error}");
    // `off` touches nothing.
    open(&format!("rtu://{path}?rs485=off")).connect().await.unwrap();
}

#[test]
fn the_sentence_for_a_missing_permission_names_the_group() {
    let error = |group: Option<&str>| {
        let path = "/dev/ttyUSB0".to_owned();
        ConnectError::PermissionDenied { path, group: group.map(str::to_owned) }.to_string()
    };
    let some = error(Some("dialout"));
    assert!(some.contains("`sudo usermod -aG dialout $USER`, then log in again"), "{some}");
    assert!(error(None).contains("udev"), "{}", error(None));
}

#[tokio::test]
async fn spellings_of_a_port_are_resolved() {
    let (_device, path) = pair();
    let folder = tempfile::tempdir().unwrap();
    let (alias, other) = (folder.path().join("a"), folder.path().join("b"));
    symlink(&path, &alias).unwrap();
    symlink(&alias, &other).unwrap();
    let place = |path: &Path| Place::Serial { path: path.to_str().unwrap().to_owned() };
    let port = place(Path::new(&path));
    assert_eq!(resolve(&port), port);
    assert_eq!(resolve(&place(&alias)), port);
    assert_eq!(resolve(&place(&other)), port);
    let nowhere = place(&folder.path().join("c"));
    assert_eq!(resolve(&nowhere), nowhere);
    let network = Place::Tcp { host: "h".to_owned(), port: 502 };
    assert_eq!(resolve(&network), network);
}

/// A frame is not held up by the port: eight ports are opened and read at once on one thread,
/// while nobody empties a ninth.
#[tokio::test]
async fn a_port_that_takes_nothing_holds_up_no_other() {
    let (_stuck, stuck_path) = pair();
    let stuck = open(&format!("rtu://{stuck_path}"));
    stuck.connect().await.unwrap();
    let hanging = read(&stuck, 0, Duration::from_millis(50));
    let others = async {
        for _ in 0..8 {
            let (mut device, path) = pair();
            let link = open(&format!("rtu://{path}?baud=115200"));
            link.connect().await.unwrap();
            read_from(&link, &mut device).await;
        }
    };
    let (result, ()) = tokio::join!(hanging, others);
    assert_eq!(result.unwrap_err().class(), "timeout");
}
