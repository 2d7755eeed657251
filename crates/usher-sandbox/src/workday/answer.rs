//! Writes answers: which workers are meant, and what the flags let them show.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::Date;

use super::history::{Organisation, Status, Worker, pacific_day, wid};
use super::request::{Asked, Criteria, Refusal, Selection};
use super::{State, WorkdayOptions};

const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const WORKDAY: &str = "urn:com.workday/bsvc";
/// The first version with `Worker_Job_Data`.
const NEW_SHAPE: f64 = 30.0;

/// The envelope of a fault.
pub(crate) fn fault(code: &str, text: &str) -> String {
    let text = escape(text);
    let detail = match code {
        "Client.validationError" => format!(
            "<detail><wd:Validation_Fault><wd:Validation_Error><wd:Message>{text}</wd:Message><wd:Xpath>\
             /wd:Get_Workers_Request[1]</wd:Xpath></wd:Validation_Error></wd:Validation_Fault></detail>"
        ),
        _ => String::new(),
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><SOAP-ENV:Envelope xmlns:SOAP-ENV=\"{SOAP}\"><SOAP-ENV:Body>\
         <SOAP-ENV:Fault xmlns:wd=\"{WORKDAY}\"><faultcode>SOAP-ENV:{code}</faultcode><faultstring>{text}</faultstring>\
         {detail}</SOAP-ENV:Fault></SOAP-ENV:Body></SOAP-ENV:Envelope>"
    )
}

/// The envelope with the workers of a page, which begins `shift` workers too early, and how many there are in it.
pub(crate) fn page(
    state: &State,
    options: &WorkdayOptions,
    asked: &Asked,
    version: &str,
    shift: usize,
) -> Result<(String, usize), Refusal> {
    let day = pacific_day(asked.as_of_effective);
    let mut meant: Vec<(&Worker, Status)> = Vec::new();
    match &asked.selection {
        Selection::References(ids, skips) => {
            for (kind, id) in ids {
                let found = state
                    .workers
                    .iter()
                    .filter(|worker| is_named(worker, kind, id))
                    .filter_map(|worker| Some((worker, worker.as_of(day, asked.as_of_entry)?)));
                let before = meant.len();
                meant.extend(found);
                if meant.len() == before && !skips {
                    return Err(Refusal::invalid(format!(
                        "Invalid ID value.  '{id}' is not a valid ID value for type = '{kind}'"
                    )));
                }
            }
        }
        Selection::Criteria(criteria) => {
            let all = state.workers.iter().filter_map(|worker| {
                let status = worker.as_of(day, asked.as_of_entry)?;
                meets(worker, &status, criteria, asked.as_of_entry).then_some((worker, status))
            });
            meant.extend(all);
            // The newest entry comes first, so that pages shift unless both As_Of values stay.
            meant.sort_by_cached_key(|(worker, _)| {
                let known = worker.entries.iter().map(|entry| entry.entered);
                let newest = known.filter(|at| *at <= asked.as_of_entry).max();
                (std::cmp::Reverse(newest), worker.wid.clone())
            });
        }
    }
    let total = meant.len();
    let pages = total.div_ceil(asked.count);
    let skipped = ((asked.page - 1) * asked.count).saturating_sub(shift);
    let here: Vec<_> = meant.into_iter().skip(skipped).take(asked.count).collect();
    let mut out = Writer { prefix: &options.prefix, text: String::new() };
    let prefix = &options.prefix;
    let _ = write!(
        out.text,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><env:Envelope xmlns:env=\"{SOAP}\"><env:Body>\
         <{prefix}:Get_Workers_Response xmlns:{prefix}=\"{WORKDAY}\" {prefix}:version=\"{version}\">"
    );
    out.element("Response_Results", |out| {
        out.leaf("Total_Results", &total.to_string());
        out.leaf("Total_Pages", &pages.to_string());
        out.leaf("Page_Results", &here.len().to_string());
        out.leaf("Page", &asked.page.to_string());
    });
    let count = here.len();
    if count > 0 {
        let sheet = Sheet {
            organisations: &state.organisations,
            hidden: &options.hidden,
            asked,
            is_new: version.trim_start_matches('v').parse::<f64>().is_ok_and(|number| number >= NEW_SHAPE),
            state,
        };
        out.element("Response_Data", |out| {
            for (worker, status) in &here {
                sheet.worker(out, worker, status);
            }
        });
    }
    let _ = write!(out.text, "</{prefix}:Get_Workers_Response></env:Body></env:Envelope>");
    Ok((out.text, count))
}

