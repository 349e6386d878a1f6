//! The command line's way in: a socket in the data directory, open to whoever may read that anyway. Nothing of the session log
//! lies about in a file, so it has to be asked for.

use crate::app::App;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::{sleep, timeout};
use veilcast_journal::{Entry, Export};
use veilcast_logs::Reason;
use veilcast_records::ActivityKind;

/// Of the data directory.
const SOCKET: &str = "journal.sock";
/// A question is one word and one number.
const QUESTION: usize = 64;
const PATIENCE: Duration = Duration::from_secs(5);

/// Nothing is left in the data directory that is no file.
struct Door<'a>(&'a Path);

impl Drop for Door<'_> {
    fn drop(&mut self) {
        _ = fs::remove_file(self.0);
    }
}

impl App {
    /// Answers for as long as the process lives.
    pub(crate) async fn let_the_command_line_in(&self) {
        let Some(directory) = &self.journal_settings.directory else { return std::future::pending().await };
        let path = directory.join(SOCKET);
        // What a server that was killed has left; another one that runs has the directory's lock.
        _ = fs::remove_file(&path);
        let listener = UnixListener::bind(&path)
            .and_then(|listener| fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map(|()| listener));
        let listener = match listener {
            Ok(listener) => listener,
            Err(error) => {
                veilcast_logs::warn!(
                    "'veilcast journal tail' and 'export' cannot reach this server: no socket in the data directory",
                    reason = Reason::from(error.kind())
                );
                return std::future::pending().await;
            }
        };
        let _gone_with_us = Door(&path);
        loop {
            match listener.accept().await {
                Ok((stream, _)) => _ = timeout(PATIENCE, self.answer_command(stream)).await,
                // Out of descriptors, for instance.
                Err(_) => sleep(Duration::from_millis(200)).await,
            }
        }
    }

    async fn answer_command(&self, mut stream: UnixStream) {
        let mut question = [0; QUESTION];
        let length = stream.read(&mut question).await.unwrap_or_default();
        let question = std::str::from_utf8(&question[..length]).unwrap_or_default().trim_end();
        let answer = match question.split_once(' ').unwrap_or((question, "")) {
            ("tail", most) => self.tail_for_command(most.parse().unwrap_or(100)).await,
            ("export", _) => self.export_for_command().await,
            _ => None,
        };
        // Empty: there is none, or the question was not understood.
        _ = stream.write_all(answer.unwrap_or_default().as_bytes()).await;
        _ = stream.shutdown().await;
    }

    async fn tail_for_command(&self, most: usize) -> Option<String> {
        self.tell_operators_of_reading().await?;
        let entries = self.hub.journal.lock().as_ref()?.entries(most);
        Some(entries.iter().map(Entry::line).fold("ok\n".to_owned(), |text, line| text + &line + "\n"))
    }

    async fn export_for_command(&self) -> Option<String> {
        self.tell_operators_of_reading().await?;
        Some(format!("ok\n{}\n", serde_json::to_string(&self.export().await?).ok()?))
    }

    /// The open epoch's blocks, sealed, and all heads.
    pub(crate) async fn export(&self) -> Option<Export> {
        let (opening, head, blocks) = {
            let journal = self.hub.journal.lock();
            let journal = journal.as_ref()?;
            (journal.opening().body.clone(), journal.head().clone(), journal.blocks().to_vec())
        };
        let mut heads = self.heads().await.ok()?;
        // A minute may have passed between the two.
        let epoch = heads.epochs.iter_mut().find(|epoch| epoch.opening.body.epoch == opening.epoch)?;
        epoch.head = Some(head);
        Some(Export::new(heads, &opening, &blocks))
    }

    /// Whoever reads by the server's own files is nobody in particular: every operator is told. Nothing is read that could not be
    /// noted.
    async fn tell_operators_of_reading(&self) -> Option<()> {
        let now = SystemTime::now();
        for account in self.records.operators().await.ok()? {
            let noted = self.records.note_activity(&account, ActivityKind::JournalRead, "the command line", now).await;
            noted.ok()?;
        }
        Some(())
    }
}
