//! What is wrong with selectors: found before start, not with the first job.

use tasks_abstractions::{FieldFault, JobId, JobInfo, JobType, JobTypeSelector, Timestamp, ValidationErrors};
use tasks_core::transition::check_schedule;
use tasks_multitenancy::TenantId;

use super::HostOptions;

/// Every fault, named by its selector.
pub(super) fn faults(options: &HostOptions) -> Vec<FieldFault> {
    let mut faults = options.selectors.faults();
    for selector in options.selectors.iter() {
        // A zone is given to cron workers only, so one of each kind is tried.
        for cron in [None, Some("0 0 0 * * ?".to_owned())] {
            let Err(errors) = tried(selector, cron, options) else {
                continue;
            };
            for it in errors.faults() {
                let field = format!("selectors.{}.{}", selector.name(), it.field);
                let fault = FieldFault::new(field, it.problem.clone());
                if !faults.contains(&fault) {
                    faults.push(fault);
                }
            }
        }
    }
    faults
}

/// Gives the settings to a sample worker, by this cron expression or else by an interval, and checks what becomes of it.
fn tried(
    selector: &JobTypeSelector,
    cron: Option<String>,
    options: &HostOptions,
) -> Result<(), ValidationErrors> {
    let id = JobId::from_name(TenantId::HOST, "selectors", "sample");
    let mut sample = JobInfo::builder(id, TenantId::HOST, "sample", Timestamp::UNIX_EPOCH)
        .job_type(if cron.is_some() {
            JobType::Period
        } else {
            JobType::Persistent
        })
        .cron(cron)
        .build(&options.engine.limits)?;
    selector.apply(&mut sample);
    // The name of the selector is checked apart.
    sample.selector = None;
    sample.normalize();
    options.engine.limits.check(&sample)?;
    check_schedule(&sample)
}