fn is_named(worker: &Worker, kind: &str, id: &str) -> bool {
    match kind {
        "WID" => worker.wid == id,
        "Employee_ID" => !worker.is_contingent && worker.id == id,
        _ => worker.is_contingent && worker.id == id,
    }
}

fn meets(worker: &Worker, status: &Status, criteria: &Criteria, known_by: Timestamp) -> bool {
    if (criteria.without_employees && !worker.is_contingent)
        || (criteria.without_contingent && worker.is_contingent)
        || (criteria.without_inactive && !status.is_active)
    {
        return false;
    }
    let mut entries = worker.entries.iter().filter(|entry| entry.entered <= known_by);
    if criteria.updated.is_none() && criteria.effective.is_none() && criteria.processes.is_empty() {
        return true;
    }
    entries.any(|entry| {
        let is_updated = criteria.updated.is_none_or(|(from, through)| {
            let within = |at: Timestamp| from <= at && at <= through;
            within(entry.entered) || entry.rescinded.is_some_and(within)
        });
        let is_effective = criteria.effective.is_none_or(|(from, through)| {
            let at = entry.takes_effect();
            from <= at && at <= through
        });
        let process = entry.process(worker.is_contingent);
        let is_kind = criteria.processes.is_empty() || criteria.processes.iter().any(|kind| kind == process);
        is_updated && is_effective && is_kind
    })
}

struct Sheet<'a> {
    organisations: &'a [Organisation],
    hidden: &'a [String],
    asked: &'a Asked,
    is_new: bool,
    state: &'a State,
}

