//! Which tests of a spec are meant: `--filter`, `--tag`, `--shard`.

use std::fmt;
use std::str::FromStr;

use crate::record::Phase;
use crate::spec::model::Test;

/// Which tests are meant. Setup and teardown always are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only tests whose name contains this.
    pub filter: Option<String>,
    /// Only tests with one of these tags, if any is given.
    pub tags: Vec<String>,
    /// Only one share of what is left.
    pub shard: Option<Shard>,
    /// Only the test of exactly this name.
    pub exactly: Option<String>,
}

/// The `part`-th of `of` equal shares, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    part: usize,
    of: usize,
}

/// Why a text is no share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write the share and the number of shares: `1/4` to `4/4`")]
pub struct ShardError;

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let (part, of) = text.split_once('/').ok_or(ShardError)?;
        let part = part.parse().map_err(|_| ShardError)?;
        let of = of.parse().map_err(|_| ShardError)?;
        if part == 0 || part > of {
            return Err(ShardError);
        }
        Ok(Self { part, of })
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.part, self.of)
    }
}

impl Selection {
    /// Decides test by test, in plan order: shares count the tests that the rest leaves.
    pub(super) fn chooser(&self) -> impl FnMut(&Test) -> bool {
        let mut seen = 0;
        move |test| {
            if test.phase != Phase::Main {
                return true;
            }
            if !self.names(test) {
                return false;
            }
            seen += 1;
            self.shard.is_none_or(|shard| (seen - 1) % shard.of == shard.part - 1)
        }
    }

    fn names(&self, test: &Test) -> bool {
        self.filter.as_ref().is_none_or(|text| test.name.contains(text.as_str()))
            && self.exactly.as_ref().is_none_or(|name| test.name == *name)
            && (self.tags.is_empty() || test.tags.iter().any(|tag| self.tags.contains(tag)))
    }

    /// The selection as arguments, for the record; empty for everything.
    pub fn arguments(&self) -> Vec<String> {
        let filter = self.filter.iter().map(|text| format!("--filter={text}"));
        let tags = self.tags.iter().map(|tag| format!("--tag={tag}"));
        let shard = self.shard.iter().map(|shard| format!("--shard={shard}"));
        let exactly = self.exactly.iter().map(|name| format!("--exactly={name}"));
        filter.chain(tags).chain(shard).chain(exactly).collect()
    }
}
