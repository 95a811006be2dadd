//! The two messages of the health protocol, and the five bytes that stand before a message.

use super::super::trace::Break;
use bytes::{BufMut, Bytes, BytesMut};
use prost::Message;
use rules::evidence::{Fault, ServingStatus};

/// Whether it is compressed, and its length.
const PREFIX_BYTES: usize = 5;
/// The longest answer: the protocol's has two bytes, and what later versions add may not grow beyond this.
pub(super) const ANSWER_BYTES_MAX: usize = 16 * 1024;

#[derive(Message)]
struct HealthCheckRequest {
    #[prost(string, tag = "1")]
    service: String,
}

#[derive(Message)]
struct HealthCheckResponse {
    /// The number of a status; kept as such, for it may be one that we don't know.
    #[prost(int32, tag = "1")]
    status: i32,
}

/// The question after `service`, as it travels.
pub(super) fn request(service: &str) -> Bytes {
    let request = HealthCheckRequest { service: service.to_owned() }.encode_to_vec();
    let mut framed = BytesMut::with_capacity(PREFIX_BYTES + request.len());
    framed.put_u8(0);
    framed.put_u32(u32::try_from(request.len()).unwrap_or(u32::MAX));
    framed.put_slice(&request);
    framed.freeze()
}

/// The answer in `body`, which holds one message.
pub(super) fn response(body: &[u8]) -> Result<ServingStatus, Break> {
    let refuse = |why: &str| Break::new(Fault::Protocol, &format!("the answer is no health message: {why}"));
    let (prefix, message) = body.split_at_checked(PREFIX_BYTES).ok_or_else(|| refuse("it is too short"))?;
    if prefix[0] != 0 {
        return Err(refuse("it is compressed, which was not asked for"));
    }
    let length = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]);
    if usize::try_from(length) != Ok(message.len()) {
        return Err(refuse("its length is not the one it names"));
    }
    let response = HealthCheckResponse::decode(message).map_err(|error| refuse(&error.to_string()))?;
    Ok(ServingStatus::from_number(response.status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_travels_as_the_protocol_has_it() {
        assert_eq!(&request("")[..], [0, 0, 0, 0, 0]);
        assert_eq!(&request("ab")[..], [0, 0, 0, 0, 4, 10, 2, b'a', b'b']);
    }

    #[test]
    fn an_answer_is_one_whole_message_of_any_status() {
        let check = |body: &[u8], expected| assert_eq!(response(body).ok(), expected, "{body:?}");
        check(&[0, 0, 0, 0, 2, 8, 1], Some(ServingStatus::Serving));
        check(&[0, 0, 0, 0, 0], Some(ServingStatus::Unknown));
        check(&[0, 0, 0, 0, 2, 8, 9], Some(ServingStatus::Other(9)));
        check(&[0, 0, 0, 0, 4, 8, 2, 16, 1], Some(ServingStatus::NotServing));
        check(&[0, 0, 0, 0, 3, 8, 1], None);
        check(&[0, 0, 0, 0, 1, 8, 1], None);
        check(&[1, 0, 0, 0, 2, 8, 1], None);
        check(&[0, 0, 0, 0, 2, 8, 255], None);
        check(&[0, 0], None);
        check(&[], None);
    }
}
