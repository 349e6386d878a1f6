//! The steps of a packet's way, each alone, through the engine's own interface: the input is chosen so that one step is
//! nearly all there is. Where steps cannot be had apart, the difference between two rows is the step; the name says which.

use crate::Failure;
use crate::broadcast::FRAME;
use crate::inline::{Inline, tuple};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use divan::Bencher;
use divan::counter::ItemsCount;
use harness::{Nomination, Peer};
use std::cell::RefCell;
use std::hint::black_box;
use veilcast_sfu::Tuple;

const PAYLOAD: usize = 1_040;
/// Samples of a row, and what is timed together in one, so that the clock's grain does not matter.
const COUNT: u32 = 500;
const SIZE: u32 = 32;
/// Samples of a row whose inputs must not come all at once, since what is sent is paced.
const SINGLES: u32 = 3_000;
/// Consent is renewed after so many frames: at most seven seconds.
const CONSENT: u32 = 500;

pub(crate) fn run() -> Result<(), Failure> {
    println!("wall time of each step; take the median; an item is a packet or message of the input");
    divan::Divan::default().main();
    Ok(())
}

/// An engine and its peers, for one row.
struct Bench {
    inline: Inline,
    broadcaster: Peer,
    viewers: Vec<Peer>,
    tick: u32,
}

impl Bench {
    fn new(viewers: usize) -> RefCell<Self> {
        let (inline, broadcaster, viewers) = Inline::with_viewers(viewers).expect("peers connect");
        RefCell::new(Self { inline, broadcaster, viewers, tick: 0 })
    }

    /// The next frame's datagrams, after the time that such a frame takes at 2.5 Mbit/s.
    fn frame(&mut self, packets: usize) -> (Tuple, Vec<Vec<u8>>) {
        self.tick += 1;
        self.inline.pass(FRAME / 10 * packets as u32);
        if self.tick.is_multiple_of(CONSENT) {
            self.inline.renew(self.viewers.iter_mut().chain([&mut self.broadcaster]));
        }
        self.broadcaster.send_video(self.tick * 3_000, false, packets, PAYLOAD);
        (tuple(&self.broadcaster), self.broadcaster.take_outbox())
    }
}

/// Times what the engine does with inputs that `input` makes outside the clock.
fn feed(
    bencher: Bencher<'_, '_>,
    bench: &RefCell<Bench>,
    items: usize,
    input: impl Fn(&mut Bench) -> (Tuple, Vec<Vec<u8>>),
) {
    bencher.counter(ItemsCount::new(items)).with_inputs(|| input(&mut bench.borrow_mut())).bench_local_values(
        |(tuple, mut datagrams)| {
            let inline = &mut bench.borrow_mut().inline;
            for bytes in &mut datagrams {
                inline.sfu.handle(veilcast_sfu::Input::Datagram { tuple, bytes }, inline.now);
            }
            (inline.drain(), datagrams)
        },
    );
}

#[divan::bench(name = "1 demux: a packet of nobody, dropped", sample_count = COUNT, sample_size = SIZE)]
fn demux(bencher: Bencher<'_, '_>) {
    let bench = Bench::new(0);
    feed(bencher, &bench, 1, |bench| {
        let (mut tuple, datagrams) = bench.frame(1);
        tuple.remote.set_port(9);
        (tuple, datagrams)
    });
}

#[divan::bench(name = "2 unprotect: AES-256-GCM alone, no engine", sample_count = COUNT, sample_size = SIZE)]
fn unprotect(bencher: Bencher<'_, '_>) {
    let key = key();
    let mut sealed = [0x55; PAYLOAD].to_vec();
    key.seal_in_place_append_tag(nonce(), Aad::from([0; 20]), &mut sealed).expect("it fits");
    bencher
        .with_inputs(|| sealed.clone())
        .bench_local_refs(|bytes| key.open_in_place(nonce(), Aad::from([0; 20]), bytes).is_ok());
}

#[divan::bench(name = "3 ingest: demux, unprotect, classify, keep; no viewer", sample_count = COUNT, sample_size = SIZE)]
fn ingest(bencher: Bencher<'_, '_>) {
    let bench = Bench::new(0);
    feed(bencher, &bench, 1, |bench| bench.frame(1));
}

