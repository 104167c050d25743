//! One run from its beginning to its verdict.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tasks_abstractions::{Clock, SystemClock};
use tasks_store_seaorm::SeaOrmStore;

use crate::answers::Answers;
use crate::checks::{Violation, violations};
use crate::cluster::Cluster;
use crate::complaints::complaints;
use crate::drain::{check_rows, drain};
use crate::evidence::{Evidence, Known};
use crate::fault::Kind;
use crate::operator::{Operator, management};
use crate::place::{Place, Wanted};
use crate::plan::Plan;
use crate::producer::{Producer, Shared, create_orders};
use crate::report::{self, say};
use crate::waiting::look;
use crate::watchdog::{Children, Watchdog};
use crate::{Args, settings::Settings};

/// Where a kind of fault met nobody at work.
const PROVES_NOTHING: u8 = 2;

pub(crate) async fn run(args: &Args, seed: u64) -> Result<ExitCode> {
    let settings = args.settings();
    let folder = tempfile::Builder::new().prefix("chaos-").tempdir()?;
    let children = Children::default();
    let hint = format!(
        "its files are in {}; to repeat it: {}",
        folder.path().display(),
        args.again()
    );
    let _watchdog = Watchdog::start(settings.deadline(), children.clone(), hint)?;
    let megabytes = 64 + (args.minutes.ceil() as u64) * 32;
    let mut place = Place::new(Wanted {
        backend: args.backend,
        folder: folder.path(),
        megabytes,
        url: args.url.as_deref(),
        control: args.control.clone(),
    })
    .await?;
    let kinds = args.kinds()?.unwrap_or_else(|| place.kinds());

    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = SeaOrmStore::connect(place.options(), Arc::clone(&clock)).await?;
    create_orders(&store).await?;
    place.open().await?;
    let answers = Answers::create(&folder.path().join("answers.jsonl"))?;
    let shared = Shared::default();
    let producer = Producer::new(
        &store,
        Arc::clone(&clock),
        &answers,
        &shared,
        &settings,
        (seed, args.nodes, !kinds.is_empty()),
    );
    let operator = Operator::new(&store, Arc::clone(&clock), &answers, &shared, &settings, seed);
    let mut cluster = Cluster::new(settings, folder.path().to_path_buf(), children, args.nodes)?;
    let mut plan = Plan::new(seed, kinds.clone());

    // The first that cannot go on ends the others.
    tokio::try_join!(
        async {
            let ended = trouble(&mut cluster, &mut plan, &mut place, &shared, &settings).await;
            ended.context("the driver cannot go on")
        },
        async { producer.run().await.context("the producer cannot go on") },
        async { operator.run().await.context("the operator cannot go on") },
    )?;

    // Connections anew: those of before may have ended with a server that was restarted, and then cannot be closed in order.
    drop(store.close().await);
    let store = SeaOrmStore::connect(place.options(), Arc::clone(&clock)).await?;
    let mut found = drain(&mut cluster, &mut place, &store).await?;
    let left = cluster.stop(settings.rescue_bound() * 2).await?;
    found.extend(
        left.iter()
            .map(|it| format!("node {it} did not end when it was asked to")),
    );
    found.extend(complaints(folder.path(), args.nodes)?);
    found.extend(check_rows(&management(&store, clock)).await?);
    let known = Known {
        backend: args.backend,
        settings,
        faults: cluster.log.faults.clone(),
        lives: cluster.lives.clone(),
        found,
    };
    let evidence = Evidence::gather(folder.path(), &store, known).await?;
    let violations = violations(&evidence);
    report::print(&evidence, &violations, args, &conditions(args, &settings, &place))?;
    store.close().await?;
    verdict(args, folder, &mut place, &evidence, &violations, &kinds).await
}

/// The load: nodes are looked after and faults happen. Ends well again.
async fn trouble(
    cluster: &mut Cluster,
    plan: &mut Plan,
    place: &mut Place,
    shared: &Shared,
    settings: &Settings,
) -> Result<()> {
    let began = Instant::now();
    // Nodes start and find work first.
    let mut next = began + settings.heartbeat * 2;
    while began.elapsed() < settings.load {
        cluster.tick(place).await?;
        if Instant::now() >= next {
            next = Instant::now() + plan.between(settings.gap);
            if let Some(kind) = plan.next()
                && !cluster.begin(kind, plan, place).await?
            {
                plan.later(kind);
                next = Instant::now() + Duration::from_millis(50);
            }
        }
        look().await;
    }
    if plan.has(Kind::Cut) {
        cluster.cut_all(plan)?;
        let until = Instant::now() + settings.heartbeat * 2;
        while Instant::now() < until {
            cluster.tick(place).await?;
            look().await;
        }
    }
    cluster.heal(place).await?;
    shared.is_over.set(true);
    Ok(())
}

fn conditions(args: &Args, settings: &Settings, place: &Place) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let build = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    let left_out = place
        .left_out()
        .map(|it| format!("; NOT TESTED: {it}"))
        .unwrap_or_default();
    format!(
        "{:?}, {} nodes, {} minutes, seed {}, heartbeat {:?}, lease {:?}, {} jobs at once on a node, {build} build, {cores} cores{left_out}",
        args.backend,
        args.nodes,
        args.minutes,
        args.seed.unwrap_or_default(),
        settings.heartbeat,
        settings.lease,
        settings.concurrency
    )
}

async fn verdict(
    args: &Args,
    folder: tempfile::TempDir,
    place: &mut Place,
    evidence: &Evidence,
    violations: &[Violation],
    kinds: &[Kind],
) -> Result<ExitCode> {
    if !violations.is_empty() {
        let database = place.keep(folder.path())?;
        let kept = keep(args, folder)?;
        say(format_args!(
            "ledgers, faults and logs are kept in {}, the database in {database}",
            kept.display()
        ));
        return Ok(ExitCode::FAILURE);
    }
    place.close().await?;
    folder.close().context("the run's folder could not be removed")?;
    let in_vain: Vec<String> = kinds
        .iter()
        .filter(|it| report::hits(evidence, **it).1 == 0)
        .map(|it| it.name())
        .collect();
    if in_vain.is_empty() {
        say("everything holds");
        return Ok(ExitCode::SUCCESS);
    }
    say(format_args!(
        "the run proves nothing: no runs were in flight on nodes that met {}; let it last longer",
        in_vain.join(", ")
    ));
    Ok(ExitCode::from(PROVES_NOTHING))
}

fn keep(args: &Args, folder: tempfile::TempDir) -> Result<PathBuf> {
    let from = folder.keep();
    let Some(to) = &args.keep else {
        return Ok(from);
    };
    std::fs::rename(&from, to)
        .with_context(|| format!("cannot move {} to {}", from.display(), to.display()))?;
    Ok(to.clone())
}
