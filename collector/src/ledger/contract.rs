//! What every store must do, stated once and run against each.

mod books;
mod commits;
mod derived;
mod history;
mod model;
pub(crate) mod place;
mod samples;
mod server;

/// Turns each fact into a test a store.
macro_rules! facts {
    ($($fact:ident)*) => {
        mod sqlite {
            use crate::ledger::contract::place::Place;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $fact() {
                super::$fact(&Place::sqlite()).await;
            })*
        }
        mod postgres {
            use crate::ledger::contract::place::Place;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $fact() {
                let place = Place::postgres().await;
                super::$fact(&place).await;
                place.remove().await;
            })*
        }
    };
}
pub(crate) use facts;
