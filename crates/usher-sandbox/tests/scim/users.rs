//! Users: create, read, replace, delete, and what is refused.

use expect_test::expect;

use crate::conversation::check;

#[test]
fn entras_create_is_stored_as_sent() {
    check(
        r#"
POST /Users
{"schemas":["@user","@enterprise"],"externalId":"adele.v","userName":"adele.v@contoso.example","active":true,
 "displayName":"Adele Vance","emails":[{"primary":true,"type":"work","value":"adele.v@contoso.example"}],
 "addresses":[{"type":"work","formatted":"18/2111"}],"phoneNumbers":[{"type":"mobile","value":"+1 425 555 0101"}],
 "name":{"familyName":"Vance","givenName":"Adele"},"meta":{"resourceType":"User"},"roles":[],
 "@enterprise":{"department":"Retail","employeeNumber":"1001"}}

GET /Users/$1
"#,
        expect![[r#"
            201 {"schemas":["@user","@enterprise"],"id":"$1","externalId":"adele.v","userName":"adele.v@contoso.example","name":{"familyName":"Vance","givenName":"Adele"},"displayName":"Adele Vance","active":true,"emails":[{"primary":true,"type":"work","value":"adele.v@contoso.example"}],"phoneNumbers":[{"type":"mobile","value":"+1 425 555 0101"}],"addresses":[{"type":"work","formatted":"18/2111"}],"@enterprise":{"employeeNumber":"1001","department":"Retail"}}
            200 {"schemas":["@user","@enterprise"],"id":"$1","externalId":"adele.v","userName":"adele.v@contoso.example","name":{"familyName":"Vance","givenName":"Adele"},"displayName":"Adele Vance","active":true,"emails":[{"primary":true,"type":"work","value":"adele.v@contoso.example"}],"phoneNumbers":[{"type":"mobile","value":"+1 425 555 0101"}],"addresses":[{"type":"work","formatted":"18/2111"}],"@enterprise":{"employeeNumber":"1001","department":"Retail"}}
        "#]],
    );
}

#[test]
fn names_are_stored_in_the_schemas_spelling_and_nulls_not_at_all() {
    check(
        r#"
POST /Users
{"Schemas":["@user"],"username":"ann","NAME":{"GivenName":"Ann","familyName":null},"title":null,"emails":[]}
"#,
        expect![[r#"
            201 {"schemas":["@user"],"id":"$1","userName":"ann","name":{"givenName":"Ann"}}
        "#]],
    );
}

#[test]
fn enterprise_attributes_are_taken_without_their_urn_in_schemas() {
    check(
        r#"
POST /Users
{"schemas":["@user"],"userName":"ann","@enterprise":{"department":"Sales"}}
"#,
        expect![[r#"
            201 {"schemas":["@user","@enterprise"],"id":"$1","userName":"ann","@enterprise":{"department":"Sales"}}
        "#]],
    );
}

#[test]
fn user_name_is_unique_without_regard_to_case() {
    check(
        r#"
POST /Users
{"schemas":["@user"],"userName":"ann"}

POST /Users
{"schemas":["@user"],"userName":"ANN"}

POST /Users
{"schemas":["@user"],"userName":"bob"}

PATCH /Users/$2
{"schemas":["@patch"],"Operations":[{"op":"replace","path":"userName","value":"Ann"}]}

PUT /Users/$2
{"schemas":["@user"],"userName":"Ann"}

PUT /Users/$1
{"schemas":["@user"],"userName":"Ann"}

DELETE /Users/$1

POST /Users
{"schemas":["@user"],"userName":"ann"}
"#,
        expect![[r#"
            201 {"schemas":["@user"],"id":"$1","userName":"ann"}
            409 uniqueness: userName "ANN" is taken
            201 {"schemas":["@user"],"id":"$2","userName":"bob"}
            409 uniqueness: userName "Ann" is taken
            409 uniqueness: userName "Ann" is taken
            200 {"schemas":["@user"],"id":"$1","userName":"Ann"}
            204
            201 {"schemas":["@user"],"id":"$3","userName":"ann"}
        "#]],
    );
}

#[test]
fn strictness_names_the_attribute() {
    check(
        r#"
POST /Users
{"schemas":["@user"]}

POST /Users
{"schemas":["@user"],"userName":" "}

POST /Users
{"userName":"ann"}

POST /Users
{"schemas":["@group"],"userName":"ann"}

POST /Users
{"schemas":["@enterprise"],"userName":"ann"}

POST /Users
{"schemas":["@user"],"userName":"ann","shoeSize":"44"}

POST /Users
{"schemas":["@user"],"userName":"ann","name.givenName":"Ann"}

POST /Users
{"schemas":["@user"],"userName":"ann","urn:ietf:params:scim:schemas:extension:Custom:2.0:User":{"a":"b"}}

POST /Users
{"schemas":["@user"],"userName":"ann","active":"True"}

POST /Users
{"schemas":["@user"],"userName":"ann","title":7}

POST /Users
{"schemas":["@user"],"userName":"ann","emails":{"value":"a@b.example"}}

POST /Users
{"schemas":["@user"],"userName":"ann","emails":["a@b.example"]}

POST /Users
{"schemas":["@user"],"userName":"ann","emails":[{"address":"a@b.example"}]}

POST /Users
{"schemas":["@user"],"userName":"ann","emails":[{"value":"a","primary":true},{"value":"b","primary":true}]}

POST /Users
{"schemas":["@user"],"userName":"ann","UserName":"bob"}

POST /Users
{"schemas":["@user"],"userName":"ann","x509Certificates":[{"value":"no base64!"}]}

POST /Users
{"schemas":["@user"],"userName":"ann","@enterprise":{"manager":{"value":"nobody"}}}

GET /Users
"#,
        expect![[r#"
            400 invalidValue: attribute "userName" is required
            400 invalidValue: attribute "userName" is required
            400 invalidValue: attribute "schemas" is missing
            400 invalidValue: schema "@group" is unknown here
            400 invalidValue: schema "@user" is missing
            400 invalidSyntax: attribute "shoeSize" is not in the schema
            400 invalidSyntax: attribute "name.givenName" is not in the schema
            400 invalidSyntax: attribute "urn:ietf:params:scim:schemas:extension:Custom:2.0:User" is not in the schema
            400 invalidValue: the value of attribute "active" is no boolean
            400 invalidValue: the value of attribute "title" is no text
            400 invalidValue: attribute "emails" is a list
            400 invalidValue: the value of "emails" is no object
            400 invalidSyntax: attribute "emails.address" is not in the schema
            400 invalidValue: attribute "emails" has more than one primary value
            400 invalidSyntax: attribute "userName" is given twice
            400 invalidValue: the value of attribute "value" is no base64
            400 invalidValue: attribute "manager" points at "nobody", which does not exist
            200 {"schemas":["@list"],"totalResults":0,"startIndex":1,"itemsPerPage":0,"Resources":[]}
        "#]],
    );
}

#[test]
fn read_only_attributes_in_a_body_are_ignored() {
    check(
        r#"
POST /Users
{"schemas":["@user"],"userName":"ann","id":"mine","groups":[{"value":"admins"}]}
"#,
        expect![[r#"
            201 {"schemas":["@user"],"id":"$1","userName":"ann"}
        "#]],
    );
}

#[test]
fn password_is_taken_and_never_shown() {
    check(
        r#"
POST /Users
{"schemas":["@user"],"userName":"ann","password":"s3cret!"}

GET /Users/$1?attributes=password

GET /Users?filter=password pr
"#,
        expect![[r#"
            201 {"schemas":["@user"],"id":"$1","userName":"ann"}
            200 {"schemas":["@user"],"id":"$1"}
            400 invalidFilter: attribute "password" cannot be asked for
        "#]],
    );
}

#[test]
fn put_replaces_everything() {
    check(
        r#"
POST /Users
{"schemas":["@user"],"userName":"ann","title":"Clerk","active":true}

PUT /Users/$1
{"schemas":["@user"],"userName":"ann","displayName":"Ann"}

PUT /Users/nobody
{"schemas":["@user"],"userName":"ann"}
"#,
        expect![[r#"
            201 {"schemas":["@user"],"id":"$1","userName":"ann","title":"Clerk","active":true}
            200 {"schemas":["@user"],"id":"$1","userName":"ann","displayName":"Ann"}
            404 User "nobody" does not exist
        "#]],
    );
}

#[test]
fn deleted_is_gone() {
    check(
        r#"
POST /Users
{"schemas":["@user"],"userName":"ann"}

DELETE /Users/$1

GET /Users/$1

DELETE /Users/$1

GET /Users?filter=userName eq "ann"
"#,
        expect![[r#"
            201 {"schemas":["@user"],"id":"$1","userName":"ann"}
            204
            404 User "$1" does not exist
            404 User "$1" does not exist
            200 {"schemas":["@list"],"totalResults":0,"startIndex":1,"itemsPerPage":0,"Resources":[]}
        "#]],
    );
}

#[test]
fn manager_has_an_address_and_a_name_and_disappears_with_the_account() {
    check(
        r#"
POST /Users
{"schemas":["@user"],"userName":"bob","displayName":"Bob"}

POST /Users
{"schemas":["@user"],"userName":"ann","@enterprise":{"manager":{"value":"$1"}}}

DELETE /Users/$1

GET /Users/$2
"#,
        expect![[r#"
            201 {"schemas":["@user"],"id":"$1","userName":"bob","displayName":"Bob"}
            201 {"schemas":["@user","@enterprise"],"id":"$2","userName":"ann","@enterprise":{"manager":{"value":"$1","$ref":"http://localhost/scim/v2/Users/$1","displayName":"Bob"}}}
            204
            200 {"schemas":["@user"],"id":"$2","userName":"ann"}
        "#]],
    );
}

#[test]
fn attributes_select_what_is_shown() {
    check(
        r#"
POST /Users?attributes=userName
{"schemas":["@user"],"userName":"ann","title":"Clerk","name":{"givenName":"Ann","familyName":"Lee"},
 "emails":[{"type":"work","value":"a@b.example"}],"@enterprise":{"department":"Sales","division":"West"}}

GET /Users/$1?attributes=name.familyName,emails.value,@enterprise:department

GET /Users/$1?excludedAttributes=name.familyName,emails,@enterprise,id

GET /Users/$1?attributes=USERNAME,unknown

GET /Users?attributes=title

GET /Users/$1?attributes=title&excludedAttributes=name
"#,
        expect![[r#"
            201 {"schemas":["@user","@enterprise"],"id":"$1","userName":"ann"}
            200 {"schemas":["@user","@enterprise"],"id":"$1","name":{"familyName":"Lee"},"emails":[{"value":"a@b.example"}],"@enterprise":{"department":"Sales"}}
            200 {"schemas":["@user","@enterprise"],"id":"$1","userName":"ann","name":{"givenName":"Ann"},"title":"Clerk"}
            200 {"schemas":["@user","@enterprise"],"id":"$1","userName":"ann"}
            200 {"schemas":["@list"],"totalResults":1,"startIndex":1,"itemsPerPage":1,"Resources":[{"schemas":["@user","@enterprise"],"id":"$1","title":"Clerk"}]}
            400 invalidValue: "attributes" and "excludedAttributes" exclude one another
        "#]],
    );
}
