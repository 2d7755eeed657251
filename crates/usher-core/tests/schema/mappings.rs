//! What is said of attribute mappings: one fault at a time.

use expect_test::expect;
use serde_json::{Value, json};

use crate::common::{FULL_NAME, LOGIN, MAPPING, SOURCE, SUPERIOR, TARGET, with, with_all};

fn function(expression: &str) -> Value {
    json!({ "type": "Function", "name": "", "expression": expression })
}

#[test]
fn attributes_that_mappings_name_must_exist() {
    with(
        &format!("{LOGIN}/source"),
        json!({ "type": "Attribute", "name": "email" }),
        expect![[r#"
        warning unknownSource $.synchronizationRules[0].objectMappings[0].attributeMappings[0]: the source object has no attribute 'email'
          add its definition, or correct the name
    "#]],
    );
    with(
        &format!("{LOGIN}/targetAttributeName"),
        json!("logon"),
        expect![[r#"
        warning unknownTarget $.synchronizationRules[0].objectMappings[0].attributeMappings[0]: the target object 'Holder' has no attribute 'logon'
          add its definition, or correct the name
        warning requiredUnmapped $.synchronizationRules[0].objectMappings[0]: 'login' is required in the target, but neither mapped nor defaulted
          map it, or correct its 'required' flag
    "#]],
    );
    with(
        &format!("{FULL_NAME}/source"),
        function("Join(\" \", [givenName], [familyName])"),
        expect![[r#"
        warning unknownSource $.synchronizationRules[0].objectMappings[0].attributeMappings[1].source.expression: the expression reads 'familyName', which the source object does not have
          add its definition, or correct the name
    "#]],
    );
}

#[test]
fn something_must_be_matched_on() {
    with(
        &format!("{LOGIN}/matchingPriority"),
        json!(0),
        expect![[r#"
        warning noMatching $.synchronizationRules[0].objectMappings[0]: no attribute mapping is a matching one, so no target object can be found
          give one mapping a matchingPriority of 1
    "#]],
    );
    with(
        &format!("{LOGIN}/matchingPriority"),
        json!(-1),
        expect![[r#"
        warning negativePriority $.synchronizationRules[0].objectMappings[0].attributeMappings[0]: the matching priority -1 is below 0 and counts as 0
          0 means no matching; matching ones begin at 1
        warning noMatching $.synchronizationRules[0].objectMappings[0]: no attribute mapping is a matching one, so no target object can be found
          give one mapping a matchingPriority of 1
    "#]],
    );
    with(
        &format!("{FULL_NAME}/matchingPriority"),
        json!(1),
        expect![[r#"
        warning samePriority $.synchronizationRules[0].objectMappings[0].attributeMappings[1]: 'login' and 'fullName' have the same matching priority 1
          give each matching attribute a priority of its own
    "#]],
    );
}

#[test]
fn constants_references_and_secrets_are_not_matched_on() {
    with(
        &format!("{LOGIN}/source"),
        json!({ "type": "Constant", "name": "everybody" }),
        expect![[r#"
        warning matchingConstant $.synchronizationRules[0].objectMappings[0].attributeMappings[0]: a matching attribute without a source value finds the same object for everybody
          map the source attribute that tells objects apart
    "#]],
    );
    with(
        &format!("{SUPERIOR}/matchingPriority"),
        json!(2),
        expect![[r#"
        warning referenceMatching $.synchronizationRules[0].objectMappings[0].attributeMappings[4]: 'superior' is a reference and cannot be matched on
          match on a text or a number
    "#]],
    );
    let pin = json!({ "targetAttributeName": "pin", "matchingPriority": 2, "source": { "type": "Attribute", "name": "office" } });
    with(
        &format!("{MAPPING}/attributeMappings/-"),
        pin,
        expect![[r#"
        warning writeOnlyMatching $.synchronizationRules[0].objectMappings[0].attributeMappings[5]: 'pin' is never given back by the target, so nothing can be found by it
          match on another attribute
    "#]],
    );
}

#[test]
fn unique_values_are_for_new_objects_and_not_for_matching() {
    let unique = function("SelectUniqueValue(Join(\".\", [givenName], [surname]), [mail])");
    with(
        &format!("{LOGIN}/source"),
        unique.clone(),
        expect![[r#"
        error uniqueMatching $.synchronizationRules[0].objectMappings[0].attributeMappings[0]: SelectUniqueValue cannot compute a matching attribute
          match on another attribute
    "#]],
    );
    with(
        &format!("{FULL_NAME}/source"),
        unique,
        expect![[r#"
        warning uniqueAlways $.synchronizationRules[0].objectMappings[0].attributeMappings[1]: SelectUniqueValue is meant for new objects, but the mapping flows always
          set flowType to ObjectAddOnly
    "#]],
    );
}

#[test]
fn bad_expressions_are_errors_with_the_character() {
    with(
        &format!("{FULL_NAME}/source"),
        function("Joyn(\" \", [givenName])"),
        expect![[r#"
        error ExpressionUnknownFunction $.synchronizationRules[0].objectMappings[0].attributeMappings[1].source.expression: there is no function Joyn (character 1 of the expression `Joyn(" ", [givenName])`)
          did you mean Join?
    "#]],
    );
    with(
        &format!("{FULL_NAME}/source"),
        function("Append(\"Zoë\", )"),
        expect![[r#"
        error ExpressionMissingArgument $.synchronizationRules[0].objectMappings[0].attributeMappings[1].source.expression: Append needs the argument suffix (character 1 of the expression `Append("Zoë", )`)
          write Append(source, suffix): what stands behind it
    "#]],
    );
    with(
        &format!("{FULL_NAME}/source"),
        function("Append(\"ë\", [surname]"),
        expect![[r#"
        error ExpressionMissingParenthesis $.synchronizationRules[0].objectMappings[0].attributeMappings[1].source.expression: the call of Append is not closed (character 7 of the expression `Append("ë", [surname]`)
          put `)` behind its last argument
    "#]],
    );
}

#[test]
fn parameters_that_say_something_else_are_noticed() {
    with(
        &format!("{FULL_NAME}/source/expression"),
        json!("Join(\"-\", [givenName], [surname])"),
        expect![[r#"
        warning parametersDisagree $.synchronizationRules[0].objectMappings[0].attributeMappings[1].source: 'parameters' say something else than the expression `Join("-", [givenName], [surname])`, which counts
          correct them, or leave them empty
    "#]],
    );
    with(
        &format!("{FULL_NAME}/source/expression"),
        json!("Join(\" \", [givenName])"),
        expect![[r#"
        warning parametersDisagree $.synchronizationRules[0].objectMappings[0].attributeMappings[1].source: 'parameters' say something else than the expression `Join(" ", [givenName])`, which counts
          correct them, or leave them empty
    "#]],
    );
}

#[test]
fn a_target_attribute_is_mapped_once() {
    let again =
        json!({ "targetAttributeName": "LOGIN", "source": { "type": "Attribute", "name": "office" } });
    with(
        &format!("{MAPPING}/attributeMappings/-"),
        again,
        expect![[r#"
        warning duplicateTarget $.synchronizationRules[0].objectMappings[0].attributeMappings[5]: 'LOGIN' is mapped more than once; the last value wins
          keep one of the mappings
    "#]],
    );
}

#[test]
fn references_are_mapped_to_references_and_without_expressions() {
    with(
        &format!("{SUPERIOR}/source"),
        function("Append([office], \"x\")"),
        expect![[r#"
        warning referenceByExpression $.synchronizationRules[0].objectMappings[0].attributeMappings[4]: 'superior' is a reference and is mapped by an expression
          references take direct mappings only
    "#]],
    );
    with(
        &format!("{SUPERIOR}/source"),
        json!({ "type": "Attribute", "name": "office" }),
        expect![[r#"
        warning referenceToPlain $.synchronizationRules[0].objectMappings[0].attributeMappings[4]: 'superior' is a reference and 'office' is not, so nothing is resolved
          map references to references
    "#]],
    );
    with(
        &format!("{FULL_NAME}/source"),
        json!({ "type": "Attribute", "name": "boss" }),
        expect![[r#"
        warning referenceToPlain $.synchronizationRules[0].objectMappings[0].attributeMappings[1]: 'boss' is a reference and 'fullName' is not, so nothing is resolved
          map references to references
    "#]],
    );
    with(
        &format!("{SOURCE}/8/referencedObjects"),
        json!([{ "referencedObjectName": "Boss" }]),
        expect![[r#"
        warning unknownReference $.synchronizationRules[0].objectMappings[0].attributeMappings[4]: 'boss' refers to Boss, which the source directory does not have
          add its definition, or correct referencedObjects
    "#]],
    );
}

#[test]
fn required_attributes_are_mapped_or_defaulted() {
    with(
        &format!("{TARGET}/4/required"),
        json!(true),
        expect![[r#"
        warning requiredUnmapped $.synchronizationRules[0].objectMappings[0]: 'tags' is required in the target, but neither mapped nor defaulted
          map it, or correct its 'required' flag
    "#]],
    );
    with_all(
        &[(format!("{TARGET}/4/required"), json!(true)), (format!("{TARGET}/4/defaultValue"), json!("none"))],
        expect![[r#""#]],
    );
    with_all(
        &[(format!("{TARGET}/4/required"), json!(true)), (format!("{MAPPING}/flowTypes"), json!("Update"))],
        expect![[r#""#]],
    );
}

#[test]
fn fixed_values_fit_the_type() {
    with(
        &format!("{TARGET}/2/defaultValue"),
        json!("high"),
        expect![[r#"
        warning wrongValue $.directories[1].objects[0].attributes[2]: 'high' is no value for 'level', which is Integer
          correct the value, or the attribute's type
    "#]],
    );
    with(
        &format!("{MAPPING}/attributeMappings/2/defaultValue"),
        json!("high"),
        expect![[r#"
        warning wrongValue $.synchronizationRules[0].objectMappings[0].attributeMappings[2]: 'high' is no value for 'level', which is Integer
          correct the value, or the attribute's type
    "#]],
    );
    let constant = json!({ "type": "Constant", "name": "perhaps" });
    with(
        &format!("{MAPPING}/attributeMappings/3/source"),
        constant,
        expect![[r#"
        warning wrongValue $.synchronizationRules[0].objectMappings[0].attributeMappings[3].source: 'perhaps' is no value for 'enabled', which is Boolean
          correct the value, or the attribute's type
    "#]],
    );
}

#[test]
fn several_values_do_not_fit_into_one() {
    with(
        &format!("{FULL_NAME}/source"),
        json!({ "type": "Attribute", "name": "nicknames" }),
        expect![[r#"
        warning severalValues $.synchronizationRules[0].objectMappings[0].attributeMappings[1]: 'nicknames' may have several values, but 'fullName' takes one
          pick one with an expression such as Item
    "#]],
    );
    with(
        &format!("{FULL_NAME}/flowType"),
        json!("MultiValueAddOnly"),
        expect![[r#"
        warning flowTypeSingle $.synchronizationRules[0].objectMappings[0].attributeMappings[1]: 'fullName' takes one value, but the flow type is for several
          use Always or AttributeAddOnly
    "#]],
    );
}

#[test]
fn read_only_attributes_are_not_written() {
    let key = json!({ "targetAttributeName": "key", "source": { "type": "Attribute", "name": "office" } });
    with(
        &format!("{MAPPING}/attributeMappings/-"),
        key,
        expect![[r#"
        warning readOnlyTarget $.synchronizationRules[0].objectMappings[0].attributeMappings[5]: 'key' is read-only in the target, so the mapping has no effect
          remove the mapping
    "#]],
    );
}
