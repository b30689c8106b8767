//! What happens when processes die, databases go away and requests pile up. Everything is really killed.

mod absent_database;
mod exhausted_pool;
mod keys_in_doubt;
mod killed_postgres;
mod killed_server;
mod migration;
mod shutdown;
mod stream;
mod tls;
mod two_servers;
mod unwritable;
