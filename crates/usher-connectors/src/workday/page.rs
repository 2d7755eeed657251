//! One answer of the web service, cut into workers without building a tree of the whole: only one worker at a time is
//! a tree. Nothing is expanded, nothing outside is read, depth and size have an end.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use roxmltree::{Document, Node, ParsingOptions};

/// The namespace of everything that Workday says.
pub const WORKDAY: &str = "urn:com.workday/bsvc";
/// The namespace of SOAP 1.1.
pub const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";

/// How deep elements may be nested. Real answers need about twenty levels.
const DEEPEST: usize = 128;
/// How long one worker may be, with photos and documents.
const LONGEST_PART: usize = 32 * 1024 * 1024;
/// How many nodes one worker may have.
const MOST_NODES: u32 = 2_000_000;

/// Why an answer cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at byte {at}")]
pub struct PageError {
    /// What is wrong.
    pub message: String,
    /// Where, in bytes from the start.
    pub at: u64,
}

/// What an answer says of the whole enumeration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many workers there are in all.
    pub results: Option<u64>,
    /// How many pages there are.
    pub pages: Option<u64>,
    /// How many workers this page says it has.
    pub here: Option<u64>,
    /// How many workers this page had.
    pub workers: u64,
}

/// A SOAP fault.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// `faultcode` without its prefix, such as `Client.validationError`.
    pub code: String,
    /// `faultstring`.
    pub text: String,
    /// Messages of the detail.
    pub details: Vec<String>,
    /// Where in the request, when the fault says so.
    pub xpath: Option<String>,
}

/// An answer, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Workers were handed on one by one.
    Workers(Totals),
    /// The service refused.
    Fault(Fault),
}

/// Reads an answer and hands each worker on: the node is the worker's parent, the context of the published expressions.
///
/// # Errors
/// It is no well-formed SOAP answer, it has a document type, something is too deep or too long, or `each` failed.
pub fn read<E: From<PageError>>(
    bytes: &[u8],
    mut each: impl FnMut(Node<'_, '_>) -> Result<(), E>,
) -> Result<Answer, E> {
    let text = std::str::from_utf8(bytes).map_err(|error| PageError {
        message: "the answer is not UTF-8".to_owned(),
        at: error.valid_up_to() as u64,
    })?;
    let mut splitter = Splitter::new(text.trim_start_matches('\u{feff}'));
    let mut totals = Totals::default();
    let mut is_answer = false;
    while let Some(part) = splitter.next()? {
        match part.kind {
            Kind::Worker => {
                totals.workers += 1;
                part.with_tree(&mut each)?;
            }
            Kind::Results => part.with_tree(|parent| {
                let results = parent.first_element_child();
                let number = |name| results.and_then(|node| child(node, name)).and_then(number_in);
                totals.results = number("Total_Results");
                totals.pages = number("Total_Pages");
                totals.here = number("Page_Results");
                Ok::<(), PageError>(())
            })?,
            Kind::Fault => {
                let mut fault = Fault::default();
                part.with_tree(|parent| {
                    fault = fault_in(parent);
                    Ok::<(), PageError>(())
                })?;
                return Ok(Answer::Fault(fault));
            }
            Kind::Answer => is_answer = true,
        }
    }
    if !is_answer {
        return Err(splitter.wrong("the answer holds no Get_Workers_Response").into());
    }
    Ok(Answer::Workers(totals))
}

/// The first child element with this local name.
pub fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|one| one.is_element() && one.tag_name().name() == name)
}

/// The text of an element, pieces joined.
pub fn text_of(node: Node<'_, '_>) -> String {
    node.descendants().filter(|one| one.is_text()).filter_map(|one| one.text()).collect()
}

fn number_in(node: Node<'_, '_>) -> Option<u64> {
    text_of(node).trim().parse().ok()
}

