//! Probes of the kind `ws` against real or scripted servers.
