use futures_util::task::AtomicWaker;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

/// How much more is read from a connection before somebody allows it. What is not read waits in the kernel, whose buffers
/// are bounded, and then with the sender.
///
/// A WebSocket's limits are those of its largest message, from its first byte on; until it has shown a token, this holds it
/// to less.
#[derive(Clone)]
pub(crate) struct Allowance(Arc<Shared>);

struct Shared {
    left: AtomicUsize,
    reader: AtomicWaker,
}

impl Default for Allowance {
    fn default() -> Self {
        Self(Arc::new(Shared { left: AtomicUsize::new(usize::MAX), reader: AtomicWaker::new() }))
    }
}

impl Allowance {
    /// So many bytes from now on.
    pub(crate) fn limit(&self, bytes: usize) {
        self.0.left.store(bytes, Ordering::Release);
    }

    /// As many as come.
    pub(crate) fn lift(&self) {
        self.0.left.store(usize::MAX, Ordering::Release);
        self.0.reader.wake();
    }

    /// How many bytes may be read now; waits while there are none.
    pub(crate) fn poll(&self, context: &mut Context<'_>) -> Poll<usize> {
        if let left @ 1.. = self.0.left.load(Ordering::Acquire) {
            return Poll::Ready(left);
        }
        self.0.reader.register(context.waker());
        match self.0.left.load(Ordering::Acquire) {
            0 => Poll::Pending,
            left => Poll::Ready(left),
        }
    }

    /// Notes what was read.
    pub(crate) fn spend(&self, bytes: usize) {
        let less = |left: usize| (left != usize::MAX).then(|| left.saturating_sub(bytes));
        // Without a limit there is nothing to note.
        _ = self.0.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
    }
}
