//! `CertHashString`: the SHA-1 hash of a certificate in hexadecimal.

use crate::call::Call;
use crate::certificate::{EXAMPLE, RAW, thumbprint, property};
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "CertHashString",
    summary: "Returns the SHA-1 hash of a certificate in hexadecimal.",
    dialects: HYBRID,
    params: RAW,
    examples: &[Example::hybrid("CertHashString([userCertificate])", r#""01F26B13B64FB031B92332893EE8E57A8079264E""#).inputs(EXAMPLE)],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    property(call, |_, bytes| Value::from(thumbprint(bytes)))
}
