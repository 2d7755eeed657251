//! Response groups: what an answer holds follows from what the expressions of the attributes touch.

/// The flags of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Groups {
    /// In the order of the published definition.
    flags: Vec<&'static str>,
}

/// Every flag that is ever sent, in the order of the published definition, which the service insists on.
const ORDER: &[&str] = &[
    "Include_Reference",
    "Include_Personal_Information",
    "Include_Additional_Jobs",
    "Include_Employment_Information",
    "Include_Compensation",
    "Include_Organizations",
    "Exclude_Organization_Support_Role_Data",
    "Exclude_Location_Hierarchies",
    "Exclude_Cost_Centers",
    "Exclude_Cost_Center_Hierarchies",
    "Exclude_Company_Hierarchies",
    "Exclude_Matrix_Organizations",
    "Exclude_Pay_Groups",
    "Exclude_Regions",
    "Exclude_Region_Hierarchies",
    "Include_Roles",
    "Include_Management_Chain_Data",
    "Include_Benefit_Enrollments",
    "Include_Benefit_Eligibility",
    "Include_Related_Persons",
    "Include_Qualifications",
    "Include_Employee_Review",
    "Include_Goals",
    "Include_Development_Items",
    "Include_Skills",
    "Include_Photo",
    "Include_Worker_Documents",
    "Include_Transaction_Log_Data",
    "Include_Succession_Profile",
    "Include_Talent_Assessment",
    "Include_Employee_Contract_Data",
    "Include_Feedback_Received",
    "Include_User_Account",
    "Include_Career",
    "Include_Account_Provisioning",
    "Include_Background_Check_Data",
    "Include_Contingent_Worker_Tax_Authority_Form_Information",
    "Exclude_Funds",
    "Exclude_Fund_Hierarchies",
    "Exclude_Grants",
    "Exclude_Grant_Hierarchies",
    "Exclude_Business_Units",
    "Exclude_Business_Unit_Hierarchies",
    "Exclude_Programs",
    "Exclude_Program_Hierarchies",
    "Exclude_Gifts",
    "Exclude_Gift_Hierarchies",
];

/// Flags that are always sent.
const ALWAYS: &[&str] = &[
    "Include_Reference",
    "Include_Personal_Information",
    "Include_Additional_Jobs",
    "Include_Employment_Information",
    "Include_Organizations",
    "Exclude_Organization_Support_Role_Data",
    "Include_Management_Chain_Data",
];

/// What an expression names, and the flag that brings it.
const TOUCHES: &[(&str, &str)] = &[
    ("Account_Provisioning_Data", "Include_Account_Provisioning"),
    ("User_Account_Data", "Include_User_Account"),
    ("Role_Data", "Include_Roles"),
    ("Compensation_Data", "Include_Compensation"),
    ("Qualification_Data", "Include_Qualifications"),
    ("Skill_Data", "Include_Skills"),
    ("Career_Data", "Include_Career"),
    ("Development_Item_Data", "Include_Development_Items"),
    ("Worker_Goal_Data", "Include_Goals"),
    ("Photo_Data", "Include_Photo"),
    ("Worker_Document_Data", "Include_Worker_Documents"),
    ("Related_Persons_Data", "Include_Related_Persons"),
    ("Related_Person_Data", "Include_Related_Persons"),
    ("Employee_Contracts_Data", "Include_Employee_Contract_Data"),
    ("Employee_Contract_Data", "Include_Employee_Contract_Data"),
    ("Employee_Review_Data", "Include_Employee_Review"),
    ("Feedback_Received_Data", "Include_Feedback_Received"),
    ("Benefit_Enrollment_Data", "Include_Benefit_Enrollments"),
    ("Benefit_Eligibility_Data", "Include_Benefit_Eligibility"),
    ("Talent_Assessment_Data", "Include_Talent_Assessment"),
    ("Succession_Profile_Data", "Include_Succession_Profile"),
    ("Background_Check_Data", "Include_Background_Check_Data"),
    (
        "Contingent_Worker_Tax_Authority_Form_Type_Data",
        "Include_Contingent_Worker_Tax_Authority_Form_Information",
    ),
    ("Transaction_Log_Entry_Data", "Include_Transaction_Log_Data"),
];

