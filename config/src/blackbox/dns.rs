//! The `dns` part of a module.

use super::client::TlsConfig;
use super::regexp::Regexp;
use super::shape::{Record, Visit};
use rules::check::{QueryClass, QueryType};

/// `dns`.
#[derive(Clone, PartialEq, Debug)]
pub struct DnsModule {
    /// `ip4` or `ip6`; empty: `ip6`.
    pub preferred_ip_protocol: String,
    /// Whether the other family will do.
    pub ip_protocol_fallback: bool,
    /// Whether the question goes over TLS.
    pub dns_over_tls: bool,
    /// How.
    pub tls_config: TlsConfig,
    /// Where the question comes from.
    pub source_ip_address: String,
    /// `udp` or `tcp`; empty: `udp`.
    pub transport_protocol: String,
    /// `IN` if empty.
    pub query_class: String,
    /// What is asked for.
    pub query_name: String,
    /// `ANY` if empty.
    pub query_type: String,
    /// Whether the server is to ask others.
    pub recursion_desired: bool,
    /// Codes that are up; empty: `NOERROR`.
    pub valid_rcodes: Vec<String>,
    /// What must hold of the answer section.
    pub validate_answer_rrs: RecordRules,
    /// What must hold of the authority section.
    pub validate_authority_rrs: RecordRules,
    /// What must hold of the additional section.
    pub validate_additional_rrs: RecordRules,
}

impl Default for DnsModule {
    fn default() -> DnsModule {
        DnsModule {
            preferred_ip_protocol: String::new(),
            ip_protocol_fallback: true,
            dns_over_tls: false,
            tls_config: TlsConfig::default(),
            source_ip_address: String::new(),
            transport_protocol: String::new(),
            query_class: String::new(),
            query_name: String::new(),
            query_type: String::new(),
            recursion_desired: true,
            valid_rcodes: Vec::new(),
            validate_answer_rrs: RecordRules::default(),
            validate_authority_rrs: RecordRules::default(),
            validate_additional_rrs: RecordRules::default(),
        }
    }
}

impl Record for DnsModule {
    const NAME: &'static str = "config.DNSProbe";

    fn fields(&mut self, visit: &mut dyn Visit) {
        visit.field("preferred_ip_protocol", &mut self.preferred_ip_protocol);
        visit.field("ip_protocol_fallback", &mut self.ip_protocol_fallback);
        visit.field("dns_over_tls", &mut self.dns_over_tls);
        visit.field("tls_config", &mut self.tls_config);
        visit.field("source_ip_address", &mut self.source_ip_address);
        visit.field("transport_protocol", &mut self.transport_protocol);
        visit.field("query_class", &mut self.query_class);
        visit.field("query_name", &mut self.query_name);
        visit.field("query_type", &mut self.query_type);
        visit.field("recursion_desired", &mut self.recursion_desired);
        visit.field("valid_rcodes", &mut self.valid_rcodes);
        visit.field("validate_answer_rrs", &mut self.validate_answer_rrs);
        visit.field("validate_authority_rrs", &mut self.validate_authority_rrs);
        visit.field("validate_additional_rrs", &mut self.validate_additional_rrs);
    }

    fn check(&mut self) -> Result<(), String> {
        if self.query_name.is_empty() {
            return Err("query name must be set for DNS module".into());
        }
        if !self.query_class.is_empty() && QueryClass::from_word(&self.query_class).is_none() {
            return Err(format!("query class '{}' is not valid", self.query_class));
        }
        if !self.query_type.is_empty() && QueryType::from_word(&self.query_type).is_none() {
            return Err(format!("query type '{}' is not valid", self.query_type));
        }
        Ok(())
    }
}

/// What must hold of the records of a section.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RecordRules {
    /// No record may match any.
    pub fail_if_matches_regexp: Vec<Regexp>,
    /// Not every record may match all.
    pub fail_if_all_match_regexp: Vec<Regexp>,
    /// Every record must match each.
    pub fail_if_not_matches_regexp: Vec<Regexp>,
    /// At least one record must match one.
    pub fail_if_none_matches_regexp: Vec<Regexp>,
}

impl Record for RecordRules {
    const NAME: &'static str = "config.DNSRRValidator";

    fn fields(&mut self, visit: &mut dyn Visit) {
        visit.field("fail_if_matches_regexp", &mut self.fail_if_matches_regexp);
        visit.field("fail_if_all_match_regexp", &mut self.fail_if_all_match_regexp);
        visit.field("fail_if_not_matches_regexp", &mut self.fail_if_not_matches_regexp);
        visit.field("fail_if_none_matches_regexp", &mut self.fail_if_none_matches_regexp);
    }
}
