//! YAML to a typed spec, with every diagnostic at once. Knows no I/O.
