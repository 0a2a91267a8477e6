//! The role that a certificate gives its owner.

use x509_parser::{
    asn1_rs::{FromDer, Oid, Utf8String, oid},
    prelude::X509Certificate,
};

/// Where a certificate says what its owner may do (Modbus/TCP Security, R-23).
const ROLE: Oid<'static> = oid!(1.3.6.1.4.1.50316.802.1);

/// The role that a certificate (in DER form) gives its owner: the `UTF8String` of its extension
/// 1.3.6.1.4.1.50316.802.1. `None` if it gives none: no such extension, two of them, or anything
/// but exactly one text in it.
pub fn role(certificate: &[u8]) -> Option<String> {
    let (after, certificate) = X509Certificate::from_der(certificate).ok()?;
    let extension = certificate.get_extension_unique(&ROLE).ok()??;
    let (behind, text) = Utf8String::from_der(extension.value).ok()?;
    (after.is_empty() && behind.is_empty()).then(|| text.string())
}