impl Sheet<'_> {
    fn has(&self, flag: &str) -> bool {
        self.asked.flags.iter().any(|known| known == flag)
    }

    fn shows(&self, element: &str) -> bool {
        !self.hidden.iter().any(|hidden| hidden == element)
    }

    fn worker(&self, out: &mut Writer<'_>, worker: &Worker, status: &Status) {
        let name = name_of(status);
        out.element("Worker", |out| {
            out.reference("Worker_Reference", Some(&name), &worker.wid, &[(id_type(worker), &worker.id)]);
            out.leaf("Worker_Descriptor", &name);
            out.element("Worker_Data", |out| {
                out.leaf("Worker_ID", &worker.id);
                if let Some(user) = status.fields.get("user_name").filter(|_| status.has_begun) {
                    out.leaf("User_ID", user);
                }
                if self.has("Include_Personal_Information") && self.shows("Personal_Data") {
                    self.personal(out, status);
                }
                if self.has("Include_Employment_Information") && self.shows("Employment_Data") {
                    self.employment(out, worker, status);
                }
                // Who has not begun yet has no place in the organisation.
                if self.has("Include_Organizations") && status.has_begun && self.shows("Organization_Data") {
                    self.organisations(out, status);
                }
                if self.has("Include_Management_Chain_Data")
                    && status.has_begun
                    && self.shows("Management_Chain_Data")
                {
                    self.chain(out, status);
                }
                if self.has("Include_Transaction_Log_Data") {
                    out.element("Transaction_Log_Entry_Data", |out| self.log(out, worker));
                }
                if self.has("Include_User_Account")
                    && let Some(user) = status.fields.get("user_name")
                {
                    out.element("User_Account_Data", |out| out.leaf("User_Name", user));
                }
                if self.has("Include_Account_Provisioning")
                    && let Some(group) = status.fields.get("provisioning_group")
                {
                    out.element("Account_Provisioning_Data", |out| {
                        out.element("Provisioning_Group_Assignment_Data", |out| {
                            out.leaf("Provisioning_Group", group);
                            out.leaf("Status", "Assigned");
                        });
                    });
                }
            });
        });
    }

    fn personal(&self, out: &mut Writer<'_>, status: &Status) {
        let field = |name: &str| status.fields.get(name).map(String::as_str).unwrap_or_default();
        let legal = (field("first_name"), field("last_name"));
        let preferred = match field("preferred_first_name") {
            "" => legal,
            first => (first, legal.1),
        };
        out.element("Personal_Data", |out| {
            out.element("Name_Data", |out| {
                for (element, (first, last)) in
                    [("Legal_Name_Data", legal), ("Preferred_Name_Data", preferred)]
                {
                    out.element(element, |out| {
                        let formatted = format!("{first} {last}");
                        out.element_with(
                            "Name_Detail_Data",
                            &[("Formatted_Name", formatted.trim())],
                            |out| {
                                out.leaf("First_Name", first);
                                out.leaf("Last_Name", last);
                            },
                        );
                    });
                }
            });
            out.element("Contact_Data", |out| {
                for (name, device) in [("phone", "Landline"), ("mobile", "Mobile")] {
                    if let Some(number) = status.fields.get(name) {
                        let attributes = [
                            ("Formatted_Phone", number.as_str()),
                            ("Workday_Traditional_Formatted_Phone", number.as_str()),
                        ];
                        out.element_with("Phone_Data", &attributes, |out| {
                            let id = [("Phone_Device_Type_ID", device)];
                            out.reference("Phone_Device_Type_Reference", Some(device), &wid(device), &id);
                            usage(out, "WORK", true);
                        });
                    }
                }
                for (name, kind, public) in [("email", "WORK", true), ("private_email", "HOME", false)] {
                    if let Some(address) = status.fields.get(name) {
                        out.element("Email_Address_Data", |out| {
                            out.leaf("Email_Address", address);
                            usage(out, kind, public);
                        });
                    }
                }
            });
        });
    }

    fn employment(&self, out: &mut Writer<'_>, worker: &Worker, status: &Status) {
        out.element("Employment_Data", |out| {
            if status.has_begun {
                self.job(out, worker, status, "title", true);
                if status.fields.contains_key("second_title") {
                    self.job(out, worker, status, "second_title", false);
                }
            }
            out.element("Worker_Status_Data", |out| {
                let flag = |value: bool| if value { "1" } else { "0" };
                out.leaf("Active", flag(status.is_active));
                let mut dated = |name: &str, day: Option<Date>| {
                    if let Some(day) = day {
                        out.leaf(name, &format!("{day}-08:00"));
                    }
                };
                dated("Hire_Date", status.hire_date);
                dated("Original_Hire_Date", status.original_hire_date);
                dated("First_Day_of_Work", status.hire_date);
                if status.last_day.is_some() {
                    out.leaf("Terminated", "1");
                    for name in ["Termination_Date", "Termination_Last_Day_of_Work"] {
                        if let Some(day) = status.last_day {
                            out.leaf(name, &format!("{day}-08:00"));
                        }
                    }
                } else {
                    out.leaf("Terminated", "0");
                }
                out.leaf("Rehire", flag(status.is_rehire));
                out.leaf("Hire_Rescinded", flag(status.is_hire_rescinded));
            });
        });
    }

    fn job(&self, out: &mut Writer<'_>, worker: &Worker, status: &Status, title: &str, is_primary: bool) {
        let field = |name: &str| status.fields.get(name).map(String::as_str).unwrap_or_default();
        let position = |out: &mut Writer<'_>| {
            out.element("Position_Data", |out| {
                out.leaf("Position_ID", &format!("P-{}-{title}", worker.id));
                out.leaf("Position_Title", field(title));
                out.leaf("Business_Title", field(title));
                let (kind, id) = match worker.is_contingent {
                    true => ("Contractor", ("Contingent_Worker_Type_ID", "Contractor")),
                    false => ("Regular", ("Employee_Type_ID", "Regular")),
                };
                out.reference("Worker_Type_Reference", Some(kind), &wid(kind), &[id]);
                out.element("Business_Site_Summary_Data", |out| {
                    let locale = [("Locale_ID", field("locale"))];
                    if !field("locale").is_empty() {
                        out.reference("Local_Reference", None, &wid(field("locale")), &locale);
                    }
                    out.element("Address_Data", |out| {
                        let (two, three) = (field("country"), alpha_3(field("country")));
                        if !two.is_empty() {
                            let ids = [("ISO_3166-1_Alpha-2_Code", two), ("ISO_3166-1_Alpha-3_Code", three)];
                            out.reference("Country_Reference", Some(three), &wid(two), &ids);
                        }
                        if !field("address").is_empty() {
                            let line = [("Descriptor", "Address Line 1"), ("Type", "ADDRESS_LINE_1")];
                            out.element_with("Address_Line_Data", &line, |out| out.text(field("address")));
                        }
                        if !field("city").is_empty() {
                            out.leaf("Municipality", field("city"));
                        }
                        if !field("region").is_empty() {
                            out.leaf("Country_Region_Descriptor", field("region"));
                        }
                        if !field("postal_code").is_empty() {
                            out.leaf("Postal_Code", field("postal_code"));
                        }
                    });
                });
            });
        };
        match self.is_new {
            true => {
                let primary = [("Primary_Job", if is_primary { "1" } else { "0" })];
                out.element_with("Worker_Job_Data", &primary, position);
            }
            false => position(out),
        }
    }

    fn organisations(&self, out: &mut Writer<'_>, status: &Status) {
        let named = |name: &str| status.fields.get(name).cloned();
        let supervisory =
            named("organisation").and_then(|id| self.organisation(&id)).map(|one| one.name.clone());
        out.element("Organization_Data", |out| {
            for (kind, name) in [("SUPERVISORY", supervisory), ("COMPANY", named("company"))] {
                let Some(name) = name else { continue };
                out.element("Worker_Organization_Data", |out| {
                    out.reference("Organization_Reference", Some(&name), &wid(&name), &[]);
                    out.element("Organization_Data", |out| {
                        out.leaf("Organization_Name", &name);
                        out.reference(
                            "Organization_Type_Reference",
                            Some(kind),
                            &wid(kind),
                            &[("Organization_Type_ID", kind)],
                        );
                    });
                });
            }
        });
    }

    fn chain(&self, out: &mut Writer<'_>, status: &Status) {
        let mut chain = Vec::new();
        let mut next = status.fields.get("organisation").and_then(|id| self.organisation(id));
        while let Some(one) = next.filter(|_| chain.len() < 32) {
            chain.push(one);
            next = one.above.as_ref().and_then(|id| self.organisation(id));
        }
        chain.reverse();
        let day = pacific_day(self.asked.as_of_effective);
        out.element("Management_Chain_Data", |out| {
            out.element("Worker_Supervisory_Management_Chain_Data", |out| {
                for one in chain {
                    out.element("Management_Chain_Data", |out| {
                        out.reference("Organization_Reference", Some(&one.name), &wid(&one.name), &[]);
                        // Of two profiles the active one manages.
                        let profiles = self
                            .state
                            .workers
                            .iter()
                            .filter(|worker| Some(&worker.id) == one.manager.as_ref());
                        let manager = profiles
                            .filter_map(|worker| Some((worker, worker.as_of(day, self.asked.as_of_entry)?)))
                            .max_by_key(|(_, status)| status.is_active);
                        if let Some((manager, status)) = manager {
                            let id = [(id_type(manager), manager.id.as_str())];
                            out.reference("Manager_Reference", Some(&name_of(&status)), &manager.wid, &id);
                        }
                    });
                }
            });
        });
    }

    fn log(&self, out: &mut Writer<'_>, worker: &Worker) {
        for entry in worker.entries.iter().filter(|entry| entry.entered <= self.asked.as_of_entry) {
            out.element("Transaction_Log_Entry", |out| {
                out.element("Transaction_Log_Data", |out| {
                    let process = entry.process(worker.is_contingent);
                    let id = [("Business_Process_Type", process)];
                    out.reference("Transaction_Log_Type_Reference", Some(process), &wid(process), &id);
                    out.leaf("Transaction_Entry_Moment", &entry.entered.to_string());
                    out.leaf("Transaction_Effective_Moment", &entry.takes_effect().to_string());
                    let is_rescinded = entry.rescinded.is_some_and(|at| at <= self.asked.as_of_entry);
                    out.leaf("Is_Rescind_Or_Rescinded", if is_rescinded { "1" } else { "0" });
                });
            });
        }
    }

    fn organisation(&self, id: &str) -> Option<&Organisation> {
        self.organisations.iter().find(|one| one.id == id)
    }
}

