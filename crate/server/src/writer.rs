//! The one writer: many batches, one transaction, one wait for the disk.
//!
//! While a commit waits for the disk, other batches queue; the next transaction
//! takes all of them. Under load the disk is asked a few times a second and not
//! once a batch, and a lone batch waits for nobody.

use tokio::sync::{mpsc, oneshot};

use crate::store::{Delivery, Receipt, Store, StoreError};

/// The most events one transaction takes.
const GROUP_MAX_EVENTS: usize = 4000;

struct Job {
    delivery: Delivery,
    answer: oneshot::Sender<Result<Receipt, StoreError>>,
}

/// Hands batches to the writer's task.
#[derive(Debug, Clone)]
pub struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job")
            .field("events", &self.delivery.events.len())
            .finish()
    }
}

/// Why a batch was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// So many batches wait that this one would wait too long.
    #[error("the writer's queue is full")]
    Full,
    /// The database refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Writer {
    /// Starts the writer's task; it ends when the last [`Writer`] is dropped.
    #[must_use]
    pub fn start(store: Store, queue_max_batches: usize) -> (Self, tokio::task::JoinHandle<()>) {
        let (jobs, queue) = mpsc::channel(queue_max_batches.max(1));
        (Self { jobs }, tokio::spawn(run(store, queue)))
    }

    /// Stores a delivery and says what became of it.
    ///
    /// # Errors
    /// [`WriteError::Full`] when too many batches wait; else the database's.
    pub async fn write(&self, delivery: Delivery) -> Result<Receipt, WriteError> {
        let (answer, answered) = oneshot::channel();
        self.jobs
            .try_send(Job { delivery, answer })
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => WriteError::Full,
                mpsc::error::TrySendError::Closed(_) => WriteError::Store(StoreError::Stopped),
            })?;
        Ok(answered.await.map_err(|_| StoreError::Stopped)??)
    }
}

async fn run(store: Store, mut queue: mpsc::Receiver<Job>) {
    while let Some(first) = queue.recv().await {
        let mut size = first.delivery.events.len();
        let mut group = vec![first];
        while size < GROUP_MAX_EVENTS {
            let Ok(job) = queue.try_recv() else { break };
            size += job.delivery.events.len();
            group.push(job);
        }
        write_group(&store, group).await;
    }
}

async fn write_group(store: &Store, group: Vec<Job>) {
    let deliveries: Vec<&Delivery> = group.iter().map(|job| &job.delivery).collect();
    match store.insert(&deliveries).await {
        Ok(receipts) => {
            for (job, receipt) in group.into_iter().zip(receipts) {
                // A client that hung up sends the batch again and gets `duplicate`.
                let _ = job.answer.send(Ok(receipt));
            }
        }
        Err(error) => {
            tracing::error!(
                kind = error.kind(),
                batches = group.len(),
                "a group was not stored"
            );
            write_singly(store, group).await;
        }
    }
}

/// After a failed group each batch is tried alone, so that none spoils another's.
async fn write_singly(store: &Store, group: Vec<Job>) {
    for job in group {
        let alone = store.insert(&[&job.delivery]).await;
        let receipt = alone.and_then(|mut receipts| receipts.pop().ok_or(StoreError::Stopped));
        let _ = job.answer.send(receipt);
    }
}
