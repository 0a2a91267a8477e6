//! The image that every server holds, and the questions that every client asks of it, as texts:
//! `README.md` beside this file.

use tokio_modbus::{ExceptionCode, Request, Response};

pub(crate) const UNITS: [u8; 3] = [1, 2, 17];
pub(crate) const ADDRESSES: u16 = 160;
pub(crate) const TABLES: [&str; 4] = ["coil", "discrete", "input", "holding"];

/// The value of a table's address as it is at first; a bit is 0 or 1.
pub(crate) fn value(table: &str, unit: u8, address: u16) -> u16 {
    let unit = u16::from(unit);
    match table {
        "coil" => (address * unit).is_multiple_of(3).into(),
        "discrete" => ((address + unit) % 5 < 2).into(),
        "input" => 1000 * unit + address,
        "holding" => 65535 - 1000 * unit - address,
        other => panic!("no table {other}"),
    }
}

/// A spec that simulates the image.
pub(crate) fn spec() -> String {
    let table = |unit, table| {
        let values: Vec<_> = (0..ADDRESSES).map(|at| value(table, unit, at)).collect();
        let kind = if matches!(table, "coil" | "discrete") { "bits" } else { "words" };
        format!("{{ {table}: 0, {kind}: {values:?} }}")
    };
    let device = |unit| {
        let image = TABLES.map(|name| table(unit, name)).join(", ");
        format!(
            "unit_{unit}: {{ link: line, unit_id: {unit}, points: {{ first: {{ holding: 0 }} }}, \
             simulate: {{ image: [{image}] }} }}"
        )
    };
    let devices = UNITS.map(device).join(", ");
    format!(
        "spec: peers\nversion: '1'\ntitle: The common image\n\
         links: {{ line: 'tcp://127.0.0.1:502' }}\ndevices: {{ {devices} }}\n\
         tests: [{{ test: first, steps: [{{ read: unit_1.first, equals: 64535 }}] }}]\n"
    )
}

/// Queries and the answers that are due, in order. Every table of every unit: one value, a count
/// that fills no byte, as many registers as fit in an answer, the last address, one too many.
pub(crate) fn reads() -> Vec<(String, String)> {
    let mut reads = Vec::new();
    for (unit, table) in UNITS.into_iter().flat_map(|unit| TABLES.map(|table| (unit, table))) {
        for (address, count) in [(0, 1), (3, 13), (35, 125), (159, 1)] {
            let values: Vec<_> = (address..address + count)
                .map(|address| value(table, unit, address).to_string())
                .collect();
            reads.push((format!("{unit} {table} {address} {count}"), values.join(" ")));
        }
        for past in ["159 2", "160 1"] {
            reads.push((format!("{unit} {table} {past}"), "exception 2".to_owned()));
        }
    }
    reads
}

/// Writes with their answers, and reads that show what they changed and what not.
pub(crate) fn writes() -> Vec<(String, String)> {
    [
        ("2 write-holding 7 1234", "ok"),
        ("2 write-holding 8 1 258 65535", "ok"),
        ("2 holding 6 6", "63529 1234 1 258 65535 63524"),
        ("1 holding 7 1", "64528"),
        ("1 write-coil 1 1", "ok"),
        ("1 write-coil 3 0", "ok"),
        ("1 write-coil 4 1 1 0 1 1 1 1 0 1 0", "ok"),
        ("1 coil 0 16", "1 1 0 0 1 1 0 1 1 1 1 0 1 0 0 1"),
        ("2 coil 1 1", "0"),
        // Of 0xFFFF - 17000 - 5 = 0xBD92: and 0xF00F, or 0x0550.
        ("17 mask-holding 5 61455 1360", "ok"),
        ("17 holding 5 1", "46418"),
        ("17 exchange-holding 20 3 21 7 8", "48515 7 8"),
        ("17 holding 20 4", "48515 7 8 48512"),
        ("17 write-holding 160 5", "exception 2"),
        ("17 exchange-holding 20 3 159 7 8", "exception 2"),
        ("17 write-coil 158 1 1 1", "exception 2"),
    ]
    .map(|(query, answer)| (query.to_owned(), answer.to_owned()))
    .to_vec()
}

/// A query to a unit that is not there. Its exception is the server's choice.
pub(crate) const NOBODY: &str = "9 input 0 1";

/// A query as unit id and request.
pub(crate) fn request(query: &str) -> (u8, Request<'static>) {
    let mut words = query.split(' ');
    let unit = words.next().unwrap().parse().unwrap();
    let action = words.next().unwrap();
    let address = words.next().unwrap().parse().unwrap();
    let numbers: Vec<u16> = words.map(|word| word.parse().unwrap()).collect();
    let bits = || numbers.iter().map(|&number| number != 0).collect();
    let request = match (action, &numbers[..]) {
        ("coil", &[count]) => Request::ReadCoils(address, count),
        ("discrete", &[count]) => Request::ReadDiscreteInputs(address, count),
        ("input", &[count]) => Request::ReadInputRegisters(address, count),
        ("holding", &[count]) => Request::ReadHoldingRegisters(address, count),
        ("write-coil", &[bit]) => Request::WriteSingleCoil(address, bit != 0),
        ("write-coil", _) => Request::WriteMultipleCoils(address, bits()),
        ("write-holding", &[word]) => Request::WriteSingleRegister(address, word),
        ("mask-holding", &[and, or]) => Request::MaskWriteRegister(address, and, or),
        ("exchange-holding", &[count, first, ref words @ ..]) => {
            let words = words.to_vec().into();
            Request::ReadWriteMultipleRegisters(address, count, first, words)
        }
        ("write-holding", _) => Request::WriteMultipleRegisters(address, numbers.into()),
        _ => panic!("no query: {query}"),
    };
    (unit, request)
}

/// An answer as a client prints it.
pub(crate) fn text(answer: Result<Response, ExceptionCode>) -> String {
    let values: Vec<u16> = match answer {
        Ok(Response::ReadCoils(bits) | Response::ReadDiscreteInputs(bits)) => {
            bits.into_iter().map(u16::from).collect()
        }
        Ok(
            Response::ReadInputRegisters(words)
            | Response::ReadHoldingRegisters(words)
            | Response::ReadWriteMultipleRegisters(words),
        ) => words,
        Ok(_) => return "ok".to_owned(),
        Err(exception) => return format!("exception {}", u8::from(exception)),
    };
    values.iter().map(u16::to_string).collect::<Vec<_>>().join(" ")
}
