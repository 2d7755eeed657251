//! `DNComponentRev`: one component of a distinguished name, counted from the right.

use super::dn_component::{map_name, position};
use crate::call::Call;
use crate::distinguished_name::components;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};

pub(crate) const FUNCTION: Function = Function {
    name: "DNComponentRev",
    summary: "Returns the value of one component of a distinguished name, counted from the right.",
    dialects: HYBRID,
    params: &[
        Param::required("dn", Type::Reference, "The distinguished name."),
        Param::required("index", Type::Integer, "The position, from 1."),
        Param::optional("options", Type::Word(&["DC"]), "With DC, components dc= are not counted."),
    ],
    examples: &[
        Example::hybrid("DNComponentRev([dn], 1)", r#""example""#)
            .inputs(r#"{"dn": "CN=Ann,OU=Staff,DC=woodgrove,DC=example"}"#),
        Example::hybrid("DNComponentRev([dn], 1, DC)", r#""Staff""#)
            .inputs(r#"{"dn": "CN=Ann,OU=Staff,DC=woodgrove,DC=example"}"#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let position = position(call)?;
    let skips_domain = !call.text(2)?.is_empty();
    map_name(call, |name| {
        let counted = components(name)
            .into_iter()
            .rev()
            .filter(|component| !(skips_domain && component.kind.eq_ignore_ascii_case("dc")));
        counted.map(|component| component.value).nth(position)
    })
}
