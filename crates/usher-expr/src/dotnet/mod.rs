//! What the language borrows from .NET: regular expressions, date formats and text rules, as the
//! provisioning service's own runtime has them.

pub mod dates;
pub mod regex;
pub mod text;
