//! Who holds a value that the target wants to be unique: two people who exchange names keep each other from it, and
//! whoever reads the log must learn who the other is.

use smol_str::SmolStr;
use usher_core::ports::{ConnectorError, ConnectorErrorKind, MatchQuery};
use usher_core::program::MappingProgram;
use usher_core::{Anchor, Change, Failure, Operation};

use crate::subject::Run;

impl Run<'_> {
    /// Says in a failure which account has the value that was refused, when the target tells; and what to do when its
    /// owner is provisioned by the same job. A temporary value, which would let both through, is nobody's mapping: that is
    /// for people.
    pub(crate) async fn name_holder(
        &self,
        mapping: &MappingProgram,
        operation: &Operation,
        error: &ConnectorError,
        failure: &mut Failure,
    ) {
        if error.kind != ConnectorErrorKind::AlreadyExists {
            return;
        }
        let refused = error.attribute.as_ref();
        let is_asked = |attribute: &SmolStr| match refused {
            Some(refused) => refused.eq_ignore_ascii_case(attribute),
            None => mapping.matching().any(|one| one.target.eq_ignore_ascii_case(attribute)),
        };
        for change in operation.changes.iter().filter(|change| is_asked(&change.attribute)) {
            let (Change::Add(values) | Change::Replace(values)) = &change.change else { continue };
            let [value] = values.as_slice() else { continue };
            let query = MatchQuery {
                object_type: operation.object_type.clone(),
                attribute: change.attribute.clone(),
                value: value.clone(),
                attributes: vec![change.attribute.clone()],
            };
            let Ok(found) = self.target.find(&query).await else { continue };
            let mut others = found.iter().filter(|found| operation.anchor.as_ref() != Some(&found.anchor));
            let (Some(other), None) = (others.next(), others.next()) else { continue };
            self.tell(&change.attribute, &operation.object_type, &other.anchor, failure).await;
            return;
        }
    }

    async fn tell(&self, attribute: &str, object_type: &SmolStr, anchor: &Anchor, failure: &mut Failure) {
        let pairs = self.engine.store.pairings_of_target(&self.job.id, object_type, anchor).await;
        let owner = pairs.unwrap_or_default().into_iter().next();
        let Some(owner) = owner else {
            failure.reason = format!("{}: '{anchor}' has the same {attribute}", failure.reason);
            return;
        };
        failure.reason = format!(
            "{}: '{anchor}', the account of {} '{}' ('{}' in the source), has the same {attribute}",
            failure.reason, owner.source_type, owner.display_name, owner.source_anchor
        );
        failure.recommended_action = Some(format!(
            "correct the {attribute} of one of the two; when they exchange their values, give one of the accounts another \
             {attribute} in the target by hand, and the next cycles do the rest"
        ));
    }
}
