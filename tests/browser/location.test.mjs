// Where people are: somebody chooses, the broadcaster sees a cell, and it goes when they stop. No coordinate leaves the page.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import * as app from './lib/app.mjs';
import { closeBrowsers, PLACE, page, settle } from './lib/browsers.mjs';
import { audit } from './lib/pages.mjs';
import { Server } from './lib/server.mjs';
import { kept } from './lib/stored.mjs';

/** The city cell around PLACE, as H3 has it. */
const CELL = '861e15b47ffffff';
/** The cell and all that are around it from the size of a region on, in hexadecimal and decimal. */
const { cellToParent } = createRequire(new URL('../../client-web/package.json', import.meta.url))('h3-js');
const CELLS = [6, 5, 4, 3, 2].map((size) => cellToParent(CELL, size)).flatMap((cell) => [cell, String(BigInt(`0x${cell}`))]);

let server;

before(async () => {
  server = await Server.start({ args: ['--log', 'debug'] });
});

after(async () => {
  await closeBrowsers();
  await server?.stop();
});

/** Keeps what the page says over sockets and in the bodies of requests. */
const listening = () => {
  window.said = [];
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (text) {
    window.said.push(String(text));
    return send.call(this, text);
  };
  const { fetch } = window;
  window.fetch = (address, options) => {
    window.said.push(`${address} ${options?.body ?? ''}`);
    return fetch(address, options);
  };
};

/** A page that may be told where it is. */
async function somewhere(kind) {
  const opened = await page(kind);
  await opened.evaluateOnNewDocument(listening);
  await settle(opened, server.url);
  return opened;
}

/** Chooses a size and shows the area, as far as the question. */
async function choose(viewer, precision) {
  await app.press(viewer, 'Choose what to show');
  const radio = await app.until('the sizes', () => viewer.$(`input[value=${precision}]`));
  await radio.click();
  assert.deepEqual(await audit(viewer), []);
  await app.press(viewer, 'Show my area');
  await app.until('the question', () => question(viewer, 'h2'), { within: 30_000 });
  assert.deepEqual(await audit(viewer), []);
}

/** A part of the question, which has a root of its own. */
function question(viewer, part) {
  return viewer.$(`veilcast-consent-ask >>> veilcast-consent-question >>> ${part}`);
}

/** Both answers are as large as each other, and neither has the focus. */
async function assertEven(viewer) {
  const buttons = await viewer.$$('veilcast-consent-ask >>> veilcast-consent-question >>> .actions button');
  const box = (button) => {
    const { width, height } = button.getBoundingClientRect();
    return [Math.round(width), Math.round(height), button.className, button.matches(':focus')];
  };
  const boxes = await Promise.all(buttons.map((button) => button.evaluate(box)));
  assert.equal(boxes.length, 2);
  assert.deepEqual(boxes[0], boxes[1]);
  assert.equal(boxes[0][3], false);
}

for (const kind of ['chromium', 'firefox']) {
  test(`${kind}: an area appears in the studio once its person has agreed, and is gone when they stop`, async (context) => {
    const event = await server.createEvent('Field trip', '--public', '--location', 'city');
    const studio = await page(kind);
    await studio.goto(await server.invite(event, 'broadcast'));
    await app.press(studio, 'Turn on camera and microphone');
    await app.goLive(studio);
    const viewer = await somewhere(kind);
    await viewer.goto(`${server.url}/watch/${event}`);
    await app.plays(viewer);
    await app.says(viewer, 'Nobody is shown where you are.');
    assert.ok(!viewer.requests.some((url) => /earth|countries/.test(url)), 'nothing of the map is loaded before it is wanted');

    await choose(viewer, 'city');
    await assertEven(viewer);
    await app.answers(viewer, 'No');
    assert.ok(!(await app.text(studio)).includes('Where people watch from'), 'nothing without a yes');

    await viewer.reload();
    await app.plays(viewer);
    await choose(viewer, 'city');
    await app.answers(viewer, 'Yes');
    await app.says(viewer, 'Shown: An area the size of a city in Austria.');
    await app.says(viewer, '15 minutes left');
    await app.says(studio, 'Austria');
    assert.deepEqual(await audit(viewer), []);
    for (const one of [studio, viewer]) assert.deepEqual(await kept(one, ...CELLS), [], 'no browser keeps where anybody is');
    await studio.$eval('vc-located summary', (summary) => summary.click());
    await app.until('the map is drawn', () => studio.$('vc-located svg path.medium'), { within: 30_000 });
    assert.deepEqual(await audit(studio), []);

    // Both pages are told the time by the same machine. Best of three: a busy one is in it.
    await studio.evaluate(() => {
      const located = document.querySelector('vc-located');
      located.talk.whereabouts.on('people', async () => {
        await located.updateComplete;
        if (!located.textContent.includes('Austria')) window.cleared ??= Date.now();
      });
    });
    const took = [];
    while (took.length < 3 && !took.some((ms) => ms <= 100)) {
      // A page that goes away takes its area along; after it, a guest is somebody else.
      await viewer.reload();
      await app.until('it is gone', async () => !(await app.text(studio)).includes('Austria'));
      await app.plays(viewer);
      await choose(viewer, 'city');
      await app.answers(viewer, 'Yes');
      await app.says(studio, 'Austria');
      await studio.evaluate(() => { delete window.cleared; });
      await viewer.evaluate(() => addEventListener('click', () => { window.pressed = Date.now(); }, { capture: true }));
      await app.press(viewer, 'Stop showing');
      const cleared = await app.until('it is gone', () => studio.evaluate(() => window.cleared));
      took.push(cleared - (await viewer.evaluate(() => window.pressed)));
    }
    context.diagnostic(`gone from the studio after ${took} ms`);
    assert.ok(took.at(-1) <= 100, `it took ${took} ms`);
    await app.says(viewer, 'Nobody is shown where you are.');

    const said = (await viewer.evaluate(() => window.said)).join('\n') + viewer.requests.join('\n');
    assert.ok(said.includes('withdraw-consent') && said.includes(CELL), 'the page is listened to');
    for (const number of [PLACE.latitude, PLACE.longitude]) {
      for (const digits of [2, 3, 4, 5, 6]) assert.ok(!said.includes(number.toFixed(digits)), `${digits} digits`);
    }
    await app.leave(server, viewer, studio);
  });
}

test('whoever broadcasts shows viewers where from, if they like', async () => {
  const event = await server.createEvent('Field trip', '--public', '--location', 'region');
  const studio = await somewhere('chromium');
  await studio.goto(await server.invite(event, 'broadcast'));
  await app.press(studio, 'Turn on camera and microphone');
  await app.goLive(studio);
  const viewer = await page('chromium');
  await viewer.goto(`${server.url}/watch/${event}`);
  await app.plays(viewer);
  await choose(studio, 'country');
  await app.answers(studio, 'Yes');
  await app.says(studio, 'Shown: Austria');
  await app.says(viewer, 'The broadcast comes from: Austria');
  await viewer.$eval('vc-location summary', (summary) => summary.click());
  await app.until('the map is drawn', () => viewer.$('vc-location svg path.strong'), { within: 30_000 });
  assert.deepEqual(await audit(viewer), []);
  await app.press(studio, 'Stop showing');
  await app.until('it is gone', async () => !(await app.text(viewer)).includes('Austria'));
  await app.leave(server, viewer, studio);
});
