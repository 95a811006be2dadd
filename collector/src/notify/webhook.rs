//! Webhooks: our own JSON, signed.
//!
//! `Nines-Signature: t=SECONDS,v1=HEX` is HMAC-SHA-256 over `SECONDS.BODY` with the shared secret, so that a receiver
//! can tell that the body is ours and not an old one. `Idempotency-Key` is the same for every attempt.

use super::http::{Poster, SendError};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::StatusCode;
use rules::check::Secret;
use rules::time::Timestamp;
use sha2::Sha256;

/// The receiver says that it is gone for good. Everything else may be mended within days.
const HOPELESS: &[StatusCode] = &[StatusCode::GONE];

/// Posts `body` once.
pub(super) async fn send(
    poster: &Poster,
    url: &Secret,
    secret: Option<&Secret>,
    key: &str,
    body: Bytes,
    now: Timestamp,
) -> Result<(), SendError> {
    let mut headers = vec![("idempotency-key", header_safe(key))];
    headers.extend(secret.map(|secret| ("nines-signature", signature(secret, now, &body))));
    poster.post(url, &headers, body).await?.accepted(HOPELESS)
}

/// What the signature's header says.
pub(crate) fn signature(secret: &Secret, now: Timestamp, body: &[u8]) -> String {
    let seconds = now.as_millis().div_euclid(1000);
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body);
    let mut header = format!("t={seconds},v1=");
    for byte in mac.finalize().into_bytes() {
        header.push_str(&format!("{byte:02x}"));
    }
    header
}

/// A key as a header's value: names may have letters that headers may not.
pub(super) fn header_safe(key: &str) -> String {
    let mut safe = String::with_capacity(key.len());
    for byte in key.bytes() {
        match byte {
            b'!'..=b'$' | b'&'..=b'~' => safe.push(char::from(byte)),
            _ => safe.push_str(&format!("%{byte:02X}")),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_documented_one() {
        let signed = signature(&Secret::new("whsec"), Timestamp::from_millis(1_700_000_000_999), b"{\"a\":1}");
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac whsec
        let expected = "t=1700000000,v1=8ad37ba156048ae0e0a5533c75cdf26fee88b07f93cb57ee4c80adb053012032";
        assert_eq!(signed, expected);
    }

    #[test]
    fn a_key_in_any_script_is_a_header() {
        assert_eq!(header_safe("incident_opened:계약 1:7:hook%"), "incident_opened:%EA%B3%84%EC%95%BD%201:7:hook%25");
    }
}
