// How a newcomer begins: soon, and soon where the others are. In browsers of their own, since this is about milliseconds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as app from './lib/app.mjs';
import { behind, drawn, films, median, observes, seen } from './lib/clock.mjs';
import { Site } from './lib/site.mjs';

const site = new Site({}, films);

/**
 * An event on air without sound. How long a browser holds sound back against jitter is its own affair; it grows with a
 * page's age and the machine's load, and the picture waits for the sound.
 */
async function onAir(title, latency) {
  const event = await site.onAir(title, '--latency', latency);
  await app.flip(site.broadcaster, 'Microphone');
  return event;
}

/** A viewer; one that is `held` has everything but its answer, until it is let go. */
async function watch(kind, event, { held = false } = {}) {
  const prepared = (viewer) => observes(viewer, { held });
  const viewer = await site.watch(kind, event, { prepared });
  if (held) await app.until('it is about to ask', () => viewer.evaluate(() => window.waits === true));
  else await app.plays(viewer);
  return viewer;
}

const release = (viewer) => viewer.evaluate(() => window.release());

/** What the broadcaster was asked for in all its layers. */
const keyFrames = () => site.broadcaster.evaluate(() => window.keyFrames());

/** Lets a viewer go; when it asked and when its first frame was shown. */
async function starts(viewer) {
  await release(viewer);
  const [begun] = await app.until('a frame is shown', async () => (await seen(viewer)).shown[0], { every: 20 });
  return { begun, asked: (await seen(viewer)).asked };
}

/** The median of what was measured, in ms from the offer to the first frame on the screen. */
const toFirstFrame = (joins) => median(joins.map(({ begun, asked }) => begun - asked));

const ROUNDS = 3;
/** How old the key frame is that a newcomer begins with: what is kept goes back 2.5 s. */
const AGE_MS = 1_500;

/**
 * Where a newcomer is a second after its first frame, in ms: at most so far from an established viewer, and at least so long
 * after what it shows was drawn. A balanced event keeps 200 ms against jitter, and does so for a newcomer only because its
 * first timestamps are compressed: with the broadcaster's own it takes what comes live for late, and shows that within 60 ms. An
 * established viewer there keeps more the busier the machine is, which nobody can be compared with.
 */
const LATENCIES = {
  interactive: { apart: 50, age: 0, kinds: ['firefox'] },
  // The timestamps are the same for every browser, so one is enough here.
  balanced: { apart: Infinity, age: 150, kinds: ['chromium'] },
};

/** One newcomer: its start, and how far behind it was a second later. */
async function joins(t, kind, event, established) {
  // Whoever comes after a while has a key frame made; who comes soon after them begins with that one.
  const herald = await watch('chromium', event, { held: true });
  const newcomer = await watch(kind, event, { held: true });
  const first = await starts(herald);
  await app.sleep(AGE_MS);
  const made = await keyFrames();
  const start = await starts(newcomer);
  const fromHistory = (await keyFrames()) === made;
  await app.sleep(2_200);
  const [theirs, others] = [(await seen(newcomer)).shown, (await seen(established)).shown];
  const between = (from, to) => behind(theirs, others, start.begun + from, start.begun + to);
  const later = between(1_000, 2_000);
  const apart = median(later);
  const age = median(behind(theirs, await drawn(site.broadcaster), start.begun + 1_000, start.begun + 2_000));
  t.diagnostic(`a first frame after ${Math.round(start.begun - start.asked)} ms, ${Math.round(between(0, 100)[0])} ms`
    + ` behind; a second later ${Math.round(apart)} ms behind, by ${later.length} frames, ${Math.round(age)} ms old`);
  assert.ok(later.length >= 5, `${later.length} frames were compared`);
  await app.leave(site.server, herald, newcomer);
  return { herald: first, newcomer: start, fromHistory, apart, age };
}

for (const [latency, wanted] of Object.entries(LATENCIES)) {
  for (const kind of wanted.kinds) {
    test(`${latency}: a second after its first frame, a newcomer in ${kind} is where it belongs`, async (t) => {
      const event = await onAir(`Newcomers in ${kind}`, latency);
      const established = await watch(kind, event);
      await app.sleep(3_000);
      const rounds = [];
      for (let round = 0; round < ROUNDS; round++) rounds.push(await joins(t, kind, event, established));
      const fromHistory = rounds.filter((round) => round.fromHistory).length;
      assert.ok(fromHistory >= 2, `of ${ROUNDS} newcomers ${fromHistory} began with what was kept`);
      for (const { apart, age } of rounds) {
        assert.ok(Math.abs(apart) <= wanted.apart, `${apart} ms behind`);
        assert.ok(age >= wanted.age, `${age} ms old`);
      }
      const [heralds, newcomers] = ['herald', 'newcomer'].map((who) => rounds.map((round) => round[who]));
      t.diagnostic(`first frame p50: ${Math.round(toFirstFrame(heralds))} ms in chromium for who had to ask,`
        + ` ${Math.round(toFirstFrame(newcomers))} ms in ${kind} after them`);
      const inChromium = kind === 'chromium' ? [...heralds, ...newcomers] : heralds;
      // The goal is 300 ms where nothing else runs; here are five pages with pictures on a machine of which little is known.
      assert.ok(toFirstFrame(inChromium) <= 900, `first frame p50 ${toFirstFrame(inChromium)} ms`);
      await site.end(established);
    });
  }
}
