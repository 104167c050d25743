//! MariaDB and MySQL. Ids are 16 bytes, instants whole microseconds in `BIGINT`, texts are `utf8mb4` and compare by code point; rows come back as JSON arrays.
//!
//! Placeholders are numbered in the texts as on other databases, and put into the one order that the server wants when a statement is sent.

mod columns;
mod sql;
pub(crate) mod tables;

use sea_orm::Value;
pub(super) use sql::SQL;

/// `?2 … ?1 … ?2` becomes `? … ? … ?`, with the values in that order. A text with plain `?` stays.
pub(super) fn in_order(sql: &str, values: Vec<Value>) -> (String, Vec<Value>) {
    let mut text = String::with_capacity(sql.len());
    let mut ordered = Vec::with_capacity(values.len() + 4);
    let mut parts = sql.split('?');
    text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let Some(value) = part[..digits]
            .parse::<usize>()
            .ok()
            .and_then(|it| values.get(it.checked_sub(1)?))
        else {
            return (sql.to_owned(), values);
        };
        text.push('?');
        text.push_str(&part[digits..]);
        ordered.push(value.clone());
    }
    (text, ordered)
}

pub(super) fn is_one_of(column: &str) -> String {
    format!("{column} IN (SELECT UNHEX(v.id) FROM JSON_TABLE(?, '$[*]' COLUMNS (id CHAR(32) PATH '$')) v)")
}

/// One branch a lane, each of which reads one row.
pub(super) fn next_heads(lanes: usize) -> String {
    let branch = concat!(
        "(SELECT lane_id, `rank`, due_at, ?, ",
        columns::now!(),
        " FROM tk_job_queue FORCE INDEX (tk_job_queue_claim) WHERE lane_id = ? AND `rank` > ? ORDER BY `rank`, due_at LIMIT 1)"
    );
    vec![branch; lanes].join(" UNION ALL ")
}

/// One branch a lane, each of which reads one range of the index and stops at the limit. A row that somebody else holds is passed over: a claim never waits.
pub(super) fn claim_rows(lanes: usize) -> String {
    let branch = |at: usize| {
        format!(
            "SELECT job_id, due_at FROM tk_job_queue FORCE INDEX (tk_job_queue_claim) \
             WHERE lane_id = ?{} AND `rank` = ?3 AND due_at <= ?1 ORDER BY due_at, job_id LIMIT ?2 FOR UPDATE SKIP LOCKED",
            at + 4
        )
    };
    if lanes == 1 {
        return branch(0);
    }
    let branches = (0..lanes)
        .map(|it| format!("({})", branch(it)))
        .collect::<Vec<_>>()
        .join(" UNION ALL ");
    format!("SELECT q.job_id FROM ({branches}) q ORDER BY q.due_at, q.job_id LIMIT ?2")
}

#[cfg(test)]
mod tests;
