//! The one writer: many batches, one transaction, one wait for the disk.
//!
//! While a commit waits for the disk, other batches queue; the next transaction
//! takes all of them. Under load the disk is asked a few times a second and not
//! once a batch, and a lone batch waits for nobody.

use tokio::sync::{mpsc, oneshot};

use crate::store::{Arrival, Store, StoreError};

/// The most events one transaction takes.
const GROUP_MAX_EVENTS: usize = 4000;

struct Job {
    arrivals: Vec<Arrival>,
    answer: oneshot::Sender<Result<Vec<bool>, StoreError>>,
}

/// Hands batches to the writer's task.
#[derive(Debug, Clone)]
pub struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job")
            .field("events", &self.arrivals.len())
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

    /// Stores a batch and says of each arrival whether it was new.
    ///
    /// # Errors
    /// [`WriteError::Full`] when too many batches wait; else the database's.
    pub async fn write(&self, arrivals: Vec<Arrival>) -> Result<Vec<bool>, WriteError> {
        let (answer, answered) = oneshot::channel();
        self.jobs
            .try_send(Job { arrivals, answer })
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => WriteError::Full,
                mpsc::error::TrySendError::Closed(_) => WriteError::Store(StoreError::Stopped),
            })?;
        let stored = answered.await.map_err(|_| StoreError::Stopped)??;
        Ok(stored)
    }
}

async fn run(store: Store, mut queue: mpsc::Receiver<Job>) {
    while let Some(first) = queue.recv().await {
        let mut size = first.arrivals.len();
        let mut group = vec![first];
        while size < GROUP_MAX_EVENTS {
            let Ok(job) = queue.try_recv() else { break };
            size += job.arrivals.len();
            group.push(job);
        }
        write_group(&store, group).await;
    }
}

async fn write_group(store: &Store, group: Vec<Job>) {
    let arrivals: Vec<&Arrival> = group.iter().flat_map(|job| &job.arrivals).collect();
    match store.insert(&arrivals).await {
        Ok(stored) => {
            let mut stored = stored.into_iter();
            for job in group {
                let mine = stored.by_ref().take(job.arrivals.len()).collect();
                // A client that hung up sends the batch again and gets `duplicate`.
                let _ = job.answer.send(Ok(mine));
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
        let arrivals: Vec<&Arrival> = job.arrivals.iter().collect();
        let _ = job.answer.send(store.insert(&arrivals).await);
    }
}
