//! Where channels tell: web addresses and mail servers. Any of them may hold a secret, so none is shown.

use crate::agent::is_loopback;
use crate::node::Node;
use crate::reading::{Reading, text};
use crate::secret::{Secret, expanded};

/// An `http` or `https` URL, with `${NAME}` filled in from the environment.
pub(super) fn url(node: &Node, reading: &mut Reading) -> Option<Secret> {
    let given = expanded(node, reading)?;
    reading.conceal(node.at);
    let parsed = url::Url::parse(&given).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
    let Some(host) = parsed.as_ref().and_then(url::Url::host_str) else {
        return reading.problem(node.at, "this is no web address; write one such as `https://host/path`");
    };
    if parsed.as_ref().is_some_and(|url| url.scheme() == "http") && !is_loopback(host) {
        let message = "what is told travels in plain text here, with the customer's name in it; write `https://` if the receiver has it";
        reading.warn(node.at, message);
    }
    let password = parsed.as_ref().and_then(url::Url::password);
    if password.is_some() && !text(node, reading)?.contains("${") {
        let message = "a password stands in the file itself; write `${NAME}` in its place, for an environment variable";
        return reading.problem(node.at, message);
    }
    Some(Secret::new(given))
}

/// A mail server's URL: its scheme says how the way there is secured.
pub(super) fn server(node: &Node, reading: &mut Reading) -> Option<String> {
    let given = text(node, reading)?;
    let example =
        "write `smtps://user@host:465`, `smtp://user@host:587` or, on this machine, `smtp+plain://127.0.0.1:25`";
    let parsed = url::Url::parse(given).ok();
    let Some((url, host)) =
        parsed.as_ref().and_then(|url| Some((url, url.host_str().filter(|host| !host.is_empty())?)))
    else {
        reading.conceal(node.at);
        return reading.problem(node.at, format!("this is no mail server; {example}"));
    };
    if url.password().is_some() {
        reading.conceal(node.at);
        return reading.problem(
            node.at,
            "the server's URL has a password in it; write it into a file and name that in `password_file`",
        );
    }
    if !url.path().trim_matches('/').is_empty() || url.query().is_some() || url.fragment().is_some() {
        return reading.problem(node.at, "a mail server's URL has a path; write scheme, user, host and port only");
    }
    match url.scheme() {
        "smtps" | "smtp" => Some(given.to_owned()),
        "smtp+plain" if is_loopback(host) => Some(given.to_owned()),
        "smtp+plain" => {
            let message = "mail would travel in plain text to another machine; write `smtp://` (secured by STARTTLS) or `smtps://`";
            reading.problem(node.at, message)
        }
        scheme => {
            reading.problem(node.at, format!("`{}` is no way to a mail server; {example}", scheme.escape_debug()))
        }
    }
}
