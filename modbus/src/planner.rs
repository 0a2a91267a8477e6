//! The fewest reads that cover a set of points under a device's rules. Pure arithmetic on spans.
