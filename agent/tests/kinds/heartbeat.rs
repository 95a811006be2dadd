//! Probes of the kind `heartbeat` against real or scripted servers.
