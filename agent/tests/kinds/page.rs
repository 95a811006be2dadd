//! Probes of the kind `page` against real or scripted servers.
