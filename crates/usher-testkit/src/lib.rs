//! What tests share: real servers to start, and fakes that obey the same contracts; never shipped.

pub mod servers;
