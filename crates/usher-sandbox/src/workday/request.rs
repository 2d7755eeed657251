//! Reads Get_Workers requests strictly: user, version, elements in their order, nothing that is not known.

use jiff::Timestamp;
use roxmltree::{Document, Node};

const WORKDAY: &str = "urn:com.workday/bsvc";
const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const SECURITY: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";

/// The flags of a response group in the order of the published definition.
const FLAGS: &[&str] = &[
    "Include_Reference",
    "Include_Personal_Information",
    "Show_All_Personal_Information",
    "Include_Additional_Jobs",
    "Include_Employment_Information",
    "Include_Compensation",
    "Include_Organizations",
    "Exclude_Organization_Support_Role_Data",
    "Exclude_Location_Hierarchies",
    "Exclude_Cost_Centers",
    "Exclude_Cost_Center_Hierarchies",
    "Exclude_Companies",
    "Exclude_Company_Hierarchies",
    "Exclude_Matrix_Organizations",
    "Exclude_Pay_Groups",
    "Exclude_Regions",
    "Exclude_Region_Hierarchies",
    "Exclude_Supervisory_Organizations",
    "Exclude_Teams",
    "Exclude_Custom_Organizations",
    "Include_Roles",
    "Include_Management_Chain_Data",
    "Include_Multiple_Managers_in_Management_Chain_Data",
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
    "Include_Subevents_for_Corrected_Transaction",
    "Include_Subevents_for_Rescinded_Transaction",
    "Include_Succession_Profile",
    "Include_Talent_Assessment",
    "Include_Employee_Contract_Data",
    "Include_Contracts_for_Terminated_Workers",
    "Include_Collective_Agreement_Data",
    "Include_Probation_Period_Data",
    "Include_Extended_Employee_Contract_Details",
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
    "Exclude_Retiree_Organizations",
];

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    /// Ids by type, and whether those that are not there are left out.
    References(Vec<(String, String)>, bool),
    /// Criteria; a worker must meet all that are given.
    Criteria(Criteria),
}

/// Criteria of the transaction log and exclusions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Criteria {
    pub(crate) updated: Option<(Timestamp, Timestamp)>,
    pub(crate) effective: Option<(Timestamp, Timestamp)>,
    pub(crate) processes: Vec<String>,
    pub(crate) without_inactive: bool,
    pub(crate) without_employees: bool,
    pub(crate) without_contingent: bool,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) selection: Selection,
    pub(crate) as_of_effective: Timestamp,
    pub(crate) as_of_entry: Timestamp,
    pub(crate) page: usize,
    pub(crate) count: usize,
    pub(crate) flags: Vec<String>,
}

/// A fault: code and text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) text: String,
}

impl Refusal {
    pub(crate) fn invalid(text: impl Into<String>) -> Self {
        Self { code: "Client.validationError", text: format!("Validation error occurred. {}", text.into()) }
    }
}

type Read<T> = Result<T, Refusal>;

/// Reads a request to an address of this version.
pub(crate) fn read(body: &str, version: &str, user: &str, password: &str) -> Read<Asked> {
    let document = Document::parse(body)
        .map_err(|error| Refusal { code: "Client", text: format!("the request is not XML: {error}") })?;
    let envelope = document.root_element();
    let in_soap = |name: &str| envelope.children().find(|node| node.has_tag_name((SOAP, name)));
    if !envelope.has_tag_name((SOAP, "Envelope")) {
        return Err(Refusal { code: "Client", text: "the request is no SOAP 1.1 envelope".to_owned() });
    }
    let secret = |name: &str| {
        let header = in_soap("Header")?;
        let token = header.descendants().find(|node| node.has_tag_name((SECURITY, "UsernameToken")))?;
        let node = token.children().find(|node| node.has_tag_name((SECURITY, name)))?;
        Some((node, node.text().unwrap_or_default().to_owned()))
    };
    let is_text = secret("Password")
        .and_then(|(node, _)| node.attribute("Type").map(|kind| kind.ends_with("#PasswordText")))
        .unwrap_or(false);
    let is_known = secret("Username").is_some_and(|(_, text)| text == user)
        && secret("Password").is_some_and(|(_, text)| text == password);
    if !is_known || !is_text {
        let text = "invalid username or password".to_owned();
        return Err(Refusal { code: "Client.authenticationError", text });
    }
    let request = in_soap("Body")
        .and_then(|body| body.children().find(|node| node.has_tag_name((WORKDAY, "Get_Workers_Request"))))
        .ok_or_else(|| Refusal::invalid("there is no Get_Workers_Request"))?;
    if attribute(request, "version") != Some(version) {
        return Err(Refusal::invalid(format!("the version of the request must be {version}")));
    }
    let parts =
        ordered(request, &["Request_References", "Request_Criteria", "Response_Filter", "Response_Group"])?;
    let part = |name: &str| parts.iter().copied().find(|node| node.tag_name().name() == name);
    let selection = match (part("Request_References"), part("Request_Criteria")) {
        (Some(_), Some(_)) => return Err(Refusal::invalid("give references or criteria, not both")),
        (Some(node), None) => references(node)?,
        (None, Some(node)) => Selection::Criteria(criteria(node)?),
        (None, None) => Selection::Criteria(Criteria::default()),
    };
    let filter = part("Response_Filter").ok_or_else(|| Refusal::invalid("there is no Response_Filter"))?;
    let filter = ordered(filter, &["As_Of_Effective_Date", "As_Of_Entry_DateTime", "Page", "Count"])?;
    let leaf = |name: &str| filter.iter().find(|node| node.tag_name().name() == name).map(|node| text(*node));
    let moment = |name: &str| {
        let text = leaf(name).ok_or_else(|| Refusal::invalid(format!("{name} is missing")))?;
        instant(&text)
    };
    let number = |name: &str, otherwise: usize| match leaf(name) {
        None => Ok(otherwise),
        Some(text) => text.parse().map_err(|_| Refusal::invalid(format!("{name} is no number: {text}"))),
    };
    let (page, count) = (number("Page", 1)?, number("Count", 100)?);
    if !(1..=999).contains(&count) || page == 0 {
        return Err(Refusal::invalid("Count must be 1 to 999 and Page at least 1"));
    }
    let group = match part("Response_Group") {
        Some(node) => ordered(node, FLAGS)?,
        None => Vec::new(),
    };
    let is_on = |node: &&Node<'_, '_>| matches!(text(**node).as_str(), "1" | "true");
    Ok(Asked {
        selection,
        as_of_effective: moment("As_Of_Effective_Date")?,
        as_of_entry: moment("As_Of_Entry_DateTime")?,
        page,
        count,
        flags: group.iter().filter(is_on).map(|node| node.tag_name().name().to_owned()).collect(),
    })
}

