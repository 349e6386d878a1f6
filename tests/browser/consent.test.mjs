// Asked in one place, answered by a click, taken back at once.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as app from './lib/app.mjs';
import { closeBrowsers, page } from './lib/browsers.mjs';
import { audit } from './lib/pages.mjs';
import { Server } from './lib/server.mjs';

/** What whoever runs the server asks beside what is built in. */
const SPONSOR = `
[[purpose]]
name = "x-sponsor"
version = 1
since = "2026-11-22"
title = "Hear from our sponsor?"
what = "Your address."
who = "The sponsor."
how_long = "A year."
refusing = "Nothing changes."
outside = true
`;

let server;
let host;
let event;

before(async () => {
  server = await Server.start({ config: SPONSOR });
  host = await page('chromium');
  await app.setUp(host, server);
  event = await server.createEvent('Questions', '--public');
  await app.prepare(host, server, event);
  await app.goLive(host);
});

after(async () => {
  await closeBrowsers();
  await server?.stop();
});

const row = async (viewer, name) => {
  const rows = await viewer.$$('.choices li');
  const names = await Promise.all(rows.map((one) => one.$eval('strong', (it) => it.textContent)));
  return rows[names.indexOf(name)];
};

const standing = async (viewer, name) => (await row(viewer, name)).$eval('.standing', (it) => it.textContent.trim());

const ask = async (viewer, name) => (await row(viewer, name)).$eval('button', (it) => it.click());

/** Looked for again and again: what changes inside a shadow root wakes nobody outside. */
const inQuestion = (viewer, words) =>
  app.until(`the question says '${words}'`, () =>
    viewer.$(`veilcast-consent-ask >>> veilcast-consent-question >>> ::-p-text(${words})`),
  );

for (const kind of ['chromium', 'firefox']) {
  test(`consent: ${kind} asks where it matters, and nothing is on before`, async () => {
    const viewer = await page(kind);
    await viewer.bringToFront();
    await viewer.goto(`${server.url}/watch/${event}`);
    await app.plays(viewer);
    await viewer.$eval('.choices summary', (it) => it.click());
    for (const name of ['Chat', 'Being listed', 'Figures']) assert.equal(await standing(viewer, name), 'Off');
    await ask(viewer, 'Chat');
    await inQuestion(viewer, 'Take part in the chat?');
    const sizes = await viewer.$$eval('veilcast-consent-ask >>> veilcast-consent-question >>> .actions button', (all) =>
      all.map((it) => [it.offsetWidth, it.offsetHeight, getComputedStyle(it).backgroundColor]),
    );
    assert.deepEqual(sizes[0], sizes[1], 'both answers look alike');
    assert.deepEqual(await audit(viewer), []);
    await app.answers(viewer, 'No');
    assert.equal(await standing(viewer, 'Chat'), 'Off');
    await ask(viewer, 'Chat');
    await app.answers(viewer, 'Yes');
    await app.until('it is on', async () => (await standing(viewer, 'Chat')) === 'On');
    assert.equal(await standing(viewer, 'Being listed'), 'Off', 'one yes is one yes');
    assert.deepEqual(await audit(viewer), []);
    await ask(viewer, 'Chat');
    await app.until('it is off', async () => (await standing(viewer, 'Chat')) === 'Off');
    await app.leave(server, viewer);
  });
}

test('what the server asks for somebody else waits for the person while the signal is on', async () => {
  const viewer = await page('chromium');
  await viewer.evaluateOnNewDocument(() => {
    Object.defineProperty(navigator, 'globalPrivacyControl', { value: true });
  });
  await viewer.goto(`${server.url}/watch/${event}`);
  await app.plays(viewer);
  await viewer.$eval('.choices summary', (it) => it.click());
  const name = 'Hear from our sponsor';
  assert.match(await standing(viewer, name), /privacy signal/);
  await ask(viewer, name);
  await inQuestion(viewer, 'Global Privacy Control is on');
  assert.deepEqual(await audit(viewer), []);
  await app.answers(viewer, 'Yes');
  await app.until('it is on', async () => (await standing(viewer, name)) === 'On');
  assert.equal(await standing(viewer, 'Chat'), 'Off');
  await ask(viewer, name);
  await app.until('it is off', async () => /privacy signal/.test(await standing(viewer, name)));
  await app.leave(server, viewer);
});
