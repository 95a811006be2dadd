//! The differences that are known: what they are, and why they are there (`docs/blackbox.md` tells the same to people).
//!
//! One that a case names must still be there, and one that no case names is a finding.

use regex::Regex;

/// A difference that is meant.
pub(crate) struct Known {
    /// As cases name it.
    pub(crate) name: &'static str,
    pub(crate) why: &'static str,
    /// What it looks like, a line of [`crate::compare::differences`] each.
    lines: &'static [&'static str],
}

impl Known {
    /// Whether `line` is this difference.
    pub(crate) fn explains(&self, line: &str) -> bool {
        self.lines.iter().any(|pattern| Regex::new(&format!("^(?:{pattern})$")).unwrap().is_match(line))
    }
}

/// Differences of any case: what 0.23 does not have yet.
pub(crate) const EVERYWHERE: &[Known] = &[
    Known { name: "timeout", why: "0.24 and later tell the timeout", lines: &["only ours: probe_timeout_seconds .*"] },
    Known { name: "cipher", why: "0.25 and later tell the cipher", lines: &[r"only ours: probe_tls_cipher_info\{.*"] },
];

/// Differences of the cases that name them.
pub(crate) const NAMED: &[Known] = &[
    Known {
        name: "unreached",
        why: "a phase that was not reached has no series: a zero would spoil averages",
        lines: &[r#"only theirs: probe_(http|dns|icmp|grpc)_duration_seconds\{phase="[a-z]+"\} 0"#],
    },
    Known {
        name: "certificate",
        why: "a certificate is told also when it is refused: that is when its expiry is wanted",
        lines: &[
            r"only ours: probe_ssl_(earliest_cert_expiry|last_chain_expiry_timestamp_seconds|last_chain_info\{.*\}) .*",
            r"only ours: probe_tls_version_info\{.*",
        ],
    },
    Known {
        name: "newer-scheme",
        why: "0.28 reads the scheme of a URL in either case, 0.23 in lower case only and finds nothing",
        lines: &[
            r"only ours: probe_http_duration_seconds\{.*",
            r"value: probe_(http_[a-z_]+|ip_[a-z_]+|success) ours [0-9.e+]+ theirs 0",
        ],
    },
    Known {
        name: "missing-file",
        why: "a file that is missing is found out before the target's name is resolved",
        lines: &[
            r#"only theirs: probe_http_duration_seconds\{phase="resolve"\} .*"#,
            r"value: probe_ip_(protocol|addr_hash) ours 0 theirs .*",
        ],
    },
    Known {
        name: "file-not-needed",
        why: "without TLS its settings are not looked at, as in 0.28",
        lines: &[
            r"only ours: probe_http_duration_seconds\{.*",
            r"value: probe_(http_[a-z_]+|success) ours [0-9.e+]+ theirs 0",
        ],
    },
    Known {
        name: "dns-retry",
        why: "an answer that was cut is asked for again by TCP",
        lines: &["value: probe_dns_answer_rrs ours 3 theirs 0"],
    },
    Known {
        name: "newer-hostname",
        why: "0.24 and later verify the certificate of a tcp target under the `hostname` that is asked for",
        lines: &[
            r"only ours: probe_(ssl_[a-z_]+|tls_version_info)(\{.*\})? .*",
            "value: probe_success ours 1 theirs 0",
        ],
    },
    Known {
        name: "grpc-expiry",
        why: "without a certificate there is no expiry: a zero would be one in 1970",
        lines: &["only theirs: probe_ssl_earliest_cert_expiry 0"],
    },
    Known {
        name: "grpc-fallback",
        why: "a grpc module without its part falls back to the other address family, as one with an empty part does",
        lines: &[
            r"only ours: probe_grpc_(duration_seconds|healthcheck_response)\{.*",
            r"value: probe_(ip_[a-z_]+|success) ours [0-9.e+]+ theirs 0",
        ],
    },
];
