//! Probes of the kind `icmp` against real or scripted servers.
