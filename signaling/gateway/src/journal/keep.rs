//! What outlives a moment of the session log: statements in the records, and with a disk journal its blocks and its key in files.

use super::{JournalMode, dice};
use crate::app::App;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};
use veilcast_journal::{
    BLOCK, Dice, Effect, EpochRecord, Heads, Journal, Kept, KeyFile, MAX_BLOCKS, NoRandomness, PublicKey, Signer, lost,
};
use veilcast_logs::Reason;
use veilcast_privacy::{CoarseTime, Secret};
use veilcast_records::{JournalEpoch, JournalKey, Records};

/// How long one key signs.
const SIGNS: Duration = Duration::from_secs(90 * 86_400);

const UNUSABLE: Reason = Reason::new("a signing key cannot be used");

/// Of the data directory.
const FOLDER: &str = "journal";

/// Why the session log cannot go on for now.
struct Wrong(Reason);

impl From<veilcast_records::Error> for Wrong {
    fn from(error: veilcast_records::Error) -> Self {
        Self(Reason::from(&error))
    }
}

impl From<io::Error> for Wrong {
    fn from(error: io::Error) -> Self {
        Self(Reason::from(error.kind()))
    }
}

impl From<serde_json::Error> for Wrong {
    fn from(_: serde_json::Error) -> Self {
        Self(Reason::new("a statement cannot be read or written"))
    }
}

impl From<NoRandomness> for Wrong {
    fn from(_: NoRandomness) -> Self {
        Self(Reason::new("no randomness"))
    }
}

/// The files of a disk journal.
struct Place {
    folder: PathBuf,
    key_file: PathBuf,
}

impl App {
    /// Goes on where a restart has left the journal, or begins anew.
    pub(super) async fn begin_journal(&self, now: CoarseTime) {
        match self.try_begin(now).await {
            Ok(journal) => *self.hub.journal.lock() = journal,
            Err(error) => tell(&error),
        }
    }

    async fn try_begin(&self, now: CoarseTime) -> Result<Option<Journal>, Wrong> {
        let settings = &self.journal_settings;
        let place = self.place();
        if settings.mode == JournalMode::Off {
            self.bury(now, None).await?;
            return Ok(None);
        }
        let signer = signing_key(&self.records, now, settings.epoch).await?;
        if let Some(kept) = self.kept(place.as_ref()).await {
            let epoch = kept.opening.body.epoch.clone();
            match Journal::resume(settings.epoch, signer, kept, now) {
                Ok(journal) => {
                    if let Some(place) = &place {
                        place.trim(&epoch, journal.blocks().len())?;
                    }
                    self.bury(now, Some(&epoch)).await?;
                    return Ok(Some(journal));
                }
                Err(veilcast_journal::Error::Over) => {
                    veilcast_logs::info!("the session log begins anew: its time is over")
                }
                Err(veilcast_journal::Error::Broken) => {
                    veilcast_logs::warn!("the session log begins anew: what was kept of it is not whole");
                }
            }
        }
        self.bury(now, None).await?;
        let signer = signing_key(&self.records, now, settings.epoch).await?;
        let (journal, effects) = Journal::begin(settings.epoch, signer, now, &mut dice())?;
        self.carry_out(effects).await?;
        Ok(Some(journal))
    }

    fn place(&self) -> Option<Place> {
        let folder = self.journal_settings.directory.as_ref()?.join(FOLDER);
        match &self.journal_settings.mode {
            JournalMode::Disk { key_file } => Some(Place { folder, key_file: key_file.clone() }),
            JournalMode::Off | JournalMode::Memory => None,
        }
    }

    /// An epoch of which key, statements and blocks are all there.
    async fn kept(&self, place: Option<&Place>) -> Option<Kept> {
        let place = place?;
        let KeyFile { epoch, key } = KeyFile::parse(&Secret::new(fs::read(&place.key_file).ok()?))?;
        let rows = self.records.journal_epochs().await.ok()?;
        let row = rows.into_iter().find(|row| row.id == epoch && row.tombstone.is_none())?;
        let opening = serde_json::from_str(&row.opening).ok()?;
        let head = serde_json::from_str(row.head.as_deref()?).ok()?;
        Some(Kept { opening, head, key, blocks: place.blocks(&epoch).ok()? })
    }

