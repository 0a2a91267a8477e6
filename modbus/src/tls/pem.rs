//! Certificates and keys from PEM files.

use std::{
    io,
    path::{Path, PathBuf},
};

use tokio_rustls::rustls::pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{Error, PemObject},
};

/// Why a file gives no certificate or key.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It does not hold what it should.
    #[error("{} holds no {expected} in PEM form", path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
    },
}

/// The certificates of a file, in their order: one or more.
///
/// # Errors
///
/// [`FileError`], also if one of several is malformed.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, FileError> {
    const EXPECTED: &str = "certificate";
    let failed = |error| failed(path, EXPECTED, error);
    let found = CertificateDer::pem_file_iter(path).map_err(failed)?;
    let found: Vec<_> = found.collect::<Result<_, _>>().map_err(failed)?;
    if found.is_empty() { Err(failed(Error::NoItemsFound)) } else { Ok(found) }
}

/// The first private key of a file: PKCS #8, PKCS #1 or SEC 1, not encrypted.
///
/// # Errors
///
/// [`FileError`].
pub fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, FileError> {
    PrivateKeyDer::from_pem_file(path)
        .map_err(|error| failed(path, "private key without a password", error))
}

fn failed(path: &Path, expected: &'static str, error: Error) -> FileError {
    let path = path.to_owned();
    match error {
        Error::Io(source) => FileError::Read { path, source },
        _ => FileError::Content { path, expected },
    }
}
