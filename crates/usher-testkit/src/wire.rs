//! What goes over the wire: a forwarder before a server, which keeps every request that passes. What a connector says
//! that it sent is held against it. Where the wire is encrypted, the forwarder is the end of both halves.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Buf, BytesMut};
use ldap3_proto::LdapCodec;
use ldap3_proto::proto::{LdapModify, LdapModifyType, LdapOp};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use serde_json::{Map, Value as Json, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tokio_util::codec::Decoder;

use crate::servers::tls::Certificate;

/// What is spoken, within TLS or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1.
    Http,
    /// LDAP.
    Ldap,
}

/// A request as it was on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The HTTP method, or the verb of LDAP.
    pub method: String,
    /// Path and query, or the name of the entry.
    pub path: String,
    /// The headers of HTTP, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body of HTTP; what LDAP asks for in the form in which plans tell it.
    pub body: Option<String>,
}

impl Sent {
    /// The value of a header; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

type Kept = Arc<Mutex<Vec<Result<Sent, String>>>>;

/// Both halves of an encrypted wire.
struct Tls {
    client: TlsAcceptor,
    server: TlsConnector,
    /// Whom the server's certificate must name.
    name: ServerName<'static>,
}

/// The running forwarder. It ends when the value is dropped.
pub struct Wire {
    address: SocketAddr,
    authority: Option<String>,
    kept: Kept,
    task: JoinHandle<()>,
}

impl Wire {
    /// A forwarder on loopback before a server.
    ///
    /// # Errors
    /// There is no free port.
    pub async fn before(server: SocketAddr, protocol: Protocol) -> io::Result<Self> {
        Self::start(server, protocol, None, None).await
    }

    /// The same before a server that speaks TLS and that an authority (PEM) vouches for. For the forwarder another one
    /// vouches, which `authority` gives.
    ///
    /// # Errors
    /// There is no free port, or the authority's certificate cannot be used.
    pub async fn before_tls(server: SocketAddr, protocol: Protocol, authority: &str) -> io::Result<Self> {
        let own = Certificate::new(Ipv4Addr::LOCALHOST.into())?;
        let tls = Tls::new(server, authority, &own)?;
        Self::start(server, protocol, Some(Arc::new(tls)), Some(own.authority)).await
    }

    async fn start(
        server: SocketAddr,
        protocol: Protocol,
        tls: Option<Arc<Tls>>,
        authority: Option<String>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let kept = Kept::default();
        let task = tokio::spawn(forward(listener, server, protocol, tls, kept.clone()));
        Ok(Self { address, authority, kept, task })
    }

    /// The certificate of the authority that vouches for it, PEM, where it speaks TLS.
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The requests since this was asked last, in the order in which they were complete; those that only read are not
    /// among them where LDAP is spoken.
    ///
    /// # Panics
    /// When something was not of the protocol.
    pub fn sent(&self) -> Vec<Sent> {
        let kept = std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner));
        let read = kept.into_iter().collect::<Result<_, _>>();
        read.unwrap_or_else(|what| panic!("the wire had something else: {what}"))
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Tls {
    fn new(server: SocketAddr, authority: &str, own: &Certificate) -> io::Result<Self> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let certificate =
            |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).map_err(io::Error::other);
        let key = PrivateKeyDer::from_pem_slice(own.key.as_bytes()).map_err(io::Error::other)?;
        let mut roots = RootCertStore::empty();
        roots.add(certificate(authority)?).map_err(io::Error::other)?;
        let client = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let accepts = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate(&own.certificate)?], key)
            .map_err(io::Error::other)?;
        Ok(Self {
            client: TlsAcceptor::from(Arc::new(accepts)),
            server: TlsConnector::from(Arc::new(client)),
            name: ServerName::IpAddress(server.ip().into()),
        })
    }
}

async fn forward(
    listener: TcpListener,
    server: SocketAddr,
    protocol: Protocol,
    tls: Option<Arc<Tls>>,
    kept: Kept,
) {
    while let Ok((client, _)) = listener.accept().await {
        let (tls, kept) = (tls.clone(), kept.clone());
        tokio::spawn(async move {
            let Some(tls) = tls else {
                return pass(client, TcpStream::connect(server).await?, protocol, kept).await;
            };
            let client = tls.client.accept(client).await?;
            let server = tls.server.connect(tls.name.clone(), TcpStream::connect(server).await?).await?;
            pass(client, server, protocol, kept).await
        });
    }
}

/// One connection. What cannot be passed on is the end of it, as it would be without us.
async fn pass<C, S>(client: C, server: S, protocol: Protocol, kept: Kept) -> io::Result<()>
where
    C: AsyncRead + AsyncWrite + Send + 'static,
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let (mut from_server, mut to_server) = split(server);
    let (mut from_client, mut to_client) = split(client);
    let back = tokio::spawn(async move {
        let copied = copy(&mut from_server, &mut to_client).await;
        to_client.shutdown().await.and(copied)
    });
    let mut reader =
        Reader { protocol, codec: LdapCodec::new(Some(16 << 20), None), unread: BytesMut::new() };
    let mut bytes = vec![0; 64 << 10];
    loop {
        let read = from_client.read(&mut bytes).await?;
        if read == 0 {
            break;
        }
        reader.unread.extend_from_slice(&bytes[..read]);
        // Kept before it is passed on: whoever has the answer finds the request here.
        loop {
            let next = reader.next();
            let is_last = matches!(next, Ok(None) | Err(_));
            let next = match next {
                Ok(None) => break,
                Ok(Some(next)) => next.map(Ok),
                Err(error) => Some(Err(error.to_string())),
            };
            kept.lock().unwrap_or_else(PoisonError::into_inner).extend(next);
            if is_last {
                break;
            }
        }
        to_server.write_all(&bytes[..read]).await?;
    }
    to_server.shutdown().await?;
    let _ = back.await;
    Ok(())
}

