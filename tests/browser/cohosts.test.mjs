// Several broadcasters in one event: two studios, and a viewer who sees both, whoever comes and goes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as app from './lib/app.mjs';
import { closeBrowsers, page } from './lib/browsers.mjs';
import { audit } from './lib/pages.mjs';
import { Server } from './lib/server.mjs';

/** A picture that stands for longer has frozen, as a person would say. */
const FREEZE_MS = 700;

let server;
let host;

before(async () => {
  server = await Server.start({ args: ['--log', 'debug'] });
  host = await page('chromium');
  await app.authenticator(host);
  await app.setUp(host, server);
});

after(async () => {
  await closeBrowsers();
  await server?.stop();
});

const pictures = (page) => page.evaluate(() => window.pictures());

/** The names under the pictures, as they are shown. */
const names = (page) =>
  page.evaluate(() => {
    const tiles = document.querySelector('veilcast-player').renderRoot.querySelectorAll('veilcast-player-tile');
    return [...tiles].map((tile) => tile.renderRoot.querySelector('.name')?.textContent.trim() ?? '');
  });

/** What the elements themselves show: a picture that is laid out and has advanced. */
const shown = (page) =>
  page.evaluate(() => {
    const tiles = document.querySelector('veilcast-player').renderRoot.querySelectorAll('veilcast-player-tile');
    return [...tiles].map(({ video }) => ({
      width: Math.round(video.getBoundingClientRect().width),
      pictured: video.videoWidth > 0,
      playing: !video.paused,
      at: video.currentTime,
      marked: video.marked === true,
    }));
  });

/** Marks the elements that show pictures now: one that is made anew would have lost its picture. */
const mark = (page) =>
  page.evaluate(() => {
    const tiles = document.querySelector('veilcast-player').renderRoot.querySelectorAll('veilcast-player-tile');
    for (const { video } of tiles) video.marked = true;
  });

/** Watches pictures by their sections while something happens; `stop` tells what was the longest that any stood. */
function watchOver(page, sections) {
  let over = false;
  const since = new Map();
  let longest = 0;
  const watching = (async () => {
    while (!over) {
      const all = await pictures(page);
      for (const at of sections) {
        const known = since.get(at);
        const frames = all[at]?.frames ?? 0;
        if (known === undefined || frames > known.frames) since.set(at, { frames, time: Date.now() });
        longest = Math.max(longest, Date.now() - since.get(at).time);
      }
      await app.sleep(50);
    }
  })();
  return {
    async stop() {
      over = true;
      await watching;
      return longest;
    },
  };
}

/**
 * Whether pictures go on while something happens. Where much else runs, a browser draws nothing for a while whatever happens: so it is
 * tried up to three times, and what really stops a picture does so each time.
 */
async function goOn(why, viewer, sections, happens, undo) {
  const stood = [];
  do {
    if (stood.length > 0) await undo();
    const watch = watchOver(viewer, sections);
    await happens();
    stood.push(await watch.stop());
  } while (stood.length < 3 && stood.at(-1) >= FREEZE_MS);
  assert.ok(stood.at(-1) < FREEZE_MS, `${why}: it stood for ${stood.join(', ')} ms`);
}

/** Waits until so many pictures move. */
async function seesMoving(page, sections) {
  const first = await pictures(page);
  await app.until(`pictures ${sections} move`, async () => {
    const now = await pictures(page);
    return sections.every((at) => (now[at]?.frames ?? 0) > (first[at]?.frames ?? 0) + 10);
  });
}

async function guestStudio(kind, event) {
  const studio = await page(kind);
  await studio.goto(await server.invite(event, 'broadcast'));
  await app.says(studio, 'You are invited to broadcast');
  assert.ok(!studio.url().includes('invitation'), 'the invitation leaves the address bar');
  await app.press(studio, 'Turn on camera and microphone');
  return studio;
}

