//! What a running `authctl dev`, `authctl token` and the function under `cargo lambda watch` share: the keys, the address
//! and the files, in `.authctl/session.json`, which nobody but its owner can read.

use super::keys::Keys;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use serde_json::{Map, Value, json};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// The keys, and what the server was started with. It holds private keys, and so has no `Debug`.
pub(crate) struct Session {
    pub(crate) keys: Keys,
    /// What a caller of the playground's API must show.
    pub(crate) access_key: String,
    pub(crate) settings: Settings,
}

/// What `authctl dev` was started with.
#[derive(Clone, Default)]
pub(crate) struct Settings {
    /// The authorizer's configuration; without it where the authorizer looks for it.
    pub(crate) config: Option<PathBuf>,
    /// The file with the personas.
    pub(crate) tests: Option<PathBuf>,
    /// Variables of the function's environment. They may hold secrets.
    pub(crate) set: Vec<(String, String)>,
    /// Where the server listens on 127.0.0.1.
    pub(crate) port: u16,
}

impl Session {
    /// The session of this folder; a new one where there is none.
    ///
    /// # Errors
    /// What cannot be read, made or written, and a file that others can read.
    pub(crate) fn open(folder: &Path) -> Result<Self, String> {
        match Self::read(&folder.join(FILE))? {
            Some(session) => Ok(session),
            None => {
                let settings = Settings { port: DEFAULT_PORT, ..Settings::default() };
                let session = Self { keys: Keys::generate()?, access_key: access_key()?, settings };
                session.save(folder)?;
                Ok(session)
            }
        }
    }

    fn read(path: &Path) -> Result<Option<Self>, String> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("cannot read `{}`: {error}", path.display())),
        };
        let useless = |why: &str| format!("`{}` {why}: delete it, and new keys are made", path.display());
        if !is_private(&file).map_err(|error| useless(&error.to_string()))? {
            return Err(useless("can be read by others"));
        }
        let mut text = String::new();
        (&file).take(MAX_BYTES).read_to_string(&mut text).map_err(|error| useless(&error.to_string()))?;
        let session = serde_json::from_str(&text).ok().and_then(|json| Self::of_json(&json));
        session.map(Some).ok_or_else(|| useless("is no session of this version"))
    }

    fn of_json(json: &Value) -> Option<Self> {
        let path = |name| json.get(name).and_then(Value::as_str).map(PathBuf::from);
        let set = json.get("set")?.as_object()?.iter();
        Some(Self {
            keys: Keys::read(json.get("keys")?.as_object()?)?,
            access_key: json.get("access_key")?.as_str().filter(|key| !key.is_empty())?.to_owned(),
            settings: Settings {
                config: path("config"),
                tests: path("tests"),
                set: set
                    .map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
                    .collect::<Option<_>>()?,
                port: json.get("port")?.as_u64()?.try_into().ok()?,
            },
        })
    }

    /// Writes it, in one piece.
    ///
    /// # Errors
    /// What cannot be written.
    pub(crate) fn save(&self, folder: &Path) -> Result<(), String> {
        let Settings { config, tests, set, port } = &self.settings;
        let set = set.iter().map(|(name, value)| (name.clone(), json!(value))).collect::<Map<_, _>>();
        let json = json!({
            "keys": self.keys.stored(), "access_key": self.access_key,
            "config": config, "tests": tests, "set": set, "port": port,
        });
        let write = || {
            private_folder(folder)?;
            // Git leaves the folder alone wherever it is.
            std::fs::write(folder.join(".gitignore"), "*\n")?;
            let unfinished = folder.join(format!("{FILE}.{}", std::process::id()));
            let _ = std::fs::remove_file(&unfinished);
            private_file(&unfinished)?.write_all(json.to_string().as_bytes())?;
            std::fs::rename(unfinished, folder.join(FILE))
        };
        write().map_err(|error: std::io::Error| format!("cannot write `{}`: {error}", folder.join(FILE).display()))
    }
}

/// 128 random bits, in hexadecimal digits.
fn access_key() -> Result<String, String> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| "no random numbers can be had".to_owned())?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(unix)]
fn is_private(file: &File) -> std::io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(file.metadata()?.permissions().mode() & 0o077 == 0)
}

#[cfg(unix)]
fn private_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(unix)]
fn private_file(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

// Elsewhere a user's own folders are private by what they inherit.
#[cfg(not(unix))]
fn is_private(_: &File) -> std::io::Result<bool> {
    Ok(true)
}

#[cfg(not(unix))]
fn private_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)
}

#[cfg(not(unix))]
fn private_file(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// The session's folder, in the working directory.
pub(crate) const FOLDER: &str = ".authctl";

/// Beside `cargo lambda watch`, which listens on 9000.
pub(crate) const DEFAULT_PORT: u16 = 9002;

const FILE: &str = "session.json";

/// Five keys have about 4 KiB.
const MAX_BYTES: u64 = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("authctl-session-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        folder
    }

    #[test]
    fn a_session_is_made_once_and_read_again() {
        let folder = folder("again");
        let mut made = Session::open(&folder).unwrap();
        made.settings.set = vec![("CLIENT_IDS".into(), "web".into())];
        made.settings.port = 4711;
        made.save(&folder).unwrap();
        let read = Session::open(&folder).unwrap();
        assert_eq!(read.keys.stored(), made.keys.stored());
        assert_eq!((&read.access_key, read.access_key.len()), (&made.access_key, 32));
        assert_eq!((read.settings.port, read.settings.set), (4711, made.settings.set));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn its_file_is_its_owners_alone_and_one_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = folder("private");
        Session::open(&folder).unwrap();
        let path = folder.join(FILE);
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&path)), (0o700, 0o600));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let why = Session::open(&folder).err().unwrap();
        assert!(why.contains("can be read by others"), "{why}");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_file_that_is_no_session_is_not_overwritten() {
        let folder = folder("broken");
        Session::open(&folder).unwrap();
        let path = folder.join(FILE);
        std::fs::write(&path, "{\"keys\":{}}").unwrap();
        let why = Session::open(&folder).err().unwrap();
        assert!(why.contains("is no session"), "{why}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"keys\":{}}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
