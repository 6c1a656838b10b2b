//! The fields of a certificate that `webpki` does not show (RFC 5280 4.1), read strictly: DER alone, nothing left over.

use super::distinguished_name::DistinguishedName;
use super::public_key::PublicKey;
use crate::request::UnixSeconds;
use der::asn1::{AnyRef, BitStringRef, GeneralizedTime, ObjectIdentifier, UtcTime};
use der::{Decode, Reader, SliceReader, Tag, TagNumber};
use std::time::Duration;

/// What is read of a certificate. Nothing of it is verified.
pub(super) struct Fields<'a> {
    /// All that is signed, with its tag and length.
    pub(super) signed: &'a [u8],
    /// The value of the `AlgorithmIdentifier`, without its tag and length.
    pub(super) signature_algorithm: &'a [u8],
    pub(super) signature: &'a [u8],
    pub(super) not_before: UnixSeconds,
    pub(super) not_after: UnixSeconds,
    /// Names are compared as they are encoded, as `webpki` does.
    pub(super) issuer: &'a [u8],
    pub(super) subject: &'a [u8],
    pub(super) key: PublicKey,
    /// `None` without the extension.
    pub(super) basic_constraints: Option<BasicConstraints>,
    /// `None` without the extension.
    pub(super) key_usage: Option<KeyUsage>,
}

/// RFC 5280 4.2.1.9.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BasicConstraints {
    pub(super) is_authority: bool,
    /// How many intermediates may follow.
    pub(super) path_length: Option<u32>,
}

/// RFC 5280 4.2.1.3, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyUsage {
    pub(super) digital_signature: bool,
    pub(super) key_cert_sign: bool,
}

impl<'a> Fields<'a> {
    /// Reads a certificate of version 3.
    ///
    /// # Errors
    /// In fixed words, where it is none.
    pub(super) fn read(certificate: &'a [u8]) -> Result<Self, &'static str> {
        read(certificate).map_err(|_| NOT_X509)
    }

    /// The subject, where all of it is text that can be compared.
    pub(super) fn subject_name(&self) -> Option<DistinguishedName> {
        DistinguishedName::from_der(self.subject).ok()
    }
}

pub(super) const NOT_X509: &str = "not an X.509 certificate of version 3";

fn read(certificate: &[u8]) -> der::Result<Fields<'_>> {
    // Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue }
    let (signed, signature_algorithm, signature) = AnyRef::from_der(certificate)?.sequence(|reader| {
        let signed = reader.tlv_bytes()?;
        let algorithm = sequence(reader)?;
        Ok::<_, der::Error>((signed, algorithm, bits(reader.decode()?)?))
    })?;
    AnyRef::from_der(signed)?.sequence(|reader| {
        let version = AnyRef::decode(reader)?;
        if version.header().tag() != context(0) || u8::from_der(version.value())? != VERSION_3 {
            return Err(Tag::Integer.value_error().into());
        }
        reader.tlv_bytes()?; // serialNumber
        sequence(reader)?; // signature: webpki compares it with the other one
        let issuer = sequence(reader)?;
        let (not_before, not_after) =
            AnyRef::decode(reader)?.sequence(|reader| Ok::<_, der::Error>((time(reader)?, time(reader)?)))?;
        let subject = sequence(reader)?;
        let key = PublicKey::read(AnyRef::decode(reader)?)?;
        let (mut basic_constraints, mut key_usage) = (None, None);
        while !reader.is_finished() {
            // issuerUniqueID and subjectUniqueID may stand before the extensions.
            let field = AnyRef::decode(reader)?;
            if field.header().tag() == context(3) {
                AnyRef::from_der(field.value())?.sequence(|reader| {
                    while !reader.is_finished() {
                        let (id, value) = extension(reader)?;
                        match id {
                            BASIC_CONSTRAINTS => once(&mut basic_constraints, read_basic_constraints(value)?)?,
                            KEY_USAGE => once(&mut key_usage, read_key_usage(value)?)?,
                            _ => {}
                        }
                    }
                    Ok::<_, der::Error>(())
                })?;
            }
        }
        Ok(Fields {
            signed,
            signature_algorithm,
            signature,
            not_before,
            not_after,
            issuer,
            subject,
            key,
            basic_constraints,
            key_usage,
        })
    })
}

/// The value of a SEQUENCE.
pub(super) fn sequence<'a>(reader: &mut SliceReader<'a>) -> der::Result<&'a [u8]> {
    let field = AnyRef::decode(reader)?;
    field.header().tag().assert_eq(Tag::Sequence)?;
    Ok(field.value())
}

