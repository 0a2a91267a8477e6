//! Records to files that others read. Knows records alone.
