//! Where the archive lies: a directory, or a bucket of one of the large clouds.
//!
//! Every object is written once, under a name that holds its digest, so writing it again changes
//! nothing and two collectors never overwrite each other. What a directory took is on the disk when
//! it says so.

#[cfg(feature = "clouds")]
mod clouds;

use bytes::Bytes;
use config::collector::evidence::StoreUrl;
use futures_util::TryStreamExt as _;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long one object may take: a hundred megabytes over a slow line.
const OBJECT_TIME: Duration = Duration::from_mins(2);
/// How long all names may take: a million of them, a thousand at once.
const LIST_TIME: Duration = Duration::from_mins(10);

/// Why the store could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory can't be made or opened.
    #[error("failed to open the evidence directory {directory}")]
    Directory {
        /// Which.
        directory: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The address is no store of this program.
    #[error("failed to open the evidence store: {0}")]
    Address(String),
    /// The store refused.
    #[error("failed to {doing} `{place}` in the evidence store")]
    Refused {
        /// What was being done.
        doing: &'static str,
        /// With which object.
        place: String,
        /// Why.
        #[source]
        source: object_store::Error,
    },
    /// The store did not answer.
    #[error("failed to {doing} `{place}` in the evidence store: no answer within {} s", .time.as_secs())]
    Silent {
        /// What was being done.
        doing: &'static str,
        /// With which object.
        place: String,
        /// How long was waited.
        time: Duration,
    },
}

/// An object store; cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    prefix: Path,
}

impl Store {
    /// Opens the store at `url`; a directory is made if it is not there.
    pub fn open(url: &StoreUrl) -> Result<Store, StoreError> {
        if let StoreUrl::Directory(directory) = url {
            let refused = |source| StoreError::Directory { directory: directory.clone(), source };
            std::fs::create_dir_all(directory).map_err(refused)?;
        }
        Store::open_existing(url)
    }

    /// Opens the store at `url`, which must be there.
    pub fn open_existing(url: &StoreUrl) -> Result<Store, StoreError> {
        match url {
            StoreUrl::Directory(directory) => {
                let refused = |source| StoreError::Directory { directory: directory.clone(), source };
                if !std::fs::metadata(directory).map_err(refused)?.is_dir() {
                    return Err(StoreError::Address(format!("{} is no directory", directory.display())));
                }
                let objects = LocalFileSystem::new_with_prefix(directory).map_err(|source| StoreError::Refused {
                    doing: "open",
                    place: String::new(),
                    source,
                })?;
                Ok(Store { objects: Arc::new(objects.with_fsync(true)), prefix: Path::default() })
            }
            StoreUrl::Cloud(url) => cloud(url),
        }
    }

    /// Writes an object.
    pub(crate) async fn put(&self, place: &str, bytes: Bytes) -> Result<(), StoreError> {
        let path = self.path(place);
        timed("write", place, OBJECT_TIME, self.objects.put(&path, bytes.into())).await.map(drop)
    }

    /// Reads an object; nothing if it is not there.
    pub(crate) async fn read(&self, place: &str) -> Result<Option<Bytes>, StoreError> {
        let path = self.path(place);
        let read = timed("read", place, OBJECT_TIME, async { self.objects.get(&path).await?.bytes().await });
        there(read.await)
    }

    /// Deletes an object; one that is not there is deleted already.
    pub(crate) async fn delete(&self, place: &str) -> Result<(), StoreError> {
        let path = self.path(place);
        there(timed("delete", place, OBJECT_TIME, self.objects.delete(&path)).await).map(drop)
    }

    /// The places of all objects.
    pub(crate) async fn list(&self) -> Result<Vec<String>, StoreError> {
        let prefix = Some(&self.prefix).filter(|prefix| !prefix.as_ref().is_empty());
        let listed = self.objects.list(prefix).map_ok(|object| object.location).try_collect::<Vec<Path>>();
        let listed = timed("list", "", LIST_TIME, listed).await?;
        let below = |path: Path| {
            let rest = path.as_ref().strip_prefix(self.prefix.as_ref())?;
            Some(rest.trim_start_matches('/').to_owned())
        };
        Ok(listed.into_iter().filter_map(below).collect())
    }

    fn path(&self, place: &str) -> Path {
        // A place is made of letters, digits and what no store minds; it is taken as it is.
        let parts = place.split('/').filter_map(|part| object_store::path::PathPart::parse(part).ok());
        self.prefix.parts().chain(parts).collect()
    }
}

async fn timed<T>(
    doing: &'static str,
    place: &str,
    time: Duration,
    work: impl Future<Output = object_store::Result<T>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(time, work).await {
        Ok(done) => done.map_err(|source| StoreError::Refused { doing, place: place.to_owned(), source }),
        Err(_) => Err(StoreError::Silent { doing, place: place.to_owned(), time }),
    }
}

fn there<T>(done: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match done {
        Ok(value) => Ok(Some(value)),
        Err(StoreError::Refused { source: object_store::Error::NotFound { .. }, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(feature = "clouds")]
fn cloud(url: &str) -> Result<Store, StoreError> {
    clouds::open(url)
}

#[cfg(not(feature = "clouds"))]
fn cloud(url: &str) -> Result<Store, StoreError> {
    let scheme = url.split(':').next().unwrap_or_default();
    Err(StoreError::Address(format!(
        "this program was built without `{scheme}://`; build it with the feature `clouds`, or name a directory"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_written_is_read_listed_and_deleted() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&StoreUrl::Directory(directory.path().join("evidence"))).unwrap();
        let place = "agreement=a%20b/date=2026-10-01/seal-0000000001-00.parquet";
        store.put(place, Bytes::from_static(b"results")).await.unwrap();
        assert_eq!(store.list().await.unwrap(), [place]);
        assert_eq!(store.read(place).await.unwrap().unwrap(), "results");
        store.delete(place).await.unwrap();
        store.delete(place).await.unwrap();
        assert_eq!(store.read(place).await.unwrap(), None);
    }

    #[test]
    fn a_directory_that_is_not_there_is_not_made_by_looking() {
        let directory = tempfile::tempdir().unwrap().path().join("typo");
        let refused = Store::open_existing(&StoreUrl::Directory(directory.clone())).unwrap_err();
        assert!(refused.to_string().ends_with("typo"), "{refused}");
        assert!(!directory.exists());
    }
}
