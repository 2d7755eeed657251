//! A directory that misbehaves on request: what real domain controllers do some day, and cannot be made to do in a test.
//! It looks like Active Directory and knows binds, searches, and adds; no more than a test of failures needs.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::BytesMut;
use ldap3_proto::LdapCodec;
use ldap3_proto::control::LdapControl;
use ldap3_proto::proto::{
    LdapBindResponse, LdapExtendedResponse, LdapFilter, LdapMsg, LdapOp, LdapPartialAttribute, LdapResult,
    LdapResultCode, LdapSearchRequest, LdapSearchResultEntry, LdapSearchResultReference, LdapSearchScope,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::codec::{Decoder, Encoder};
use uuid::Uuid;

/// The domain.
const BASE: &str = "DC=corp,DC=example";
/// Where the schema is.
const SCHEMA: &str = "CN=Aggregate,CN=Schema,DC=corp,DC=example";
/// The longest message; a large group does not fit into the default.
const LONGEST: usize = 16 << 20;

/// What the directory does wrong. What is "once" happens once, and is over then.
#[derive(Clone, Debug, Default)]
pub struct Misbehaviour {
    /// Every bind is refused with this code and text.
    pub refuses_binds: Option<(i64, String)>,
    /// The most entries of a page, whatever is asked for (`MaxPageSize`).
    pub page_limit: Option<usize>,
    /// The most values of an attribute in one answer (`MaxValRange`).
    pub value_limit: Option<usize>,
    /// Once: the connection ends after so many entries of a page.
    pub cuts_after_entries: Option<usize>,
    /// Once: a write takes effect, and the connection ends in place of the answer.
    pub cuts_after_write: bool,
    /// Searches below the domain are answered with a referral to this address.
    pub refers_to: Option<String>,
    /// Searches below the domain tell that they go on at this address.
    pub goes_on_at: Option<String>,
    /// It is not Active Directory.
    pub is_plain: bool,
}

/// An entry: its name, and its attributes.
#[derive(Clone, Debug)]
struct Entry {
    name: String,
    attributes: Vec<(String, Vec<Vec<u8>>)>,
}

#[derive(Default)]
struct State {
    misbehaviour: Misbehaviour,
    entries: Vec<Entry>,
    writes: Vec<String>,
    page_sizes: Vec<usize>,
}

/// The running directory. It ends when the value is dropped.
pub struct LdapDouble {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl LdapDouble {
    /// A directory with an empty domain, on loopback and without TLS.
    ///
    /// # Errors
    /// There is no free port.
    pub async fn start(misbehaviour: Misbehaviour) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let is_plain = misbehaviour.is_plain;
        let state = Arc::new(Mutex::new(State { misbehaviour, ..State::default() }));
        let double = Self { address, state: state.clone(), task: tokio::spawn(serve(listener, state)) };
        let capability = if is_plain { "" } else { "1.2.840.113556.1.4.800" };
        double.put(
            "",
            &[
                ("defaultNamingContext", &[BASE]),
                ("namingContexts", &[BASE]),
                ("subschemaSubentry", &[SCHEMA]),
                ("supportedCapabilities", &[capability]),
            ],
        );
        let member = "( 2.5.4.31 NAME 'member' SYNTAX '1.3.6.1.4.1.1466.115.121.1.12' )";
        double.put(SCHEMA, &[("attributeTypes", &[member])]);
        Ok(double)
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("ldap://{}", self.address)
    }

    /// Adds an entry as somebody else would.
    pub fn put(&self, name: &str, attributes: &[(&str, &[&str])]) {
        let attributes = attributes
            .iter()
            .map(|(name, values)| {
                ((*name).to_owned(), values.iter().map(|value| value.as_bytes().to_vec()).collect())
            })
            .collect();
        self.state().add(name.to_owned(), attributes);
    }

    /// Changes what it does wrong.
    pub fn misbehave(&self, misbehaviour: Misbehaviour) {
        self.state().misbehaviour = misbehaviour;
    }

    /// The writes that took effect, in order.
    pub fn writes(&self) -> Vec<String> {
        self.state().writes.clone()
    }

    /// How many entries each page of each paged search had.
    pub fn page_sizes(&self) -> Vec<usize> {
        self.state().page_sizes.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Drop for LdapDouble {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = state.clone();
        // A client that goes, or says nonsense, ends its own connection only.
        tokio::spawn(async move { drop(talk(stream, &state).await) });
    }
}

async fn talk(mut stream: TcpStream, state: &Mutex<State>) -> io::Result<()> {
    let mut codec = LdapCodec::new(Some(LONGEST), None);
    let mut received = BytesMut::new();
    loop {
        while let Some(message) = codec.decode(&mut received)? {
            let (answers, goes_on) = lock(state).answer(message);
            let mut sent = BytesMut::new();
            for answer in answers {
                codec.encode(answer, &mut sent)?;
            }
            stream.write_all(&sent).await?;
            if !goes_on {
                return stream.shutdown().await;
            }
        }
        if stream.read_buf(&mut received).await? == 0 {
            return Ok(());
        }
    }
}

impl State {
    fn add(&mut self, name: String, mut attributes: Vec<(String, Vec<Vec<u8>>)>) {
        // The relative name is an attribute of the entry, whether it was sent or not.
        let relative = name.split(',').next().and_then(|first| first.split_once('='));
        if let Some((naming, value)) = relative
            && !attributes.iter().any(|(known, _)| known.eq_ignore_ascii_case(naming))
        {
            attributes.push((naming.to_owned(), vec![value.as_bytes().to_vec()]));
        }
        // Numbers make ids that are the same in every run.
        let id = Uuid::from_u128(0x1000 + self.entries.len() as u128);
        attributes.push(("objectGUID".to_owned(), vec![id.to_bytes_le().to_vec()]));
        attributes.push(("entryUUID".to_owned(), vec![id.to_string().into_bytes()]));
        self.entries.push(Entry { name, attributes });
    }

    /// The answers, and whether the connection goes on.
    fn answer(&mut self, message: LdapMsg) -> (Vec<LdapMsg>, bool) {
        let msgid = message.msgid;
        let one = |op| (vec![LdapMsg { msgid, op, ctrl: Vec::new() }], true);
        match message.op {
            LdapOp::BindRequest(_) => {
                let refused = self.misbehaviour.refuses_binds.clone();
                let res = refused.map_or_else(success, |(code, text)| result(code, text));
                one(LdapOp::BindResponse(LdapBindResponse { res, saslcreds: None }))
            }
            // Of extended requests it knows none, StartTLS neither.
            LdapOp::ExtendedRequest(_) => one(LdapOp::ExtendedResponse(LdapExtendedResponse {
                res: result(2, "unknown extended request"),
                name: None,
                value: None,
            })),
            LdapOp::SearchRequest(search) => self.search(msgid, &search, &message.ctrl),
            LdapOp::AddRequest(add) => {
                let is_there = self.entries.iter().any(|entry| entry.name.eq_ignore_ascii_case(&add.dn));
                if is_there {
                    return one(LdapOp::AddResponse(result(68, "00000524: UpdErr: DSID-0, problem 6005")));
                }
                self.writes.push(format!("add {}", add.dn));
                let attributes = add.attributes.into_iter().map(|one| (one.atype, one.vals)).collect();
                self.add(add.dn, attributes);
                if std::mem::take(&mut self.misbehaviour.cuts_after_write) {
                    return (Vec::new(), false);
                }
                one(LdapOp::AddResponse(success()))
            }
            LdapOp::UnbindRequest => (Vec::new(), false),
            _ => (Vec::new(), true),
        }
    }

    fn search(
        &mut self,
        msgid: i32,
        search: &LdapSearchRequest,
        controls: &[LdapControl],
    ) -> (Vec<LdapMsg>, bool) {
        let plain = |op| LdapMsg { msgid, op, ctrl: Vec::new() };
        let is_below = search.scope != LdapSearchScope::Base;
        if let Some(address) = self.misbehaviour.refers_to.clone().filter(|_| is_below) {
            let referral = LdapResult { referral: vec![address], ..result(10, "0000202B: RefErr: DSID-0") };
            return (vec![plain(LdapOp::SearchResultDone(referral))], true);
        }
        let found: Vec<Entry> =
            self.entries.iter().filter(|entry| is_found(entry, search)).cloned().collect();
        if found.is_empty() && !is_below {
            let missing = result(32, "0000208D: NameErr: DSID-0, problem 2001 (NO_OBJECT)");
            return (vec![plain(LdapOp::SearchResultDone(missing))], true);
        }
        let paged = controls.iter().find_map(|control| match control {
            LdapControl::SimplePagedResults { size, cookie } => Some((*size, cookie.clone())),
            _ => None,
        });
        let (page, next) = match &paged {
            None => (found, Vec::new()),
            Some((size, cookie)) => {
                let from: usize =
                    std::str::from_utf8(cookie).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
                let asked = usize::try_from(*size).unwrap_or(usize::MAX);
                let size = asked.min(self.misbehaviour.page_limit.unwrap_or(usize::MAX));
                let page: Vec<Entry> = found.iter().skip(from).take(size).cloned().collect();
                let end = from + page.len();
                self.page_sizes.push(page.len());
                (page, if end < found.len() { end.to_string().into_bytes() } else { Vec::new() })
            }
        };
        let mut answers: Vec<LdapMsg> = page
            .iter()
            .map(|entry| plain(LdapOp::SearchResultEntry(self.shown(entry, &search.attrs))))
            .collect();
        if let Some(most) =
            self.misbehaviour.cuts_after_entries.take_if(|most| is_below && answers.len() > *most)
        {
            answers.truncate(most);
            return (answers, false);
        }
        if let Some(address) = self.misbehaviour.goes_on_at.clone().filter(|_| is_below) {
            let reference = LdapSearchResultReference { uris: vec![address] };
            answers.push(plain(LdapOp::SearchResultReference(reference)));
        }
        let ctrl = paged.map(|_| LdapControl::SimplePagedResults { size: 0, cookie: next });
        answers.push(LdapMsg {
            msgid,
            op: LdapOp::SearchResultDone(success()),
            ctrl: ctrl.into_iter().collect(),
        });
        (answers, true)
    }

    /// An entry with the attributes that are wanted, of long ones a range ([MS-ADTS] 3.1.1.3.1.3.3).
    fn shown(&self, entry: &Entry, wanted: &[String]) -> LdapSearchResultEntry {
        let most = self.misbehaviour.value_limit.unwrap_or(usize::MAX);
        let mut attributes = Vec::new();
        for (name, values) in &entry.attributes {
            let asked = wanted.iter().find(|asked| {
                let plain = asked.split(';').next().unwrap_or_default();
                plain == "*" || plain.eq_ignore_ascii_case(name)
            });
            let Some(asked) = asked else { continue };
            let from =
                asked.split_once(";range=").and_then(|(_, range)| range.split('-').next()?.parse().ok());
            if from.is_none() && values.len() <= most {
                attributes.push(LdapPartialAttribute { atype: name.clone(), vals: values.clone() });
                continue;
            }
            if from.is_none() {
                attributes.push(LdapPartialAttribute { atype: name.clone(), vals: Vec::new() });
            }
            let from: usize = from.unwrap_or(0);
            let vals: Vec<Vec<u8>> = values.iter().skip(from).take(most).cloned().collect();
            let end = from + vals.len();
            let last = if end >= values.len() { "*".to_owned() } else { (end - 1).to_string() };
            attributes.push(LdapPartialAttribute { atype: format!("{name};range={from}-{last}"), vals });
        }
        LdapSearchResultEntry { dn: entry.name.clone(), attributes }
    }
}

fn is_found(entry: &Entry, search: &LdapSearchRequest) -> bool {
    let (name, base) = (entry.name.to_lowercase(), search.base.to_lowercase());
    let by_id = base.strip_prefix("<guid=").and_then(|rest| Uuid::parse_str(rest.trim_end_matches('>')).ok());
    let is_base = match by_id {
        Some(id) => values(entry, "objectGUID").iter().any(|value| value == &id.to_bytes_le()),
        None => name == base,
    };
    let is_below = search.scope != LdapSearchScope::Base && name.ends_with(&format!(",{base}"));
    (is_base || is_below) && passes(entry, &search.filter)
}

fn passes(entry: &Entry, filter: &LdapFilter) -> bool {
    match filter {
        LdapFilter::And(all) => all.iter().all(|one| passes(entry, one)),
        LdapFilter::Or(any) => any.iter().any(|one| passes(entry, one)),
        LdapFilter::Not(one) => !passes(entry, one),
        LdapFilter::Present(name) => {
            name.eq_ignore_ascii_case("objectClass") || !values(entry, name).is_empty()
        }
        LdapFilter::Equality(name, value) => {
            values(entry, name).iter().any(|known| known.eq_ignore_ascii_case(value.as_bytes()))
        }
        _ => false,
    }
}

fn values<'e>(entry: &'e Entry, name: &str) -> &'e [Vec<u8>] {
    let found = entry.attributes.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map_or(&[], |(_, values)| values)
}

fn success() -> LdapResult {
    result(0, "")
}

fn result(code: i64, text: impl Into<String>) -> LdapResult {
    LdapResult {
        code: LdapResultCode::try_from(code).unwrap_or(LdapResultCode::Other),
        matcheddn: String::new(),
        message: text.into(),
        referral: Vec::new(),
    }
}
