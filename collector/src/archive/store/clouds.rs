//! Buckets of Amazon S3, Google Cloud Storage and Azure, and of whoever speaks like them.
//!
//! Credentials, region and endpoint come from the environment, under the names that each cloud's own
//! tools use (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT`, `GOOGLE_APPLICATION_CREDENTIALS`,
//! `AZURE_STORAGE_ACCOUNT_NAME`, …). None of them is ever told in a message.

use super::{Store, StoreError};
use object_store::ObjectStore;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use std::sync::Arc;

pub(super) fn open(url: &str) -> Result<Store, StoreError> {
    let wrong = |why: String| StoreError::Address(format!("`{url}`: {why}"));
    let (scheme, rest) =
        url.split_once("://").ok_or_else(|| wrong("it has no scheme; write `s3://bucket/prefix`".into()))?;
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err(wrong("it names no bucket; write `s3://bucket/prefix`".into()));
    }
    let prefix = Path::parse(prefix).map_err(|error| wrong(error.to_string()))?;
    let built = match scheme {
        "s3" => AmazonS3Builder::from_env().with_bucket_name(bucket).build().map(shared),
        "gs" => GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket).build().map(shared),
        "az" => MicrosoftAzureBuilder::from_env().with_container_name(bucket).build().map(shared),
        other => return Err(wrong(format!("`{other}` is no store; there are `s3`, `gs` and `az`"))),
    };
    let objects = built.map_err(|error| wrong(error.to_string()))?;
    Ok(Store { objects, prefix })
}

fn shared<T: ObjectStore>(store: T) -> Arc<dyn ObjectStore> {
    Arc::new(store)
}