/// A BIT STRING of whole bytes.
pub(super) fn bits(bits: BitStringRef<'_>) -> der::Result<&[u8]> {
    bits.as_bytes().ok_or_else(|| Tag::BitString.value_error().into())
}

/// RFC 5280 4.1.2.5.
fn time(reader: &mut SliceReader<'_>) -> der::Result<UnixSeconds> {
    let time = AnyRef::decode(reader)?;
    let since_epoch: Duration = if time.header().tag() == Tag::UtcTime {
        time.decode_as::<UtcTime>()?.to_unix_duration()
    } else {
        time.decode_as::<GeneralizedTime>()?.to_unix_duration()
    };
    UnixSeconds::new(since_epoch.as_secs_f64()).ok_or_else(|| Tag::GeneralizedTime.value_error().into())
}

/// Extension ::= SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }
fn extension<'a>(reader: &mut SliceReader<'a>) -> der::Result<(ObjectIdentifier, &'a [u8])> {
    AnyRef::decode(reader)?.sequence(|reader| {
        let id = ObjectIdentifier::decode(reader)?;
        let mut field = AnyRef::decode(reader)?;
        if field.header().tag() == Tag::Boolean {
            field = AnyRef::decode(reader)?;
        }
        field.header().tag().assert_eq(Tag::OctetString)?;
        Ok((id, field.value()))
    })
}

fn read_basic_constraints(value: &[u8]) -> der::Result<BasicConstraints> {
    AnyRef::from_der(value)?.sequence(|reader| {
        let mut constraints = BasicConstraints { is_authority: false, path_length: None };
        while !reader.is_finished() {
            let field = AnyRef::decode(reader)?;
            if field.header().tag() == Tag::Boolean {
                constraints.is_authority = field.decode_as()?;
            } else {
                constraints.path_length = Some(field.decode_as()?);
            }
        }
        Ok(constraints)
    })
}

fn read_key_usage(value: &[u8]) -> der::Result<KeyUsage> {
    let bits = BitStringRef::from_der(value)?;
    let first = bits.raw_bytes().first().copied().unwrap_or_default();
    Ok(KeyUsage { digital_signature: first & 0b1000_0000 != 0, key_cert_sign: first & 0b0000_0100 != 0 })
}

/// "A certificate MUST NOT include more than one instance of a particular extension" (RFC 5280 4.2).
fn once<T>(slot: &mut Option<T>, value: T) -> der::Result<()> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Tag::Sequence.value_error().into()),
    }
}

fn context(number: u32) -> Tag {
    Tag::ContextSpecific { constructed: true, number: TagNumber(number) }
}

/// `v3(2)`.
const VERSION_3: u8 = 2;

const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");

#[cfg(test)]
mod tests {
    use super::super::fixtures::{authority, client};
    use super::*;

    #[test]
    fn the_fields_of_an_authority_and_of_a_client_are_read() {
        let intermediate = authority("intermediate");
        let fields = Fields::read(&intermediate).unwrap();
        assert_eq!(fields.basic_constraints, Some(BasicConstraints { is_authority: true, path_length: Some(0) }));
        assert_eq!(fields.key_usage, Some(KeyUsage { digital_signature: true, key_cert_sign: true }));
        let client = client("partner-a");
        let fields = Fields::read(&client).unwrap();
        assert_eq!(fields.basic_constraints, Some(BasicConstraints { is_authority: false, path_length: None }));
        assert_eq!(fields.key_usage, None);
        // 2020-01-01 and 2120-01-01: one is a UTCTime, the other a GeneralizedTime.
        assert_eq!(fields.not_before.as_f64(), 1_577_836_800.0);
        assert_eq!(fields.not_after.as_f64(), 4_733_510_400.0);
    }

    #[test]
    fn what_is_cut_or_longer_is_no_certificate() {
        let whole = client("partner-a").to_vec();
        assert!(Fields::read(&whole).is_ok());
        for length in 0..whole.len() {
            assert!(Fields::read(&whole[..length]).is_err(), "{length}");
        }
        assert!(Fields::read(&[&whole[..], &[0]].concat()).is_err());
    }

    #[test]
    fn no_changed_byte_makes_it_panic() {
        let whole = client("partner-a").to_vec();
        for position in 0..whole.len() {
            for change in [0x01, 0x80, 0xFF] {
                let mut changed = whole.clone();
                changed[position] ^= change;
                _ = Fields::read(&changed).map(|fields| fields.subject_name());
            }
        }
    }
}
