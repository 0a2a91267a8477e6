//! The server id (V1.1b3, clause 6.13): bytes whose meaning is the vendor's. Often the first is an
//! id, the second says whether the device runs, and the others are text.

use crate::pdu::Response;

/// Function code of Report Server ID.
const FUNCTION: u8 = 0x11;

/// The bytes behind the byte count.
pub(super) fn bytes(response: Response) -> Option<Vec<u8>> {
    match response {
        Response::ReportServerId(id, running, more) => {
            let mut bytes = vec![id, if running { 0xFF } else { 0x00 }];
            bytes.extend(more);
            Some(bytes)
        }
        // What is not an id and an indicator comes as it is, its byte count first.
        Response::Custom(FUNCTION, data) => data.get(1..).map(<[u8]>::to_vec),
        _ => None,
    }
}