fn usage(out: &mut Writer<'_>, kind: &str, public: bool) {
    out.element_with("Usage_Data", &[("Public", if public { "1" } else { "0" })], |out| {
        out.element_with("Type_Data", &[("Primary", "1")], |out| {
            out.reference("Type_Reference", Some(kind), &wid(kind), &[("Communication_Usage_Type_ID", kind)]);
        });
    });
}

fn id_type(worker: &Worker) -> &'static str {
    if worker.is_contingent { "Contingent_Worker_ID" } else { "Employee_ID" }
}

fn name_of(status: &Status) -> String {
    let field = |name: &str| status.fields.get(name).map(String::as_str).unwrap_or_default();
    let first = match field("preferred_first_name") {
        "" => field("first_name"),
        preferred => preferred,
    };
    format!("{first} {}", field("last_name")).trim().to_owned()
}

fn alpha_3(country: &str) -> &str {
    match country {
        "AT" => "AUT",
        "DE" => "DEU",
        "GB" => "GBR",
        "PL" => "POL",
        "US" => "USA",
        other => other,
    }
}

/// Writes elements under the prefix of the double.
struct Writer<'a> {
    prefix: &'a str,
    text: String,
}

impl Writer<'_> {
    fn element(&mut self, name: &str, inner: impl FnOnce(&mut Self)) {
        self.element_with(name, &[], inner);
    }

    fn element_with(&mut self, name: &str, attributes: &[(&str, &str)], inner: impl FnOnce(&mut Self)) {
        let prefix = self.prefix;
        let _ = write!(self.text, "<{prefix}:{name}");
        for (attribute, value) in attributes {
            let _ = write!(self.text, " {prefix}:{attribute}=\"{}\"", escape(value));
        }
        self.text.push('>');
        inner(self);
        let _ = write!(self.text, "</{prefix}:{name}>");
    }

    fn text(&mut self, text: &str) {
        self.text.push_str(&escape(text));
    }

    fn leaf(&mut self, name: &str, text: &str) {
        self.element(name, |out| out.text(text));
    }

    fn reference(&mut self, name: &str, descriptor: Option<&str>, wid: &str, ids: &[(&str, &str)]) {
        let descriptor: Vec<(&str, &str)> = descriptor.map(|text| ("Descriptor", text)).into_iter().collect();
        self.element_with(name, &descriptor, |out| {
            for (kind, id) in [("WID", wid)].iter().chain(ids) {
                out.element_with("ID", &[("type", kind)], |out| out.text(id));
            }
        });
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
