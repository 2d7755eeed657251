//! What .NET itself answers, printed by Mono once and checked in, against this crate's regular
//! expressions, dates and text rules.

#[path = "dotnet/dates.rs"]
mod dates;
#[path = "dotnet/regex.rs"]
mod regex;
#[path = "dotnet/text.rs"]
mod text;
#[path = "dotnet/vectors.rs"]
mod vectors;
