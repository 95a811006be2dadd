//! Probes of the kind `tls` against real or scripted servers.
