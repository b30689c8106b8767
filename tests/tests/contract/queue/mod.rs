//! The queue: what is accepted, whose turn it is, and who may finish it.

mod accepting;
mod dead_letters;
mod finishing;
mod superseding;
mod support;
mod turns;
