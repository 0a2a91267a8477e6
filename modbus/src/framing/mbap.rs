//! Modbus TCP framing (TCP guide V1.0b, clause 3.1.3): transaction id, protocol id 0, length, unit id.
