//! What the jobs write down: each number once, or when it started.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex, Notify};

/// Nothing takes longer than that, unless something is wrong.
const LIMIT: Duration = Duration::from_secs(600);

static BOOK: OnceLock<Book> = OnceLock::new();

struct Book {
    runs: Box<[AtomicU8]>,
    done: AtomicUsize,
    all: Notify,
    starts: UnboundedSender<Instant>,
    heard: Mutex<UnboundedReceiver<Instant>>,
}

/// Opens the book of this process for jobs with the numbers below this one.
pub fn open(jobs: usize) -> Result<()> {
    let (starts, heard) = unbounded_channel();
    let book = Book {
        runs: (0..jobs).map(|_| AtomicU8::new(0)).collect(),
        done: AtomicUsize::new(0),
        all: Notify::new(),
        starts,
        heard: Mutex::new(heard),
    };
    BOOK.set(book).map_err(|_| anyhow!("the book is open already"))
}

fn book() -> Result<&'static Book> {
    BOOK.get().context("the book is not open")
}

/// The code of every job. One with a number beyond the book says when it started.
pub fn ran(number: usize) -> Result<()> {
    let book = book()?;
    let Some(runs) = book.runs.get(number) else {
        // Nobody listens when the bench has failed.
        let _ = book.starts.send(Instant::now());
        return Ok(());
    };
    runs.fetch_add(1, Ordering::Relaxed);
    if book.done.fetch_add(1, Ordering::AcqRel) + 1 == book.runs.len() {
        book.all.notify_one();
    }
    Ok(())
}

/// Waits until the code of all jobs has run.
pub async fn all_ran() -> Result<()> {
    let book = book()?;
    tokio::time::timeout(LIMIT, book.all.notified())
        .await
        .map_err(|_| {
            anyhow!(
                "{} of {} jobs ran within {LIMIT:?}",
                book.done.load(Ordering::Acquire),
                book.runs.len()
            )
        })
}

/// Checks that each job ran once.
pub fn each_ran_once() -> Result<()> {
    let book = book()?;
    let wrong = book
        .runs
        .iter()
        .filter(|it| it.load(Ordering::Acquire) != 1)
        .count();
    ensure!(wrong == 0, "{wrong} jobs did not run once");
    Ok(())
}

/// When a job with a number beyond the book started.
pub async fn started() -> Result<Instant> {
    let mut heard = book()?.heard.lock().await;
    tokio::time::timeout(LIMIT, heard.recv())
        .await
        .map_err(|_| anyhow!("a job did not start within {LIMIT:?}"))?
        .context("the book is closed")
}
