//! `CertKeyAlgorithm`: the number of the algorithm of a certificate's key.

use crate::call::Call;
use crate::certificate::{EXAMPLE, RAW, property};
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "CertKeyAlgorithm",
    summary: "Returns the number of the algorithm of a certificate's key.",
    dialects: HYBRID,
    params: RAW,
    examples: &[Example::hybrid("CertKeyAlgorithm([userCertificate])", r#""1.2.840.10045.2.1""#).inputs(EXAMPLE)],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    property(call, |certificate, _| Value::from(certificate.public_key().algorithm.algorithm.to_id_string()))
}
