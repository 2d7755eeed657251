//! Get_Workers requests as values, and how they are written: SOAP 1.1, elements in the order of the published definition.

use jiff::Timestamp;
use quick_xml::escape::escape;
use smol_str::SmolStr;
use usher_core::Secret;

use super::groups::Groups;
use super::page::{SOAP, WORKDAY};

const SECURITY: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
const PASSWORD_TEXT: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText";

/// The types of transaction by which somebody becomes a worker: together, all workers.
const HIRES: &[&str] = &["Hire Employee", "Contract Contingent Worker"];

/// The type of id by which a worker is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IdType {
    Employee,
    ContingentWorker,
    Wid,
}

impl IdType {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Employee => "Employee_ID",
            Self::ContingentWorker => "Contingent_Worker_ID",
            Self::Wid => "WID",
        }
    }
}

/// Which workers are asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Selection {
    /// These; those that are not there are left out of the answer.
    Workers(Vec<(IdType, SmolStr)>),
    /// Everybody who was ever hired or contracted.
    All,
    /// Those with a transaction that was entered in this window.
    Updated { from: Timestamp, through: Timestamp },
    /// Those with a transaction that became effective in this window.
    Effective { from: Timestamp, through: Timestamp },
    /// Nobody: only whether the request is let in.
    Nobody { now: Timestamp },
}

/// A Get_Workers request.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct GetWorkers {
    pub(super) selection: Selection,
    /// Both As_Of values stay the same on every page of an enumeration, or workers shift between pages.
    pub(super) as_of_effective: Timestamp,
    pub(super) as_of_entry: Timestamp,
    /// From 1.
    pub(super) page: u64,
    pub(super) count: u64,
    pub(super) groups: Groups,
}

/// Who asks.
pub(super) struct Credentials<'a> {
    pub(super) user: &'a str,
    pub(super) password: &'a Secret,
}

impl GetWorkers {
    /// The envelope. It holds the password: it is sent and never shown.
    pub(super) fn envelope(&self, version: &str, credentials: &Credentials<'_>) -> String {
        let mut body = Writer::default();
        self.write(version, &mut body);
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
             <env:Envelope xmlns:env=\"{SOAP}\" xmlns:wd=\"{WORKDAY}\"><env:Header>\
             <wsse:Security xmlns:wsse=\"{SECURITY}\" env:mustUnderstand=\"1\"><wsse:UsernameToken>\
             <wsse:Username>{}</wsse:Username><wsse:Password Type=\"{PASSWORD_TEXT}\">{}</wsse:Password>\
             </wsse:UsernameToken></wsse:Security></env:Header><env:Body>{}</env:Body></env:Envelope>",
            escape(credentials.user),
            escape(credentials.password.expose()),
            body.text
        )
    }

    fn write(&self, version: &str, out: &mut Writer) {
        out.open_with("Get_Workers_Request", "version", version);
        match &self.selection {
            Selection::Workers(workers) => {
                out.open_with("Request_References", "Skip_Non_Existing_Instances", "true");
                for (kind, id) in workers {
                    out.open("Worker_Reference");
                    out.id(kind.name(), id);
                    out.close("Worker_Reference");
                }
                out.close("Request_References");
            }
            selection => {
                out.open("Request_Criteria");
                out.open("Transaction_Log_Criteria_Data");
                criteria(selection, out);
                out.close("Transaction_Log_Criteria_Data");
                if matches!(selection, Selection::Nobody { .. }) {
                    for name in
                        ["Exclude_Inactive_Workers", "Exclude_Employees", "Exclude_Contingent_Workers"]
                    {
                        out.leaf(name, "true");
                    }
                }
                out.close("Request_Criteria");
            }
        }
        out.open("Response_Filter");
        out.leaf("As_Of_Effective_Date", &instant(self.as_of_effective));
        out.leaf("As_Of_Entry_DateTime", &instant(self.as_of_entry));
        if self.page > 1 {
            out.leaf("Page", &self.page.to_string());
        }
        out.leaf("Count", &self.count.to_string());
        out.close("Response_Filter");
        out.open("Response_Group");
        for flag in self.groups.flags() {
            out.leaf(flag, "1");
        }
        out.close("Response_Group");
        out.close("Get_Workers_Request");
    }
}

fn criteria(selection: &Selection, out: &mut Writer) {
    let (names, from, through) = match selection {
        Selection::Workers(_) => return,
        Selection::All => {
            out.open("Transaction_Type_References");
            for hire in HIRES {
                out.open("Transaction_Type_Reference");
                out.id("Business_Process_Type", hire);
                out.close("Transaction_Type_Reference");
            }
            out.close("Transaction_Type_References");
            return;
        }
        Selection::Updated { from, through } => (("Updated_From", "Updated_Through"), from, through),
        Selection::Effective { from, through } => (("Effective_From", "Effective_Through"), from, through),
        Selection::Nobody { now } => (("Updated_From", "Updated_Through"), now, now),
    };
    out.open("Transaction_Date_Range_Data");
    out.leaf(names.0, &instant(*from));
    out.leaf(names.1, &instant(*through));
    out.close("Transaction_Date_Range_Data");
}

