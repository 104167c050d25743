//! Locks for job code: rows that count only while the run of their owner is in flight.

use async_trait::async_trait;
use tasks_abstractions::{JobLockProvider, LockOwner, StoreError};

use crate::error::refuse_nul;
use crate::row::micros;
use crate::store::SeaOrmStore;

#[async_trait]
impl JobLockProvider for SeaOrmStore {
    async fn try_acquire(&self, key: &str, owner: LockOwner) -> Result<bool, StoreError> {
        let doing = "take a lock";
        refuse_nul(&"a lock", [("key", Some(key))])?;
        self.again(|| self.acquire(key, owner, doing)).await
    }

    async fn release(&self, key: &str, owner: LockOwner) -> Result<bool, StoreError> {
        self.again(|| self.free(key, owner)).await
    }
}

impl SeaOrmStore {
    async fn acquire(&self, key: &str, owner: LockOwner, doing: &str) -> Result<bool, StoreError> {
        let tx = self.begin(doing).await?;
        let on = self.on(&tx);
        let tenant = on.dialect.uuid(owner.tenant_id.as_uuid());
        if let Some(locks) = on.dialect.sql().rows {
            // One after the other: each sees whether the run of the one before is in flight.
            on.execute(locks.key, vec![tenant.clone(), key.into()], doing)
                .await?;
        }
        let values = vec![
            tenant,
            key.into(),
            on.dialect.uuid(owner.job_id.as_uuid()),
            on.dialect.uuid(owner.run_id.as_uuid()),
            micros(self.now_on(on, None).await?).into(),
        ];
        let taken = on.execute(on.dialect.sql().acquire_lock, values, doing).await? > 0;
        #[cfg(feature = "chaos-mutants")]
        let taken = taken || crate::mutants::is("lock-ignored");
        if taken {
            self.commit(tx, doing).await?;
        } else {
            self.rollback(tx, doing).await?;
        }
        Ok(taken)
    }

    async fn free(&self, key: &str, owner: LockOwner) -> Result<bool, StoreError> {
        let doing = "free a lock";
        let tx = self.begin(doing).await?;
        let on = self.on(&tx);
        let values = vec![
            on.dialect.uuid(owner.tenant_id.as_uuid()),
            key.into(),
            on.dialect.uuid(owner.run_id.as_uuid()),
        ];
        let freed = on.execute(on.dialect.sql().release_lock, values, doing).await? > 0;
        self.commit(tx, doing).await?;
        Ok(freed)
    }
}
