//! A WebSocket as it is written to: one message is on its way at a time, and meanwhile whatever the client says is heard.
//!
//! Invariant: no byte of what people have said is handed to the connection unless everybody's consent stands at that moment, also the
//! rest of a message that a slow client has begun to take. Reading writes, too (a pong goes out before the next message is read, and
//! takes along what is left), so that it is looked at all the same.

use super::{Leaving, READ_BUFFER};
use crate::edge::Allowance;
use crate::fault::Problem;
use crate::session::Frame;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use futures_util::{Sink, Stream};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};
use veilcast_protocol::{MAX_MESSAGE, ServerMessage};

/// A client that does not take a message for this long takes none.
const SEND: Duration = Duration::from_secs(10);
/// For the answer to a goodbye; nothing that comes meanwhile is heard.
const GOODBYE: Duration = Duration::from_secs(1);

pub(super) fn limited(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade.max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE).read_buffer_size(READ_BUFFER)
}

/// The socket, with what is on its way to it.
pub(super) struct Wire {
    socket: WebSocket,
    pub(super) allowance: Allowance,
    flight: Option<Flight>,
}

/// A message that is not wholly written.
struct Flight {
    /// By whose leave it is; none for what is of nobody.
    frame: Option<Frame>,
    /// Who has not taken it by then takes nothing.
    until: Instant,
}

/// What happens next on a socket.
pub(super) enum Turn {
    /// The client says something, or no longer does.
    Heard(Option<Message>),
    /// What was on its way is written.
    Written,
}

impl Wire {
    pub(super) fn new(socket: WebSocket, allowance: Allowance) -> Self {
        Self { socket, allowance, flight: None }
    }

    /// Something is on its way: the next thing waits.
    pub(super) const fn is_busy(&self) -> bool {
        self.flight.is_some()
    }

    /// Tells something, and waits until it is written.
    pub(super) async fn say(&mut self, message: &ServerMessage) -> Result<(), Leaving> {
        self.settle().await?;
        self.tell(message).await?;
        self.settle().await
    }

    pub(super) async fn refuse(&mut self, problem: Problem) -> Result<(), Leaving> {
        self.say(&ServerMessage::Fault { fault: problem.fault }).await
    }

    /// Begins to tell something; nothing else is on its way.
    pub(super) async fn tell(&mut self, message: &ServerMessage) -> Result<(), Leaving> {
        let text = serde_json::to_string(message).map_err(|_| Leaving::With(close_code::ERROR))?;
        self.begin(Message::text(text), None).await
    }

    /// The same for what people have said, if everybody's consent stands; else it is dropped.
    pub(super) async fn share(&mut self, frame: Frame) -> Result<(), Leaving> {
        self.begin(Message::Text(frame.text.clone()), Some(frame)).await
    }

    pub(super) async fn ping(&mut self) -> Result<(), Leaving> {
        self.begin(Message::Ping(Vec::new().into()), None).await
    }

    async fn begin(&mut self, message: Message, frame: Option<Frame>) -> Result<(), Leaving> {
        // With nothing on its way this is at once.
        let ready = timeout(SEND, poll_fn(|cx| Pin::new(&mut self.socket).poll_ready(cx)));
        ready.await.map_err(|_| Leaving::Cut)?.map_err(|_| Leaving::Cut)?;
        let mut message = Some(message);
        let begun = poll_fn(|cx| Poll::Ready(by_leave(frame.as_ref(), || self.start(message.take(), cx))));
        match begun.await {
            None | Some(Poll::Ready(Ok(()))) => Ok(()),
            Some(Poll::Pending) => {
                self.flight = Some(Flight { frame, until: Instant::now() + SEND });
                Ok(())
            }
            Some(Poll::Ready(Err(leaving))) => Err(leaving),
        }
    }

    /// Into the connection at once, as far as it has room.
    fn start(&mut self, message: Option<Message>, cx: &mut Context<'_>) -> Poll<Result<(), Leaving>> {
        let mut socket = Pin::new(&mut self.socket);
        if let Some(Err(_)) = message.map(|message| socket.as_mut().start_send(message)) {
            // Nothing of it is on its way: the client has said goodbye, and waits for the answer.
            return Poll::Ready(Err(Leaving::With(close_code::NORMAL)));
        }
        socket.poll_flush(cx).map_err(|_| Leaving::Cut)
    }

    /// Waits until what is on its way is written.
    async fn settle(&mut self) -> Result<(), Leaving> {
        let Some(Flight { until, .. }) = self.flight else { return Ok(()) };
        let written = timeout_at(until, poll_fn(|cx| self.poll_flight(cx)));
        written.await.unwrap_or(Err(Leaving::Cut))
    }

    fn poll_flight(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Leaving>> {
        let Some(Flight { frame, .. }) = &self.flight else { return Poll::Ready(Ok(())) };
        match by_leave(frame.as_ref(), || Pin::new(&mut self.socket).poll_flush(cx)) {
            Some(Poll::Pending) => Poll::Pending,
            Some(Poll::Ready(Ok(()))) => {
                self.flight = None;
                Poll::Ready(Ok(()))
            }
            // Half a message cannot be taken back, and the other half is not said.
            None | Some(Poll::Ready(Err(_))) => Poll::Ready(Err(Leaving::Cut)),
        }
    }

    /// What comes next: something from the client, or that what was on its way is written. Nothing is lost if this is dropped.
    pub(super) async fn turn(&mut self) -> Result<Turn, Leaving> {
        let Some(Flight { until, .. }) = self.flight else {
            return Ok(Turn::Heard(self.recv().await));
        };
        let turn = poll_fn(|cx| match self.poll_flight(cx) {
            Poll::Ready(written) => Poll::Ready(written.map(|()| Turn::Written)),
            Poll::Pending => {
                let frame = self.flight.as_ref().and_then(|flight| flight.frame.as_ref());
                match by_leave(frame, || Pin::new(&mut self.socket).poll_next(cx)) {
                    None => Poll::Ready(Err(Leaving::Cut)),
                    Some(heard) => heard.map(|heard| Ok(Turn::Heard(heard.and_then(Result::ok)))),
                }
            }
        });
        timeout_at(until, turn).await.unwrap_or(Err(Leaving::Cut))
    }

    /// What the client says next; nothing any more, if it is gone or breaks the rules.
    pub(super) async fn recv(&mut self) -> Option<Message> {
        self.socket.recv().await.and_then(Result::ok)
    }

    /// Says goodbye and waits for the answer (RFC 6455 section 7.1.1), or answers the client's. What is still on its way to a
    /// connection that is closed at once would have it reset, and the reason that was sent last lost with it.
    pub(super) async fn close(mut self, code: u16) {
        if self.settle().await.is_err() {
            return;
        }
        let frame = CloseFrame { code, reason: Utf8Bytes::default() };
        if matches!(self.begin(Message::Close(Some(frame)), None).await, Err(Leaving::Cut))
            || self.settle().await.is_err()
        {
            return;
        }
        // Reading sends the answer to a goodbye, too.
        let answered = async { while let Some(Ok(_)) = self.socket.recv().await {} };
        _ = timeout(GOODBYE, answered).await;
    }
}

/// Does something while everybody's consent stands, or does not do it.
fn by_leave<R>(frame: Option<&Frame>, act: impl FnOnce() -> R) -> Option<R> {
    match frame {
        Some(frame) => frame.hand_over(act),
        None => Some(act()),
    }
}
