//! The parts of the program that tests and other targets reach: everything but `main`.

pub mod powershell;