    /// Destroys what is left of all epochs but `open`, and says so.
    async fn bury(&self, now: CoarseTime, open: Option<&str>) -> Result<(), Wrong> {
        if let Some(folder) = self.journal_settings.directory.as_ref().map(|directory| directory.join(FOLDER)) {
            remove_blocks(&folder, open)?;
        }
        if let Some(place) = self.place().filter(|_| open.is_none()) {
            destroy(&place.key_file)?;
        }
        let rows = self.records.journal_epochs().await?;
        let gone: Vec<_> = rows.iter().filter(|row| row.tombstone.is_none() && Some(row.id.as_str()) != open).collect();
        if gone.is_empty() {
            return Ok(());
        }
        let signer = signing_key(&self.records, now, self.journal_settings.epoch).await?;
        for row in gone {
            let Some(EpochRecord { opening, head, .. }) = record(row) else { continue };
            let stone = lost(&signer, &opening.body, head.as_ref().map(|head| &head.body), now);
            self.records.put_journal_tombstone(&row.id, &serde_json::to_string(&stone)?).await?;
        }
        Ok(())
    }

    /// One minute's work.
    pub(crate) async fn tick_journal(&self, now: CoarseTime) {
        if let Err(error) = self.try_tick(now).await {
            tell(&error);
        }
    }

    async fn try_tick(&self, now: CoarseTime) -> Result<(), Wrong> {
        let due = self.hub.journal.lock().as_ref().is_some_and(|journal| {
            let ends = journal.opening().body.ends;
            now.unix_seconds() >= ends
                && journal.signer().until().unix_seconds() < later(now, self.journal_settings.epoch)
        });
        if due {
            let fresh = signing_key(&self.records, now, self.journal_settings.epoch).await?;
            if let Some(journal) = self.hub.journal.lock().as_mut() {
                journal.sign_with(fresh);
            }
        }
        let effects = self.hub.journal.lock().as_mut().map(|journal| journal.tick(now, &mut dice())).transpose()?;
        self.tell_break_glass();
        self.carry_out(effects.unwrap_or_default()).await
    }

    /// In their order: what is gone is gone before that is said, and what is there is there before that is said.
    async fn carry_out(&self, effects: Vec<Effect>) -> Result<(), Wrong> {
        let place = self.place();
        for effect in effects {
            match effect {
                Effect::Ended(tombstone) => {
                    if let Some(place) = &place {
                        destroy(&place.key_file)?;
                        remove_blocks(&place.folder, None)?;
                    }
                    let text = serde_json::to_string(&tombstone)?;
                    self.records.put_journal_tombstone(&tombstone.body.epoch, &text).await?;
                }
                Effect::Began { opening, head, key_file } => {
                    if let Some(place) = &place {
                        place.begin(&opening.body.epoch, &key_file)?;
                    }
                    let (id, text) = (&opening.body.epoch, serde_json::to_string(&opening)?);
                    let begins = UNIX_EPOCH + Duration::from_secs(opening.body.begins);
                    self.records.put_journal_epoch(id, begins, &text).await?;
                    self.records.put_journal_head(id, &serde_json::to_string(&head)?).await?;
                }
                Effect::Grew { blocks, head } => {
                    if let Some(place) = &place {
                        place.append(&head.body.epoch, &blocks)?;
                    }
                    self.records.put_journal_head(&head.body.epoch, &serde_json::to_string(&head)?).await?;
                }
            }
        }
        Ok(())
    }

    /// What anybody may see: keys, and what is said of each epoch.
    pub(crate) async fn heads(&self) -> Result<Heads, veilcast_records::Error> {
        let keys = self.records.journal_keys().await?;
        let epochs = self.records.journal_epochs().await?;
        Ok(Heads {
            keys: keys.iter().filter_map(|key| serde_json::from_str(&key.public).ok()).collect(),
            epochs: epochs.iter().filter_map(record).collect(),
        })
    }
}

fn record(row: &JournalEpoch) -> Option<EpochRecord> {
    let read = |text: &Option<String>| text.as_deref().map(str::to_owned);
    let head = read(&row.head).and_then(|text| serde_json::from_str(&text).ok());
    let tombstone = read(&row.tombstone).and_then(|text| serde_json::from_str(&text).ok());
    Some(EpochRecord { opening: serde_json::from_str(&row.opening).ok()?, head, tombstone })
}

