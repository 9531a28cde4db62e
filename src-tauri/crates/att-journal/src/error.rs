//! What can be wrong with a journal, each with one sentence of cause and one of cure.

use att_bootstrap::store::Conflict;
use att_core::{CanonicalError, Code, Report};
use std::path::{Path, PathBuf};

/// Why the journal could not be used. `Display` is the cause; [`JournalError::cure`] says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// Read-only was asked for and there is no file.
    #[error("there is no journal at {path}")]
    Missing {
        /// The file that was looked for.
        path: PathBuf,
    },
    /// The file is no SQLite database.
    #[error("{path} is not an ATT journal: it is no SQLite database")]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// A SQLite database of another program.
    #[error("{path} is not an ATT journal: it is the database of another program")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The folder or the file refuses to be written.
    #[error("the journal {path} cannot be written: {detail}")]
    NotWritable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// Somebody else held the write lock for longer than the busy timeout.
    #[error("the journal {path} has been locked by another program for more than {waited_ms} ms")]
    Locked {
        /// The file.
        path: PathBuf,
        /// The busy timeout.
        waited_ms: u64,
    },
    /// No space left; nothing was written.
    #[error("the disk that holds the journal {path} is full")]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// SQLite found the file itself malformed.
    #[error("the journal {path} is corrupt: {detail}")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        detail: String,
    },
    /// The audit chain does not fit `journal.head`; nothing more is recorded on top of it.
    #[error("the audit chain is damaged at entry {sequence}: {detail}")]
    Damaged {
        /// The first entry known to be bad.
        sequence: i64,
        /// What is wrong there.
        detail: String,
    },
    /// Written by a newer ATT: it can be read, not written.
    #[error("the journal {path} has schema version {found}, newer than the {known} this program knows")]
    TooNew {
        /// The file.
        path: PathBuf,
        /// The version found.
        found: i64,
        /// The newest version that this program writes.
        known: i64,
    },
    /// Written by an older ATT, and opened for reading only: it cannot be brought forward.
    #[error("the journal {path} has schema version {found}, older than the {known} this program reads")]
    TooOld {
        /// The file.
        path: PathBuf,
        /// The version found.
        found: i64,
        /// The version that this program reads.
        known: i64,
    },
    /// Opened read-only on purpose.
    #[error("the journal {path} is open for reading only")]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// The row is no longer what the caller saw; nothing was written.
    #[error("{0} changed in the meantime")]
    Conflict(Conflict),
    /// A record could not be written as JSON, or a stored one could not be read back.
    #[error("a journal record cannot be read or written: {0}")]
    Record(String),
    /// Any other fault that the database reported.
    #[error("the journal {path} failed: {detail}")]
    Database {
        /// The file.
        path: PathBuf,
        /// What was reported.
        detail: String,
    },
}

impl JournalError {
    /// What the operator can do about it, in one sentence.
    #[must_use]
    pub fn cure(&self) -> String {
        match self {
            Self::Missing { .. } => {
                "Start ATT once with this ATT_HOME, or point ATT_HOME at the folder that holds journal.db.".into()
            }
            Self::NotADatabase { path } | Self::Foreign { path } => {
                format!("Move {} away, or point ATT_HOME at another folder.", path.display())
            }
            Self::NotWritable { path, .. } => {
                format!("Give your user write access to {}, or point ATT_HOME at another folder.", path.display())
            }
            Self::Locked { .. } => {
                "End the other program that holds the journal open (a backup, a database browser), then try again."
                    .into()
            }
            Self::DiskFull { .. } => "Free some space on that disk, then try again; nothing was lost.".into(),
            Self::Corrupt { .. } => "Stop ATT and put journal.db and journal.head back from a backup.".into(),
            Self::Damaged { .. } => {
                "Run `att journal verify`, then put journal.db and journal.head back from the same backup, or move both away to begin anew."
                    .into()
            }
            Self::TooNew { .. } => "Update this program; until then it can only read the journal.".into(),
            Self::TooOld { .. } => "Start ATT once with this ATT_HOME; it brings the journal forward.".into(),
            Self::ReadOnly { .. } => "Open the journal without read-only to change it.".into(),
            Self::Conflict(_) => "Read it again and repeat the action if it still applies.".into(),
            Self::Record(_) | Self::Database { .. } => {
                "Run `att journal verify`; if it is fine, try again and report the message.".into()
            }
        }
    }

    /// What a face branches on.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Missing { .. } => Code::NotFound,
            Self::NotADatabase { .. }
            | Self::Foreign { .. }
            | Self::NotWritable { .. }
            | Self::Locked { .. }
            | Self::DiskFull { .. }
            | Self::TooOld { .. }
            | Self::ReadOnly { .. } => Code::JournalUnavailable,
            Self::Corrupt { .. } | Self::Damaged { .. } => Code::JournalDamaged,
            Self::TooNew { .. } => Code::JournalTooNew,
            Self::Conflict(_) => Code::Conflict,
            Self::Record(_) | Self::Database { .. } => Code::Internal,
        }
    }

    /// The variant for what SQLite or sqlx reported about the file `path`.
    pub(crate) fn from_sqlx(path: &Path, waited_ms: u64, error: &sqlx::Error) -> Self {
        let path = path.to_path_buf();
        let detail = error.to_string();
        match error {
            sqlx::Error::Database(database) => {
                let code = database.code().and_then(|code| code.parse::<i32>().ok()).unwrap_or(0);
                let detail = database.message().to_owned();
                match (code, code & 0xff) {
                    // The shared-memory file could not be made as large as needed.
                    (4874, _) | (_, 13) => Self::DiskFull { path },
                    (_, 5 | 6) => Self::Locked { path, waited_ms },
                    (_, 3 | 8 | 14 | 23) => Self::NotWritable { path, detail },
                    (_, 11) => Self::Corrupt { path, detail },
                    (_, 26) => Self::NotADatabase { path },
                    _ => Self::Database { path, detail },
                }
            }
            sqlx::Error::PoolTimedOut => Self::Locked { path, waited_ms },
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::Encode(_) => {
                Self::Record(detail)
            }
            _ => Self::Database { path, detail },
        }
    }

    /// The variant for a failed file operation on `path`.
    pub(crate) fn from_io(path: &Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        let (path, detail) = (path.to_path_buf(), error.to_string());
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::DiskFull { path },
            ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::NotADirectory
            | ErrorKind::NotFound
            | ErrorKind::AlreadyExists => Self::NotWritable { path, detail },
            _ => Self::Database { path, detail },
        }
    }
}

impl From<CanonicalError> for JournalError {
    fn from(error: CanonicalError) -> Self {
        Self::Record(error.to_string())
    }
}

impl From<serde_json::Error> for JournalError {
    fn from(error: serde_json::Error) -> Self {
        Self::Record(error.to_string())
    }
}

impl From<JournalError> for Report {
    fn from(error: JournalError) -> Self {
        let message = match error.code() {
            Code::JournalDamaged => "The journal is damaged.",
            Code::JournalTooNew => "The journal was written by a newer ATT.",
            Code::Conflict => "Somebody else was faster.",
            _ => "The journal cannot be used.",
        };
        Report::new(error.code(), message).cause(error.to_string()).cure(error.cure())
    }
}
