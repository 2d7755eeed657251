//! What servers of LDAP have in common: a folder that is thrown away, a process, the moment when it answers, and the
//! tools that fill it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};

use super::{START_LIMIT, VARIABLE, tail};

/// A search for the root entry, as it goes over the wire (RFC 4511 §4.5.1).
const ROOT_SEARCH: &[u8] = &[
    0x30, 0x25, 0x02, 0x01, 0x01, 0x63, 0x20, 0x04, 0x00, 0x0a, 0x01, 0x00, 0x0a, 0x01, 0x00, 0x02, 0x01,
    0x00, 0x02, 0x01, 0x00, 0x01, 0x01, 0x00, 0x87, 0x0b, b'o', b'b', b'j', b'e', b'c', b't', b'C', b'l',
    b'a', b's', b's', 0x30, 0x00,
];

/// The folder that the servers are installed in.
pub(super) fn installed() -> io::Result<PathBuf> {
    std::env::var_os(VARIABLE).map(PathBuf::from).ok_or_else(|| {
        io::Error::other(format!("{VARIABLE} is not set: run `cargo xtask test`, which installs the servers"))
    })
}

/// A number that no other server of this process has.
pub(super) fn number() -> u32 {
    static STARTED: AtomicU32 = AtomicU32::new(0);
    STARTED.fetch_add(1, Ordering::Relaxed)
}

/// A running process in a folder of its own. It ends, and the folder goes, when the value is dropped.
pub(super) struct Process {
    pub(super) folder: PathBuf,
    child: Option<Child>,
}

impl Process {
    /// A new folder below the installed servers; nothing runs yet.
    pub(super) fn new(name: &str, number: u32) -> io::Result<Self> {
        let folder = installed()?.join("run").join(format!("{name}-{}-{number}", std::process::id()));
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        if let Some(above) = folder.parent() {
            fs::create_dir_all(above)?;
        }
        Ok(Self { folder, child: None })
    }

    /// Starts a command, and returns when LDAP is answered at an address.
    pub(super) async fn start(&mut self, mut command: Command, address: SocketAddr) -> io::Result<()> {
        let log = self.folder.join("output");
        let output = File::options().create(true).append(true).open(&log)?;
        let child = command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).spawn()?;
        let child = self.child.insert(child);
        match timeout(START_LIMIT, until_ready(child, address)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(io::Error::new(error.kind(), format!("{error}; it said: {}", tail(&log)))),
            Err(_) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("no answer from {address} in {START_LIMIT:?}; it said: {}", tail(&log)),
            )),
        }
    }

    /// Ends the process at once, as a crash would.
    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // A child that is gone already needs neither.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

async fn until_ready(child: &mut Child, address: SocketAddr) -> io::Result<()> {
    let mut ticks = interval(Duration::from_millis(20));
    loop {
        ticks.tick().await;
        if let Some(status) = child.try_wait()? {
            return Err(io::Error::other(format!("the server ended ({status})")));
        }
        if answers(address).await.unwrap_or(false) {
            return Ok(());
        }
    }
}

async fn answers(address: SocketAddr) -> io::Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(ROOT_SEARCH).await?;
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).await?;
    Ok(answer[0] == 0x30)
}

/// Runs a tool with text for its input. What it prints is given back.
pub(super) fn tool(command: &mut Command, input: &str) -> io::Result<String> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().ok_or_else(|| io::Error::other("the tool takes no input"))?;
    let text = input.to_owned();
    let writing = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output()?;
    let _ = writing.join();
    if !output.status.success() {
        let program = command.get_program().to_string_lossy().into_owned();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(io::Error::other(format!("{program} failed ({}): {said}", output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Copies a folder with all that is in it.
pub(super) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy(&entry.path(), &target)?;
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path())?, target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), target)?;
        }
    }
    fs::set_permissions(to, fs::metadata(from)?.permissions())
}
