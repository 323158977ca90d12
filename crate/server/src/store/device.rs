//! Devices: enrolled once, looked up by id, approved or revoked by staff.

use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::{Store, StoreError, staff};
use crate::clock::{format_ms, now_ms};
use crate::device::{Algorithm, PublicKey};
use crate::signing::SigningKey;

/// A device that asks to be enrolled, its key proven.
#[derive(Debug, Clone)]
pub struct NewDevice {
    /// The school's number.
    pub tenant: i64,
    /// The id made from the key.
    pub id: String,
    /// The key.
    pub key: PublicKey,
    /// Whose profile it says it is.
    pub subject: Option<String>,
    /// The cohort it says it is in.
    pub cohort: Option<String>,
    /// Now, in Unix milliseconds.
    pub enrolled_ms: i64,
}

/// What an enrolment came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolledDevice {
    /// `unverified`, `verified` or `revoked`.
    pub status: String,
    /// The last sequence number taken.
    pub last_sequence: i64,
}

/// What is needed to verify a device's signatures; never changes for an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownDevice {
    /// The device's number.
    pub number: i64,
    /// The school's number.
    pub tenant: i64,
    /// The key.
    pub key: PublicKey,
}

/// A device as staff see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(
    missing_docs,
    reason = "the fields are those of docs/endpoint.md, one by one"
)]
pub struct DeviceRecord {
    pub id: String,
    pub tenant: String,
    pub status: String,
    pub algorithm: String,
    pub subject: Option<String>,
    pub cohort: Option<String>,
    pub enrolled_at: String,
    pub last_seen_at: String,
}

/// What staff may make of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceVerdict {
    /// It is this person's profile: its events about them are theirs.
    Verified {
        /// The person, named as events name them.
        subject: String,
    },
    /// Its events are taken no more.
    Revoked,
}

/// What a device's request is worth at the moment it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Taken {
    /// New: whose profile it is, if verified.
    New { verified_as: Option<Option<String>> },
    /// The sequence is not above the last one taken.
    Replayed,
    /// Staff have revoked the device.
    Revoked,
}

