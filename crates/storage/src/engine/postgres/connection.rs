//! How connections to PostgreSQL are made and kept.

use std::time::Duration;

use diesel::ConnectionError;
use diesel::connection::InstrumentationEvent;
use diesel::result::{ConnectionResult, DatabaseErrorKind, Error};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, PoolableConnection, RecyclingMethod,
};
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use futures::FutureExt;
use futures::future::ready;

use super::super::error::StorageError;
use super::super::options::{StatementObserver, StorageOptions};
use super::tls::Tls;

/// No unit of work takes this long unless something is wrong; better it fails and frees its locks. The statement of a
/// process that has died ends within seconds, so that whoever takes over does not wait for its locks; a process that is
/// paused within a transaction loses it.
const SESSION: &str = "SET statement_timeout = '30s'; SET lock_timeout = '10s'; \
                       SET client_connection_check_interval = '2s'; \
                       SET idle_in_transaction_session_timeout = '15s'";

/// Errors are told apart by their texts where Diesel drops the SQLSTATE, so they should be English. Whoever may not ask
/// for that goes without.
const ENGLISH: &str = "DO $$ BEGIN SET lc_messages = 'C'; EXCEPTION WHEN insufficient_privilege THEN NULL; END $$";

/// A database and how to reach it.
#[derive(Clone)]
pub(super) struct Config {
    url: tokio_postgres::Config,
    tls: Tls,
    on_statement: Option<StatementObserver>,
}

impl Config {
    pub(super) fn parse(url: &str, options: &StorageOptions) -> Result<Self, StorageError> {
        let (url, tls) = Tls::of_url(url)?;
        // An error may name an option, which would be a part of the password here.
        if url.split_once('?').is_some_and(|(_, options)| options.contains('@')) {
            let why =
                "the user or the password has a character that must be written as %XX, such as %3F for a question mark";
            return Err(StorageError::Url(why.to_owned()));
        }
        let mut url: tokio_postgres::Config = url.parse().map_err(|error: tokio_postgres::Error| {
            StorageError::Url(format!("{error}; write postgres://user:password@host:5432/database"))
        })?;
        if url.get_application_name().is_none() {
            url.application_name("module-monitor");
        }
        url.connect_timeout(options.checkout_timeout);
        url.tcp_user_timeout(Duration::from_secs(30));
        Ok(Self { url, tls, on_statement: options.on_statement.clone() })
    }

    /// A connection of its own, without time limits: for migrations.
    pub(super) async fn connect(&self) -> ConnectionResult<AsyncPgConnection> {
        self.tls.connect(&self.url).await
    }

    async fn connect_for_pool(self) -> ConnectionResult<AsyncPgConnection> {
        let mut connection = self.connect().await?;
        let session = format!("{SESSION}; {ENGLISH}");
        connection.batch_execute(&session).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
        if let Some(observe) = self.on_statement {
            connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
                if let InstrumentationEvent::StartQuery { query, .. } = event {
                    observe(&query);
                }
            });
        }
        Ok(connection)
    }
}

/// Makes the pool's connections. On checkout a connection is asked, without a round trip, whether it has noticed that it
/// is broken, so that a restart of PostgreSQL does not hand out every dead connection once.
pub(super) fn manager(config: Config) -> AsyncDieselConnectionManager<AsyncPgConnection> {
    let mut manager = ManagerConfig::default();
    manager.recycling_method = RecyclingMethod::CustomFunction(Box::new(|connection: &mut AsyncPgConnection| {
        let broken = connection.is_broken();
        let closed =
            || Error::DatabaseError(DatabaseErrorKind::ClosedConnection, Box::new("closed while idle".to_owned()));
        ready(if broken { Err(closed()) } else { Ok(()) }).boxed()
    }));
    manager.custom_setup = Box::new(move |_url| config.clone().connect_for_pool().boxed());
    AsyncDieselConnectionManager::new_with_config(String::new(), manager)
}
