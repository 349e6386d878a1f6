use crate::config::{Config, Sources};
use crate::{Failure, commands, logging};
use std::time::{Duration, SystemTime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use veilcast_auth::Issuer;
use veilcast_records::{DataLock, Records};

/// Records are kept to the minute, so they are swept by the minute.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// `veilcast serve`
pub(crate) async fn run(sources: &Sources) -> Result<(), Failure> {
    commands::warn(sources);
    let config = Config::resolve(sources).map_err(Failure::Configuration)?;
    logging::start(&config.log);
    let _lock = DataLock::acquire(&config.data_dir)?;
    let records = Records::open(&config.data_dir).await?;
    let now = SystemTime::now();
    let issuer = Issuer::open(records.clone(), &config.public_url_on(config.listen.port()), now).await?;
    records.set_public_url(issuer.public_url()).await?;
    let sweeper = sweep(records.clone());
    if !issuer.ready().await? {
        commands::offer_setup(&issuer, now).await?;
    }
    stopped().await?;
    sweeper.abort();
    records.close().await;
    Ok(())
}

fn sweep(records: Records) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(SWEEP_INTERVAL);
        loop {
            ticks.tick().await;
            if let Err(error) = records.forget(SystemTime::now()).await {
                tracing::warn!(%error, "what is past its time could not be forgotten; trying again in a minute");
            }
        }
    })
}

/// SIGTERM from a service manager, SIGINT from a terminal.
async fn stopped() -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| Failure::Runtime(error.kind()))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| Failure::Runtime(error.kind()))?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
