//! The only place that speaks HTTP: the Graph API, its tokens and its errors.

mod access;
mod audit;
mod batch;
mod bootstrap;
mod call;
mod describe;
mod directory_roles;
mod errors;
mod exchanges;
mod filter;
mod fit;
mod graph;
mod keys;
mod listen;
mod masking;
mod odata;
mod path;
mod pipeline;
mod server;
mod throttle;
mod tls;
mod token;
mod verified;

pub use access::{KeySource, OutsideIssuer, OutsideIssuerError};
pub use bootstrap::{FirstCredential, bootstrap};
pub use describe::description;
pub use exchanges::Exchanges;
pub use graph::types::{Form, Members, Type, all as types};
pub use graph::{Gives, Operation, operations};
pub use masking::mask;
pub use server::{Server, ServerOptions};
pub use tls::{ReadyTls, Tls, TlsError};
