//! Connections: how many, from how few, and how long they may do nothing.

use crate::app::App;
use crate::edge::{Allowance, PrefixTag};
use axum::Extension;
use axum::middleware::AddExtension;
use axum_server::accept::Accept;
use dashmap::DashMap;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep, timeout};
use tower::Layer;
use veilcast_privacy::heard_somebody;

/// A TLS handshake, and the first bytes after it: a client that has something to say says it at once.
const OPENING: Duration = Duration::from_secs(10);
/// The HTTP/2 preface has 24 bytes (RFC 9113 section 3.4) and no HTTP/1.1 request is shorter; until then hyper
/// waits without a timer of its own.
const OPENING_BYTES: usize = 24;
/// A client that takes no byte for this long has gone, or wishes to hold what it does not read.
const WRITE: Duration = Duration::from_secs(30);

/// Limits connections and what each may keep waiting.
#[derive(Clone)]
pub(crate) struct Limited<A> {
    inner: A,
    app: Arc<App>,
    places: Places,
}

/// Places for connections, shared by all listeners.
#[derive(Clone)]
pub(crate) struct Places {
    all: Arc<Semaphore>,
    shares: Arc<Shares>,
}

impl Places {
    /// At most `most` connections. One network prefix may hold half of them, so that one network alone cannot
    /// shut the others out and a hall full of people still fits behind one address.
    pub(crate) fn new(most: usize) -> Self {
        let most = most.clamp(2, Semaphore::MAX_PERMITS);
        let shares = Arc::new(Shares { most: most / 2, held: DashMap::new() });
        Self { all: Arc::new(Semaphore::new(most)), shares }
    }
}

impl<A> Limited<A> {
    pub(crate) const fn new(inner: A, app: Arc<App>, places: Places) -> Self {
        Self { inner, app, places }
    }

    /// A place for a connection, or none.
    fn admit(&self, stream: &TcpStream) -> Option<Place> {
        let permit = self.places.all.clone().try_acquire_owned().ok()?;
        let address = stream.peer_addr().ok()?.ip();
        // A trusted proxy speaks for everybody.
        let share = match self.app.prefixes.is_proxy(address) {
            true => None,
            false => Some(self.places.shares.take(self.app.prefixes.tag(address))?),
        };
        Some(Place { _permit: permit, _share: share })
    }
}

/// How many connections each prefix holds.
struct Shares {
    most: usize,
    held: DashMap<PrefixTag, usize>,
}

impl Shares {
    fn take(self: &Arc<Self>, tag: PrefixTag) -> Option<Share> {
        let mut held = self.held.entry(tag).or_insert(0);
        if *held >= self.most {
            return None;
        }
        *held += 1;
        drop(held);
        Some(Share { shares: self.clone(), tag })
    }
}

struct Share {
    shares: Arc<Shares>,
    tag: PrefixTag,
}

impl Drop for Share {
    fn drop(&mut self) {
        if let Some(mut held) = self.shares.held.get_mut(&self.tag) {
            *held = held.saturating_sub(1);
        }
        self.shares.held.remove_if(&self.tag, |_, held| *held == 0);
    }
}

/// Freed when the connection ends, also after it has become a WebSocket.
struct Place {
    _permit: OwnedSemaphorePermit,
    _share: Option<Share>,
}

impl Drop for Place {
    fn drop(&mut self) {
        heard_somebody();
    }
}

impl<A, S> Accept<TcpStream, S> for Limited<A>
where
    A: Accept<TcpStream, S> + Clone + Send + Sync + 'static,
    A::Future: Send,
    A::Stream: AsyncRead + AsyncWrite + Unpin + Send,
    S: Send + 'static,
{
    type Stream = Prompt<A::Stream>;
    type Service = AddExtension<A::Service, Allowance>;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        heard_somebody();
        let (place, inner) = (self.admit(&stream), self.inner.clone());
        Box::pin(async move {
            let place = place.ok_or(ErrorKind::ConnectionRefused)?;
            // Answers are small and wanted at once.
            stream.set_nodelay(true)?;
            let (stream, service) = timeout(OPENING, inner.accept(stream, service)).await??;
            let allowance = Allowance::default();
            let service = Extension(allowance.clone()).layer(service);
            Ok((Prompt::new(stream, place, allowance), service))
        })
    }
}

/// A connection that fails when its client is slow to begin or to read.
pub(crate) struct Prompt<S> {
    stream: S,
    allowance: Allowance,
    _place: Place,
    /// Bytes still to come before `opening` ends.
    awaited: usize,
    opening: Pin<Box<Sleep>>,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S: Unpin> Prompt<S> {
    fn new(stream: S, place: Place, allowance: Allowance) -> Self {
        let opening = Box::pin(sleep(OPENING));
        Self { stream, allowance, _place: place, awaited: OPENING_BYTES, opening, stalled: None }
    }

    /// Lets a write that does not proceed wait for its time only.
    fn limit<T>(&mut self, written: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let timer = self.stalled.get_or_insert_with(|| Box::pin(sleep(WRITE)));
        ready!(timer.as_mut().poll(context));
        Poll::Ready(Err(ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Prompt<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let left = ready!(self.allowance.poll(cx));
        let read = if left >= buffer.remaining() {
            Pin::new(&mut self.stream).poll_read(cx, buffer)
        } else {
            let mut part = ReadBuf::new(buffer.initialize_unfilled_to(left));
            let read = Pin::new(&mut self.stream).poll_read(cx, &mut part);
            let len = part.filled().len();
            buffer.advance(len);
            read
        };
        self.allowance.spend(buffer.filled().len() - before);
        self.awaited = self.awaited.saturating_sub(buffer.filled().len() - before);
        if read.is_pending() && self.awaited > 0 {
            ready!(self.opening.as_mut().poll(cx));
            return Poll::Ready(Err(ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Prompt<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.limit(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.limit(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.limit(flushed, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.limit(shut, cx)
    }
}
