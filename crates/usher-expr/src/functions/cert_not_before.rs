//! `CertNotBefore`: from when a certificate is valid.

use crate::call::Call;
use crate::certificate::{EXAMPLE, RAW, moment, property};
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Type};

pub(crate) const FUNCTION: Function = Function {
    name: "CertNotBefore",
    summary: "Returns from when a certificate is valid.",
    dialects: HYBRID,
    params: RAW,
    returns: Type::DateTime,
    examples: &[Example::hybrid("CertNotBefore([userCertificate])", "11/24/2026 3:41:07 AM").inputs(EXAMPLE)],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    property(call, |certificate, _| moment(certificate.validity().not_before.timestamp()))
}
