//! `CertPublicKeyParametersOid`: the number of the parameters of a certificate's public key.

use crate::call::Call;
use crate::certificate::{EXAMPLE, RAW, property};
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "CertPublicKeyParametersOid",
    summary: "Returns the number of the parameters of a certificate's public key.",
    dialects: HYBRID,
    params: RAW,
    examples: &[Example::hybrid("CertPublicKeyParametersOid([userCertificate])", r#""1.2.840.10045.2.1""#).inputs(EXAMPLE)],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    property(call, |certificate, _| Value::from(certificate.public_key().algorithm.algorithm.to_id_string()))
}
