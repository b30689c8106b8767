//! The queue, with real processes that are killed, paused and stopped: nothing that was accepted is lost, and nothing is
//! applied twice.

mod dead_letters;
mod full;
mod kept;
mod killed;
mod order;
mod paused;
mod sabotage;
mod shutdown;
mod support;
mod wake_up;
