//! Clients that nobody of us wrote: Microsoft's Graph SDK and identity library, and schemathesis, all over TLS.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command};

use tempfile::TempDir;
use usher::profile::{Profile, ProfileCredential};
use usher_sandbox::{Options, Sandbox};

use crate::local::{profile, serve_with};
use crate::world::{Ran, finish};

/// A service of its own, over TLS with a certificate it made itself.
struct Service {
    child: Child,
    profile: Profile,
    folder: TempDir,
}

impl Service {
    fn start(options: &[&str]) -> Self {
        let folder = TempDir::new().expect("a folder can be made");
        let data = folder.path().join("data");
        let child = serve_with(&data, options);
        Self { child, profile: profile(&data), folder }
    }

    fn ca(&self) -> String {
        self.folder.path().join("data/tls/ca.pem").display().to_string()
    }

    /// Runs a Python program of ours with the way to the service, and more words.
    async fn python(&self, name: &str, more: &[&str]) -> Ran {
        let ProfileCredential::ClientSecret { client_id, secret } = &self.profile.credential else {
            panic!("the first credential is a secret");
        };
        let file = format!("{}/tests/clients/{name}", env!("CARGO_MANIFEST_DIR"));
        let ca = self.ca();
        let mut words =
            vec![file.as_str(), &self.profile.address, &self.profile.tenant, client_id, secret.expose(), &ca];
        words.extend(more);
        run(client("python"), words.into_iter().map(str::to_owned).collect()).await
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // A service that is gone already needs neither.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program of the virtual environment for clients.
fn client(name: &str) -> Command {
    let servers = std::env::var_os(usher_testkit::servers::VARIABLE)
        .expect("`cargo xtask test` installs the clients and says where");
    let mut command = Command::new(PathBuf::from(servers).join("clients/bin").join(name));
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

async fn run(mut command: Command, words: Vec<String>) -> Ran {
    command.args(words);
    tokio::task::spawn_blocking(move || finish(command, "")).await.expect("it runs")
}

#[tokio::test(flavor = "multi_thread")]
async fn microsoft_s_own_packages_do_the_whole_story() {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let application = Sandbox::start(Options::new("t"), anywhere).await.expect("the sandbox starts");
    let service = Service::start(&[]);
    let ran = service.python("story.py", &[&application.base_address(), "t"]).await;
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
    assert!(ran.out.ends_with("a person is deleted and restored\n"), "the story is not whole: {}", ran.out);
}

/// Requests made from the service's own description, right and wrong ones: it never fails inside, and every answer is
/// one that the description promises. Whether a request that fits the description succeeds also depends on what is
/// there, which no description says, so that one check is left out; so is the one for methods that are not described,
/// which Graph answers with 400 and not with 405 where the path is unknown for this method.
#[tokio::test(flavor = "multi_thread")]
async fn no_request_made_from_the_description_is_answered_in_another_way() {
    let service = Service::start(&["--on-demand-limit", "1000000"]);
    let token = service.python("sign_in.py", &[]).await;
    assert_eq!(token.code, 0, "{}", token.err);
    let header = format!("Authorization: Bearer {}", token.out.trim());
    let description = format!("{}/openapi.json", service.profile.address);
    let ca = service.ca();
    let words = [
        "run",
        &description,
        "--tls-verify",
        &ca,
        "--header",
        &header,
        "--include-path-regex",
        "^/v1\\.0",
        "--exclude-checks",
        "unsupported_method,positive_data_acceptance",
        "--phases",
        "examples,coverage,fuzzing",
        "--max-examples",
        "3",
        "--seed",
        "1",
        "--workers",
        "1",
        "--request-timeout",
        "30",
        "--continue-on-failure",
        "--no-color",
    ];
    let mut schemathesis = client("schemathesis");
    schemathesis.current_dir(service.folder.path());
    let ran = run(schemathesis, words.map(str::to_owned).to_vec()).await;
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
}
