//! The only place that speaks HTTP: the Graph API, its tokens and its errors.

mod access;
mod bootstrap;
mod call;
mod errors;
mod filter;
mod graph;
mod keys;
mod odata;
mod path;
mod server;
mod throttle;
mod tls;
mod token;

pub use access::{OutsideIssuer, OutsideIssuerError};
pub use bootstrap::{FirstCredential, bootstrap};
pub use graph::{Operation, operations};
pub use server::{Server, ServerOptions};
pub use tls::{Tls, TlsError};
