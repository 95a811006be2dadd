//! What the gRPC health service answered.

use super::Said;
use core::fmt;

/// What the gRPC health service answered.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GrpcFacts {
    /// The status of the call; absent if it did not come to one.
    pub status: Option<GrpcStatus>,
    /// What it says of the service; absent unless the call came out well.
    pub serving: Option<ServingStatus>,
}

/// How a call came out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GrpcStatus {
    /// Its number: 0 is good.
    pub code: GrpcCode,
    /// What the server said about it.
    pub message: Said,
}

/// The number of a call's status.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct GrpcCode(pub u32);

impl GrpcCode {
    /// The call came out well.
    pub const OK: GrpcCode = GrpcCode(0);
    /// Something that has no number.
    pub const UNKNOWN: GrpcCode = GrpcCode(2);
    /// The server gave up when our deadline had passed.
    pub const DEADLINE_EXCEEDED: GrpcCode = GrpcCode(4);
    /// The server does not know the service that was asked after.
    pub const NOT_FOUND: GrpcCode = GrpcCode(5);
    /// The server has no health protocol.
    pub const UNIMPLEMENTED: GrpcCode = GrpcCode(12);
}

/// The words for the numbers from 0.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

impl fmt::Display for GrpcCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match usize::try_from(self.0).ok().and_then(|code| CODES.get(code)) {
            Some(word) => write!(f, "{} {word}", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}

/// What a server says of a service.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ServingStatus {
    /// It doesn't know.
    Unknown,
    /// It serves.
    Serving,
    /// It does not.
    NotServing,
    /// It doesn't know the service, as streams are told.
    ServiceUnknown,
    /// A number that the protocol has no word for.
    Other(i32),
}

impl ServingStatus {
    /// Those that the protocol has a word for, in the order of their numbers.
    pub const ALL: [ServingStatus; 4] =
        [ServingStatus::Unknown, ServingStatus::Serving, ServingStatus::NotServing, ServingStatus::ServiceUnknown];

    /// The status with the protocol's number.
    pub fn from_number(number: i32) -> ServingStatus {
        match number {
            0 => ServingStatus::Unknown,
            1 => ServingStatus::Serving,
            2 => ServingStatus::NotServing,
            3 => ServingStatus::ServiceUnknown,
            other => ServingStatus::Other(other),
        }
    }

    /// The protocol's word.
    pub fn as_str(self) -> &'static str {
        match self {
            ServingStatus::Unknown => "UNKNOWN",
            ServingStatus::Serving => "SERVING",
            ServingStatus::NotServing => "NOT_SERVING",
            ServingStatus::ServiceUnknown => "SERVICE_UNKNOWN",
            ServingStatus::Other(_) => "OTHER",
        }
    }
}
