//! `CertNameInfo`: one of the names in a certificate.

use crate::call::Call;
use crate::certificate::{EXAMPLE, name_info, property};
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "CertNameInfo",
    summary: "Returns one of the names of a certificate's subject or issuer.",
    dialects: HYBRID,
    params: &[
        Param::required("certificateRawData", Type::Binary, "The certificate, as DER or as its base64 text."),
        Param::required(
            "x509NameType",
            Type::Word(&["SimpleName", "EmailName", "UpnName", "DnsName", "DnsFromAlternativeName", "UrlName"]),
            "Which name.",
        ),
        Param::required("includesIssuerName", Type::Boolean, "True for the issuer's name, False for the subject's."),
    ],
    examples: &[
        Example::hybrid("CertNameInfo([userCertificate], SimpleName, False)", r#""Ann Lee""#).inputs(EXAMPLE),
        Example::hybrid("CertNameInfo([userCertificate], EmailName, False)", r#""ann.lee@woodgrove.example""#).inputs(EXAMPLE),
        Example::hybrid("CertNameInfo([userCertificate], UpnName, False)", r#""ann@corp.woodgrove.example""#).inputs(EXAMPLE),
        Example::hybrid("CertNameInfo([userCertificate], DnsName, False)", r#""ann.woodgrove.example""#).inputs(EXAMPLE),
        Example::hybrid("CertNameInfo([userCertificate], UrlName, False)", r#""https://woodgrove.example/ann""#).inputs(EXAMPLE),
        Example::hybrid("CertNameInfo([userCertificate], DnsFromAlternativeName, True)", r#""""#).inputs(EXAMPLE),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let kind = call.text(1)?;
    let of_issuer = call.condition(2)?;
    property(call, |certificate, _| Value::from(name_info(certificate, &kind, of_issuer)))
}
