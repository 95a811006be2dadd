//! Probes of the kind `exec` against real or scripted servers.
