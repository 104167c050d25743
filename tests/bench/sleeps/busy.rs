//! Jobs that never yield on all threads but one: what becomes of the others' times, and of the heartbeat.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tasks_abstractions::{BackgroundJobManagerExt as _, Clock, SystemClock};

use super::Figures;
use super::jobs::{AWAKE, SPIN, Spin};
use crate::frame::backend::Backend;
use crate::frame::node::Parts;
use crate::frame::pause::pause;
use crate::frame::place::{Place, count};
use crate::timers::{Lateness, Offset, TIMER, Timer, listen};

/// Time between two jobs that start at their time.
const BETWEEN: Duration = Duration::from_millis(50);

/// How often the heartbeat is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Between two heartbeats, for this measurement: several in its time.
const HEARTBEAT: Duration = Duration::from_secs(1);

pub(super) async fn measure(backend: Backend, busy: Duration) -> Result<Figures> {
    ensure!(
        busy >= Duration::from_secs(3),
        "threads must be busy for 3 s at least, for several heartbeats"
    );
    let place = Place::empty(backend).await?;
    let (module, mut heard) = listen();
    let mut parts = Parts::new(&place, 100, &[TIMER, SPIN]);
    parts.module = Some(Box::new(module));
    parts.heartbeat = Some(HEARTBEAT);
    let node = parts.start().await?;
    let offset = Offset::of(&place).await?;

    // On the threads of an application there is room for all of them but one.
    let threads = tokio::runtime::Handle::current().metrics().num_workers();
    let spinning = threads.saturating_sub(1);
    ensure!(spinning > 0, "with one thread there is none that stays free");
    for _ in 0..spinning {
        node.jobs().enqueue::<Spin>(busy.as_millis()).await?;
    }
    // This is polled on the thread that waits for the whole measurement, which is none of those that run jobs.
    let began = Instant::now();
    while AWAKE.now() < spinning {
        ensure!(
            began.elapsed() < Duration::from_secs(10),
            "the busy jobs do not start"
        );
        pause(Duration::from_millis(1)).await;
    }
    let timers = usize::try_from((busy - Duration::from_secs(1)).as_millis() / BETWEEN.as_millis())?;
    let first = SystemClock.now() + Duration::from_millis(500);
    let jobs = node.jobs();
    let batch = (0..timers)
        .map(|number| {
            let at = first + BETWEEN * u32::try_from(number)?;
            Ok(jobs.enqueue::<Timer>(at.timestamp_micros()).at(at).prepare()?)
        })
        .collect::<Result<Vec<_>>>()?;
    jobs.submit(batch).await?;

    let heartbeats = watch(&place, busy);
    let starts = async {
        let mut late = Lateness::default();
        for _ in 0..timers {
            late.add(heard.next().await?, &offset)?;
        }
        Ok::<_, anyhow::Error>(late)
    };
    let (heartbeat, late) = tokio::join!(heartbeats, starts);
    let mut late = late?;
    let heartbeat = heartbeat?.saturating_sub(HEARTBEAT).as_secs_f64() * 1e3;
    AWAKE.reached(spinning).await;
    node.stop().await?;
    place.close()?;
    Ok(Figures {
        late_p99: late.percentile(99)?,
        late_most: late.percentile(100)?,
        heartbeat,
        ..Figures::default()
    })
}

/// The longest time between two heartbeats, as another client of the database sees them, by the times that they bear.
async fn watch(place: &Place, during: Duration) -> Result<Duration> {
    if place.backend == Backend::Memory {
        return Ok(Duration::ZERO);
    }
    let client = place.client().await?;
    let (began, mut longest) = (Instant::now(), 0);
    let mut last = None;
    while began.elapsed() < during {
        let heartbeat = count(&client, "SELECT MAX(heartbeat_at) FROM tk_nodes").await?;
        longest = longest.max(heartbeat - last.unwrap_or(heartbeat));
        last = Some(heartbeat);
        pause(LOOK).await;
    }
    client.close().await?;
    ensure!(longest > 0, "there was no heartbeat within {during:?}");
    Ok(Duration::from_micros(longest))
}
