//! `IsCert`: whether bytes are a certificate.

use crate::call::Call;
use crate::certificate::{EXAMPLE, RAW, is_certificate};
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "IsCert",
    summary: "Tells whether bytes can be read as a certificate.",
    dialects: HYBRID,
    params: RAW,
    returns: Type::Boolean,
    examples: &[
        Example::hybrid("IsCert([userCertificate])", "True").inputs(EXAMPLE),
        Example::hybrid(r#"IsCert("AAAA")"#, "False"),
        Example::hybrid("IsCert([absent])", "False"),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let value = call.value(0)?;
    Ok(Value::Boolean(call.as_bytes(0, value.single()).is_ok_and(|bytes| is_certificate(&bytes))))
}
