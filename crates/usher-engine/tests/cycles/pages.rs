//! The pages of a source: the next one is read while the people of this one are worked on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use usher_core::ports::ConnectorErrorKind;
use usher_testkit::{Call, Interference, Verdict};

use crate::stage::{Stage, failure};

/// Notes what both directories are asked, in order, and lets one page fail.
#[derive(Default)]
struct Notes {
    calls: Mutex<Vec<Call>>,
    fails_at_page: Option<usize>,
}

impl Notes {
    async fn at(fails_at_page: Option<usize>) -> (Stage, Arc<Self>) {
        let stage = Stage::new().await;
        let names: Vec<String> = (0..12).map(|number| format!("p{number:02}")).collect();
        stage.people(&names.iter().map(String::as_str).collect::<Vec<_>>());
        stage.source.page_size(4);
        let notes = Arc::new(Self { fails_at_page, ..Self::default() });
        stage.source.interfere(notes.clone());
        stage.target.interfere(notes.clone());
        (stage, notes)
    }

    fn calls(&self) -> MutexGuard<'_, Vec<Call>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn places(&self, call: Call) -> Vec<usize> {
        let calls = self.calls();
        calls.iter().enumerate().filter(|(_, one)| **one == call).map(|(place, _)| place).collect()
    }
}

impl Interference for Notes {
    fn judge(&self, call: Call) -> Verdict {
        self.calls().push(call);
        if call == Call::Read && Some(self.places(Call::Read).len()) == self.fails_at_page {
            return Verdict::Fail(failure(ConnectorErrorKind::Unreachable));
        }
        Verdict::Go
    }
}

#[tokio::test]
async fn the_next_page_is_read_before_the_people_of_this_one_are_made_and_no_page_twice() {
    let (stage, notes) = Notes::at(None).await;
    stage.run().await;
    let (reads, creates) = (notes.places(Call::Read), notes.places(Call::Create));
    // The last page is that of the groups: there are none.
    assert_eq!((reads.len(), creates.len()), (3 + 1, 12));
    assert!(reads[1] < creates[0] && reads[2] < creates[4], "{:?}", notes.calls());
}

#[tokio::test]
async fn a_page_that_cannot_be_read_takes_nobody_of_the_one_before_along() {
    let (stage, notes) = Notes::at(Some(2)).await;
    let told = stage.run().await;
    assert_eq!(notes.places(Call::Create).len(), 4, "{told}");
    assert!(told.contains("Failed"), "{told}");
    stage.next().await;
    assert_eq!(notes.places(Call::Create).len(), 12, "everybody is made, and once");
    assert_eq!(notes.places(Call::Read).len(), 4 + 1, "the page is read again, and those before are not");
}
