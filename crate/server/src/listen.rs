//! From a bound listener to served connections, until the shutdown signal.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::app::{App, router};
use crate::clock::now_ms;
use crate::config::{Config, Limits, Retention};
use crate::error::ServeError;
use crate::store::Store;
use crate::writer::Writer;

/// Opens the endpoint and serves it on a bound listener until `shutdown` resolves.
///
/// # Errors
/// The configuration or the database cannot be used, or the listener fails.
pub async fn serve(
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
    config: Config,
) -> Result<(), ServeError> {
    Endpoint::open(config)
        .await?
        .serve(listener, shutdown)
        .await
}

/// An endpoint whose database is open and whose configuration holds.
#[derive(Debug)]
pub struct Endpoint {
    app: Arc<App>,
    store: Store,
    writing: JoinHandle<()>,
    purging: JoinHandle<()>,
    limits: Limits,
}

impl Endpoint {
    /// Checks the configuration, opens the database and starts the writer.
    ///
    /// # Errors
    /// The configuration or the database cannot be used.
    pub async fn open(config: Config) -> Result<Self, ServeError> {
        config.check()?;
        let limits = config.limits.clone();
        let store = Store::open(&config.database).await?;
        let purging = tokio::spawn(purge_hourly(store.clone(), config.retention.clone()));
        let (writer, writing) = Writer::start(store.clone(), limits.queue_max_batches);
        let app = Arc::new(App::new(config, store.clone(), writer).await?);
        Ok(Self {
            app,
            store,
            writing,
            purging,
            limits,
        })
    }

    /// Serves a bound listener until `shutdown` resolves.
    ///
    /// After the signal no connection is taken, open requests are finished
    /// within `limits.shutdown_grace`, what the writer holds is committed, and
    /// the database is closed.
    ///
    /// # Errors
    /// The listener fails.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        let Self {
            app,
            store,
            writing,
            purging,
            limits,
        } = self;
        let service = TowerToHyperService::new(router(app));
        let accepted = accept(listener, shutdown, service, &limits).await;
        // The last sender of the writer's queue went with the service.
        if tokio::time::timeout(limits.shutdown_grace, writing)
            .await
            .is_err()
        {
            tracing::warn!("the writer was still at work after the grace period");
        }
        purging.abort();
        store.close().await;
        accepted
    }
}

/// Deletes what is kept long enough, at the start and every hour.
async fn purge_hourly(store: Store, retention: Retention) {
    let mut hours = tokio::time::interval(Duration::from_secs(3600));
    loop {
        hours.tick().await;
        match store.purge(&retention, now_ms()).await {
            Ok(events) => tracing::info!(events, "old events deleted"),
            Err(error) => tracing::error!(kind = error.kind(), "old events were not deleted"),
        }
    }
}

async fn accept(
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
    service: TowerToHyperService<Router>,
    limits: &Limits,
) -> Result<(), ServeError> {
    let connections = GracefulShutdown::new();
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.read_timeout)
        .max_headers(64)
        .max_buf_size(16 * 1024);

    let mut shutdown = pin!(shutdown);
    loop {
        let stream = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                // The address of the client is dropped here and known nowhere else.
                Ok((stream, _)) => stream,
                Err(error) if is_passing(&error) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
                Err(error) => return Err(error.into()),
            },
        };
        prepare(&stream);
        let connection = http.serve_connection(TokioIo::new(stream), service.clone());
        let watched = connections.watch(connection);
        tokio::spawn(async move {
            // A client that breaks off or sends no HTTP is its own affair.
            let _ = watched.await;
        });
    }
    drop(listener);

    if tokio::time::timeout(limits.shutdown_grace, connections.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some requests were still open after the grace period");
    }
    Ok(())
}

fn prepare(stream: &TcpStream) {
    if stream.set_nodelay(true).is_err() {
        tracing::debug!("a connection keeps Nagle's algorithm");
    }
}

/// Failures of one connection or of a moment, not of the listener.
fn is_passing(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    // 23 and 24 are ENFILE and EMFILE: no descriptor is free just now.
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted
    ) || matches!(error.raw_os_error(), Some(23 | 24))
}
