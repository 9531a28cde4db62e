//! Pages that servers name and a person opens: in the browser, on a click, and never one that the web view names.

use att_api::dto::{AuthorizePageDto, ErrorDto};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use tauri::{AppHandle, Url};
use tauri_plugin_shell::ShellExt as _;

/// Most pages remembered; the fleet has few that wait for a person at once.
const MOST_PAGES: usize = 256;

/// The authorization page that each server named last.
#[derive(Default)]
pub(crate) struct Pages(Mutex<BTreeMap<String, String>>);

impl Pages {
    /// Remembers the page that the person is shown now.
    pub(crate) fn remember(&self, page: &AuthorizePageDto) {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pages.len() >= MOST_PAGES && !pages.contains_key(&page.server) {
            pages.pop_first();
        }
        pages.insert(page.server.clone(), page.url.clone());
    }

    /// Forgets the page of a server.
    pub(crate) fn forget(&self, server: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(server);
    }

    /// The page of a server.
    pub(crate) fn of(&self, server: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(server).cloned()
    }
}

/// Opens `url` in the operator's browser.
pub(crate) fn open_in_browser(app: &AppHandle, url: &str) -> Result<(), ErrorDto> {
    let url = fit_for_browser(url)?;
    // The opener plugin that replaces this is one more plugin for one call; this one's scope is in tauri.conf.json.
    #[allow(deprecated)]
    app.shell().open(url.as_str(), None).map_err(|error| {
        refusal(
            "server_failed",
            "the browser did not open",
            error.to_string(),
            "copy the address into a browser of yours",
        )
    })
}

/// Only `https`, and `http` on this machine: another scheme may start a program.
fn fit_for_browser(url: &str) -> Result<Url, ErrorDto> {
    let refused = |cause: String| {
        let cure = "open it by hand only if you trust the server and know why it asks for this page";
        Err(refusal("denied", "ATT does not open this address", cause, cure))
    };
    let parsed = match Url::parse(url) {
        Ok(parsed) => parsed,
        Err(error) => return refused(error.to_string()),
    };
    let local = matches!(parsed.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    match parsed.scheme() {
        _ if !parsed.username().is_empty() || parsed.password().is_some() => {
            refused("it carries a user name, which hides where it leads".to_owned())
        }
        "https" => Ok(parsed),
        "http" if local => Ok(parsed),
        "http" => refused("it is http, and not on this machine".to_owned()),
        scheme => refused(format!("it begins with {scheme}:")),
    }
}

/// Says that nothing is there to be opened.
pub(crate) fn no_page(server: &str) -> ErrorDto {
    refusal(
        "not_found",
        &format!("no page of `{server}` waits for a person"),
        "it was given up, or its time is over".to_owned(),
        "begin the authorization again",
    )
}

/// Says that the question is no longer open, or names no page.
pub(crate) fn no_question_page() -> ErrorDto {
    refusal(
        "not_found",
        "no open question names a page",
        "it was answered, it lapsed, or its call ended".to_owned(),
        "call again; the server then asks again",
    )
}

fn refusal(code: &str, message: &str, cause: String, cure: &str) -> ErrorDto {
    ErrorDto {
        code: code.to_owned(),
        message: message.to_owned(),
        cause: Some(cause),
        cure: Some(cure.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_pages_of_this_machine_are_opened() {
        for good in [
            "https://login.example.com/a?b=c",
            "http://127.0.0.1:9000/x",
            "http://localhost/",
            "http://[::1]:1/",
        ] {
            assert!(fit_for_browser(good).is_ok(), "{good}");
        }
        for bad in [
            "http://example.com/",
            "http://127.0.0.1.example.com/",
            "https://bank.example@evil.example/",
            "https://:secret@evil.example/",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "smb://host/share",
            "-flag",
            "",
        ] {
            assert_eq!(fit_for_browser(bad).unwrap_err().code, "denied", "{bad}");
        }
    }

    #[test]
    fn a_server_has_the_page_it_named_last_until_it_is_forgotten() {
        let pages = Pages::default();
        let page = |server: &str, url: &str| AuthorizePageDto {
            server: server.into(),
            url: url.into(),
            until_ms: 1,
        };
        pages.remember(&page("a", "https://one.example"));
        pages.remember(&page("a", "https://two.example"));
        assert_eq!(pages.of("a").as_deref(), Some("https://two.example"));
        assert_eq!(pages.of("b"), None);
        pages.forget("a");
        assert_eq!(pages.of("a"), None);
        for n in 0..=MOST_PAGES {
            pages.remember(&page(&format!("{n}"), "https://one.example"));
        }
        assert!(pages.0.lock().unwrap().len() <= MOST_PAGES);
    }
}