impl Store {
    /// Enrols a device, or finds it enrolled already.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn enrol(&self, device: &NewDevice) -> Result<EnrolledDevice, StoreError> {
        // A profile that is not yet verified may correct what it says of itself.
        let row = sqlx::query(
            "INSERT INTO device (tenant, id, algorithm, public_key, subject, cohort, status, \
             last_sequence, enrolled_ms, last_seen_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, 'unverified', 0, $7, $7) \
             ON CONFLICT (id) DO UPDATE SET \
             subject = CASE WHEN device.status = 'unverified' THEN excluded.subject ELSE device.subject END, \
             cohort = CASE WHEN device.status = 'unverified' THEN excluded.cohort ELSE device.cohort END \
             RETURNING status, last_sequence",
        )
        .bind(device.tenant)
        .bind(&device.id)
        .bind(device.key.algorithm().as_str())
        .bind(device.key.bytes())
        .bind(&device.subject)
        .bind(&device.cohort)
        .bind(device.enrolled_ms)
        .fetch_one(&self.write)
        .await?;
        Ok(EnrolledDevice {
            status: row.try_get(0)?,
            last_sequence: row.try_get(1)?,
        })
    }

    /// Finds a device's key by its id.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn device(&self, id: &str) -> Result<Option<KnownDevice>, StoreError> {
        let row =
            sqlx::query("SELECT number, tenant, algorithm, public_key FROM device WHERE id = $1")
                .bind(id)
                .fetch_optional(&self.read)
                .await?;
        let Some(row) = row else { return Ok(None) };
        let algorithm: String = row.try_get(2)?;
        let key = Algorithm::from_name(&algorithm)
            .zip(Some(row.try_get::<Vec<u8>, _>(3)?))
            .and_then(|(algorithm, bytes)| PublicKey::new(algorithm, bytes));
        Ok(match key {
            None => None,
            Some(key) => Some(KnownDevice {
                number: row.try_get(0)?,
                tenant: row.try_get(1)?,
                key,
            }),
        })
    }

    /// The devices of a tenant, or of all, the last enrolled first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn devices(&self, tenant: Option<i64>) -> Result<Vec<DeviceRecord>, StoreError> {
        let rows = sqlx::query(
            "SELECT device.*, tenant.id AS tenant_id FROM device \
             JOIN tenant ON tenant.number = device.tenant \
             WHERE device.tenant = COALESCE($1, device.tenant) ORDER BY device.number DESC",
        )
        .bind(tenant)
        .fetch_all(&self.read)
        .await?;
        rows.iter().map(read).collect()
    }

    /// Approves or revokes a device of a tenant, or of any; says whether there is one.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn judge_device(
        &self,
        tenant: Option<i64>,
        id: &str,
        verdict: &DeviceVerdict,
        actor: &str,
    ) -> Result<bool, StoreError> {
        let (status, subject, action) = match verdict {
            DeviceVerdict::Verified { subject } => {
                ("verified", Some(subject.as_str()), "device approved")
            }
            DeviceVerdict::Revoked => ("revoked", None, "device revoked"),
        };
        let mut transaction = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let tenant: Option<i64> = sqlx::query_scalar(
            "UPDATE device SET status = $3, subject = COALESCE($4, subject) \
             WHERE id = $2 AND tenant = COALESCE($1, tenant) RETURNING tenant",
        )
        .bind(tenant)
        .bind(id)
        .bind(status)
        .bind(subject)
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(tenant) = tenant else {
            return Ok(false);
        };
        let detail = match subject {
            Some(subject) => format!("{id} as {subject}"),
            None => id.to_owned(),
        };
        staff::append(&mut transaction, tenant, actor, action, &detail, now_ms()).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// A tenant's signing key, made when first asked for.
    ///
    /// # Errors
    /// The database cannot be written, or what it holds is no key.
    pub async fn signing_key(&self, tenant: i64) -> Result<SigningKey, StoreError> {
        let fresh = SigningKey::generate().ok_or(StoreError::Key)?;
        sqlx::query(
            "INSERT INTO signing_key (tenant, pkcs8) VALUES ($1, $2) ON CONFLICT (tenant) DO NOTHING",
        )
        .bind(tenant)
        .bind(fresh)
        .execute(&self.write)
        .await?;
        let document: Vec<u8> =
            sqlx::query_scalar("SELECT pkcs8 FROM signing_key WHERE tenant = $1")
                .bind(tenant)
                .fetch_one(&self.write)
                .await?;
        SigningKey::from_pkcs8(&document).ok_or(StoreError::Key)
    }
}

/// Takes a sequence number, within the transaction that stores what came with it.
pub(super) async fn take_sequence(
    connection: &mut SqliteConnection,
    number: i64,
    sequence: i64,
    now_ms: i64,
) -> Result<Taken, StoreError> {
    let row = sqlx::query(
        "UPDATE device SET last_sequence = $2, last_seen_ms = $3 \
         WHERE number = $1 AND last_sequence < $2 AND status <> 'revoked' \
         RETURNING status, subject",
    )
    .bind(number)
    .bind(sequence)
    .bind(now_ms)
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(row) = row {
        let status: String = row.try_get(0)?;
        let subject: Option<String> = row.try_get(1)?;
        return Ok(Taken::New {
            verified_as: (status == "verified").then_some(subject),
        });
    }
    let status: Option<String> = sqlx::query_scalar("SELECT status FROM device WHERE number = $1")
        .bind(number)
        .fetch_optional(connection)
        .await?;
    Ok(match status.as_deref() {
        Some("unverified" | "verified") => Taken::Replayed,
        _ => Taken::Revoked,
    })
}

pub(super) fn read(row: &SqliteRow) -> Result<DeviceRecord, StoreError> {
    Ok(DeviceRecord {
        id: row.try_get("id")?,
        tenant: row.try_get("tenant_id")?,
        status: row.try_get("status")?,
        algorithm: row.try_get("algorithm")?,
        subject: row.try_get("subject")?,
        cohort: row.try_get("cohort")?,
        enrolled_at: format_ms(row.try_get("enrolled_ms")?),
        last_seen_at: format_ms(row.try_get("last_seen_ms")?),
    })
}
