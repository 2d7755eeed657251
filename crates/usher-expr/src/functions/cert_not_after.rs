//! `CertNotAfter`: until when a certificate is valid.

use crate::call::Call;
use crate::certificate::{EXAMPLE, RAW, moment, property};
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Type};

pub(crate) const FUNCTION: Function = Function {
    name: "CertNotAfter",
    summary: "Returns until when a certificate is valid.",
    dialects: HYBRID,
    params: RAW,
    returns: Type::DateTime,
    examples: &[Example::hybrid("CertNotAfter([userCertificate])", "11/21/2036 3:41:07 AM").inputs(EXAMPLE)],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    property(call, |certificate, _| moment(certificate.validity().not_after.timestamp()))
}
