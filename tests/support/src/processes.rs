//! Servers as child processes that never outlive their test.

use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

/// A command in a process group of its own, its output in a log file. Dropping it ends the whole group.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    #[track_caller]
    pub fn start(command: &mut Command, name: &str) -> Process {
        let log = scratch(name).join("output.log");
        let output = File::create(&log).unwrap();
        command.process_group(0).stdin(Stdio::piped()).stdout(output.try_clone().unwrap()).stderr(output);
        let child =
            command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}; `make live` installs what is needed"));
        Process { child, log }
    }

    /// Waits until it listens there.
    #[track_caller]
    pub fn wait_for_port(&mut self, address: SocketAddr) {
        self.wait_for("listens", |_| TcpStream::connect(address).is_ok().then_some(()));
    }

    /// Waits for something in its output.
    #[track_caller]
    pub fn wait_for<T>(&mut self, what: &str, look: impl Fn(&str) -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            let output = std::fs::read_to_string(&self.log).unwrap_or_default();
            if let Some(found) = look(&output) {
                return found;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && started.elapsed() < PATIENCE, "never {what} ({ended:?}):\n{output}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        for signal in ["-TERM", "-KILL"] {
            let _ = Command::new("kill")
                .args([signal, "--", &format!("-{}", self.child.id())])
                .stderr(Stdio::null())
                .status();
            let started = Instant::now();
            while started.elapsed() < Duration::from_secs(3) {
                if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                    return;
                }
                thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

/// An address on loopback that was free a moment ago.
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A folder of this test's own.
pub fn scratch(name: &str) -> PathBuf {
    let thread = format!("{:?}", thread::current().id()).replace(|c: char| !c.is_alphanumeric(), "");
    let folder = crate::scratch_folder().join(format!("{name}-{}-{thread}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// What `make live` sets; without it there is nothing to test, and that is a failure.
#[track_caller]
pub fn required(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("`{variable}` is not set: run `make live`"))
}
