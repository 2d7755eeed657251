//! `CertIssuerDN`: the name of a certificate's issuer as a distinguished name.

use crate::call::Call;
use crate::certificate::{EXAMPLE, RAW, distinguished_name, property};
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "CertIssuerDN",
    summary: "Returns the name of a certificate's issuer as a distinguished name.",
    dialects: HYBRID,
    params: RAW,
    examples: &[Example::hybrid("CertIssuerDN([userCertificate])", r#""E=ann@woodgrove.example, CN=Ann Lee, OU=Staff, O=\"Woodgrove, Ltd\", S=Utrecht, C=NL""#).inputs(EXAMPLE)],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    property(call, |certificate, _| Value::from(distinguished_name(certificate.issuer())))
}
