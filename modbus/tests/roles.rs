//! The role that a certificate gives, from certificates made on the spot.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use passline_modbus::tls::role;
use proptest::prelude::*;
use rcgen::{CertificateParams, CustomExtension, KeyPair};

const ROLE: &[u64] = &[1, 3, 6, 1, 4, 1, 50316, 802, 1];
const UTF8: u8 = 0x0c;

/// A certificate with these extensions.
fn certificate(extensions: &[(&[u64], Vec<u8>)]) -> Vec<u8> {
    let mut params = CertificateParams::new(vec!["meter.plant".to_owned()]).unwrap();
    params.custom_extensions = extensions
        .iter()
        .map(|(oid, content)| CustomExtension::from_oid_content(oid, content.clone()))
        .collect();
    let key = KeyPair::generate().unwrap();
    params.self_signed(&key).unwrap().der().to_vec()
}

fn text(tag: u8, text: &[u8]) -> Vec<u8> {
    [&[tag, u8::try_from(text.len()).unwrap()], text].concat()
}

#[test]
fn one_text_is_a_role_and_anything_else_is_none() {
    let role_of = |content: Vec<u8>| role(&certificate(&[(ROLE, content)]));
    assert_eq!(role_of(text(UTF8, b"Operator")), Some("Operator".to_owned()));
    assert_eq!(role_of(text(UTF8, "Prüfer".as_bytes())), Some("Prüfer".to_owned()));
    assert_eq!(role_of(text(UTF8, &[0xff])), None, "no UTF-8");
    assert_eq!(role_of(text(0x13, b"Operator")), None, "a PrintableString");
    assert_eq!(role_of(b"Operator".to_vec()), None, "no DER");
    assert_eq!(role_of([text(UTF8, b"A"), text(UTF8, b"B")].concat()), None, "two texts");
    assert_eq!(role_of(Vec::new()), None, "nothing");
    assert_eq!(role(&certificate(&[])), None, "no extension");
    let other: &[u64] = &[1, 3, 6, 1, 4, 1, 50316, 802, 2];
    assert_eq!(role(&certificate(&[(other, text(UTF8, b"Operator"))])), None, "another extension");
    let twice = [(ROLE, text(UTF8, b"Operator")), (ROLE, text(UTF8, b"Admin"))];
    assert_eq!(role(&certificate(&twice)), None, "two of them");
}

#[test]
fn what_is_behind_a_certificate_is_no_part_of_it() {
    let mut certificate = certificate(&[(ROLE, text(UTF8, b"Operator"))]);
    certificate.push(0);
    assert_eq!(role(&certificate), None);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(role(&bytes), None);
    }

    #[test]
    fn no_damage_makes_it_panic_or_read_beyond_the_text(at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let mut certificate = certificate(&[(ROLE, text(UTF8, b"Operator"))]);
        let at = at.index(certificate.len());
        certificate[at] ^= 1 << bit;
        // A bit of the text itself makes another text: the signature is looked at elsewhere.
        prop_assert!(role(&certificate).is_none_or(|role| role.len() <= "Operator".len()));
    }
}
