//! Probes of the kind `grpc` against real or scripted servers.
