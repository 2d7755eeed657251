//! The order of a plan: what others refer to goes first, disabling and deletion last; and what only the whole plan shows.

use std::collections::HashMap;

use usher_core::saved::PlannedObject;
use usher_core::saved::symbols::is_symbol;
use usher_core::{Anchor, ErrorCategory, Failure, PairingEffect};

use super::object::Seen;

/// The places of objects in an order in which each comes after those that it refers to. Where objects refer to each
/// other in a circle, one of them has to go first.
pub(super) fn after_what_they_refer_to(references: &[Vec<usize>]) -> Vec<usize> {
    let mut order = Vec::with_capacity(references.len());
    let mut is_begun = vec![false; references.len()];
    for start in 0..references.len() {
        if std::mem::replace(&mut is_begun[start], true) {
            continue;
        }
        // An object and how many of its references were followed. No recursion: chains can be long.
        let mut path = vec![(start, 0)];
        while let Some((place, followed)) = path.last_mut() {
            match references[*place].get(*followed) {
                Some(next) => {
                    *followed += 1;
                    if !std::mem::replace(&mut is_begun[*next], true) {
                        path.push((*next, 0));
                    }
                }
                None => {
                    order.push(*place);
                    path.pop();
                }
            }
        }
    }
    order
}

/// Two source objects must not become one account: the second fails.
pub(super) fn find_conflicts(seen: &mut [Seen]) {
    let mut owners: HashMap<String, String> = HashMap::new();
    for one in seen {
        let object = &mut one.object;
        if !object.is_change() {
            continue;
        }
        let mut keys = std::mem::take(&mut one.keys);
        if let Some(anchor) = object.target_anchor.as_ref().filter(|anchor| !is_symbol(anchor)) {
            keys.push(format!("{}\n{anchor}", object.target_type));
        }
        let own = format!("{} '{}'", object.source_type, object.reportable);
        match keys.iter().find_map(|key| owners.get(key)) {
            Some(other) => object.fail(failure(&own, other)),
            None => keys.into_iter().for_each(|key| drop(owners.insert(key, own.clone()))),
        }
    }
}

fn failure(own: &str, other: &str) -> Failure {
    Failure {
        code: "DuplicateSourceEntries".into(),
        reason: format!("{own} and {other} would become one account"),
        additional_details: None,
        category: ErrorCategory::NonServiceFailure,
        recommended_action: Some("make the matching attribute unique in the source".into()),
    }
}

/// The target object that an object will be paired with, when it is not by now.
pub(super) fn new_pair(object: &PlannedObject) -> Option<&Anchor> {
    let anchor = object.target_anchor.as_ref().filter(|_| object.pairing == PairingEffect::Manage);
    anchor.filter(|anchor| object.paired_with.as_ref() != Some(anchor))
}

/// Which objects of the plan others wait for: places by source anchor.
pub(super) fn awaited(seen: &[Seen]) -> Vec<Vec<usize>> {
    let places: HashMap<&Anchor, usize> = seen
        .iter()
        .enumerate()
        .filter(|(_, one)| new_pair(&one.object).is_some())
        .map(|(place, one)| (&one.source_anchor, place))
        .collect();
    seen.iter()
        .map(|one| one.refers_to.iter().filter_map(|anchor| places.get(anchor).copied()).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::after_what_they_refer_to;

    #[test]
    fn what_others_refer_to_goes_first_and_circles_end() {
        assert_eq!(after_what_they_refer_to(&[vec![], vec![], vec![]]), [0, 1, 2]);
        assert_eq!(after_what_they_refer_to(&[vec![2], vec![0], vec![]]), [2, 0, 1]);
        assert_eq!(after_what_they_refer_to(&[vec![1], vec![0], vec![2]]), [1, 0, 2]);
        let chain: Vec<Vec<usize>> = (1..=50_000).map(|next| vec![next % 50_000]).collect();
        assert_eq!(after_what_they_refer_to(&chain).len(), 50_000);
    }
}
