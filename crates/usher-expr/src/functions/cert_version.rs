//! `CertVersion`: the version of a certificate's format.

use crate::call::Call;
use crate::certificate::{EXAMPLE, RAW, property};
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "CertVersion",
    summary: "Returns the version of a certificate's format.",
    dialects: HYBRID,
    params: RAW,
    returns: Type::Integer,
    examples: &[Example::hybrid("CertVersion([userCertificate])", "3").inputs(EXAMPLE)],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    property(call, |certificate, _| Value::Integer(i64::from(certificate.version().0) + 1))
}
