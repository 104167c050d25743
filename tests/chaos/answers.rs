//! What the driver was promised: every answer of the store to its own requests, on the disk before it goes on.

use std::cell::RefCell;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use tests::chaos::{Moment, Work};

/// One answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "answer")]
pub(crate) enum Answer {
    /// The job was accepted, alone or with an order of the application in one transaction.
    Accepted {
        job: String,
        work: Work,
        with_order: bool,
    },
    /// The transaction with this job was rolled back.
    RolledBack { job: String },
    /// The job was paused by this request.
    Paused { job: String, at: Moment },
    /// What a paused job showed right before it was resumed.
    Held { job: String, status: String, at: Moment },
    /// The job's description was changed; not sure where the reply was lost.
    Edited {
        job: String,
        text: String,
        is_sure: bool,
    },
    /// The job was deleted.
    Deleted { job: String, at: Moment },
}

/// The file of answers.
#[derive(Debug)]
pub(crate) struct Answers {
    file: RefCell<File>,
}

impl Answers {
    pub(crate) fn create(path: &Path) -> Result<Self> {
        Ok(Self {
            file: RefCell::new(File::options().create_new(true).append(true).open(path)?),
        })
    }

    pub(crate) fn write(&self, answers: &[Answer]) -> Result<()> {
        let mut text = String::new();
        for it in answers {
            text.push_str(&serde_json::to_string(it)?);
            text.push('\n');
        }
        let mut file = self.file.borrow_mut();
        file.write_all(text.as_bytes())?;
        file.sync_data()?;
        Ok(())
    }
}