fn tell(Wrong(reason): &Wrong) {
    veilcast_logs::error!("the session log could not be kept; trying again in a minute", reason = *reason);
}

/// A key that may sign for as long as an epoch lasts that begins now, and a while longer; a new one if there is none.
async fn signing_key(records: &Records, now: CoarseTime, epoch: Duration) -> Result<Signer, Wrong> {
    for JournalKey { seed, public, .. } in records.journal_keys().await? {
        let public: PublicKey = serde_json::from_str(&public)?;
        let Some(seed) = seed.filter(|_| public.until >= later(now, epoch)) else { continue };
        let (from, until) = (CoarseTime::from_unix(public.from), CoarseTime::from_unix(public.until));
        return Signer::new(&seed, from, until).ok_or(Wrong(UNUSABLE));
    }
    let mut bits = [0; 32];
    dice().fill(&mut bits)?;
    let seed = Secret::new(bits);
    let until = CoarseTime::from_unix(now.unix_seconds() + SIGNS.as_secs());
    let signer = Signer::new(&seed, now, until).ok_or(Wrong(UNUSABLE))?;
    let (id, public) = (signer.kid().to_owned(), serde_json::to_string(&signer.public_key())?);
    let until = UNIX_EPOCH + Duration::from_secs(until.unix_seconds());
    records.put_journal_key(&JournalKey { id, seed: Some(seed), public, until }).await?;
    Ok(signer)
}

/// An epoch, and an hour, from now.
const fn later(now: CoarseTime, epoch: Duration) -> u64 {
    now.unix_seconds() + epoch.as_secs() + 3_600
}

impl Place {
    /// A file of its own, of nobody but this user.
    fn begin(&self, epoch: &str, key_file: &Secret) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        private(OpenOptions::new().write(true).create_new(true), &self.blocks_of(epoch))?;
        // Whole or not at all: a key that is cut short loses the epoch.
        let fresh = self.key_file.with_extension("new");
        _ = fs::remove_file(&fresh);
        let mut file = private(OpenOptions::new().write(true).create_new(true), &fresh)?;
        file.write_all(key_file.expose_secret())?;
        file.sync_all()?;
        fs::rename(&fresh, &self.key_file)
    }

    fn append(&self, epoch: &str, blocks: &[Vec<u8>]) -> io::Result<()> {
        let mut file = OpenOptions::new().append(true).open(self.blocks_of(epoch))?;
        file.write_all(&blocks.concat())?;
        file.sync_data()
    }

    /// What is whole of them: the last may have been cut short.
    fn blocks(&self, epoch: &str) -> io::Result<Vec<Vec<u8>>> {
        let path = self.blocks_of(epoch);
        let length = fs::metadata(&path)?.len();
        if length > (MAX_BLOCKS * BLOCK * 2) as u64 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(fs::read(path)?.as_chunks::<BLOCK>().0.iter().map(|block| block.to_vec()).collect())
    }

    /// What was being written when the process ended goes, so that the next block stands where it belongs.
    fn trim(&self, epoch: &str, blocks: usize) -> io::Result<()> {
        OpenOptions::new().write(true).open(self.blocks_of(epoch))?.set_len((blocks * BLOCK) as u64)
    }

    fn blocks_of(&self, epoch: &str) -> PathBuf {
        self.folder.join(format!("{epoch}.blocks"))
    }
}

fn private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.mode(0o600).open(path)
}

/// Overwrites, then removes: on a disk that keeps what was overwritten, only the medium of the file is to blame, which is why the
/// documentation asks for one in memory.
fn destroy(path: &Path) -> io::Result<()> {
    let length = match fs::metadata(path) {
        Ok(found) => usize::try_from(found.len()).unwrap_or_default(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.write_all(&vec![0; length.min(4_096)])?;
    file.sync_all()?;
    fs::remove_file(path)
}

fn remove_blocks(folder: &Path, but: Option<&str>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = entry?.path();
        let stays = but.is_some_and(|epoch| path.file_stem().is_some_and(|stem| stem == epoch));
        if path.extension().is_some_and(|kind| kind == "blocks") && !stays {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
