//! The text with the places of its properties, and the few ways to splice into it.

use std::ops::Range;

use jsonc_parser::ast::{Object, Value as Ast};
use jsonc_parser::common::Ranged;
use jsonc_parser::tokens::Token;
use jsonc_parser::{CollectOptions, CommentCollectionStrategy, parse_to_ast};
use serde_json::Value;

use super::EditError;
use crate::config::parse::options;

/// A text that parses, with its tokens.
pub(super) struct Sheet<'t> {
    text: &'t str,
    root: Option<Body>,
    /// Commas and comments, in order.
    marks: Vec<Mark>,
}

#[derive(Clone)]
struct Mark {
    range: Range<usize>,
    comma: bool,
}

/// The properties of one object and where they stand.
#[derive(Debug, Clone)]
pub(super) struct Body {
    range: Range<usize>,
    places: Vec<Place>,
}

/// One property.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub name: String,
    key: Range<usize>,
    value: Range<usize>,
    /// What it holds, if that is an object.
    pub object: Option<Body>,
    /// The end of the property before it in the same object.
    before: Option<usize>,
}

impl<'t> Sheet<'t> {
    pub fn read(text: &'t str) -> Result<Self, ()> {
        let collect = CollectOptions { comments: CommentCollectionStrategy::AsTokens, tokens: true };
        let parsed = parse_to_ast(text, &collect, &options()).map_err(|_| ())?;
        let root = match parsed.value {
            None => None,
            Some(Ast::Object(object)) => Some(body(&object)),
            Some(_) => return Err(()),
        };
        let marks = parsed
            .tokens
            .into_iter()
            .flatten()
            .filter_map(|token| {
                let comma = match token.token {
                    Token::Comma => true,
                    Token::CommentLine(_) | Token::CommentBlock(_) => false,
                    _ => return None,
                };
                Some(Mark { range: token.range.start..token.range.end, comma })
            })
            .collect();
        Ok(Self { text, root, marks })
    }

    pub fn text(&self) -> &str {
        self.text
    }

    pub fn root(&self) -> Option<Body> {
        self.root.clone()
    }

    /// The object at `path`; none when it is not there.
    pub fn object(&self, path: &[&str]) -> Result<Option<Body>, EditError> {
        let Some(mut at) = self.root() else { return Ok(None) };
        for key in path {
            match self.property(&at, key)? {
                None => return Ok(None),
                Some(place) => {
                    at = place.object.ok_or_else(|| EditError::NotAnObject((*key).to_owned()))?;
                }
            }
        }
        Ok(Some(at))
    }

