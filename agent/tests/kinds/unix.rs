//! Probes of the kind `unix` against real or scripted servers.
