//! Workers of Workday: 80 XPath expressions over a page beside a bare parse of the same page, and memory over 100,000
//! workers beside 1,000. The double serves them from a process of its own. Prints ratios; asserts nothing of time.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::civil::date;
use usher_connectors::workday::{Attributes, PageError, read};
use usher_connectors::{AllConnectors, HttpOptions};
use usher_core::ports::{Connector, ConnectorSettings, Connectors, ReadRequest, Watermark};
use usher_core::schema::DirectoryDefinition;
use usher_core::{Secret, templates};
use usher_sandbox::workday::{Fields, Workday, WorkdayOptions};
use usher_testkit::{ManualClock, MemoryStore};

/// The largest page.
const PAGE: usize = 999;
/// How often a page is read.
const ROUNDS: u32 = 10;
const NOW: &str = "2026-03-02T20:00:00Z";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let after = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1)
    };
    // The double is reached without TLS, but clients want a provider all the same.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    if let Some(count) = after("double") {
        runtime.block_on(serve(count.parse().expect("a number of workers")));
    } else if let Some(address) = after("memory") {
        runtime.block_on(memory(address));
    } else {
        runtime.block_on(measure());
    }
}

async fn measure() {
    let few = Double::start(1_000);
    let page = page(&few.address).await;
    let definition = definition();
    let workers = definition.object("Worker").expect("the template has workers");
    let attributes = Attributes::of_object(workers).expect("the expressions of the template are good");
    let count = attributes.expressions().count();
    let text = std::str::from_utf8(&page).expect("it is text");
    let parse = per_round(|| drop(roxmltree::Document::parse(text).expect("it is XML")));
    let mut values = 0;
    let ours = per_round(|| {
        read(&page, |worker| {
            let found = attributes.all(worker).expect("the expressions fit");
            values += found.values().map(Vec::len).sum::<usize>();
            Ok::<(), PageError>(())
        })
        .expect("the page can be read");
    });
    let rate = |took: Duration| PAGE as f64 / took.as_secs_f64();
    println!(
        "a page of {PAGE} workers, {} KiB; {count} XPath expressions give {:.1} values of a worker",
        page.len() / 1024,
        values as f64 / f64::from(ROUNDS) / PAGE as f64
    );
    println!("read and mapped: {:.0} workers a second", rate(ours));
    println!("bare parse of the same page: {:.0} workers a second", rate(parse));
    println!("ratio: {:.2} times the bare parse", ours.as_secs_f64() / parse.as_secs_f64());
    let small = spawn_memory(&few);
    drop(few);
    let large = spawn_memory(&Double::start(100_000));
    println!("ratio of peak memory, 100,000 workers to 1,000: {:.2}", large / small);
}

fn per_round(mut one: impl FnMut()) -> Duration {
    one();
    let began = Instant::now();
    (0..ROUNDS).for_each(|_| one());
    began.elapsed() / ROUNDS
}

/// What the template of Workday says of workers.
fn definition() -> DirectoryDefinition {
    let schema = templates::find("Workday2AAD").expect("the template is there").schema();
    let name = &schema.synchronization_rules[0].source_directory_name;
    schema.directory(name).expect("the rule has a source").clone()
}

/// Memory is measured in a process of its own. Gives the peak in KiB.
fn spawn_memory(double: &Double) -> f64 {
    let program = std::env::current_exe().expect("the program knows where it is");
    let told = Command::new(program).args(["memory", &double.address]).output().expect("the program starts");
    assert!(told.status.success(), "the measurement failed: {}", String::from_utf8_lossy(&told.stderr));
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let (line, peak) = told.trim().rsplit_once('\n').expect("it tells a line and a number");
    println!("{line}");
    peak.parse().expect("it is a number")
}

/// Reads all workers, page after page, and keeps none.
async fn memory(address: &str) {
    let mut settings = ConnectorSettings::default();
    for (key, value) in [
        ("BaseAddress", address),
        ("UserName", "isu_usher@acme"),
        ("Password", "secret"),
        ("WorkersPerPage", &PAGE.to_string()),
    ] {
        settings.set(key, Secret::new(value));
    }
    let definition = definition();
    let workers = definition.object("Worker").expect("the template has workers");
    let attributes = workers.attributes.iter().map(|attribute| attribute.name.as_str().into()).collect();
    settings.set_directory(Arc::new(definition));
    let clock = Arc::new(ManualClock::at(now()));
    let http = HttpOptions::default();
    let all = AllConnectors::new(Arc::new(MemoryStore::default()), clock, http).expect("good options");
    let connector: Arc<dyn Connector> = all.build("workday", &settings).expect("good settings");
    let mut request = ReadRequest {
        object_type: "Worker".into(),
        attributes,
        application: None,
        since: None,
        until: Watermark(NOW.into()),
        cursor: None,
    };
    let before = peak();
    let began = Instant::now();
    let mut count = 0;
    loop {
        let page = connector.read(&request).await.expect("the page is read");
        count += page.objects.len();
        request.cursor = page.next;
        if request.cursor.is_none() {
            break;
        }
    }
    let peak = peak();
    println!(
        "{count} workers, {PAGE} a page, in {:.1} s: {} MiB at most, {} MiB before",
        began.elapsed().as_secs_f64(),
        peak / 1024,
        before / 1024
    );
    println!("{peak}");
}

