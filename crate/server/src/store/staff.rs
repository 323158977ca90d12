//! Staff accounts, their sign-ins, and the log of what they did.

use ring::digest::{Context, SHA256};
use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use super::{Store, StoreError};
use crate::clock::{format_ms, now_ms};
use crate::staff::{NewAccount, Role};

/// An account with what signing in needs.
#[derive(Debug, Clone)]
pub struct Account {
    /// The account's number.
    pub number: i64,
    /// The school's number.
    pub tenant: i64,
    /// The name.
    pub name: String,
    /// The password's Argon2id hash.
    pub password_hash: String,
    /// The secret of the one-time codes.
    pub totp_secret: Vec<u8>,
    /// The step of the last code taken.
    pub totp_last_step: i64,
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The school's number.
    pub tenant: i64,
    /// The name.
    pub name: String,
    /// The role.
    pub role: Role,
    /// How events name this person.
    pub subject: Option<String>,
    /// What every form of this sign-in carries.
    pub form_token: String,
}

/// An account as the list of accounts shows it (T46).
#[derive(Debug, Clone, Serialize)]
#[expect(
    missing_docs,
    reason = "the fields are those of docs/endpoint.md, one by one"
)]
pub struct AccountRecord {
    pub tenant: String,
    pub name: String,
    pub role: String,
    pub subject: Option<String>,
    pub created_at: String,
    pub last_used_at: Option<String>,
}

/// A row of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(
    missing_docs,
    reason = "the fields are those of docs/endpoint.md, one by one"
)]
pub struct AuditRecord {
    pub number: i64,
    pub at: String,
    pub actor: String,
    pub action: String,
    pub detail: String,
}

