//! The units of work about what extensions are.

use async_trait::async_trait;
use module_monitor_domain::{AdminAction, MachineName, Settlement, SiteId};
use time::OffsetDateTime;

use super::identify::{Done, Identify};
use super::{Identities, queries};
use crate::engine::error::StorageError;
use crate::engine::read::CountRow;
use crate::engine::statement::BoxedSql;
use crate::engine::transaction::{Backend, Transaction, Unit};
use crate::releases::assessments::introduce::introduce;
use crate::releases::assessments::named::Named;
use crate::{admin_log, recounts};

#[async_trait]
impl<B: Backend> Identities for B {
    async fn settle_for_site(
        &self,
        site: SiteId,
        name: &MachineName,
        settlement: Option<Settlement>,
        now: OffsetDateTime,
        actor: &str,
    ) -> Result<bool, StorageError> {
        let statements = settle(Some(site), name, settlement, now, actor);
        let named = match self.transact(SettleForSite(Identify { site, now, statements })).await {
            Err(StorageError::MissingReference(_)) => return Ok(false),
            settled => settled?,
        };
        if let Some(named) = named {
            introduce(self, site, now, named).await;
        }
        Ok(true)
    }

    async fn settle_for_all(
        &self,
        name: &MachineName,
        settlement: Option<Settlement>,
        now: OffsetDateTime,
        actor: &str,
    ) -> Result<bool, StorageError> {
        // What was settled before says which sites it concerns, and so does what is settled now.
        let concerned = || recounts::queries::request_identification(name.as_str(), now).boxed();
        let mut statements = vec![concerned()];
        statements.extend(settle(None, name, settlement, now, actor));
        statements.push(concerned());
        match self.transact(SettleForAll(statements)).await {
            Err(StorageError::MissingReference(_)) => Ok(false),
            settled => settled.map(|()| true),
        }
    }
}

/// What settles a name: the first statement ends what was settled before, the second writes a row or finds nothing to
/// settle.
fn settle(
    site: Option<SiteId>,
    name: &MachineName,
    settlement: Option<Settlement>,
    now: OffsetDateTime,
    actor: &str,
) -> Vec<BoxedSql> {
    let detail = match &settlement {
        None => "no longer settled".to_owned(),
        Some(Settlement::Own) => "own".to_owned(),
        Some(Settlement::Project(project)) => format!("project {project}"),
    };
    let action = AdminAction::IdentitySettled;
    let event = admin_log::queries::insert(now, actor, action, site, name, Some(&detail));
    let mut statements = vec![queries::delete_settlement(name, site).boxed()];
    if let Some(settlement) = settlement {
        statements.push(queries::insert_settlement(name, site, &settlement, now, actor).boxed());
    }
    statements.push(event.boxed());
    statements
}

/// Nothing was there to be settled: takes everything back.
fn something_settled(rows: &[usize]) -> Result<(), StorageError> {
    // The last of them is the event; before it, one that ends or one that writes has to have found something.
    match rows {
        [0, _] | [_, 0, ..] => Err(StorageError::MissingReference("there is no such module".into())),
        _ => Ok(()),
    }
}

struct SettleForSite(Identify);

impl Unit for SettleForSite {
    type Output = Option<Named>;

    async fn run<T: Transaction>(self, transaction: &mut T) -> Result<Option<Named>, StorageError> {
        let done = self.0.run(transaction).await?.unwrap_or(Done { rows: vec![0, 0], named: None });
        something_settled(&done.rows)?;
        Ok(done.named)
    }
}

/// Keeps every sync out meanwhile: one that has asked what is settled must not be at work with an old answer.
struct SettleForAll(Vec<BoxedSql>);

impl Unit for SettleForAll {
    type Output = ();

    async fn run<T: Transaction>(self, transaction: &mut T) -> Result<(), StorageError> {
        if T::LOCKS_ROWS {
            transaction.rows::<CountRow>(queries::lock_names()).await?;
        }
        let rows = transaction.execute_all(self.0).await?;
        something_settled(&rows[1..rows.len() - 1])
    }
}
