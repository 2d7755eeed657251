//! `CertExtensionOids`: the numbers of a certificate's extensions.

use crate::call::Call;
use crate::certificate::{EXAMPLE, RAW, property};
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "CertExtensionOids",
    summary: "Returns the numbers of a certificate's extensions.",
    dialects: HYBRID,
    params: RAW,
    returns: Type::List,
    examples: &[Example::hybrid("CertExtensionOids([userCertificate])", r#"["2.5.29.19", "2.5.29.17", "2.5.29.14"]"#).inputs(EXAMPLE)],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    property(call, |certificate, _| Value::list(certificate.iter_extensions().map(|one| Value::from(one.oid.to_id_string()))))
}