impl Store {
    /// Adds an account; `false` if the name is taken in that school.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_account(&self, tenant: i64, account: &NewAccount) -> Result<bool, StoreError> {
        let mut transaction = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let now = now_ms();
        let done = sqlx::query(
            "INSERT INTO staff (tenant, name, role, subject, password, totp_secret, created_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant, name) DO NOTHING",
        )
        .bind(tenant)
        .bind(&account.name)
        .bind(account.role.as_str())
        .bind(&account.subject)
        .bind(&account.password_hash)
        .bind(&account.totp_secret)
        .bind(now)
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        let detail = format!("{} as {}", account.name, account.role.as_str());
        append(
            &mut transaction,
            tenant,
            "command line",
            "account added",
            &detail,
            now,
        )
        .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Removes an account and ends its sign-ins; `false` if there is none.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn remove_account(&self, tenant: i64, name: &str) -> Result<bool, StoreError> {
        let mut transaction = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let done = sqlx::query("DELETE FROM staff WHERE tenant = $1 AND name = $2")
            .bind(tenant)
            .bind(name)
            .execute(&mut *transaction)
            .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        append(
            &mut transaction,
            tenant,
            "command line",
            "account removed",
            name,
            now_ms(),
        )
        .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Every account with its role and last use.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn accounts(&self) -> Result<Vec<AccountRecord>, StoreError> {
        let rows = sqlx::query(
            "SELECT tenant.id, name, role, subject, created_ms, last_used_ms FROM staff \
             JOIN tenant ON tenant.number = staff.tenant ORDER BY tenant.id, name",
        )
        .fetch_all(&self.read)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(AccountRecord {
                    tenant: row.try_get(0)?,
                    name: row.try_get(1)?,
                    role: row.try_get(2)?,
                    subject: row.try_get(3)?,
                    created_at: format_ms(row.try_get(4)?),
                    last_used_at: row.try_get::<Option<i64>, _>(5)?.map(format_ms),
                })
            })
            .collect()
    }

    /// Finds an account by its name.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn account(&self, tenant: i64, name: &str) -> Result<Option<Account>, StoreError> {
        let row = sqlx::query(
            "SELECT number, tenant, name, password, totp_secret, totp_last_step FROM staff \
             WHERE tenant = $1 AND name = $2",
        )
        .bind(tenant)
        .bind(name)
        .fetch_optional(&self.read)
        .await?;
        row.map(|row| {
            Ok(Account {
                number: row.try_get(0)?,
                tenant: row.try_get(1)?,
                name: row.try_get(2)?,
                password_hash: row.try_get(3)?,
                totp_secret: row.try_get(4)?,
                totp_last_step: row.try_get(5)?,
            })
        })
        .transpose()
    }

    /// Opens a sign-in; `false` if the code's step was used meanwhile.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn open_session(
        &self,
        account: &Account,
        step: i64,
        token_hash: &[u8],
        form_token: &str,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let taken = sqlx::query(
            "UPDATE staff SET totp_last_step = $2, last_used_ms = $3 \
             WHERE number = $1 AND totp_last_step < $2",
        )
        .bind(account.number)
        .bind(step)
        .bind(now_ms)
        .execute(&mut *transaction)
        .await?;
        if taken.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO staff_session (token_hash, staff, form_token, created_ms, used_ms) \
             VALUES ($1, $2, $3, $4, $4)",
        )
        .bind(token_hash)
        .bind(account.number)
        .bind(form_token)
        .bind(now_ms)
        .execute(&mut *transaction)
        .await?;
        append(
            &mut transaction,
            account.tenant,
            &account.name,
            "signed in",
            "",
            now_ms,
        )
        .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// The person of a token, if it was used since `idle_from_ms` and opened
    /// since `opened_from_ms`; counts as its use.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn session(
        &self,
        token_hash: &[u8],
        now_ms: i64,
        idle_from_ms: i64,
        opened_from_ms: i64,
    ) -> Result<Option<SignedIn>, StoreError> {
        let row = sqlx::query(
            "SELECT staff.tenant, name, role, subject, form_token, used_ms FROM staff_session \
             JOIN staff ON staff.number = staff_session.staff \
             WHERE token_hash = $1 AND used_ms >= $2 AND staff_session.created_ms >= $3",
        )
        .bind(token_hash)
        .bind(idle_from_ms)
        .bind(opened_from_ms)
        .fetch_optional(&self.read)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let role: String = row.try_get(2)?;
        let Some(role) = Role::from_name(&role) else {
            return Ok(None);
        };
        // A page a second would be a write a second: a minute is fine enough.
        if row.try_get::<i64, _>(5)? < now_ms - 60_000 {
            sqlx::query("UPDATE staff_session SET used_ms = $2 WHERE token_hash = $1")
                .bind(token_hash)
                .bind(now_ms)
                .execute(&self.write)
                .await?;
        }
        Ok(Some(SignedIn {
            tenant: row.try_get(0)?,
            name: row.try_get(1)?,
            role,
            subject: row.try_get(3)?,
            form_token: row.try_get(4)?,
        }))
    }

    /// Ends a sign-in.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn close_session(&self, token_hash: &[u8]) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM staff_session WHERE token_hash = $1")
            .bind(token_hash)
            .execute(&self.write)
            .await?;
        Ok(())
    }

    /// Appends to a school's audit log.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn audit(
        &self,
        tenant: i64,
        actor: &str,
        action: &str,
        detail: &str,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write.begin_with("BEGIN IMMEDIATE").await?;
        append(&mut transaction, tenant, actor, action, detail, now_ms()).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The newest rows of a school's audit log.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn audit_log(&self, tenant: i64, limit: u32) -> Result<Vec<AuditRecord>, StoreError> {
        let rows = sqlx::query(
            "SELECT number, at_ms, actor, action, detail FROM audit \
             WHERE tenant = $1 ORDER BY number DESC LIMIT $2",
        )
        .bind(tenant)
        .bind(i64::from(limit))
        .fetch_all(&self.read)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(AuditRecord {
                    number: row.try_get(0)?,
                    at: format_ms(row.try_get(1)?),
                    actor: row.try_get(2)?,
                    action: row.try_get(3)?,
                    detail: row.try_get(4)?,
                })
            })
            .collect()
    }

    /// The first row of a school's audit log that was changed, or after which one
    /// is missing; `None` when the whole chain holds.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn broken_audit_row(&self, tenant: i64) -> Result<Option<i64>, StoreError> {
        let rows = sqlx::query(
            "SELECT number, at_ms, actor, action, detail, hash FROM audit \
             WHERE tenant = $1 ORDER BY number",
        )
        .bind(tenant)
        .fetch_all(&self.read)
        .await?;
        let mut before = Vec::new();
        for row in &rows {
            let number: i64 = row.try_get(0)?;
            let texts: [String; 3] = [row.try_get(2)?, row.try_get(3)?, row.try_get(4)?];
            let [actor, action, detail] = &texts;
            let wanted = chain(&before, tenant, row.try_get(1)?, [actor, action, detail]);
            before = row.try_get(5)?;
            if before != wanted {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }
}

/// Appends a row within a transaction.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    tenant: i64,
    actor: &str,
    action: &str,
    detail: &str,
    at_ms: i64,
) -> Result<(), StoreError> {
    let before: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT hash FROM audit WHERE tenant = $1 ORDER BY number DESC LIMIT 1")
            .bind(tenant)
            .fetch_optional(&mut *connection)
            .await?;
    let hash = chain(
        &before.unwrap_or_default(),
        tenant,
        at_ms,
        [actor, action, detail],
    );
    sqlx::query(
        "INSERT INTO audit (tenant, at_ms, actor, action, detail, hash) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(tenant)
    .bind(at_ms)
    .bind(actor)
    .bind(action)
    .bind(detail)
    .bind(hash)
    .execute(connection)
    .await?;
    Ok(())
}

/// The hash of a row over the one before it and everything it says.
fn chain(before: &[u8], tenant: i64, at_ms: i64, texts: [&str; 3]) -> Vec<u8> {
    let mut digest = Context::new(&SHA256);
    digest.update(before);
    digest.update(&tenant.to_be_bytes());
    digest.update(&at_ms.to_be_bytes());
    for text in texts {
        digest.update(&(text.len() as u64).to_be_bytes());
        digest.update(text.as_bytes());
    }
    digest.finish().as_ref().to_vec()
}
