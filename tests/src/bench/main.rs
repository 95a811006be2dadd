//! Figures of the real programs beside those of their peers, as one table.
//!
//! Run by hand, on a machine that does nothing else: `cargo run --release -p tests --bin bench [-- GROUP…]`. Every figure is
//! CPU time for a unit of work, memory, or a delay; the peer and the floor are measured in the same run, on the same
//! targets. Nothing here fails because a figure is bad: a goal that was missed is said in the table.
#![expect(clippy::unwrap_used, reason = "a figure that can't be taken is a defect of the bench: a panic is the report")]

// What is shown
mod machine;
mod table;
// What is started
mod authority;
mod blackbox;
mod fleet;
mod floor;
mod freight;
mod secured;
mod victoria;
// What is measured
mod archive;
mod console;
mod ingest;
mod outage;
mod phases;
mod probes;
mod reckoning;
mod schedule;
mod statement;

use clap::{Parser, ValueEnum};
use std::time::Duration;
use table::Row;

/// A load above this means that others use the machine: two cores have nothing left for what is measured.
const LOAD_MAX: f64 = 2.0;

/// Measures the programs beside their peers and prints one table.
#[derive(Parser, Debug)]
struct Arguments {
    /// Which groups of rows; all of them if none is named
    groups: Vec<Group>,
    /// About a second a group: shows that all of it works, and no figure to be believed
    #[arg(long)]
    quick: bool,
}

/// Rows that are measured together.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Group {
    /// CPU of one probe
    Probes,
    /// Memory and punctuality of an agent
    Schedule,
    /// Phase times against a server that knows them
    Phases,
    /// Results into a ledger, and again out of it
    Ingest,
    /// A collector with many services
    Console,
    /// Evidence sealed, and the way back
    Archive,
    /// A month's figures
    Reckoning,
    /// A month of a hundred services as one document
    Statement,
    /// From a failure to its being told
    Outage,
}

/// How much is done for a figure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Effort {
    /// Enough to believe it.
    Full,
    /// Enough to see that it can be taken.
    Quick,
}

impl Effort {
    /// The one number or the other.
    fn of<T>(self, full: T, quick: T) -> T {
        match self {
            Effort::Full => full,
            Effort::Quick => quick,
        }
    }

    /// How long something is watched whose CPU time is read from a clock of 10 ms.
    fn watched(self) -> Duration {
        self.of(Duration::from_secs(10), Duration::from_millis(500))
    }
}

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    let effort = if arguments.quick { Effort::Quick } else { Effort::Full };
    let groups = if arguments.groups.is_empty() { Group::value_variants() } else { &arguments.groups };
    println!("{}\n", machine::describe());
    if effort == Effort::Quick {
        println!("QUICK: a hundredth of the work that the rows speak of; no figure is to be believed.\n");
    }
    println!("{}", table::HEAD);
    let mut load_max: f64 = 0.0;
    for group in groups {
        load_max = load_max.max(machine::load());
        measure(*group, effort).await.iter().for_each(|row| println!("{row}"));
    }
    println!("\nload average: {load_max:.1} at most when a group began, {:.1} at the end", machine::load());
    if LOAD_MAX < load_max {
        println!("THE LOAD WAS TOO HIGH: delays and lateness say nothing, CPU times are some per cent too large.");
    }
}

async fn measure(group: Group, effort: Effort) -> Vec<Row> {
    match group {
        Group::Probes => probes::rows(effort).await,
        Group::Schedule => schedule::rows(effort).await,
        Group::Phases => phases::rows(effort).await,
        Group::Ingest => ingest::rows(effort).await,
        Group::Console => console::rows(effort).await,
        Group::Archive => archive::rows(effort).await,
        Group::Reckoning => reckoning::rows(effort),
        Group::Statement => statement::rows(effort).await,
        Group::Outage => outage::rows(effort).await,
    }
}
