//! Answers of stores in the words of the model.

use tasks_abstractions::store::{ChangeAnswer, FinishAnswer, SubmitAnswer};

use super::model::Became;

pub(super) fn became_of_submit(answer: &SubmitAnswer) -> Became {
    match answer {
        SubmitAnswer::Inserted => Became::Inserted,
        SubmitAnswer::Exists => Became::Exists,
        SubmitAnswer::NameTaken { .. } => Became::NameTaken,
    }
}

pub(super) fn became_of_finish(answer: &FinishAnswer) -> Became {
    match answer {
        FinishAnswer::Applied => Became::Applied,
        FinishAnswer::Stale(_) => Became::Stale,
        FinishAnswer::Gone => Became::Gone,
    }
}

pub(super) fn became_of_change(answer: &ChangeAnswer) -> Became {
    match answer {
        ChangeAnswer::Changed(_) => Became::Changed,
        ChangeAnswer::Deleted(_) => Became::Deleted,
        ChangeAnswer::Kept(_) => Became::Kept,
        ChangeAnswer::Refused(_) => Became::Refused,
        ChangeAnswer::NameTaken(_) => Became::NameTaken,
        ChangeAnswer::NotFound => Became::NotFound,
    }
}
