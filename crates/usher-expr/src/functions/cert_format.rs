//! `CertFormat`: the name of a certificate's format, which is always X509.

use crate::call::Call;
use crate::certificate::{EXAMPLE, RAW, property};
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "CertFormat",
    summary: "Returns the name of a certificate's format, which is always X509.",
    dialects: HYBRID,
    params: RAW,
    examples: &[Example::hybrid("CertFormat([userCertificate])", r#""X509""#).inputs(EXAMPLE)],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    property(call, |_, _| Value::text("X509"))
}