/// Organisations that are left out unless an expression names their type, in quotes.
const ORGANISATIONS: &[(&str, &str)] = &[
    ("LOCATION_HIERARCHY", "Exclude_Location_Hierarchies"),
    ("COST_CENTER_HIERARCHY", "Exclude_Cost_Center_Hierarchies"),
    ("COMPANY_HIERARCHY", "Exclude_Company_Hierarchies"),
    ("MATRIX", "Exclude_Matrix_Organizations"),
    ("PAY_GROUP", "Exclude_Pay_Groups"),
    ("REGION", "Exclude_Regions"),
    ("REGION_HIERARCHY", "Exclude_Region_Hierarchies"),
    ("FUND", "Exclude_Funds"),
    ("FUND_HIERARCHY", "Exclude_Fund_Hierarchies"),
    ("GRANT", "Exclude_Grants"),
    ("GRANT_HIERARCHY", "Exclude_Grant_Hierarchies"),
    ("BUSINESS_UNIT", "Exclude_Business_Units"),
    ("BUSINESS_UNIT_HIERARCHY", "Exclude_Business_Unit_Hierarchies"),
    ("PROGRAMS", "Exclude_Programs"),
    ("PROGRAM_HIERARCHY", "Exclude_Program_Hierarchies"),
    ("GIFT", "Exclude_Gifts"),
    ("GIFT_HIERARCHY", "Exclude_Gift_Hierarchies"),
];

impl Groups {
    /// What these expressions need.
    pub(super) fn of<'a>(expressions: impl IntoIterator<Item = &'a str>) -> Self {
        let mut wanted: Vec<&str> = ALWAYS.to_vec();
        let mut left_out: Vec<&str> = ORGANISATIONS.iter().map(|(_, flag)| *flag).collect();
        for text in expressions {
            wanted.extend(TOUCHES.iter().filter(|(name, _)| has_word(text, name)).map(|(_, flag)| *flag));
            left_out.retain(|flag| {
                let kind = ORGANISATIONS.iter().find(|(_, known)| known == flag).map(|(kind, _)| *kind);
                !kind.is_some_and(|kind| has_word(&text.to_ascii_uppercase(), kind))
            });
        }
        let is_sent = |flag: &&&str| wanted.contains(flag) || left_out.contains(flag);
        Self { flags: ORDER.iter().filter(is_sent).copied().collect() }
    }

    /// With the transaction log, as full reads ask for it.
    pub(super) fn with_log(&self) -> Self {
        let log = "Include_Transaction_Log_Data";
        let is_sent = |flag: &&&str| **flag == log || self.flags.contains(flag);
        Self { flags: ORDER.iter().filter(is_sent).copied().collect() }
    }

    /// Reference and personal information, as the test of a connection asks for them.
    pub(super) fn for_test() -> Self {
        Self { flags: vec!["Include_Reference", "Include_Personal_Information"] }
    }

    /// What tells whether a worker is active.
    pub(super) fn for_status() -> Self {
        Self {
            flags: vec![
                "Include_Reference",
                "Include_Personal_Information",
                "Include_Employment_Information",
            ],
        }
    }

    /// Only the reference.
    #[cfg(test)]
    pub(super) fn only_reference() -> Self {
        Self { flags: vec!["Include_Reference"] }
    }

    pub(super) fn flags(&self) -> &[&'static str] {
        &self.flags
    }
}

/// Whether the text has the word, not as a part of a longer one.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(expressions: &[&str], flag: &str) -> bool {
        Groups::of(expressions.iter().copied()).flags().contains(&flag)
    }

    #[test]
    fn flags_follow_the_expressions() {
        assert!(!has(&[], "Include_User_Account"));
        assert!(has(
            &["wd:Worker/wd:Worker_Data/wd:User_Account_Data/wd:User_Name/text()"],
            "Include_User_Account"
        ));
        assert!(has(
            &["wd:Worker/wd:Worker_Data/wd:Account_Provisioning_Data/x"],
            "Include_Account_Provisioning"
        ));
        assert!(!has(&["wd:Worker/wd:Worker_Data/wd:Account_Provisioning_Data/x"], "Include_Roles"));
    }

    #[test]
    fn organisations_come_when_an_expression_names_their_type() {
        assert!(has(&[], "Exclude_Location_Hierarchies"));
        assert!(!has(&["a[b='LOCATION_HIERARCHY']"], "Exclude_Location_Hierarchies"));
        assert!(!has(&["a[b='Cost_Center_Hierarchy']"], "Exclude_Cost_Center_Hierarchies"));
        assert!(has(&["a[b='FUND_HIERARCHY']"], "Exclude_Funds"));
        assert!(!has(&["a[b='FUND_HIERARCHY']"], "Exclude_Fund_Hierarchies"));
    }

    #[test]
    fn every_flag_has_its_place() {
        let all = ALWAYS.iter().chain(TOUCHES.iter().map(|(_, flag)| flag));
        for flag in all.chain(ORGANISATIONS.iter().map(|(_, flag)| flag)) {
            assert!(ORDER.contains(flag), "{flag}");
        }
        let log = Groups::of([]).with_log();
        assert!(log.flags().is_sorted_by_key(|flag| ORDER.iter().position(|known| known == flag)));
        assert!(log.flags().contains(&"Include_Transaction_Log_Data"));
    }
}
