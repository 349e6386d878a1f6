// A broadcast in several sizes, in browsers of its own: a camera that another page of the same browser has open comes in
// that page's size.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as app from './lib/app.mjs';
import { NarrowLine } from './lib/narrow.mjs';
import { Site } from './lib/site.mjs';

const site = new Site({ args: ['--log', 'debug'] }, (broadcaster) =>
  broadcaster.evaluateOnNewDocument(() => { window.cameraSize = { width: 1280, height: 720 }; }));

/** An event on air in three layers: a camera of 720 lines is enough for them. */
async function onAir(title) {
  const event = await site.onAir(title);
  const { remote } = await site.broadcaster.evaluate(() => window.describe());
  assert.equal(remote.match(/a=simulcast:.*/)?.[0].trim(), 'a=simulcast:recv l;m;h', 'the offered layers are taken');
  return event;
}

async function watch(kind, event, line) {
  const viewer = await site.watch(kind, event, { prepared: (page) => line?.lead(page) });
  await app.plays(viewer);
  return viewer;
}

/** Waits for a picture of this height; frames keep coming on the way there. */
async function reaches(viewer, height, within = 20_000) {
  const before = await app.measure(viewer);
  let [last, since, gap] = [before.frames, Date.now(), 0];
  const seen = await app.until(`${height} lines`, async () => {
    const now = await app.measure(viewer);
    if (now.frames > last) [last, since] = [now.frames, Date.now()];
    gap = Math.max(gap, Date.now() - since);
    return now.height === height && now.frames > before.frames + 5 ? now : null;
  }, { within });
  // Half a second where nothing else runs; three pictures are encoded and two decoded on this machine.
  assert.ok(gap < 4_000, `the picture stood for ${gap} ms on its way to ${height} lines`);
  assert.equal(seen.peers, before.peers, 'in the same session');
}

for (const kind of ['chromium', 'firefox']) {
  test(`simulcast: three layers leave the studio, and ${kind}'s menu chooses among them`, async () => {
    const event = await onAir(`Layers for ${kind}`);
    const viewer = await watch(kind, event);
    await reaches(viewer, 720, 15_000);
    const sent = await site.broadcaster.evaluate(() => window.layers());
    // What nobody has watched yet may not have been encoded once; their sizes show when somebody chooses them.
    assert.deepEqual(sent.map(({ rid }) => rid), ['l', 'm', 'h']);
    for (const [choice, height] of [['Low', 180], ['Medium', 360], ['Auto', 720], ['Low', 180]]) {
      await app.choose(viewer, choice, { mouse: false });
      await reaches(viewer, height);
    }
    await site.end(viewer);
  });
}

test('simulcast: a layer that nobody watches rests, and wakes when somebody does', async () => {
  const event = await onAir('Resting layers');
  const layers = () => site.broadcaster.evaluate(() => window.layers());
  const awake = async () => (await layers()).filter(({ active }) => active).map(({ rid }) => rid).join(' ');
  const [modest, other] = [await watch('chromium', event), await watch('chromium', event)];
  await app.choose(modest, 'Low');
  await reaches(modest, 180);
  await reaches(other, 720, 15_000);
  await app.until('only the two that are watched', async () => (await awake()) === 'l h', { within: 10_000 });
  await app.choose(other, 'Low');
  await app.until('only the low one', async () => (await awake()) === 'l', { within: 10_000 });
  // A frame that was being encoded still leaves.
  await app.sleep(500);
  const rested = await layers();
  await app.sleep(2_000);
  const frames = (all) => all.slice(1).map((layer) => layer.frames);
  assert.deepEqual(frames(await layers()), frames(rested), 'what rests sends nothing');
  await app.says(site.broadcaster, 'Nobody needs the full size just now');
  await app.choose(other, 'Auto');
  await reaches(other, 720);
  assert.match(await awake(), /h$/);
  assert.equal((await app.measure(modest)).height, 180, 'the other viewer keeps its own');
  await site.end(modest, other);
});

/** What came in so many seconds: frames, and the part of the sound that had to be made up. */
async function over(viewer, seconds) {
  const before = await app.measure(viewer);
  await app.sleep(seconds * 1_000);
  const now = await app.measure(viewer);
  const since = (what) => now[what] - before[what];
  return {
    frames: since('frames'),
    sound: since('audioPackets'),
    concealed: since('concealed') / since('samples'),
    height: now.height,
  };
}

/** A quarter of the top layer's rate: the middle layer and the sound fit, with some room. */
const NARROW = 400_000;

/** In Firefox, the more exacting of the two: it takes nothing from a source that has not named its section. */
test('simulcast: on a narrow line a viewer gets a smaller picture for as long, and the other the full one', async (t) => {
  const event = await onAir('A narrow line');
  const line = await NarrowLine.open();
  const [narrow, other] = [await watch('firefox', event, line), await watch('chromium', event)];
  await reaches(narrow, 720, 20_000);
  await reaches(other, 720, 20_000);
  const before = await app.measure(narrow);
  line.limit(NARROW);
  const narrowed = Date.now();
  await app.until('a smaller picture', async () => (await app.measure(narrow)).height < 720, { within: 8_000 });
  const gave = Date.now() - narrowed;
  // What waited in the line is gone.
  await app.sleep(3_000);
  const [settled, untouched] = await Promise.all([over(narrow, 6), over(other, 6)]);
  assert.ok(settled.height < 720, `${settled.height} lines`);
  assert.ok(settled.frames >= 30, `the picture moves: ${settled.frames} frames in 6 s`);
  assert.ok(settled.sound >= 270, `the sound goes on: ${settled.sound} of 300 packets`);
  assert.ok(settled.concealed < 0.1, `of the sound ${settled.concealed} had to be made up`);
  assert.equal(untouched.height, 720, 'the other keeps the full size');
  assert.ok(untouched.frames >= 30, `${untouched.frames} frames in 6 s`);
  const then = await app.measure(narrow);
  line.limit(Infinity);
  const widened = Date.now();
  await reaches(narrow, 720, 8_000);
  const back = Date.now() - widened;
  const now = await app.measure(narrow);
  t.diagnostic(`a smaller picture after ${gave} ms; ${line.dropped} datagrams dropped; ${settled.height} lines at`
    + ` ${(settled.frames / 6).toFixed(1)} frames/s, ${(settled.concealed * 100).toFixed(1)} % of the sound made up; the full`
    + ` size ${back} ms after the line was wide again; frozen for ${Math.round(then.frozenMs - before.frozenMs)} ms on the`
    + ` narrow line and ${Math.round(now.frozenMs - then.frozenMs)} ms on the way back`);
  await site.end(narrow, other);
  line.close();
});
