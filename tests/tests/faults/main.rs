//! What happens when processes die, databases go away and requests pile up. Everything is really killed.

mod absent_database;
mod clock;
mod exhausted_pool;
mod full_disk;
mod keys_in_doubt;
mod killed_postgres;
mod killed_server;
mod migration;
mod nginx;
mod pgbouncer;
mod shutdown;
mod standby;
mod stream;
mod tls;
mod two_servers;
mod unwritable;
mod upgrade;
