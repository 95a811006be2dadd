//! Whatever comes in from outside, the prober ends in time, within its memory, with a verdict, and never panics.

mod servers;
mod speech;
mod texts;
