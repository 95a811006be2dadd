//! Probes of the kind `dns` against real or scripted servers.
