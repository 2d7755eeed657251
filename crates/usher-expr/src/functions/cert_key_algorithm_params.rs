//! `CertKeyAlgorithmParams`: the parameters of the algorithm of a certificate's key in hexadecimal.

use crate::call::Call;
use crate::certificate::{EXAMPLE, RAW, key_parameters, property};
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID};

pub(crate) const FUNCTION: Function = Function {
    name: "CertKeyAlgorithmParams",
    summary: "Returns the parameters of the algorithm of a certificate's key in hexadecimal.",
    dialects: HYBRID,
    params: RAW,
    examples: &[Example::hybrid("CertKeyAlgorithmParams([userCertificate])", r#""06082A8648CE3D030107""#).inputs(EXAMPLE)],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    property(call, |certificate, _| key_parameters(certificate))
}
