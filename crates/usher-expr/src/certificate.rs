//! X.509 certificates as the `Cert…` functions show them: the names are .NET's `X509Certificate2`.

use jiff::Timestamp;
use sha1::{Digest as _, Sha1};
use x509_parser::asn1_rs::{Any, Tag, ToDer as _};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

use crate::call::Call;
use crate::evaluate::{Evaluated, Halt};
use crate::function::{Param, Type};
use crate::value::Value;

/// The one parameter that nearly all of these functions have.
pub(crate) const RAW: &[Param] =
    &[Param::required("certificateRawData", Type::Binary, "The certificate, as DER or as its base64 text.")];

/// A certificate for the examples, as the attribute `userCertificate`. Its private key was thrown away.
pub(crate) const EXAMPLE: &str = "{\"userCertificate\": \"\
MIICrTCCAlKgAwIBAgIFChssPU4wCgYIKoZIzj0EAwIwgYAxCzAJBgNVBAYTAk5MMRAwDgYDVQQIDAdVdHJlY2h0MRcwFQYDVQQK\
DA5Xb29kZ3JvdmUsIEx0ZDEOMAwGA1UECwwFU3RhZmYxEDAOBgNVBAMMB0FubiBMZWUxJDAiBgkqhkiG9w0BCQEWFWFubkB3b29k\
Z3JvdmUuZXhhbXBsZTAeFw0yNjExMjQwMzQxMDdaFw0zNjExMjEwMzQxMDdaMIGAMQswCQYDVQQGEwJOTDEQMA4GA1UECAwHVXRy\
ZWNodDEXMBUGA1UECgwOV29vZGdyb3ZlLCBMdGQxDjAMBgNVBAsMBVN0YWZmMRAwDgYDVQQDDAdBbm4gTGVlMSQwIgYJKoZIhvcN\
AQkBFhVhbm5Ad29vZGdyb3ZlLmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAS0eYeJOHQ0/NXpgDCwxqThV2rwpjzz\
ukwYTVL5oo2Y7SYhRHVogpFR7XE8KhuLwbE4vXgW859sTQBHJcNkj9UZo4G2MIGzMAkGA1UdEwQCMAAwgYYGA1UdEQR/MH2BGWFu\
bi5sZWVAd29vZGdyb3ZlLmV4YW1wbGWCFWFubi53b29kZ3JvdmUuZXhhbXBsZYYdaHR0cHM6Ly93b29kZ3JvdmUuZXhhbXBsZS9h\
bm6gKgYKKwYBBAGCNxQCA6AcDBphbm5AY29ycC53b29kZ3JvdmUuZXhhbXBsZTAdBgNVHQ4EFgQUyrGgmIrjkrJpF1l/6EGZESMM\
kEQwCgYIKoZIzj0EAwIDSQAwRgIhAKLtFQgTVQf2A4pYGpN3358X1+SIVTTy/Sm/aVt5FcHJAiEA1OXhi0Wao8NIhSJpdP3lSTf6\
jwP9oIO1rF5XIY4nfnk=\"}";

/// The number of the user principal name among the other names of a certificate.
const USER_PRINCIPAL_NAME: &str = "1.3.6.1.4.1.311.20.2.3";
const COMMON_NAME: &str = "2.5.4.3";
const EMAIL: &str = "1.2.840.113549.1.9.1";

/// The property of the certificate in the first argument, or of every certificate of a list.
pub(crate) fn property(call: &Call<'_>, read: impl Fn(&X509Certificate<'_>, &[u8]) -> Value) -> Evaluated {
    call.map_bytes(0, |bytes| with_certificate(call, bytes, |certificate| read(certificate, bytes)))
}

