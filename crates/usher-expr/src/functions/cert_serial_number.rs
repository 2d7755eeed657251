//! `CertSerialNumber`: the serial number of a certificate in hexadecimal.

use crate::call::Call;
use crate::certificate::{EXAMPLE, RAW, hexadecimal, property};
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "CertSerialNumber",
    summary: "Returns the serial number of a certificate in hexadecimal.",
    dialects: HYBRID,
    params: RAW,
    examples: &[Example::hybrid("CertSerialNumber([userCertificate])", r#""0A1B2C3D4E""#).inputs(EXAMPLE)],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    property(call, |certificate, _| Value::from(hexadecimal(certificate.raw_serial())))
}