/// An instant as requests carry it: UTC with milliseconds.
pub(super) fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Writes elements of the Workday namespace. Names are ours, texts are escaped.
#[derive(Default)]
struct Writer {
    text: String,
}

impl Writer {
    fn open(&mut self, name: &str) {
        self.text.push_str(&format!("<wd:{name}>"));
    }

    fn open_with(&mut self, name: &str, attribute: &str, value: &str) {
        self.text.push_str(&format!("<wd:{name} wd:{attribute}=\"{}\">", escape(value)));
    }

    fn close(&mut self, name: &str) {
        self.text.push_str(&format!("</wd:{name}>"));
    }

    fn leaf(&mut self, name: &str, text: &str) {
        self.text.push_str(&format!("<wd:{name}>{}</wd:{name}>", escape(text)));
    }

    fn id(&mut self, kind: &str, id: &str) {
        self.text.push_str(&format!("<wd:ID wd:type=\"{kind}\">{}</wd:ID>", escape(id)));
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(selection: Selection, page: u64, expected: Expect) {
        let at: Timestamp = "2026-03-02T09:00:00.1234567Z".parse().expect("an instant");
        let groups = Groups::only_reference();
        let request = GetWorkers { selection, as_of_effective: at, as_of_entry: at, page, count: 30, groups };
        let mut out = Writer::default();
        request.write("v43.0", &mut out);
        expected.assert_eq(&out.text.replace("><wd", ">\n<wd").replace("></wd", ">\n</wd"));
    }

    #[test]
    fn workers_by_id() {
        check(
            Selection::Workers(vec![(IdType::Employee, "21<3".into())]),
            1,
            expect![[r#"
                <wd:Get_Workers_Request wd:version="v43.0">
                <wd:Request_References wd:Skip_Non_Existing_Instances="true">
                <wd:Worker_Reference>
                <wd:ID wd:type="Employee_ID">21&lt;3</wd:ID>
                </wd:Worker_Reference>
                </wd:Request_References>
                <wd:Response_Filter>
                <wd:As_Of_Effective_Date>2026-03-02T09:00:00.123Z</wd:As_Of_Effective_Date>
                <wd:As_Of_Entry_DateTime>2026-03-02T09:00:00.123Z</wd:As_Of_Entry_DateTime>
                <wd:Count>30</wd:Count>
                </wd:Response_Filter>
                <wd:Response_Group>
                <wd:Include_Reference>1</wd:Include_Reference>
                </wd:Response_Group>
                </wd:Get_Workers_Request>"#]],
        );
    }

    #[test]
    fn what_became_effective() {
        let from: Timestamp = "2026-03-02T08:20:00Z".parse().expect("an instant");
        let through: Timestamp = "2026-03-02T09:00:00Z".parse().expect("an instant");
        check(
            Selection::Effective { from, through },
            2,
            expect![[r#"
                <wd:Get_Workers_Request wd:version="v43.0">
                <wd:Request_Criteria>
                <wd:Transaction_Log_Criteria_Data>
                <wd:Transaction_Date_Range_Data>
                <wd:Effective_From>2026-03-02T08:20:00.000Z</wd:Effective_From>
                <wd:Effective_Through>2026-03-02T09:00:00.000Z</wd:Effective_Through>
                </wd:Transaction_Date_Range_Data>
                </wd:Transaction_Log_Criteria_Data>
                </wd:Request_Criteria>
                <wd:Response_Filter>
                <wd:As_Of_Effective_Date>2026-03-02T09:00:00.123Z</wd:As_Of_Effective_Date>
                <wd:As_Of_Entry_DateTime>2026-03-02T09:00:00.123Z</wd:As_Of_Entry_DateTime>
                <wd:Page>2</wd:Page>
                <wd:Count>30</wd:Count>
                </wd:Response_Filter>
                <wd:Response_Group>
                <wd:Include_Reference>1</wd:Include_Reference>
                </wd:Response_Group>
                </wd:Get_Workers_Request>"#]],
        );
    }

    #[test]
    fn a_password_with_markup_in_it_stays_text() {
        let at = Timestamp::UNIX_EPOCH;
        let request = GetWorkers {
            selection: Selection::Nobody { now: at },
            as_of_effective: at,
            as_of_entry: at,
            page: 1,
            count: 1,
            groups: Groups::only_reference(),
        };
        let password = Secret::new("a<b>&\"c");
        let text = request.envelope("v21.1", &Credentials { user: "isu@tenant", password: &password });
        let document = roxmltree::Document::parse(&text).expect("it is XML");
        let found = document.descendants().find(|node| node.tag_name().name() == "Password");
        assert_eq!(found.and_then(|node| node.text()), Some("a<b>&\"c"));
        let order: Vec<&str> = document
            .descendants()
            .find(|node| node.tag_name().name() == "Request_Criteria")
            .into_iter()
            .flat_map(|node| node.children())
            .map(|node| node.tag_name().name())
            .collect();
        assert_eq!(
            order,
            [
                "Transaction_Log_Criteria_Data",
                "Exclude_Inactive_Workers",
                "Exclude_Employees",
                "Exclude_Contingent_Workers"
            ]
        );
    }
}
