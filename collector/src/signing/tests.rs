//! Keys on a real file system, beside both stores.

use super::*;
use crate::ledger::contract::facts;
use crate::ledger::contract::place::Place;

facts! {
    the_first_need_makes_a_key_and_the_next_finds_it
    a_rotation_signs_with_a_new_key_and_keeps_the_old_one_published
    a_key_that_was_made_and_not_published_is_published
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + second * 1000)
}

async fn the_first_need_makes_a_key_and_the_next_finds_it(place: &Place) {
    let books = place.open().await;
    let home = tempfile::tempdir().unwrap();
    let keys = home.path().join("keys");
    let first = signer(&*books, &keys, at(0)).await.unwrap();
    assert_eq!(signer(&*books, &keys, at(1)).await.unwrap(), first);
    let published = books.keys().await.unwrap();
    assert_eq!(published.len(), 1);
    assert_eq!((published[0].id.as_str(), published[0].published_at), (name(&first).as_str(), at(0)));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&keys), mode(&file(&keys, &name(&first)))), (0o700, 0o600));
}

async fn a_rotation_signs_with_a_new_key_and_keeps_the_old_one_published(place: &Place) {
    let books = place.open().await;
    let home = tempfile::tempdir().unwrap();
    let keys = home.path().join("keys");
    let old = signer(&*books, &keys, at(0)).await.unwrap();
    let rotation = rotate(&*books, &keys, at(10)).await.unwrap();
    assert_eq!(rotation.retired, [name(&old)]);
    assert_eq!(rotation.from, at(10).plus(ROTATION_TIME));
    assert!(!file(&keys, &name(&old)).exists(), "a retired key can't be stolen");
    let new = signer(&*books, &keys, at(11)).await.unwrap();
    assert_eq!(name(&new), rotation.made);
    let retired: Vec<_> = books.keys().await.unwrap().into_iter().map(|key| (key.id, key.retired_at)).collect();
    assert!(retired.contains(&(name(&old), Some(rotation.from))) && retired.contains(&(name(&new), None)));
}

async fn a_key_that_was_made_and_not_published_is_published(place: &Place) {
    let books = place.open().await;
    let home = tempfile::tempdir().unwrap();
    let keys = home.path().join("keys");
    read(&keys).unwrap();
    let made = make(&keys).unwrap();
    assert_eq!(signer(&*books, &keys, at(0)).await.unwrap(), made);
    assert_eq!(books.keys().await.unwrap()[0].id, name(&made));
}

#[test]
fn what_others_may_read_is_refused_with_what_would_be_right() {
    let home = tempfile::tempdir().unwrap();
    let keys = home.path().join("keys");
    read(&keys).unwrap();
    let key = make(&keys).unwrap();
    let path = file(&keys, &name(&key));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let told = read(&keys).unwrap_err().to_string();
    assert!(told.contains("its mode is 640") && told.ends_with("chmod 600"), "{told}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o755)).unwrap();
    let told = read(&keys).unwrap_err().to_string();
    assert!(told.contains("its mode is 755") && told.ends_with("chmod 700"), "{told}");
}

#[test]
fn a_file_that_is_no_key_is_refused_and_not_shown() {
    let home = tempfile::tempdir().unwrap();
    let keys = home.path().join("keys");
    read(&keys).unwrap();
    let path = keys.join("x.pem");
    fs::write(&path, "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let told = read(&keys).unwrap_err().to_string();
    assert!(told.ends_with("it is no Ed25519 key as PKCS#8 in PEM") && !told.contains("c2VjcmV0"), "{told}");
}
