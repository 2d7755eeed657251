//! How large a value may grow, so that no expression can use up the memory of the machine.

/// The longest text, in bytes, that a function may yield.
pub(crate) const LONGEST_TEXT: usize = 1 << 20;

/// Refuses a length above the limit.
pub(crate) fn check_length(length: usize) -> Result<(), String> {
    if length > LONGEST_TEXT {
        return Err(format!("a text of {length} bytes is longer than the {LONGEST_TEXT} that are allowed"));
    }
    Ok(())
}
