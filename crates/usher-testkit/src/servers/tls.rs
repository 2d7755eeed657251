//! Certificates for servers on loopback, from an authority that only the test trusts.

use std::io;
use std::net::IpAddr;

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SanType,
};

/// What a server presents, and whom a client must trust.
pub(crate) struct Certificate {
    /// The authority's certificate, PEM.
    pub(crate) authority: String,
    /// The server's certificate, PEM.
    pub(crate) certificate: String,
    /// The server's key, PEM.
    pub(crate) key: String,
}

impl Certificate {
    /// A new authority, and a certificate for an address by it.
    pub(crate) fn new(address: IpAddr) -> io::Result<Self> {
        make(address).map_err(|error| io::Error::other(format!("no certificate could be made: {error}")))
    }
}

fn make(address: IpAddr) -> Result<Certificate, rcgen::Error> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority_key = KeyPair::generate()?;
    let authority_certificate = authority.self_signed(&authority_key)?;
    let issuer = Issuer::new(authority, authority_key);
    let mut server = CertificateParams::new(vec!["localhost".to_owned()])?;
    server.subject_alt_names.push(SanType::IpAddress(address));
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let certificate = server.signed_by(&key, &issuer)?;
    Ok(Certificate {
        authority: authority_certificate.pem(),
        certificate: certificate.pem(),
        key: key.serialize_pem(),
    })
}
