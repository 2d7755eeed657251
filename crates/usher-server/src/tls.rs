//! TLS: a certificate that is given, or one that is made on the first start with a CA that clients may trust.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use axum_server::tls_rustls::RustlsConfig;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// How the service speaks.
#[derive(Clone, Debug)]
pub enum Tls {
    /// With a certificate made on the first start and kept in this folder.
    SelfMade {
        /// The folder.
        folder: PathBuf,
    },
    /// With a certificate chain and key from PEM files.
    Files {
        /// The chain.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// Plain HTTP, on loopback only.
    PlainLoopback,
}

/// Why the service cannot speak.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A certificate cannot be made.
    #[error("a certificate cannot be made")]
    Make(#[source] rcgen::Error),
    /// A file cannot be read or written.
    #[error("the file {} cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A certificate and a key are none, or do not fit each other.
    #[error("the certificate {} and the key {} cannot be used together", certificate.display(), key.display())]
    Pair {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The listener failed.
    #[error("the service cannot listen")]
    Serve(#[source] std::io::Error),
}

/// TLS, ready to be spoken: whatever can be wrong with certificate and key has been looked at.
pub struct ReadyTls(pub(crate) Option<RustlsConfig>);

impl Tls {
    /// Reads, or makes, certificate and key; nothing is listened on yet.
    ///
    /// # Errors
    /// Certificates cannot be made or used.
    pub async fn ready(self) -> Result<ReadyTls, TlsError> {
        // A provider that is installed already is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let (certificate, key) = match self {
            Self::Files { certificate, key } => (certificate, key),
            Self::SelfMade { folder } => self_made(&folder)?,
            Self::PlainLoopback => return Ok(ReadyTls(None)),
        };
        let read =
            |path: &Path| fs::read(path).map_err(|source| TlsError::File { path: path.to_owned(), source });
        let (chain, secret) = (read(&certificate)?, read(&key)?);
        match RustlsConfig::from_pem(chain, secret).await {
            Ok(config) => Ok(ReadyTls(Some(config))),
            Err(source) => Err(TlsError::Pair { certificate, key, source }),
        }
    }
}

/// The certificate and key in the folder; both are made when they are not there, with a CA in `ca.pem`.
fn self_made(folder: &Path) -> Result<(PathBuf, PathBuf), TlsError> {
    let (certificate, key) = (folder.join("server.pem"), folder.join("server.key"));
    if certificate.is_file() && key.is_file() {
        return Ok((certificate, key));
    }
    fs::create_dir_all(folder).map_err(|source| TlsError::File { path: folder.to_owned(), source })?;
    let mut ca = CertificateParams::new(Vec::<String>::new()).map_err(TlsError::Make)?;
    ca.distinguished_name.push(DnType::CommonName, "Usher local CA");
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_key = KeyPair::generate().map_err(TlsError::Make)?;
    let ca_certificate = ca.self_signed(&ca_key).map_err(TlsError::Make)?;
    let issuer = Issuer::new(ca, ca_key);

    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if let Ok(name) = fs::read_to_string("/etc/hostname")
        && !name.trim().is_empty()
    {
        names.push(name.trim().to_owned());
    }
    let mut server = CertificateParams::new(names).map_err(TlsError::Make)?;
    server.distinguished_name.push(DnType::CommonName, "Usher");
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let server_key = KeyPair::generate().map_err(TlsError::Make)?;
    let server_certificate = server.signed_by(&server_key, &issuer).map_err(TlsError::Make)?;

    // The CA's key is not kept: nothing else is ever signed with it.
    write(&folder.join("ca.pem"), &ca_certificate.pem(), 0o644)?;
    write(&key, &server_key.serialize_pem(), 0o600)?;
    write(&certificate, &server_certificate.pem(), 0o644)?;
    Ok((certificate, key))
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), TlsError> {
    let failed = |source| TlsError::File { path: path.to_owned(), source };
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(mode);
    }
    #[cfg(not(unix))]
    let _ = mode;
    options.open(path).and_then(|mut file| file.write_all(text.as_bytes())).map_err(failed)
}
