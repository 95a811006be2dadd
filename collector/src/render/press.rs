//! Prints statements beside the threads that answer requests, a few at once.

use super::Manuscript;
use super::pdf::PdfError;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// How many are printed at once: typesetting a hundred services takes seconds of a core and tens of
/// megabytes. Whoever comes later waits.
const AT_ONCE_MAX: usize = 2;

/// A press; cheap to clone.
#[derive(Clone)]
pub(crate) struct Press {
    room: Arc<Semaphore>,
}

impl Default for Press {
    fn default() -> Press {
        Press { room: Arc::new(Semaphore::new(AT_ONCE_MAX)) }
    }
}

impl Press {
    /// Prints `manuscript`.
    pub(crate) async fn print(&self, manuscript: Manuscript) -> Result<Vec<u8>, PdfError> {
        self.run(move || manuscript.printed()).await
    }

    /// Runs `work` where it may take its time. Dropped meanwhile, the work still ends, and makes room
    /// only then.
    pub(crate) async fn run<R: Send + 'static>(&self, work: impl FnOnce() -> R + Send + 'static) -> R {
        let room = Arc::clone(&self.room).acquire_owned().await.expect("the press is never closed");
        let working = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(room);
            done
        });
        match working.await {
            Ok(done) => done,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => unreachable!("what runs on a thread of its own is not cancelled"),
            },
        }
    }
}