fn with_certificate(
    call: &Call<'_>,
    bytes: &[u8],
    read: impl FnOnce(&X509Certificate<'_>) -> Value,
) -> Result<Value, Halt> {
    match X509Certificate::from_der(bytes) {
        Ok((_, certificate)) => Ok(read(&certificate)),
        Err(_) => Err(call.fail_at(0, "these bytes are no X.509 certificate")),
    }
}

/// Whether the bytes can be read as a certificate.
pub(crate) fn is_certificate(bytes: &[u8]) -> bool {
    X509Certificate::from_der(bytes).is_ok()
}

/// The SHA-1 hash of the bytes in hexadecimal.
pub(crate) fn thumbprint(bytes: &[u8]) -> String {
    hexadecimal(&Sha1::digest(bytes))
}

/// A moment of the certificate's validity.
pub(crate) fn moment(second: i64) -> Value {
    Timestamp::from_second(second).map_or(Value::Null, Value::DateTime)
}

/// The encoded parameters of the key's algorithm in hexadecimal; empty when it has none.
pub(crate) fn key_parameters(certificate: &X509Certificate<'_>) -> Value {
    let parameters = certificate.public_key().algorithm.parameters.as_ref();
    let encoded = parameters.and_then(|parameters| parameters.to_der_vec().ok());
    Value::from(hexadecimal(&encoded.unwrap_or_default()))
}

/// Upper-case hexadecimal without separators.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// The distinguished name in .NET's order: the last component of the encoding first.
pub(crate) fn distinguished_name(name: &X509Name<'_>) -> String {
    let mut components: Vec<String> = name
        .iter_rdn()
        .map(|component| {
            let parts: Vec<String> = component
                .iter()
                .map(|part| format!("{}={}", label(&part.attr_type().to_id_string()), quoted(&text_of(part))))
                .collect();
            parts.join(" + ")
        })
        .collect();
    components.reverse();
    components.join(", ")
}

/// What `GetNameInfo` answers for one of the name types.
pub(crate) fn name_info(certificate: &X509Certificate<'_>, kind: &str, of_issuer: bool) -> String {
    let name = if of_issuer { certificate.issuer() } else { certificate.subject() };
    let alternative =
        |wanted: fn(&GeneralName<'_>) -> Option<String>| alternative(certificate, of_issuer, wanted);
    let found = match kind {
        "EmailName" => alternative(email_name).or_else(|| part(name, &[EMAIL])),
        "UpnName" => alternative(principal_name),
        "DnsName" => alternative(dns_name).or_else(|| part(name, &[COMMON_NAME])),
        "DnsFromAlternativeName" => alternative(dns_name),
        "UrlName" => alternative(url_name),
        _ => part(name, &[COMMON_NAME, "2.5.4.11", "2.5.4.10", EMAIL])
            .or_else(|| alternative(email_name))
            .or_else(|| name.iter_attributes().next().map(text_of)),
    };
    found.unwrap_or_default()
}

/// The first of these attributes that the name has; its last value counts.
fn part(name: &X509Name<'_>, numbers: &[&str]) -> Option<String> {
    numbers.iter().find_map(|number| {
        let having = name.iter_attributes().filter(|part| part.attr_type().to_id_string() == *number);
        having.last().map(text_of)
    })
}

fn alternative(
    certificate: &X509Certificate<'_>,
    of_issuer: bool,
    wanted: fn(&GeneralName<'_>) -> Option<String>,
) -> Option<String> {
    use x509_parser::extensions::ParsedExtension::{IssuerAlternativeName, SubjectAlternativeName};
    certificate.iter_extensions().find_map(|extension| match extension.parsed_extension() {
        SubjectAlternativeName(names) if !of_issuer => names.general_names.iter().find_map(wanted),
        IssuerAlternativeName(names) if of_issuer => names.general_names.iter().find_map(wanted),
        _ => None,
    })
}

fn email_name(name: &GeneralName<'_>) -> Option<String> {
    if let GeneralName::RFC822Name(text) = name { Some((*text).to_owned()) } else { None }
}

fn dns_name(name: &GeneralName<'_>) -> Option<String> {
    if let GeneralName::DNSName(text) = name { Some((*text).to_owned()) } else { None }
}

fn url_name(name: &GeneralName<'_>) -> Option<String> {
    if let GeneralName::URI(text) = name { Some((*text).to_owned()) } else { None }
}

/// The text of the other name that holds a user principal name: a string inside an explicit tag.
fn principal_name(name: &GeneralName<'_>) -> Option<String> {
    let GeneralName::OtherName(number, bytes) = name else { return None };
    if number.to_id_string() != USER_PRINCIPAL_NAME {
        return None;
    }
    let (_, outer) = Any::from_der(bytes).ok()?;
    let (_, inner) = Any::from_der(outer.data).ok()?;
    Some(String::from_utf8_lossy(inner.data).into_owned())
}

fn text_of(part: &AttributeTypeAndValue<'_>) -> String {
    let bytes = part.as_slice();
    if part.attr_value().tag() == Tag::BmpString {
        let units = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        return char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    }
    String::from_utf8_lossy(bytes).into_owned()
}

/// The labels that .NET prints; an unknown attribute shows its number.
fn label(number: &str) -> String {
    let known = match number {
        COMMON_NAME => "CN",
        "2.5.4.4" => "SN",
        "2.5.4.5" => "SERIALNUMBER",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "S",
        "2.5.4.9" => "STREET",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.12" => "T",
        "2.5.4.13" => "Description",
        "2.5.4.17" => "PostalCode",
        "2.5.4.18" => "POBox",
        "2.5.4.20" => "Phone",
        "2.5.4.42" => "G",
        "2.5.4.43" => "I",
        "2.5.4.46" => "dnQualifier",
        "0.9.2342.19200300.100.1.25" => "DC",
        EMAIL => "E",
        _ => return format!("OID.{number}"),
    };
    known.to_owned()
}

fn quoted(text: &str) -> String {
    let needs_quotes = text.is_empty()
        || text.starts_with(' ')
        || text.ends_with(' ')
        || text.contains([',', '+', '=', '"', '\n', '<', '>', '#', ';']);
    if needs_quotes { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}
