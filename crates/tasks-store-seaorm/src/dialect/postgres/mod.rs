//! PostgreSQL. Ids are UUIDs, instants whole microseconds in `bigint`, texts compare by bytes; rows come back as JSON arrays.
//!
//! Instants are numbers here too: no session time zone, no rounding and no infinity can change one, a heartbeat is compared exactly, and a batch is the same JSON
//! on every database. Sets of ids are written `= ANY(ARRAY(SELECT …))`: the forms with IN or a common table expression become scans of the whole table from
//! about 500 rows.

mod arrays;
#[cfg(feature = "postgres")]
mod bound;
#[cfg(feature = "postgres")]
pub(crate) mod claim;
mod columns;
#[cfg(feature = "postgres")]
pub(crate) mod few;
#[cfg(feature = "postgres")]
pub(crate) mod finish;
#[cfg(feature = "postgres")]
pub(crate) mod insert;
#[cfg(feature = "postgres")]
mod native;
#[cfg(feature = "postgres")]
mod packed;
mod sql;
pub(crate) mod submit;
pub(crate) mod tables;

pub(super) use sql::SQL;

use columns::ids;
#[cfg(feature = "postgres")]
use columns::now;

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
    due_in(lanes, "")
}

/// As [`claim_rows`], and takes the rows out of the queue.
#[cfg(feature = "postgres")]
pub(super) fn take_rows(lanes: usize) -> String {
    taking("", &due_in(lanes, "ctid, "), "")
}

fn due_in(lanes: usize, place: &str) -> String {
    let condition = |at: usize| format!("lane_id = ${} AND rank = $3 AND due_at <= $1", at + 4);
    claim_of((0..lanes).map(condition), place)
}

/// As [`take_rows`], of each (lane, rank) from a floor on, for a node that is alive: (now or null, limit, instance, then lane name, rank and floor each). The last
/// column is the present instant.
#[cfg(feature = "postgres")]
pub(super) fn take_rows_from(floors: usize) -> String {
    let condition = |at: usize| {
        let first = at * 3 + 4;
        format!(
            "lane_id = (SELECT id FROM tk_lanes WHERE name = ${first}) AND rank = ${} AND due_at >= ${} AND due_at <= (SELECT now FROM me)",
            first + 1,
            first + 2
        )
    };
    let me = concat!(
        "WITH me AS MATERIALIZED (SELECT coalesce($1::bigint, ",
        now!(),
        ") AS now FROM tk_nodes WHERE instance = $3 AND state = 0) "
    );
    taking(
        me,
        &claim_of((0..floors).map(condition), "ctid, "),
        ", (SELECT now FROM me)",
    )
}

/// Rows are found again by their place, which no other can change while they are locked. One that was changed between the look and the lock is not: it stays.
#[cfg(feature = "postgres")]
fn taking(before: &str, due: &str, more: &str) -> String {
    format!(
        "{before}DELETE FROM tk_job_queue d USING ({due}) q WHERE d.ctid = q.ctid \
         RETURNING q.job_id, q.branch, q.lane_id, q.rank, q.due_at, q.kind, q.attempt{more}"
    )
}

/// `place`: the column with the place of a row, where it is wanted.
fn claim_of(conditions: impl Iterator<Item = String>, place: &str) -> String {
    let branch = |(at, condition): (usize, String)| {
        format!(
            "SELECT * FROM (SELECT {place}job_id, {at} AS branch, lane_id, rank, due_at, kind, attempt FROM tk_job_queue WHERE {condition} \
             ORDER BY due_at, job_id LIMIT $2 FOR UPDATE SKIP LOCKED) l{at}"
        )
    };
    let branches = conditions
        .enumerate()
        .map(branch)
        .collect::<Vec<_>>()
        .join(" UNION ALL ");
    format!(
        "SELECT {place}job_id, branch, lane_id, rank, due_at, kind, attempt FROM ({branches}) q ORDER BY due_at, job_id LIMIT $2"
    )
}

#[cfg(test)]
mod tests;
