//! PostgreSQL. Ids are UUIDs, instants whole microseconds in `bigint`, texts compare by bytes; rows come back as JSON arrays.
//!
//! Instants are numbers here too: no session time zone, no rounding and no infinity can change one, a heartbeat is compared exactly, and a batch is the same JSON
//! on every database. Sets of ids are written `= ANY(ARRAY(SELECT …))`: the forms with IN or a common table expression become scans of the whole table from
//! about 500 rows.

mod columns;
mod sql;
pub(crate) mod tables;

pub(super) use sql::SQL;

use columns::ids;

/// `?` one after the other becomes `$1`, `$2`, … The texts that are put together have no other question marks.
pub(super) fn numbered(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len() + 16);
    for (at, part) in sql.split('?').enumerate() {
        if at > 0 {
            text.push('$');
            text.push_str(&at.to_string());
        }
        text.push_str(part);
    }
    text
}

pub(super) fn is_one_of(column: &str) -> String {
    format!(concat!("{} = ANY(", ids!("?"), ")"), column)
}

/// One branch a lane, each of which stops at the limit. A row that somebody else holds is passed over: a claim never waits.
pub(super) fn claim_rows(lanes: usize) -> String {
    let branch = |at: usize| {
        format!(
            "SELECT * FROM (SELECT job_id, due_at FROM tk_job_queue WHERE lane_id = ${} AND rank = $3 AND due_at <= $1 \
             ORDER BY due_at, job_id LIMIT $2 FOR UPDATE SKIP LOCKED) l{at}",
            at + 4
        )
    };
    let branches = (0..lanes).map(branch).collect::<Vec<_>>().join(" UNION ALL ");
    format!("SELECT job_id FROM ({branches}) q ORDER BY due_at, job_id LIMIT $2")
}

#[cfg(test)]
mod tests;