#[divan::bench(name = "4 protect: AES-256-GCM and copy alone, no engine", sample_count = COUNT, sample_size = SIZE)]
fn protect(bencher: Bencher<'_, '_>) {
    let (key, payload) = (key(), [0x55; PAYLOAD]);
    let mut out = [0; PAYLOAD];
    bencher.bench_local(|| {
        out.copy_from_slice(black_box(&payload));
        key.seal_in_place_separate_tag(nonce(), Aad::from([0; 20]), &mut out).is_ok()
    });
}

#[divan::bench(name = "5 rewrite + protect: 1 packet to n viewers (difference / 10)", args = [1, 11], sample_count = SINGLES, sample_size = 1)]
fn forward_one(bencher: Bencher<'_, '_>, viewers: usize) {
    let bench = Bench::new(viewers);
    feed(bencher, &bench, 1, |bench| bench.frame(1));
}

#[divan::bench(name = "6 rewrite + protect: 4 packets to n viewers (difference / 40)", args = [1, 11], sample_count = SINGLES, sample_size = 1)]
fn forward_frame(bencher: Bencher<'_, '_>, viewers: usize) {
    let bench = Bench::new(viewers);
    feed(bencher, &bench, 4, |bench| bench.frame(4));
}

#[divan::bench(name = "7 retransmit: NACK for n known packets (difference / 16)", args = [1, 17], sample_count = SINGLES, sample_size = 1)]
fn retransmit(bencher: Bencher<'_, '_>, packets: usize) {
    let bench = Bench::new(1);
    feed(bencher, &bench, packets, |bench| {
        // What is repeated has to be earned: half of what is forwarded.
        let newest = bench.forward(10);
        let wanted: Vec<u16> = (0..packets).map(|at| newest.wrapping_sub(at as u16)).collect();
        bench.nack(&wanted)
    });
}

#[divan::bench(name = "8 feedback: NACK for an unknown packet (open, parse, look up)", sample_count = COUNT, sample_size = SIZE)]
fn feedback_nack(bencher: Bencher<'_, '_>) {
    let bench = Bench::new(1);
    let unknown = bench.borrow_mut().forward(1).wrapping_add(1_000);
    feed(bencher, &bench, 1, |bench| bench.nack(&[unknown]));
}

#[divan::bench(name = "8 feedback: sender report (open, parse, learn the clock)", sample_count = COUNT, sample_size = SIZE)]
fn feedback_report(bencher: Bencher<'_, '_>) {
    let bench = Bench::new(0);
    feed(bencher, &bench, 1, |bench| {
        bench.tick += 1;
        bench.broadcaster.send_report(1, u64::from(bench.tick) << 16, bench.tick * 3_000);
        (tuple(&bench.broadcaster), bench.broadcaster.take_outbox())
    });
}

#[divan::bench(name = "9 consent: an authenticated check and its answer", sample_count = COUNT, sample_size = SIZE)]
fn consent(bencher: Bencher<'_, '_>) {
    let bench = Bench::new(1);
    let password = bench.borrow().viewers[0].server_password().expect("it is connected");
    feed(bencher, &bench, 1, |bench| {
        let viewer = &mut bench.viewers[0];
        (tuple(viewer), vec![viewer.forge_check(Nomination::Signed, &password)])
    });
}

impl Bench {
    /// Forwards so many frames; returns the newest number that the only viewer got.
    fn forward(&mut self, frames: usize) -> u16 {
        let mut newest = None;
        for _ in 0..frames {
            let (tuple, mut datagrams) = self.frame(4);
            newest = datagrams.iter_mut().filter_map(|bytes| self.inline.one(tuple, bytes)).last();
        }
        newest.expect("the viewer gets what is forwarded")
    }

    fn nack(&mut self, wanted: &[u16]) -> (Tuple, Vec<Vec<u8>>) {
        let viewer = &mut self.viewers[0];
        let ssrc = viewer.media_ssrc(1);
        viewer.send_nack(ssrc, wanted);
        (tuple(viewer), viewer.take_outbox())
    }
}

fn key() -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).expect("the key has its length"))
}

/// The same each time, which no sender may do; how long it takes does not depend on it.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([1; 12])
}
