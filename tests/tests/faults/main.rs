//! What happens when processes die, databases go away and requests pile up. Everything is really killed.

mod absent_database;
mod exhausted_pool;
mod killed_postgres;
mod killed_server;
mod shutdown;
mod stream;
mod two_servers;
