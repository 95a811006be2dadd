//! Probes of the kind `flow` against real or scripted servers.
