//! `CertSignatureAlgorithmOid`: the number of the algorithm of a certificate's signature.

use crate::call::Call;
use crate::certificate::{EXAMPLE, RAW, property};
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "CertSignatureAlgorithmOid",
    summary: "Returns the number of the algorithm of a certificate's signature.",
    dialects: HYBRID,
    params: RAW,
    examples: &[Example::hybrid("CertSignatureAlgorithmOid([userCertificate])", r#""1.2.840.10045.4.3.2""#).inputs(EXAMPLE)],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    property(call, |certificate, _| Value::from(certificate.signature_algorithm.algorithm.to_id_string()))
}
