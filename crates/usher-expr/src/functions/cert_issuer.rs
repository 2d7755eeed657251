//! `CertIssuer`: the distinguished name of a certificate's issuer.

use crate::call::Call;
use crate::certificate::{EXAMPLE, RAW, distinguished_name, property};
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "CertIssuer",
    summary: "Returns the distinguished name of a certificate's issuer.",
    dialects: HYBRID,
    params: RAW,
    examples: &[Example::hybrid("CertIssuer([userCertificate])", r#""E=ann@woodgrove.example, CN=Ann Lee, OU=Staff, O=\"Woodgrove, Ltd\", S=Utrecht, C=NL""#).inputs(EXAMPLE)],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    property(call, |certificate, _| Value::from(distinguished_name(certificate.issuer())))
}
