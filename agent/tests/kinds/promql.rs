//! Probes of the kind `promql` against real or scripted servers.
