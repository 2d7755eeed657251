//! `CertFriendlyName`: a certificate's alias, which bytes never carry.

use crate::call::Call;
use crate::certificate::{EXAMPLE, RAW, property};
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "CertFriendlyName",
    summary: "Returns a certificate's alias, which bytes never carry.",
    dialects: HYBRID,
    params: RAW,
    examples: &[Example::hybrid("CertFriendlyName([userCertificate])", r#""""#).inputs(EXAMPLE)],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    property(call, |_, _| Value::text(""))
}
