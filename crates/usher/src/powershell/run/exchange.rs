//! The requests of one call, page by page, and what comes of their answers.

use super::{Bound, Halt, Run, Sets};
use crate::powershell::call::{self, http_error, other_error, response_headers, with_causes};
use crate::powershell::debug;
use crate::powershell::host::{Request, Response};
use crate::powershell::query;
use crate::powershell::results::{self, Page};
use crate::powershell::value::PsValue;

impl Run<'_, '_> {
    /// Calls, and calls again for the pages that are wanted.
    pub(super) async fn pages(
        &mut self,
        mut request: Request,
        bound: &Bound,
        set: Sets,
        target: String,
    ) -> Result<(), Halt> {
        let mut left = query::limit(bound);
        loop {
            let Some(mut page) = self.call(&mut request, bound, set, &target).await? else { return Ok(()) };
            if let Some(left) = &mut left {
                page.results.truncate(*left);
                *left -= page.results.len();
            }
            self.counts.extend(page.count);
            for result in page.results {
                self.give(result);
            }
            match page.next.filter(|_| query::goes_on(bound, left)) {
                Some(next) => request.path = query::path_of(&next, request.version),
                None => return Ok(()),
            }
        }
    }

    /// One request; none when there was an error, which has been told.
    async fn call(
        &mut self,
        request: &mut Request,
        bound: &Bound,
        set: Sets,
        target: &str,
    ) -> Result<Option<Page>, Halt> {
        let name = self.cmdlet.set(set).name;
        let endpoint = self.transport.connection().map(|connection| connection.endpoint).unwrap_or_default();
        if self.talk.shows_debug() {
            self.talk.debug(&debug::request(&endpoint, request))?;
        }
        let talk = &mut self.talk;
        let mut heard = Ok(());
        let answer = call::send(request, self.transport, &*self.options.clock, &mut |note| {
            if heard.is_ok() {
                heard = talk.verbose(&note);
            }
        })
        .await;
        heard?;
        let response = match answer {
            Ok(response) => response,
            Err(error) => {
                let record = other_error(self.cmdlet, name, target.to_owned(), with_causes(&error));
                self.talk.error(record)?;
                return Ok(None);
            }
        };
        if self.talk.shows_debug() {
            self.talk.debug(&debug::response(&response))?;
        }
        self.headers.push(response_headers(&response));
        if !(200..300).contains(&response.status) {
            self.talk.error(http_error(self.cmdlet, name, target.to_owned(), &response))?;
            return Ok(None);
        }
        match self.read(&response, bound, set) {
            Ok(page) => Ok(Some(page)),
            Err(text) => {
                self.talk.error(other_error(self.cmdlet, name, target.to_owned(), text))?;
                Ok(None)
            }
        }
    }

    fn read(&mut self, response: &Response, bound: &Bound, set: Sets) -> Result<Page, String> {
        if let Some(file) = bound.text("OutFile") {
            let text = String::from_utf8_lossy(&response.body);
            let written = self.talk.host.write_file(file, &text, false);
            written.map_err(|error| format!("cannot write {file}: {error}"))?;
            return Ok(Page::default());
        }
        let mut page =
            results::page(self.cmdlet.route(set).operation.gives, self.cmdlet.namespace, response)?;
        if page.results.is_empty() && bound.is_on("PassThru") {
            page.results.push(PsValue::Bool(true));
        }
        Ok(page)
    }

    fn give(&mut self, result: PsValue) {
        self.results.push(result.clone());
        self.pending.push(result);
        if self.pending.len() > self.held_back {
            self.flush();
        }
    }
}
