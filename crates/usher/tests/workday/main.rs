//! Workday as a source, over real HTTP from the double to the directory inside: stories of people, and answers that go
//! wrong. The clock is the test's, for both sides.

#[cfg(feature = "real-servers")]
mod active_directory;
mod demands;
mod faults;
mod stage;
mod stories;
