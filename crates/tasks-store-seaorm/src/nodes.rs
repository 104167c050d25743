//! Members of the cluster.

use sea_orm::ConnectionTrait;
use sea_orm::Value;
use tasks_abstractions::job::InstanceId;
use tasks_abstractions::run::{CancelReason, RunInfo};
use tasks_abstractions::store::{CancelRequest, NodeInfo, NodeState, RenewRequest, Renewal};
use tasks_abstractions::{JobId, RunId, StoreError, Timestamp};

use crate::claim::lane_names;
use crate::error::refuse_nul;
use crate::process;
use crate::row::{Hex, json_rows, micros, read_node, read_run, uuid_at};
use crate::statement::{On, column};
use crate::store::SeaOrmStore;

impl SeaOrmStore {
    pub(crate) async fn register(&self, node: &NodeInfo) -> Result<(), StoreError> {
        let doing = "register a node";
        refuse_nul(
            &format_args!("node {}", node.instance),
            [
                ("name", Some(node.name.as_str())),
                ("version", Some(node.version.as_str())),
            ],
        )?;
        // Locked before the row is there: whoever sees the row can tell whether the process lives.
        self.handles().lock_files.hold(node.instance)?;
        let tx = self.begin(doing).await?;
        let on = self.on(&tx);
        let mut values: Vec<Value> = vec![
            on.dialect.uuid(node.instance.as_uuid()),
            node.name.as_str().into(),
            NodeState::Alive.code().into(),
            micros(node.started_at).into(),
            micros(node.heartbeat_at).into(),
            node.capacity.into(),
            node.running.into(),
            lane_names(&node.lanes)?.into(),
            node.version.as_str().into(),
        ];
        if on.dialect.sql().rows.is_some() {
            values.push(process::own().into());
        }
        on.execute(on.dialect.sql().put_node, values, doing).await?;
        self.commit(tx, doing).await
    }

    pub(crate) async fn renew_lease(&self, request: &RenewRequest) -> Result<Renewal, StoreError> {
        let doing = "renew the lease of a node";
        let tx = self.begin_lease(doing).await?;
        let on = self.on(&tx);
        let sql = on.dialect.sql();
        let now = self.now_on(on, request.now).await?;
        let instance = || on.dialect.uuid(request.instance.as_uuid());
        let lanes = request.lanes.as_deref().map(lane_names).transpose()?;
        let values = vec![
            instance(),
            micros(now).into(),
            request.running.into(),
            lanes.into(),
        ];
        if on.execute(sql.renew_node, values, doing).await? == 0 {
            self.rollback(tx, doing).await?;
            return Ok(Renewal::Fenced);
        }
        for (json, _) in json_rows(request.cleared_suspects.iter().map(|it| Hex(it.as_uuid())))? {
            on.execute(sql.clear_suspects, vec![instance(), json.into()], doing)
                .await?;
        }
        let cancels = cancel_requests_on(on, request.instance).await?;
        self.commit(tx, doing).await?;
        Ok(Renewal::Alive { now, cancels })
    }

    pub(crate) async fn cancel_requests_of(
        &self,
        instance: InstanceId,
    ) -> Result<Vec<CancelRequest>, StoreError> {
        cancel_requests_on(self.reading(), instance).await
    }

    pub(crate) async fn runs_held_by(&self, instance: InstanceId) -> Result<Vec<RunInfo>, StoreError> {
        let on = self.reading();
        let values = vec![on.dialect.uuid(instance.as_uuid())];
        let rows = on
            .rows(on.dialect.sql().runs_of, values, "read the runs of a node")
            .await?;
        rows.iter().map(|it| read_run(it, 0)).collect()
    }

    pub(crate) async fn all_nodes(&self) -> Result<Vec<NodeInfo>, StoreError> {
        let on = self.reading();
        let rows = on
            .rows(on.dialect.sql().nodes, Vec::new(), "read the nodes")
            .await?;
        rows.iter().map(read_node).collect()
    }

    pub(crate) async fn declare_dead_if_seen(
        &self,
        instance: InstanceId,
        seen: Timestamp,
    ) -> Result<bool, StoreError> {
        let doing = "declare a node dead";
        let tx = self.begin(doing).await?;
        let on = self.on(&tx);
        let values = vec![on.dialect.uuid(instance.as_uuid()), micros(seen).into()];
        let changed = on.execute(on.dialect.sql().declare_dead, values, doing).await?;
        self.commit(tx, doing).await?;
        Ok(changed > 0)
    }

    pub(crate) async fn declare_gone(&self, me: InstanceId) -> Result<Vec<InstanceId>, StoreError> {
        let doing = "look for nodes whose process is gone";
        let reading = self.reading();
        let values = vec![reading.dialect.uuid(me.as_uuid())];
        let rows = reading
            .rows(reading.dialect.sql().other_living_nodes, values, doing)
            .await?;
        let mut gone = Vec::new();
        for row in &rows {
            let instance = InstanceId::new(uuid_at(row, 0, "the instance of a node")?);
            let process: String = column(row, 1, doing)?;
            if self.handles().lock_files.proves_gone(instance) || process::is_gone(&process) {
                gone.push(instance);
            }
        }
        if gone.is_empty() {
            return Ok(gone);
        }
        let tx = self.begin(doing).await?;
        let on = self.on(&tx);
        let sql = on.dialect.sql();
        let mut declared = Vec::new();
        for (json, _) in json_rows(gone.iter().map(|it| Hex(it.as_uuid())))? {
            let rows = on
                .rows(sql.declare_gone, vec![json.as_str().into()], doing)
                .await?;
            if let Some(then) = sql.without_returning {
                on.execute(then.declare_gone, vec![json.into()], doing).await?;
            }
            for row in rows {
                declared.push(InstanceId::new(uuid_at(&row, 0, "the instance of a node")?));
            }
        }
        self.commit(tx, doing).await?;
        gone.retain(|it| declared.contains(it));
        Ok(gone)
    }

    pub(crate) async fn unregister(&self, instance: InstanceId) -> Result<(), StoreError> {
        let doing = "unregister a node";
        let tx = self.begin(doing).await?;
        let on = self.on(&tx);
        let values = vec![on.dialect.uuid(instance.as_uuid())];
        on.execute(on.dialect.sql().stop_node, values, doing).await?;
        self.commit(tx, doing).await?;
        self.handles().lock_files.remove(instance);
        Ok(())
    }
}

async fn cancel_requests_on<C: ConnectionTrait>(
    on: On<'_, C>,
    instance: InstanceId,
) -> Result<Vec<CancelRequest>, StoreError> {
    let doing = "read cancel requests";
    let values = vec![on.dialect.uuid(instance.as_uuid())];
    let rows = on.rows(on.dialect.sql().cancel_requests, values, doing).await?;
    let request = |row| {
        let code: i64 = column(row, 2, doing)?;
        Ok(CancelRequest {
            job_id: JobId::new(uuid_at(row, 0, "the job of a cancel request")?),
            run_id: RunId::new(uuid_at(row, 1, "the run of a cancel request")?),
            reason: CancelReason::try_from(code)
                .map_err(|it| crate::row::unreadable("a cancel request", &it.to_string()))?,
        })
    };
    rows.iter().map(request).collect()
}