for (const kind of ['chromium', 'firefox']) {
  test(`co-hosts: ${kind} joins a stage and leaves it, and nobody freezes`, async () => {
    const event = await server.createEvent(`Panel with ${kind}`, '--public', '--broadcasters', '2');
    await app.prepare(host, server, event);
    await app.goLive(host);
    const viewer = await page(kind);
    await viewer.goto(`${server.url}/watch/${event}`);
    await app.plays(viewer);
    const [alone] = await pictures(viewer);
    await mark(viewer);
    const cohost = await guestStudio(kind, event);
    await app.says(cohost, 'On stage');

    const comes = async () => {
      await app.goLive(cohost);
      await app.says(viewer, 'Co-host 2');
      await seesMoving(viewer, [0, 1]);
    };
    const oneLeft = () => app.until('one picture is left', async () => (await shown(viewer)).length === 1);
    const goes = async () => {
      await app.offAir(cohost);
      await oneLeft();
    };
    await goOn('the first picture goes on while the second joins', viewer, [0], comes, goes);
    assert.deepEqual(await names(viewer), ['Host', 'Co-host 2']);
    const both = await shown(viewer);
    assert.ok(both.every(({ width, pictured, playing }) => width > 200 && pictured && playing), JSON.stringify(both));
    assert.deepEqual(both.map(({ marked }) => marked), [true, false], 'in the element that it was in');
    await app.until('both elements go on', async () => (await shown(viewer)).every(({ at }, index) => at > both[index].at));
    const [first] = await pictures(viewer);
    assert.equal(first.ssrc, alone.ssrc, 'the same line');
    assert.equal((await app.measure(viewer)).peers, 1, 'in the same session');
    assert.deepEqual(await audit(viewer), []);

    // Each of the two sees the other, and not itself; neither is one of the audience.
    await app.says(host, 'Also on stage');
    for (const [studio, other] of [[host, 1], [cohost, 0]]) {
      await seesMoving(studio, [other]);
      const received = await pictures(studio);
      assert.equal(received[1 - other]?.frames ?? 0, 0, 'nobody gets back what it sends');
      await app.says(studio, 'Fewer than 5 are watching');
      assert.deepEqual(await audit(studio), []);
    }

    // The place that a co-host leaves is open for the next, without another offer.
    const returns = async () => {
      await goes();
      await comes();
    };
    await goOn('the first picture goes on while the second leaves and comes back', viewer, [0], returns, async () => {});
    assert.equal((await pictures(viewer)).length, 2);

    const hostGoes = async () => {
      await app.offAir(host);
      await oneLeft();
      await seesMoving(viewer, [1]);
    };
    const hostReturns = async () => {
      await app.goLive(host);
      await seesMoving(viewer, [0, 1]);
    };
    await goOn('the second picture goes on without the first', viewer, [1], hostGoes, hostReturns);
    const [left] = await shown(viewer);
    assert.ok(left.pictured && left.width > 600, 'and has all the room');
    assert.equal((await app.measure(viewer)).peers, 1);
    await app.leave(server, viewer);
    await app.offAir(cohost);
    await app.leave(server, cohost);
  });
}

test('co-hosts: an operator lets somebody in, and a stage that is full says so', async () => {
  const event = await server.createEvent('One, then two', '--public');
  await app.prepare(host, server, event);
  await app.goLive(host);
  const cohost = await guestStudio('chromium', event);
  await app.press(cohost, 'Go live');
  await app.says(cohost, 'Somebody else is broadcasting');
  assert.ok(!(await app.text(cohost)).includes('End event'), 'a guest ends nothing');
  const select = await host.waitForSelector('vc-cohosts select');
  await select.select('2');
  // Who may speak is decided by somebody who was just recognised; the broadcast goes on meanwhile.
  await app.press(host, 'Create a passkey');
  await app.says(host, 'Copy co-host invitation');
  await app.says(host, 'You are on air.');
  await app.press(cohost, 'Go live');
  await app.says(cohost, 'You are on air.');
  await app.says(host, 'Also on stage');
  await seesMoving(host, [1]);
  await app.offAir(cohost);
  await app.leave(server, cohost);
  await app.offAir(host);
});

for (const kind of ['chromium', 'firefox']) {
  test(`co-hosts: what ${kind} offers for a full stage is within the server's limits`, async () => {
    const visitor = await page(kind);
    await visitor.goto(server.url);
    const sdp = await visitor.evaluate(async () => {
      const peer = new RTCPeerConnection();
      for (let place = 0; place < 16; place += 1) {
        for (const kind of ['audio', 'video']) peer.addTransceiver(kind, { direction: 'recvonly' });
      }
      return (await peer.createOffer()).sdp;
    });
    const message = JSON.stringify({ type: 'offer', number: 1, sdp });
    // With a third to spare, since browsers grow.
    const size = { sdp: sdp.length, message: message.length, lines: sdp.split('\n').length };
    assert.ok(size.sdp * 1.33 < 128 * 1024 && size.message * 1.33 < 144 * 1024 && size.lines * 1.33 < 5_000, JSON.stringify(size));
    await visitor.browserContext().close();
  });
}