struct Reader {
    protocol: Protocol,
    codec: LdapCodec,
    unread: BytesMut,
}

impl Reader {
    /// The next message; `None` when it is not complete yet, `Some(None)` when it is none that changes anything.
    fn next(&mut self) -> io::Result<Option<Option<Sent>>> {
        match self.protocol {
            Protocol::Http => Ok(http(&mut self.unread)?.map(Some)),
            Protocol::Ldap => Ok(self.codec.decode(&mut self.unread)?.map(|message| ldap(message.op))),
        }
    }
}

/// The next request of HTTP/1.1.
fn http(unread: &mut BytesMut) -> io::Result<Option<Sent>> {
    let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let Some(end) = unread.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&unread[..end]).map_err(|_| wrong("a head that is no text"))?;
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(path), Some("HTTP/1.1"), None) =
        (first.next(), first.next(), first.next(), first.next())
    else {
        return Err(wrong("a first line that is not of HTTP/1.1"));
    };
    let headers = lines
        .map(|line| {
            let (name, value) = line.split_once(':').ok_or_else(|| wrong("a line that is no header"))?;
            Ok((name.to_ascii_lowercase(), value.trim().to_owned()))
        })
        .collect::<io::Result<Vec<_>>>()?;
    let mut sent = Sent { method: method.to_owned(), path: path.to_owned(), headers, body: None };
    if sent.header("transfer-encoding").is_some() {
        return Err(wrong("a body whose length is not told"));
    }
    let length = match sent.header("content-length") {
        Some(text) => text.parse().map_err(|_| wrong("a length that is no number"))?,
        None => 0,
    };
    let start = end + 4;
    if unread.len() < start + length {
        return Ok(None);
    }
    if length > 0 {
        let body = unread[start..start + length].to_vec();
        sent.body = Some(String::from_utf8(body).map_err(|_| wrong("a body that is no text"))?);
    }
    unread.advance(start + length);
    Ok(Some(sent))
}

/// A request that changes something, in the form in which plans tell it.
fn ldap(op: LdapOp) -> Option<Sent> {
    let (method, path, body) = match op {
        LdapOp::AddRequest(add) => {
            let attributes = add.attributes.iter();
            let body: Map<String, Json> =
                attributes.map(|one| (one.atype.clone(), texts(&one.vals))).collect();
            ("ADD", add.dn, Some(Json::Object(body)))
        }
        LdapOp::ModifyRequest(modify) => {
            let body: Vec<Json> = modify.changes.iter().map(edit).collect();
            ("MODIFY", modify.dn, Some(Json::Array(body)))
        }
        LdapOp::ModifyDNRequest(rename) => {
            let mut body = Map::new();
            body.insert("newrdn".to_owned(), json!(rename.newrdn));
            body.insert("deleteoldrdn".to_owned(), json!(rename.deleteoldrdn));
            if let Some(container) = rename.new_superior {
                body.insert("newsuperior".to_owned(), json!(container));
            }
            ("MODDN", rename.dn, Some(Json::Object(body)))
        }
        LdapOp::DelRequest(name) => ("DELETE", name, None),
        _ => return None,
    };
    let body = body.map(|body| body.to_string());
    Some(Sent { method: method.to_owned(), path, headers: Vec::new(), body })
}

fn edit(change: &LdapModify) -> Json {
    let verb = match change.operation {
        LdapModifyType::Add => "add",
        LdapModifyType::Delete => "delete",
        LdapModifyType::Replace => "replace",
        LdapModifyType::Increment => "increment",
    };
    json!({ verb: change.modification.atype, "values": texts(&change.modification.vals) })
}

fn texts(values: &[Vec<u8>]) -> Json {
    let text = |bytes: &Vec<u8>| match std::str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!({ "base64": STANDARD.encode(bytes) }),
    };
    values.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_however_they_are_cut() {
        let text = "POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n{\"\"}GET / HTTP/1.1\r\n\r\n";
        for cut in 0..text.len() {
            let mut unread = BytesMut::from(&text.as_bytes()[..cut]);
            let mut read = Vec::new();
            for rest in [&text.as_bytes()[cut..], b""] {
                while let Some(sent) = http(&mut unread).expect("it is HTTP") {
                    read.push(format!("{} {} {:?}", sent.method, sent.path, sent.body));
                }
                unread.extend_from_slice(rest);
            }
            assert_eq!(read, ["POST /a?b=c Some(\"{\\\"\\\"}\")", "GET / None"], "cut at {cut}");
        }
        for wrong in ["\x16\x03\x01\r\n\r\n", "GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nx\r\n\r\n"] {
            assert!(http(&mut BytesMut::from(wrong)).is_err(), "{wrong:?}");
        }
    }
}