fn references(node: Node<'_, '_>) -> Read<Selection> {
    let skips =
        attribute(node, "Skip_Non_Existing_Instances").is_some_and(|text| text == "true" || text == "1");
    let mut ids = Vec::new();
    for reference in ordered(node, &["Worker_Reference"])? {
        for id in ordered(reference, &["ID"])? {
            let kind = attribute(id, "type").ok_or_else(|| Refusal::invalid("an ID has no wd:type"))?;
            if !["Employee_ID", "Contingent_Worker_ID", "WID"].contains(&kind) {
                return Err(Refusal::invalid(format!("'{kind}' is not a valid ID type for Worker")));
            }
            ids.push((kind.to_owned(), text(id)));
        }
    }
    Ok(Selection::References(ids, skips))
}

fn criteria(node: Node<'_, '_>) -> Read<Criteria> {
    let mut found = Criteria::default();
    let names = [
        "Transaction_Log_Criteria_Data",
        "Organization_Reference",
        "Exclude_Inactive_Workers",
        "Exclude_Employees",
        "Exclude_Contingent_Workers",
    ];
    for part in ordered(node, &names)? {
        let is_set = matches!(text(part).as_str(), "1" | "true");
        match part.tag_name().name() {
            "Exclude_Inactive_Workers" => found.without_inactive = is_set,
            "Exclude_Employees" => found.without_employees = is_set,
            "Exclude_Contingent_Workers" => found.without_contingent = is_set,
            "Transaction_Log_Criteria_Data" => {
                let names = ["Transaction_Date_Range_Data", "Transaction_Type_References"];
                for part in ordered(part, &names)? {
                    match part.tag_name().name() {
                        "Transaction_Date_Range_Data" => ranges(part, &mut found)?,
                        _ => {
                            for kind in ordered(part, &["Transaction_Type_Reference"])? {
                                found.processes.extend(ordered(kind, &["ID"])?.into_iter().map(text));
                            }
                        }
                    }
                }
            }
            other => return Err(Refusal::invalid(format!("{other} is more than this double knows"))),
        }
    }
    Ok(found)
}

fn ranges(node: Node<'_, '_>, into: &mut Criteria) -> Read<()> {
    let parts = ordered(node, &["Updated_From", "Updated_Through", "Effective_From", "Effective_Through"])?;
    let moment = |name: &str| {
        let node = parts.iter().find(|node| node.tag_name().name() == name);
        node.map(|node| instant(&text(*node))).transpose()
    };
    let range = |from: &str, through: &str| -> Read<Option<(Timestamp, Timestamp)>> {
        Ok(match (moment(from)?, moment(through)?) {
            (None, None) => None,
            (Some(from), Some(through)) if from <= through => Some((from, through)),
            _ => {
                return Err(Refusal::invalid(format!(
                    "{from} and {through} must be given together, in order"
                )));
            }
        })
    };
    into.updated = range("Updated_From", "Updated_Through")?;
    into.effective = range("Effective_From", "Effective_Through")?;
    Ok(())
}

/// The child elements, all of the Workday namespace, none unknown, none before one that comes earlier in the list.
fn ordered<'a, 'i>(node: Node<'a, 'i>, names: &[&str]) -> Read<Vec<Node<'a, 'i>>> {
    let mut found = Vec::new();
    let mut last = 0;
    for child in node.children().filter(Node::is_element) {
        let name = child.tag_name().name();
        let place = names
            .iter()
            .position(|known| *known == name && child.tag_name().namespace() == Some(WORKDAY))
            .ok_or_else(|| {
                Refusal::invalid(format!("Element '{name}' is not expected in {}", node.tag_name().name()))
            })?;
        if place < last {
            return Err(Refusal::invalid(format!(
                "Element '{name}' comes too late in {}: elements have an order",
                node.tag_name().name()
            )));
        }
        last = place;
        found.push(child);
    }
    Ok(found)
}

/// Attributes are of the Workday namespace, as elements are.
fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    node.attribute((WORKDAY, name))
}

fn text(node: Node<'_, '_>) -> String {
    node.text().unwrap_or_default().trim().to_owned()
}

fn instant(text: &str) -> Read<Timestamp> {
    text.parse().map_err(|_| Refusal::invalid(format!("'{text}' is no date and time with an offset")))
}