/// The most memory that the process had, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

fn now() -> Timestamp {
    NOW.parse().expect("an instant")
}

/// The double, in a process of its own.
struct Double {
    process: Child,
    address: String,
}

impl Double {
    fn start(count: usize) -> Self {
        let program = std::env::current_exe().expect("the program knows where it is");
        let mut command = Command::new(program);
        command.args(["double", &count.to_string()]).stdout(Stdio::piped());
        let mut process = command.spawn().expect("the program starts");
        let output = process.stdout.take().expect("it has an output");
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).expect("it says its address");
        Self { process, address: line.trim().to_owned() }
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A tenant full of workers. Ends when it is killed.
async fn serve(count: usize) {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let running =
        Workday::start(WorkdayOptions::new("acme", "secret"), anywhere).await.expect("a port is free");
    let workday = running.workday();
    workday.organisation("exec", "Executive Office", None, Some("w0"));
    workday.organisation("sales", "Sales", Some("exec"), Some("w1"));
    for number in 0..count {
        // Looks for no other profile of the id, which would take long in a large tenant.
        workday.duplicate(&format!("w{number}"), now(), date(2022, 1, 1), worker(number));
    }
    println!("{}", running.address("v43.0"));
    std::future::pending::<()>().await;
}

fn worker(number: usize) -> Fields {
    let texts = [
        ("first_name", "Wanda".to_owned()),
        ("last_name", format!("Worker{number}")),
        ("title", "Clerk".to_owned()),
        ("organisation", "sales".to_owned()),
        ("company", "Acme".to_owned()),
        ("city", "Austin".to_owned()),
        ("country", "US".to_owned()),
        ("address", "1 Main Street".to_owned()),
        ("postal_code", "73301".to_owned()),
        ("region", "Texas".to_owned()),
        ("locale", "en_US".to_owned()),
        ("email", format!("w{number}@acme.example")),
        ("phone", "5550100".to_owned()),
        ("mobile", "5550101".to_owned()),
        ("user_name", format!("w{number}")),
    ];
    texts.into_iter().collect()
}

/// A whole page as the double writes it.
async fn page(address: &str) -> Vec<u8> {
    const SECURITY: &str =
        "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
    const TEXT: &str =
        "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText";
    let groups: String = [
        "Include_Reference",
        "Include_Personal_Information",
        "Include_Employment_Information",
        "Include_Organizations",
        "Include_Roles",
        "Include_Management_Chain_Data",
        "Include_User_Account",
        "Include_Account_Provisioning",
    ]
    .iter()
    .map(|flag| format!("<wd:{flag}>1</wd:{flag}>"))
    .collect();
    let body = format!(
        "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:wd=\"urn:com.workday/bsvc\"><e:Header>\
         <s:Security xmlns:s=\"{SECURITY}\" e:mustUnderstand=\"1\"><s:UsernameToken><s:Username>isu_usher@acme\
         </s:Username><s:Password Type=\"{TEXT}\">secret</s:Password></s:UsernameToken></s:Security></e:Header><e:Body>\
         <wd:Get_Workers_Request wd:version=\"v43.0\"><wd:Response_Filter><wd:As_Of_Effective_Date>{NOW}\
         </wd:As_Of_Effective_Date><wd:As_Of_Entry_DateTime>{NOW}</wd:As_Of_Entry_DateTime><wd:Count>{PAGE}</wd:Count>\
         </wd:Response_Filter><wd:Response_Group>{groups}</wd:Response_Group></wd:Get_Workers_Request></e:Body>\
         </e:Envelope>"
    );
    let client =
        reqwest::Client::builder().timeout(Duration::from_secs(60)).build().expect("a client is made");
    let request = client.post(address).header("content-type", "text/xml; charset=UTF-8").body(body);
    let answer = request.send().await.expect("the double answers");
    assert!(answer.status().is_success(), "{}", answer.text().await.expect("it is text"));
    answer.bytes().await.expect("it is whole").to_vec()
}
