//! The table of all functions. A new function is one file in this folder and one line here.

pub use crate::function::{Example, Function, Param, Type};

use crate::dialect::Dialect;

macro_rules! functions {
    ($($file:ident,)*) => {
        $(mod $file;)*
        static TABLE: &[&Function] = &[$(&$file::FUNCTION),*];
    };
}

functions! {
    alt_sec_id_from_netid,
    app_role_assignments,
    app_role_assignments_complex,
    append,
    assertive_app_role_assignments_complex,
    bit_and,
    bit_or,
    c_bool,
    c_date,
    c_guid,
    c_num,
    c_ref,
    c_str,
    cert_extension_oids,
    cert_format,
    cert_friendly_name,
    cert_hash_string,
    cert_issuer,
    cert_issuer_dn,
    cert_issuer_oid,
    cert_key_algorithm,
    cert_key_algorithm_params,
    cert_name_info,
    cert_not_after,
    cert_not_before,
    cert_public_key_oid,
    cert_public_key_parameters_oid,
    cert_serial_number,
    cert_signature_algorithm_oid,
    cert_subject,
    cert_subject_name_dn,
    cert_subject_name_oid,
    cert_thumbprint,
    cert_version,
    coalesce,
    contains,
    convert_from_base64,
    convert_from_utf8_hex,
    convert_to_base64,
    convert_to_utf8_hex,
    count,
    date_add,
    date_diff,
    date_from_num,
    default_domain,
    dn_component,
    dn_component_rev,
    error,
    escape_dn_component,
    format_date_time,
    guid,
    hybrid_format_date_time,
    hybrid_join,
    hybrid_mid,
    hybrid_now,
    hybrid_num_from_date,
    hybrid_p_case,
    hybrid_replace,
    hybrid_split,
    hybrid_switch,
    ignore_flow_if_null_or_empty,
    iif,
    in_str,
    in_str_rev,
    is_bit_set,
    is_cert,
    is_date,
    is_empty,
    is_guid,
    is_nothing,
    is_null,
    is_null_or_empty,
    is_numeric,
    is_present,
    is_string,
    item,
    item_or_null,
    join,
    l_case,
    l_trim,
    left,
    len,
    mid,
    normalize_diacritics,
    not,
    now,
    num_from_date,
    p_case,
    pad_left,
    pad_right,
    prepend,
    r_trim,
    random_num,
    random_string,
    redact,
    remove_duplicates,
    replace,
    replace_chars,
    right,
    select,
    select_unique_value,
    single_app_role_assignment,
    split,
    string_from_guid,
    string_from_sid,
    strip_spaces,
    switch,
    to_lower,
    to_upper,
    trim,
    u_case,
    r#where,
    with,
    word,
}

/// Every function, in the order of the files.
///
/// A name occurs more than once when its meaning differs between dialects.
pub fn all() -> &'static [&'static Function] {
    TABLE
}

/// The function of exactly this name in the dialect.
pub fn find(name: &str, dialect: Dialect) -> Option<&'static Function> {
    TABLE.iter().copied().find(|function| function.name == name && function.dialects.contains(&dialect))
}

/// The function of this name in any case in the dialect.
pub(crate) fn find_any_case(name: &str, dialect: Dialect) -> Option<&'static Function> {
    TABLE
        .iter()
        .copied()
        .find(|function| function.name.eq_ignore_ascii_case(name) && function.dialects.contains(&dialect))
}
