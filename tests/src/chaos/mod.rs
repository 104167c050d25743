//! What the driver of the chaos kit and its nodes have in common: the ledger, the work, the time.

mod ledger;
mod moment;
mod work;

pub use ledger::{EndKind, Line, read_lines, read_more};
pub use moment::Moment;
pub use work::{
    CHILDREN, CRON, Does, EVERY_FIRE, FIRE_EVERY_SECONDS, GROUPS, INTERVAL, LOCKS, SOUR, SPECIAL_TYPE,
    WORK_TYPE, Work,
};
