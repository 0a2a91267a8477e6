//! Bytes as hexadecimal text: digests and frames.

use std::{fmt, io, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// A SHA-256, written as 64 lower-case hexadecimal digits as `sha256sum` does.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

/// Bytes, written as upper-case hexadecimal digits without blanks.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Hex(pub Vec<u8>);

/// A text that is not an even number of hexadecimal digits, or not as many as needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not the expected number of hexadecimal digits")]
pub struct NotHex;

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of the compact JSON of `value`.
    ///
    /// # Errors
    ///
    /// Those of serialising it.
    pub fn of_json(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        // The serialiser writes a few bytes at a time; the hash wants blocks.
        let mut out = io::BufWriter::with_capacity(1 << 16, Hasher(Sha256::new()));
        serde_json::to_writer(&mut out, value)?;
        let hasher = out.into_inner().map_err(ser::Error::custom)?;
        Ok(Self(hasher.0.finalize().into()))
    }

    /// The bytes of the digest.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

struct Hasher(Sha256);

impl io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&digits(&self.0, b"0123456789abcdef"))
    }
}

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&digits(&self.0, b"0123456789ABCDEF"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = NotHex;

    fn from_str(text: &str) -> Result<Self, NotHex> {
        Hex::from_str(text)?.0.try_into().map(Self).map_err(|_| NotHex)
    }
}

impl FromStr for Hex {
    type Err = NotHex;

    fn from_str(text: &str) -> Result<Self, NotHex> {
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if !rest.is_empty() {
            return Err(NotHex);
        }
        pairs
            .iter()
            .map(|&[high, low]| Ok(nibble(high)? << 4 | nibble(low)?))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn digits(bytes: &[u8], alphabet: &[u8; 16]) -> String {
    let digit = |nibble: u8| char::from(alphabet[usize::from(nibble & 0x0F)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

fn nibble(digit: u8) -> Result<u8, NotHex> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        b'A'..=b'F' => Ok(digit - b'A' + 10),
        _ => Err(NotHex),
    }
}

macro_rules! as_text {
    ($($type:ty),*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

as_text!(Digest, Hex);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_what_sha256sum_prints() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of(b"abc").to_string(), abc);
        let json = vec!["a long text"; 10_000];
        let text = serde_json::to_vec(&json.as_slice()).unwrap();
        assert_eq!(Digest::of_json(&json.as_slice()).unwrap(), Digest::of(&text));
        assert_eq!(abc.parse(), Ok(Digest::of(b"abc")));
    }

    #[test]
    fn hex_is_upper_case_and_reads_back() {
        let bytes = Hex((0..=255).collect());
        assert_eq!(bytes.to_string().parse(), Ok(bytes));
        assert_eq!(Hex(vec![0x83, 0x0A]).to_string(), "830A");
        assert_eq!("0".parse::<Hex>(), Err(NotHex));
        assert_eq!("0g".parse::<Hex>(), Err(NotHex));
        assert_eq!("é".parse::<Hex>(), Err(NotHex));
        assert_eq!("00".parse::<Digest>(), Err(NotHex));
    }
}
