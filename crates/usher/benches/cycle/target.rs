//! Targets to measure against: a SCIM service that does next to nothing, over real HTTP, and one that is nowhere.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use usher_core::ports::{
    Capabilities, Connector, ConnectorError, Entitlement, GetRequest, MatchQuery, Page, PreparedRequest,
    ReadRequest, SubjectRequest, Watermark, Written,
};
use usher_core::schema::DirectoryDefinition;
use usher_core::{Anchor, DirectoryObject, EntryId, Operation};

/// What the capped part of the service takes in a second.
const CAP: f64 = 100.0;

#[derive(Default)]
struct State {
    names: HashMap<String, usize>,
    bodies: Vec<Value>,
    taken: u64,
    refused: u64,
    /// What is left of the budget, and since when.
    budget: Option<(f64, Instant)>,
}

impl State {
    /// A budget that fills up steadily; a tenth of a second's worth may come at once.
    fn takes(&mut self) -> bool {
        let now = Instant::now();
        let (left, since) = self.budget.unwrap_or((CAP / 10.0, now));
        let left = (left + now.duration_since(since).as_secs_f64() * CAP).min(CAP / 10.0);
        let takes = left >= 1.0;
        self.budget = Some((if takes { left - 1.0 } else { left }, now));
        takes
    }

    fn answer(&mut self, method: &str, path: &str, body: &[u8]) -> (u16, Value) {
        match path {
            "/reset" => {
                *self = Self::default();
                return (200, json!({}));
            }
            "/bodies" => return (200, json!({ "value": self.bodies })),
            "/counts" => return (200, json!({ "taken": self.taken, "refused": self.refused })),
            _ => {}
        }
        if path.starts_with("/scim/capped") && !self.takes() {
            self.refused += 1;
            return (429, json!({}));
        }
        self.taken += 1;
        if method == "GET" {
            let name = path.split("%22").nth(1).unwrap_or_default().replace("%40", "@");
            let found =
                self.names.get(&name).map(|place| json!({ "id": place.to_string(), "userName": name }));
            let resources: Vec<Value> = found.into_iter().collect();
            return (
                200,
                json!({
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
                    "totalResults": resources.len(), "itemsPerPage": resources.len(), "startIndex": 1,
                    "Resources": resources,
                }),
            );
        }
        let mut made: Value = serde_json::from_slice(body).unwrap_or_default();
        let place = self.bodies.len();
        self.names.insert(made["userName"].as_str().unwrap_or_default().to_owned(), place);
        self.bodies.push(made.clone());
        made["id"] = place.to_string().into();
        (201, made)
    }
}

/// Serves until it is killed; says its address first.
pub async fn serve() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
    println!("http://{}/scim", listener.local_addr().expect("the listener has an address"));
    let state = Arc::new(Mutex::new(State::default()));
    while let Ok((stream, _)) = listener.accept().await {
        let state = state.clone();
        tokio::spawn(async move {
            // A caller that hangs up is no matter.
            let _ = converse(stream, &state).await;
        });
    }
}

async fn converse(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let mut words = line.split_whitespace();
        let method = words.next().unwrap_or_default().to_owned();
        let path = words.next().unwrap_or_default().to_owned();
        let mut length = 0;
        loop {
            line.clear();
            reader.read_line(&mut line).await?;
            let header = line.trim_end();
            if header.is_empty() {
                break;
            }
            if let Some((name, value)) = header.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).await?;
        let (status, answer) = state.lock().expect("nobody panics with it").answer(&method, &path, &body);
        let answer = answer.to_string();
        let reply = format!(
            "HTTP/1.1 {status} -\r\ncontent-type: application/scim+json\r\nretry-after: 1\r\ncontent-length: {}\r\n\r\n{answer}",
            answer.len()
        );
        writer.write_all(reply.as_bytes()).await?;
    }
}

/// A target that takes everything and keeps nothing.
#[derive(Default)]
pub struct Nowhere {
    made: AtomicU64,
    capabilities: Capabilities,
}

#[async_trait]
impl Connector for Nowhere {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn check(&self, _: &MatchQuery) -> Result<(), ConnectorError> {
        Ok(())
    }

    async fn discover(&self) -> Result<DirectoryDefinition, ConnectorError> {
        Ok(DirectoryDefinition::default())
    }

    async fn watermark(&self, _: &str) -> Result<Watermark, ConnectorError> {
        Ok(Watermark("0".into()))
    }

    async fn read(&self, _: &ReadRequest) -> Result<Page, ConnectorError> {
        Ok(Page::default())
    }

    async fn subject(&self, _: &SubjectRequest) -> Result<Option<DirectoryObject>, ConnectorError> {
        Ok(None)
    }

    async fn entitlement(
        &self,
        _: &DirectoryObject,
        _: &EntryId,
    ) -> Result<Option<Entitlement>, ConnectorError> {
        Ok(None)
    }

    async fn get(&self, _: &GetRequest) -> Result<Option<DirectoryObject>, ConnectorError> {
        Ok(None)
    }

    async fn find(&self, _: &MatchQuery) -> Result<Vec<DirectoryObject>, ConnectorError> {
        Ok(Vec::new())
    }

    async fn write(&self, _: &Operation) -> Result<Written, ConnectorError> {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        Ok(Written::whole(Anchor::new(format!("{number:010}"))))
    }

    fn preview(&self, _: &Operation) -> Vec<PreparedRequest> {
        Vec::new()
    }
}
