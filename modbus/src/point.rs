//! A named datum of a device: table, address, type, order, scale; decoded and encoded exactly.
