use super::*;
use config::collector::users::Role;

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

fn user(name: &str, token: u8) -> User {
    User { user: name.to_owned(), role: Role::Operator, token_sha256: [token; 32], agreements: None }
}

#[tokio::test]
async fn a_session_is_good_at_every_collector_with_the_same_key_and_nowhere_else() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (first, second, stranger) = (Sessions::default(), Sessions::default(), Sessions::default());
    let users = [user("서울 운영", 1), user("kim", 2)];
    let session = Session::begin(NOW);
    let cookie = first.unlock(dir.path()).await.seal(session, &users[0]);
    for sessions in [&first, &second] {
        let opened = sessions.unlock(dir.path()).await;
        assert_eq!(opened.open(&cookie, &users, NOW), Some((session, &users[0])));
    }
    assert_eq!(stranger.unlock(other.path()).await.open(&cookie, &users, NOW), None);
}

#[tokio::test]
async fn a_session_ends_when_idle_when_old_when_signed_out_and_with_its_users_token() {
    let dir = tempfile::tempdir().unwrap();
    let sessions = Sessions::default();
    let unlocked = sessions.unlock(dir.path()).await;
    let users = [user("kim", 1)];
    let session = Session::begin(NOW);
    let cookie = unlocked.seal(session, &users[0]);
    let ms = Duration::from_millis(1);
    assert!(unlocked.open(&cookie, &users, NOW.plus(IDLE - ms)).is_some());
    assert!(unlocked.open(&cookie, &users, NOW.plus(IDLE)).is_none());
    let used = session.renewed(NOW.plus(ABSOLUTE - ms)).unwrap();
    let renewed = unlocked.seal(used, &users[0]);
    assert!(unlocked.open(&renewed, &users, NOW.plus(ABSOLUTE - ms)).is_some());
    assert!(unlocked.open(&renewed, &users, NOW.plus(ABSOLUTE)).is_none());
    assert!(unlocked.open(&cookie, &[user("kim", 2)], NOW).is_none(), "another token");
    assert!(unlocked.open(&cookie, &[], NOW).is_none(), "no such user");
    unlocked.end(session, NOW);
    assert!(unlocked.open(&cookie, &users, NOW).is_none(), "signed out");
    assert!(unlocked.open(&renewed, &users, NOW.plus(ms)).is_none(), "signed out, however renewed");
}

#[tokio::test]
async fn one_changed_byte_anywhere_makes_a_session_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let sessions = Sessions::default();
    let unlocked = sessions.unlock(dir.path()).await;
    let users = [user("kim", 1)];
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(unlocked.seal(Session::begin(NOW), &users[0])).unwrap();
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        assert_eq!(unlocked.open(&BASE64_URL_SAFE_NO_PAD.encode(changed), &users, NOW), None, "byte {place}");
    }
    for cut in 0..bytes.len() {
        assert_eq!(unlocked.open(&BASE64_URL_SAFE_NO_PAD.encode(&bytes[..cut]), &users, NOW), None);
    }
}

#[tokio::test]
async fn a_form_belongs_to_one_session() {
    let dir = tempfile::tempdir().unwrap();
    let sessions = Sessions::default();
    let unlocked = sessions.unlock(dir.path()).await;
    let (mine, theirs) = (Session::begin(NOW), Session::begin(NOW));
    let token = unlocked.form_token(mine);
    assert!(unlocked.is_form_token(mine, &token));
    assert!(!unlocked.is_form_token(theirs, &token));
    assert!(!unlocked.is_form_token(mine, ""));
}

#[tokio::test]
async fn a_key_that_cannot_be_kept_still_seals_for_this_process() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let sessions = Sessions::default();
    let unlocked = sessions.unlock(&file).await;
    let users = [user("kim", 1)];
    let cookie = unlocked.seal(Session::begin(NOW), &users[0]);
    assert!(sessions.unlock(&file).await.open(&cookie, &users, NOW).is_some());
}
