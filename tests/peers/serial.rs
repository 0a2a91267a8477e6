//! Serial buses on pseudo-terminals, between our link or `passline simulate` and others: all that the
//! image says, and ten thousand transactions.

use tokio::time::timeout;

use crate::bus::Bus;
use crate::image::{ADDRESSES, TABLES, UNITS, value};
use crate::traffic::traffic;
use crate::{
    Exchange, PATIENCE, compare, exchange, our_client_asks, our_command_judges_the_image,
    our_command_tells_all, our_command_writes, programs,
};
use crate::{simulator, tokio_modbus};

/// How our client treats the bus: no wire takes its time here, and the silence between frames is the
/// least there is. The pause inside a frame may be as long as a busy machine makes it.
pub(crate) const TREATMENT: &str = "baud=921600&parity=none&stop=1&gap=5s";

/// What a server is asked for, each time anew.
fn exchanges() -> [Exchange; 2] {
    [exchange(None), traffic()]
}

// --- our client, their servers --------------------------------------------------------------

async fn we_ask(scheme: &str, bus: &Bus, exchange: &Exchange) {
    let url = format!("{scheme}://{}?{TREATMENT}", bus.client);
    our_command_judges_the_image(&url).await;
    our_client_asks(&url, exchange).await;
}

#[tokio::test]
async fn our_client_and_a_tokio_modbus_server() {
    for exchange in exchanges() {
        let bus = Bus::new(1);
        tokio_modbus::serve_rtu(&bus.servers[0]);
        we_ask("rtu", &bus, &exchange).await;
    }
}

async fn we_ask_pymodbus(scheme: &str) {
    for exchange in exchanges() {
        let bus = Bus::new(1);
        let mut server = programs::python("pymodbus_server.py");
        let server = server.arg(format!("{scheme}://{}", bus.servers[0]));
        let (_url, _server) = programs::serve(server).await;
        we_ask(scheme, &bus, &exchange).await;
    }
}

#[tokio::test]
#[ignore = "needs pymodbus: .ci/run installs and runs it"]
async fn our_client_and_a_pymodbus_server_in_rtu() {
    we_ask_pymodbus("rtu").await;
}

#[tokio::test]
#[ignore = "needs pymodbus: .ci/run installs and runs it"]
async fn our_client_and_a_pymodbus_server_in_ascii() {
    we_ask_pymodbus("ascii").await;
}

/// Each has one unit: several devices on one bus.
#[tokio::test]
#[ignore = "needs libmodbus: .ci/run installs and runs it"]
async fn our_client_and_three_libmodbus_servers() {
    for exchange in exchanges() {
        let bus = Bus::new(UNITS.len());
        let (_files, server) = programs::c("libmodbus_server").await;
        let mut servers = Vec::new();
        for (unit, path) in UNITS.iter().zip(&bus.servers) {
            let mut server = programs::command(server.as_std().get_program());
            servers.push(programs::serve(server.arg(path).arg(unit.to_string())).await);
        }
        we_ask("rtu", &bus, &exchange).await;
    }
}

#[tokio::test]
#[ignore = "needs libmodbus: .ci/run installs and runs it"]
async fn our_command_tells_three_libmodbus_servers_at_once() {
    let bus = Bus::new(UNITS.len());
    let (_files, server) = programs::c("libmodbus_server").await;
    let mut servers = Vec::new();
    for (unit, path) in UNITS.iter().zip(&bus.servers) {
        let mut server = programs::command(server.as_std().get_program());
        servers.push(programs::serve(server.arg(path).arg(unit.to_string())).await);
    }
    let url = format!("rtu://{}?{TREATMENT}", bus.client);
    our_command_writes(&url).await;
    our_command_tells_all(&url).await;
}

#[tokio::test]
async fn our_command_tells_all_units_of_our_simulator_at_once() {
    for listen in ["rtu+pty://", "ascii+pty://"] {
        let (url, _simulator) = simulator(listen).await;
        our_command_tells_all(&url).await;
    }
}

// --- their clients, our simulator -----------------------------------------------------------

#[tokio::test]
async fn a_tokio_modbus_client_and_our_simulator() {
    for (queries, due) in exchanges() {
        let (url, _simulator) = simulator("rtu+pty://").await;
        let client = tokio_modbus::over_rtu(url.trim_start_matches("rtu://"));
        let answers = timeout(PATIENCE, tokio_modbus::ask(client, &queries)).await.unwrap();
        compare(&queries, &answers, &due);
    }
}

async fn pymodbus_asks(listen: &str) {
    for (queries, due) in exchanges() {
        let (url, _simulator) = simulator(listen).await;
        let mut client = programs::python("pymodbus_client.py");
        let answers = programs::ask(&mut client, &url, &queries).await;
        compare(&queries, &answers, &due);
    }
}

#[tokio::test]
#[ignore = "needs pymodbus: .ci/run installs and runs it"]
async fn a_pymodbus_client_and_our_simulator_in_rtu() {
    pymodbus_asks("rtu+pty://").await;
}

#[tokio::test]
#[ignore = "needs pymodbus: .ci/run installs and runs it"]
async fn a_pymodbus_client_and_our_simulator_in_ascii() {
    pymodbus_asks("ascii+pty://").await;
}

#[tokio::test]
#[ignore = "needs libmodbus: .ci/run installs and runs it"]
async fn a_libmodbus_client_and_our_simulator() {
    for (queries, due) in exchanges() {
        let (url, _simulator) = simulator("rtu+pty://").await;
        let (_files, mut client) = programs::c("libmodbus_client").await;
        let answers = programs::ask(&mut client, &url, &queries).await;
        compare(&queries, &answers, &due);
    }
}

/// It reads one span of one table from unit after unit: 52 spans of 198 units.
#[tokio::test]
#[ignore = "needs mbpoll: .ci/run installs and runs it"]
async fn mbpoll_and_our_simulator() {
    let (url, _simulator) = simulator("rtu+pty://").await;
    let units: Vec<u8> = UNITS.into_iter().cycle().take(198).collect();
    let list = units.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
    for (table, number) in TABLES.into_iter().flat_map(|table| (0..13).map(move |n| (table, n))) {
        let (address, count) = (number * 11, ADDRESSES - number * 11);
        let count = count.min(1 + number * 8);
        let answers = programs::mbpoll(&url, &format!("{list} {table} {address} {count}")).await;
        assert_eq!(answers.len(), units.len());
        for (unit, answer) in units.iter().zip(answers) {
            let due = (address..address + count).map(|at| value(table, *unit, at).to_string());
            assert_eq!(answer, due.collect::<Vec<_>>().join(" "), "{unit} {table} {address}");
        }
    }
}
