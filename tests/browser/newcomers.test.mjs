// How a newcomer begins: soon, and soon where the others are. In browsers of their own, since this is about milliseconds.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as app from './lib/app.mjs';
import { closeBrowsers, page } from './lib/browsers.mjs';
import { behind, films, median, observes, seen } from './lib/clock.mjs';
import { Server } from './lib/server.mjs';

let server;
let broadcaster;

before(async () => {
  server = await Server.start();
  broadcaster = await page('chromium');
  await films(broadcaster);
  await app.setUp(broadcaster, server);
});

after(async () => {
  await closeBrowsers();
  await server?.stop();
});

/**
 * An event on air without sound. How long a browser holds sound back against jitter is its own affair; it grows with a
 * page's age and the machine's load, and the picture waits for the sound.
 */
async function onAir(title) {
  const event = await server.createEvent(title, '--public');
  await app.prepare(broadcaster, server, event);
  await app.goLive(broadcaster);
  await app.flip(broadcaster, 'Microphone');
  return event;
}

/** A viewer; one that is `held` has everything but its answer, until it is let go. */
async function watch(kind, event, { held = false } = {}) {
  const viewer = await page(kind, { ownWindow: kind === 'firefox' });
  await observes(viewer, { held });
  await viewer.goto(`${server.url}/watch/${event}`);
  if (held) await app.until('it is about to ask', () => viewer.evaluate(() => window.waits === true));
  else await app.plays(viewer);
  return viewer;
}

const release = (viewer) => viewer.evaluate(() => window.release());

/** What the broadcaster was asked for in all its layers. */
const keyFrames = () => broadcaster.evaluate(() => window.keyFrames());

/** Lets a viewer go; when it asked and when its first frame was shown. */
async function starts(viewer) {
  await release(viewer);
  const [begun] = await app.until('a frame is shown', async () => (await seen(viewer)).shown[0], { every: 20 });
  return { begun, asked: (await seen(viewer)).asked };
}

/** The median of what was measured, in ms from the offer to the first frame on the screen. */
const toFirstFrame = (joins) => median(joins.map(({ begun, asked }) => begun - asked));

const ROUNDS = 3;

for (const kind of ['chromium', 'firefox']) {
  test(`a second after its first frame, a newcomer in ${kind} is where an established viewer is`, async (t) => {
    const event = await onAir(`Newcomers in ${kind}`);
    const established = await watch(kind, event);
    await app.sleep(3_000);
    const [heralds, newcomers] = [[], []];
    let fromHistory = 0;
    for (let round = 0; round < ROUNDS; round++) {
      // Whoever comes after a while has a key frame made; who comes a second after them begins with that one.
      const herald = await watch('chromium', event, { held: true });
      const newcomer = await watch(kind, event, { held: true });
      heralds.push(await starts(herald));
      await app.sleep(1_000);
      const made = await keyFrames();
      const start = await starts(newcomer);
      if ((await keyFrames()) === made) fromHistory += 1;
      newcomers.push(start);
      await app.sleep(2_200);
      const [theirs, others] = [(await seen(newcomer)).shown, (await seen(established)).shown];
      const between = (from, to) => behind(theirs, others, start.begun + from, start.begun + to);
      const [first, later] = [between(0, 100), between(1_000, 2_000)];
      const apart = median(later);
      t.diagnostic(`a first frame after ${Math.round(start.begun - start.asked)} ms, ${Math.round(first[0])} ms behind;`
        + ` a second later ${Math.round(apart)} ms behind, by ${later.length} frames`);
      assert.ok(later.length >= 5, `${later.length} frames were compared`);
      assert.ok(Math.abs(apart) <= 50, `${apart} ms behind`);
      await app.leave(server, herald, newcomer);
    }
    assert.ok(fromHistory >= 2, `of ${ROUNDS} newcomers ${fromHistory} began with what was kept`);
    const figures = [heralds, newcomers].map(toFirstFrame);
    t.diagnostic(`first frame p50: ${Math.round(figures[0])} ms in chromium for who had to ask, ${Math.round(figures[1])} ms in ${kind} after them`);
    const inChromium = kind === 'chromium' ? [...heralds, ...newcomers] : heralds;
    assert.ok(toFirstFrame(inChromium) <= 300, `first frame p50 ${toFirstFrame(inChromium)} ms`);
    await app.leave(server, established);
    await app.offAir(broadcaster);
  });
}