    pub fn property(&self, object: &Body, name: &str) -> Result<Option<Place>, EditError> {
        let mut found = object.places.iter().filter(|place| place.name == name);
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(EditError::StandsTwice(name.to_owned())),
            (place, None) => Ok(place.cloned()),
        }
    }

    /// Another value for a property.
    pub fn replace(&self, place: &Place, value: &Value) -> String {
        let indent = self.indent_of_line(place.key.start);
        self.spliced(vec![(place.value.clone(), self.written(value, &indent))])
    }

    pub fn rename(&self, place: &Place, to: &str) -> String {
        self.spliced(vec![(place.key.clone(), Value::from(to).to_string())])
    }

    /// A new property behind the last one of `object`.
    pub fn insert(&self, object: &Body, name: &str, value: &Value) -> String {
        let key = Value::from(name).to_string();
        let Some(last) = object.places.last() else {
            return self.insert_first(object, &key, value);
        };
        let comma = self.comma_after(last.value.end);
        let mut at = comma.as_ref().map_or(last.value.end, |comma| comma.end);
        let mut line_comment = false;
        // What is written behind the last property on its line is about that property.
        while let Some(comment) = self.comment_on_the_line(at) {
            line_comment = self.text[comment.clone()].starts_with("//");
            at = comment.end;
        }
        let own_line = self.starts_its_line(last.key.start);
        let indent = self.indent_of_line(last.key.start);
        let gap = if own_line || line_comment { format!("{}{indent}", self.newline()) } else { " ".into() };
        let tail = if comma.is_some() { "," } else { "" };
        let property = format!("{gap}{key}: {}{tail}", self.written(value, &indent));
        let mut splices = Vec::new();
        if comma.is_none() {
            splices.push((last.value.end..last.value.end, ",".to_owned()));
        }
        splices.push((at..at, property));
        self.spliced(splices)
    }

    fn insert_first(&self, object: &Body, key: &str, value: &Value) -> String {
        let (open, close) = (object.range.start + 1, object.range.end - 1);
        let outer = self.indent_of_line(object.range.start);
        let indent = format!("{outer}{}", self.unit());
        let newline = self.newline();
        let property = format!("{newline}{indent}{key}: {}{newline}{outer}", self.written(value, &indent));
        let comments = self.marks.iter().filter(|mark| mark.range.start >= open && mark.range.end <= close);
        let at = comments.map(|mark| mark.range.end).max().unwrap_or(open);
        // The blanks before the brace are replaced by our own line end.
        self.spliced(vec![(at..close, property)])
    }

    /// The property goes, with the comma that it needed and, if it had them to itself, its lines.
    pub fn remove(&self, place: &Place) -> String {
        let mut cut = place.key.start..place.value.end;
        let mut splices = Vec::new();
        match self.comma_after(place.value.end) {
            Some(comma) if self.text[place.value.end..comma.start].trim().is_empty() => cut.end = comma.end,
            Some(comma) => splices.push((comma, String::new())),
            None => {
                // Nothing stands behind it, so the comma before it would dangle.
                if let Some(comma) = place.before.and_then(|end| self.comma_after(end)) {
                    splices.push((comma, String::new()));
                }
            }
        }
        let line_start = self.text[..cut.start].rfind('\n').map_or(0, |at| at + 1);
        let rest = &self.text[cut.end..];
        let line_end = rest.find('\n').map(|at| cut.end + at + 1);
        if self.starts_its_line(cut.start) {
            if let Some(line_end) = line_end
                && self.text[cut.end..line_end].trim().is_empty()
            {
                cut = line_start..line_end;
            }
        } else {
            let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
            cut.end += blanks;
        }
        splices.push((cut, String::new()));
        self.spliced(splices)
    }

    fn spliced(&self, mut splices: Vec<(Range<usize>, String)>) -> String {
        splices.sort_by_key(|(range, _)| range.start);
        let mut out = String::with_capacity(self.text.len() + 256);
        let mut at = 0;
        for (range, text) in splices {
            out.push_str(&self.text[at..range.start]);
            out.push_str(&text);
            at = range.end;
        }
        out.push_str(&self.text[at..]);
        out
    }

    /// The comma that ends a property whose value ends at `end`; comments may stand between.
    fn comma_after(&self, end: usize) -> Option<Range<usize>> {
        let mut at = end;
        for mark in self.marks.iter().filter(|mark| mark.range.start >= end) {
            if !self.text[at..mark.range.start].trim().is_empty() {
                return None;
            }
            if mark.comma {
                return Some(mark.range.clone());
            }
            at = mark.range.end;
        }
        None
    }

    /// The comment that follows `at` with nothing but blanks between.
    fn comment_on_the_line(&self, at: usize) -> Option<Range<usize>> {
        let mark = self.marks.iter().find(|mark| mark.range.start >= at)?;
        let gap = &self.text[at..mark.range.start];
        (!mark.comma && gap.chars().all(|c| matches!(c, ' ' | '\t'))).then(|| mark.range.clone())
    }

    fn starts_its_line(&self, at: usize) -> bool {
        let line = self.text[..at].rsplit('\n').next().unwrap_or_default();
        line.trim().is_empty()
    }

    fn indent_of_line(&self, at: usize) -> String {
        let line_start = self.text[..at].rfind('\n').map_or(0, |at| at + 1);
        self.text[line_start..].chars().take_while(|c| matches!(c, ' ' | '\t')).collect()
    }

    fn newline(&self) -> &'static str {
        if self.text.contains("\r\n") { "\r\n" } else { "\n" }
    }

    /// One step of indentation: that of the first indented property.
    fn unit(&self) -> String {
        let first = self.root.as_ref().and_then(|root| root.places.first());
        let indent = first.map(|place| self.indent_of_line(place.key.start)).unwrap_or_default();
        if indent.is_empty() || indent.len() > 16 { "  ".into() } else { indent }
    }

    /// `value` as it stands behind a key that is indented by `indent`: objects on lines of their own, lists in one.
    fn written(&self, value: &Value, indent: &str) -> String {
        match value {
            Value::Object(map) if !map.is_empty() => {
                let inner = format!("{indent}{}", self.unit());
                let newline = self.newline();
                let lines: Vec<String> = map
                    .iter()
                    .map(|(key, value)| {
                        format!("{inner}{}: {}", Value::from(key.as_str()), self.written(value, &inner))
                    })
                    .collect();
                format!("{{{newline}{}{newline}{indent}}}", lines.join(&format!(",{newline}")))
            }
            Value::Array(list) if !list.is_empty() => {
                let items: Vec<String> = list.iter().map(|item| self.written(item, indent)).collect();
                format!("[{}]", items.join(", "))
            }
            plain => plain.to_string(),
        }
    }
}

fn body(object: &Object<'_>) -> Body {
    let mut before = None;
    let mut places = Vec::new();
    for prop in &object.properties {
        let (whole, value) = (prop.range, prop.value.range());
        let key = prop.name.range();
        places.push(Place {
            name: prop.name.as_str().to_owned(),
            key: key.start..key.end,
            value: value.start..value.end,
            object: prop.value.as_object().map(body),
            before,
        });
        before = Some(whole.end);
    }
    Body { range: object.range.start..object.range.end, places }
}
