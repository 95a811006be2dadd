//! Probes of the kind `http` against real or scripted servers.