fn fault_in(parent: Node<'_, '_>) -> Fault {
    let Some(fault) = parent.first_element_child() else { return Fault::default() };
    let text = |name| child(fault, name).map(|node| text_of(node).trim().to_owned()).unwrap_or_default();
    let code = text("faultcode");
    let detail = child(fault, "detail");
    let below = |name: &'static str| {
        detail
            .into_iter()
            .flat_map(|node| node.descendants())
            .filter(move |node| node.is_element() && node.tag_name().name() == name)
            .map(|node| text_of(node).trim().to_owned())
            .filter(|text| !text.is_empty())
    };
    let mut details: Vec<String> = below("Message").chain(below("Detail_Message")).collect();
    details.dedup();
    Fault {
        code: code.rsplit_once(':').map_or(code.as_str(), |(_, local)| local).to_owned(),
        text: text("faultstring"),
        details,
        xpath: below("Xpath").next(),
    }
}

/// Parts of an answer that are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Answer,
    Results,
    Worker,
    Fault,
}

struct Part<'t> {
    kind: Kind,
    /// Declarations of the namespaces that hold here, as attributes.
    declarations: String,
    text: &'t str,
    at: u64,
}

impl Part<'_> {
    fn with_tree<E: From<PageError>>(
        &self,
        look: impl FnOnce(Node<'_, '_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.text.len() > LONGEST_PART {
            let message = format!("one worker is longer than {LONGEST_PART} bytes");
            return Err(PageError { message, at: self.at }.into());
        }
        let text = format!("<part{}>{}</part>", self.declarations, self.text);
        let options = ParsingOptions { nodes_limit: MOST_NODES, ..ParsingOptions::default() };
        let document = Document::parse_with_options(&text, options).map_err(|error| PageError {
            message: format!("the answer is not well-formed XML ({error})"),
            at: self.at,
        })?;
        look(document.root_element())
    }
}

/// An element that is open above what is looked for.
struct Open {
    kind: Option<Kind>,
    is_data: bool,
    /// How many declarations held before it.
    declared: usize,
}

struct Splitter<'t> {
    text: &'t str,
    reader: Reader<&'t [u8]>,
    open: Vec<Open>,
    /// Prefix and value of the declarations that hold, inner ones last.
    declared: Vec<(String, String)>,
    is_root_seen: bool,
    is_over: bool,
}

