//! What is wrong with selectors: found before start, not with the first job.

use tasks_abstractions::{FieldFault, JobId, JobInfo, JobType, JobTypeSelector, Timestamp, ValidationErrors};
use tasks_core::transition::check_schedule;
use tasks_multitenancy::TenantId;

use super::HostOptions;

/// Every fault, named by its selector.
pub(super) fn faults(options: &HostOptions) -> Vec<FieldFault> {
    let mut faults = options.selectors.faults();
    for selector in options.selectors.iter() {
        if let Err(errors) = tried(selector, options) {
            faults.extend(errors.faults().iter().map(|it| {
                FieldFault::new(
                    format!("selectors.{}.{}", selector.name(), it.field),
                    it.problem.clone(),
                )
            }));
        }
    }
    faults
}

/// Gives the settings to a sample worker and checks what becomes of it.
fn tried(selector: &JobTypeSelector, options: &HostOptions) -> Result<(), ValidationErrors> {
    let id = JobId::from_name(TenantId::HOST, "selectors", "sample");
    let mut sample = JobInfo::builder(id, TenantId::HOST, "sample", Timestamp::UNIX_EPOCH)
        .job_type(JobType::Persistent)
        .build(&options.engine.limits)?;
    selector.apply(&mut sample);
    // The name of the selector is checked apart.
    sample.selector = None;
    sample.normalize();
    options.engine.limits.check(&sample)?;
    check_schedule(&sample)
}
