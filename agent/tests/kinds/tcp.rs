//! Probes of the kind `tcp` against real or scripted servers.
