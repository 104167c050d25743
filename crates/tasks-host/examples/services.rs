//! Services: what a module provides, what is shared, and what each run has for itself.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tasks_abstractions::RunOutcome;
use tasks_abstractions::prelude::*;
use tasks_abstractions::services::{FromScope, Need, Resolver, ServiceError};
use tasks_host::{Host, MemoryStoreModule};
use tasks_testing::Recorder;

/// One for the program.
#[derive(Default)]
struct Tickets(AtomicU32);

/// One for each run, whoever of the run asks for it.
trait Basket: Send + Sync {
    fn number(&self) -> u32;
}

struct NumberedBasket(u32);

impl Basket for NumberedBasket {
    fn number(&self) -> u32 {
        self.0
    }
}

// How a basket is made of other services. `inject!` writes the same for a struct whose fields are services.
impl FromScope for NumberedBasket {
    fn from_scope(it: &Resolver<'_>) -> Result<Self, ServiceError> {
        Ok(Self(it.get::<Tickets>()?.0.fetch_add(1, Ordering::Relaxed) + 1))
    }
    fn needs(out: &mut Vec<Need>) {
        out.push(Need::of::<Tickets>());
    }
}

inject! { struct Pack { basket: Arc<dyn Basket>, label: Label } }
inject! { struct Label { basket: Arc<dyn Basket> } }

#[async_trait]
impl BackgroundJob for Pack {
    const NAME: &'static str = "shop.pack";
    type Args = ();
    async fn execute(&self, (): (), _: &JobRunnableContext) -> JobResult {
        let (own, of_label) = (self.basket.number(), self.label.basket.number());
        println!("basket {own}, on its label {of_label}");
        Ok(Outcome::Done)
    }
}
register_job!(Pack);

struct ShopModule;

#[async_trait]
impl Module for ShopModule {
    async fn configure(&self, registry: &mut ServiceRegistry) -> Result<(), ModuleError> {
        registry.singleton(Arc::new(Tickets::default()))?;
        registry.scoped::<dyn Basket, NumberedBasket>(|it| it)?;
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Forgetting the module is found before anything runs.
    if let Err(error) = Host::builder().module(MemoryStoreModule).build().await {
        println!("{error}");
    }
    let recorder = Arc::new(Recorder::new());
    let host = Host::builder()
        .module(MemoryStoreModule)
        .module(ShopModule)
        .event(recorder.clone())
        .options(|it| it.engine.max_concurrency = 1)
        .build()
        .await?;
    let jobs = host.jobs();
    let ids = [jobs.enqueue::<Pack>(()).await?, jobs.enqueue::<Pack>(()).await?];
    let work = async {
        for id in ids {
            let limit = Duration::from_secs(60);
            recorder.settled(id, RunOutcome::Succeeded, 1, limit).await?;
        }
        Ok(())
    };
    host.run_until(work).await?.unwrap_or(Ok(()))
}

// Output:
// cannot start, 1 problem:
//   - job `shop.pack` (…services.rs:…) needs `dyn services::Basket`, which no module provides
// basket 1, on its label 1
// basket 2, on its label 2
