//! `CertSubjectNameOid`: the number of the subject's name, which a distinguished name does not have.

use crate::call::Call;
use crate::certificate::{EXAMPLE, RAW, property};
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "CertSubjectNameOid",
    summary: "Returns the number of the subject's name, which a distinguished name does not have.",
    dialects: HYBRID,
    params: RAW,
    examples: &[Example::hybrid("CertSubjectNameOid([userCertificate])", "null").inputs(EXAMPLE)],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    property(call, |_, _| Value::Null)
}