impl<'t> Splitter<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            reader: Reader::from_str(text),
            open: Vec::new(),
            declared: Vec::new(),
            is_root_seen: false,
            is_over: false,
        }
    }

    fn wrong(&self, message: impl Into<String>) -> PageError {
        PageError { message: message.into(), at: self.reader.buffer_position() }
    }

    fn event(&mut self) -> Result<Event<'t>, PageError> {
        let event = self.reader.read_event();
        match event {
            Ok(Event::DocType(_)) => Err(self.wrong("the answer has a document type, which SOAP forbids")),
            Ok(Event::Eof) if !self.open.is_empty() => Err(self.wrong("the answer ends too early")),
            Ok(event) => Ok(event),
            Err(error) => Err(self.wrong(format!("the answer is not well-formed XML ({error})"))),
        }
    }

    /// The next part, `None` at the end.
    fn next(&mut self) -> Result<Option<Part<'t>>, PageError> {
        while !self.is_over {
            let before = self.reader.buffer_position();
            match self.event()? {
                Event::Eof => self.is_over = true,
                Event::Start(start) => {
                    let kind = self.enter(&start)?;
                    match kind {
                        Some(Kind::Answer) => return Ok(Some(self.part(Kind::Answer, before))),
                        Some(kind) => {
                            self.skip()?;
                            let part = self.part(kind, before);
                            self.leave();
                            return Ok(Some(part));
                        }
                        None => {}
                    }
                }
                Event::Empty(start) => {
                    let kind = self.enter(&start)?;
                    let part = kind.map(|kind| self.part(kind, before));
                    self.leave();
                    if part.is_some() {
                        return Ok(part);
                    }
                }
                Event::End(_) => self.leave(),
                Event::Text(text) if self.open.is_empty() && !text.trim_ascii().is_empty() => {
                    return Err(self.wrong("the answer is not XML"));
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// Notes an opened element and says whether it is looked for.
    fn enter(&mut self, start: &BytesStart<'_>) -> Result<Option<Kind>, PageError> {
        let declared = self.declared.len();
        for attribute in start.attributes() {
            let attribute = attribute
                .map_err(|error| self.wrong(format!("the answer is not well-formed XML ({error})")))?;
            let name: &str = attribute.key.as_ref();
            if let Some(rest) = name.strip_prefix("xmlns") {
                let prefix = rest.strip_prefix(':').unwrap_or_default();
                if rest.is_empty() || !prefix.is_empty() {
                    self.declared.push((prefix.to_owned(), attribute.value.to_string()));
                }
            }
        }
        let name = start.name();
        let name: &str = name.as_ref();
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        let namespace =
            self.declared.iter().rev().find(|(known, _)| known == prefix).map(|(_, value)| value.as_str());
        let parent = self.open.last();
        let is_soap = namespace == Some(SOAP);
        let is_workday = namespace == Some(WORKDAY);
        if self.open.is_empty() {
            if self.is_root_seen || !is_soap || local != "Envelope" {
                return Err(self.wrong(format!("the answer is no SOAP envelope but '{local}'")));
            }
            self.is_root_seen = true;
        }
        let kind = match local {
            "Fault" if is_soap && self.open.len() == 2 => Some(Kind::Fault),
            "Get_Workers_Response" if is_workday && self.open.len() == 2 => Some(Kind::Answer),
            "Response_Results" if is_workday && parent.is_some_and(|one| one.kind == Some(Kind::Answer)) => {
                Some(Kind::Results)
            }
            "Worker" if is_workday && parent.is_some_and(|one| one.is_data) => Some(Kind::Worker),
            _ => None,
        };
        let is_data = local == "Response_Data"
            && is_workday
            && parent.is_some_and(|one| one.kind == Some(Kind::Answer));
        if self.open.len() >= DEEPEST {
            return Err(self.wrong(format!("the answer is nested deeper than {DEEPEST} elements")));
        }
        self.open.push(Open { kind, is_data, declared });
        Ok(kind)
    }

    fn leave(&mut self) {
        if let Some(open) = self.open.pop() {
            self.declared.truncate(open.declared);
        }
    }

    /// Reads on to the end of the element that was just entered.
    fn skip(&mut self) -> Result<(), PageError> {
        let mut depth = 1_usize;
        while depth > 0 {
            match self.event()? {
                Event::Start(_) => {
                    depth += 1;
                    if depth > DEEPEST {
                        return Err(
                            self.wrong(format!("the answer is nested deeper than {DEEPEST} elements"))
                        );
                    }
                }
                Event::End(_) => depth -= 1,
                _ => {}
            }
        }
        Ok(())
    }

    fn part(&self, kind: Kind, from: u64) -> Part<'t> {
        let to = self.reader.buffer_position();
        let range = usize::try_from(from).unwrap_or_default()..usize::try_from(to).unwrap_or_default();
        // What the element declares itself is in its text; what holds around it is declared once more.
        let around = self.open.last().map_or(self.declared.len(), |open| open.declared);
        let mut declarations = String::new();
        let outer = self.declared.get(..around).unwrap_or_default();
        for (place, (prefix, value)) in outer.iter().enumerate() {
            let is_hidden = outer[place + 1..].iter().any(|(other, _)| other == prefix);
            if !is_hidden {
                let value = value.replace('"', "&quot;");
                let colon = if prefix.is_empty() { "" } else { ":" };
                declarations.push_str(&format!(" xmlns{colon}{prefix}=\"{value}\""));
            }
        }
        Part { kind, declarations, text: self.text.get(range).unwrap_or_default(), at: from }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(body: &str) -> String {
        format!(
            "<e:Envelope xmlns:e=\"{SOAP}\" xmlns:b=\"{WORKDAY}\"><e:Header/><e:Body>{body}</e:Body></e:Envelope>"
        )
    }

    fn names(text: &str) -> Result<(Vec<String>, Answer), PageError> {
        let mut found = Vec::new();
        let answer = read(text.as_bytes(), |parent| {
            let worker = parent.first_element_child().expect("a worker");
            assert_eq!(worker.tag_name().namespace(), Some(WORKDAY));
            found.push(text_of(worker));
            Ok::<(), PageError>(())
        })?;
        Ok((found, answer))
    }

    #[test]
    fn workers_are_handed_on_whatever_their_prefix() {
        let text = envelope(
            "<b:Get_Workers_Response><b:Request_Criteria><b:Worker>no</b:Worker></b:Request_Criteria>\
             <b:Response_Results><b:Total_Results>3</b:Total_Results><b:Total_Pages>1</b:Total_Pages></b:Response_Results>\
             <b:Response_Data><b:Worker>ann &amp; <![CDATA[<co>]]></b:Worker>\
             <Worker xmlns=\"urn:com.workday/bsvc\"><Worker>inner</Worker></Worker><b:Worker/></b:Response_Data>\
             </b:Get_Workers_Response>",
        );
        let (found, answer) = names(&text).expect("it reads");
        assert_eq!(found, ["ann & <co>", "inner", ""]);
        let totals = Totals { results: Some(3), pages: Some(1), here: None, workers: 3 };
        assert_eq!(answer, Answer::Workers(totals));
    }

    #[test]
    fn faults_are_read_with_their_details() {
        let text = envelope(
            "<e:Fault><faultcode>e:Client.validationError</faultcode><faultstring>no</faultstring><detail>\
             <b:Validation_Fault><b:Validation_Error><b:Message>bad id</b:Message><b:Detail_Message>bad id</b:Detail_Message>\
             <b:Xpath>/b:x</b:Xpath></b:Validation_Error></b:Validation_Fault></detail></e:Fault>",
        );
        let (_, answer) = names(&text).expect("it reads");
        let Answer::Fault(fault) = answer else { panic!("a fault") };
        assert_eq!((fault.code.as_str(), fault.text.as_str()), ("Client.validationError", "no"));
        assert_eq!((fault.details, fault.xpath.as_deref()), (vec!["bad id".to_owned()], Some("/b:x")));
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for (text, message) in [
            ("", "the answer holds no Get_Workers_Response"),
            ("we are down", "the answer is not XML"),
            ("<html><body>Maintenance</body></html>", "the answer is no SOAP envelope but 'html'"),
            (
                "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
                "the answer has a document type, which SOAP forbids",
            ),
            (&envelope(""), "the answer holds no Get_Workers_Response"),
            (&envelope("<b:Get_Workers_Response><b:Response_Data>"), "the answer is not well-formed XML"),
            (
                &envelope(
                    "<b:Get_Workers_Response><b:Response_Data><b:Worker>&b;</b:Worker></b:Response_Data></b:Get_Workers_Response>",
                ),
                "the answer is not well-formed XML",
            ),
            (
                &envelope(
                    "<b:Get_Workers_Response><b:Response_Data><b:Worker><c:d/></b:Worker></b:Response_Data></b:Get_Workers_Response>",
                ),
                "the answer is not well-formed XML",
            ),
            (&envelope("<b:Get_Workers_Response/>")[..120], "the answer"),
        ] {
            let error = names(text).expect_err("it is refused");
            assert!(error.message.starts_with(message), "{text}: {}", error.message);
        }
    }

    #[test]
    fn depth_has_an_end() {
        let deep = format!("{}{}", "<b:a>".repeat(200), "</b:a>".repeat(200));
        for text in [
            envelope(&deep),
            envelope(&format!(
                "<b:Get_Workers_Response><b:Response_Data><b:Worker>{deep}</b:Worker></b:Response_Data></b:Get_Workers_Response>"
            )),
        ] {
            let error = names(&text).expect_err("it is refused");
            assert_eq!(error.message, "the answer is nested deeper than 128 elements");
        }
    }
}
