// Asked in one place, answered by a click, taken back at once.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  const rows = await viewer.$$('.choices veilcast-choices >>> li');
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

test('a receipt is kept where its person asks for it, and got back from the server by its key', async () => {
  const viewer = await page('chromium');
  await app.noteFiles(viewer);
  await viewer.goto(`${server.url}/watch/${event}`);
  await app.plays(viewer);
  await viewer.$eval('.choices summary', (it) => it.click());
  const kept = () => viewer.evaluate(() => JSON.parse(localStorage.getItem('veilcast-receipts') ?? '[]').map((visit) => visit.receipts.length));
  await ask(viewer, 'Being listed');
  await app.answers(viewer, 'No');
  assert.deepEqual(await kept(), [], 'an answer keeps nothing');
  await ask(viewer, 'Chat');
  await app.answers(viewer, 'Yes', 'Keep on this device');
  assert.deepEqual(await kept(), [2], 'what was chosen in this visit, and its key');
  await app.says(viewer, 'Being listed: you said no · Chat: you said yes');
  assert.deepEqual(await audit(viewer), []);

  await ask(viewer, 'Chat');
  await app.says(viewer, '3 receipts of what you chose');
  assert.deepEqual(await kept(), [2], 'no more than they asked for');
  await app.press(viewer, 'Get the receipts that are kept here');
  await app.says(viewer, 'This server keeps 3 of this visit: saved.');
  const [file] = await app.files(viewer);
  const verdicts = await server.verifyReceipts(file);
  assert.deepEqual(verdicts.match(/(presence|chat) 1\t[a-z]+/g), ['presence 1\trefused', 'chat 1\tgiven', 'chat 1\twithdrawn']);

  // Another visit has another key, and finds what was kept.
  await viewer.reload();
  await app.plays(viewer);
  await viewer.$eval('.choices summary', (it) => it.click());
  await app.says(viewer, 'Kept on this device');
  assert.ok(!(await app.text(viewer)).includes('Receipts of this visit'));
  await viewer.goto(`${server.url}/privacy`);
  await app.press(viewer, 'Save');
  const [saved] = await app.files(viewer);
  assert.match(await server.verifyReceipts(saved), /chat 1\tgiven/);
  await app.press(viewer, 'Take back');
  await app.says(viewer, 'Nothing of it stands any more');
  await app.press(viewer, 'Forget');
  await app.until('it is forgotten', async () => (await kept()).length === 0);
  await app.leave(server, viewer);
});

test('who wrote without an account and has closed the page takes it back with the receipt that they saved', async () => {
  const quiet = await server.createEvent('Said and left', '--public');
  const [writer, reader] = [await page('chromium'), await page('chromium')];
  await app.noteFiles(writer);
  for (const person of [writer, reader]) {
    await person.goto(`${server.url}/watch/${quiet}`);
    await app.press(person, 'Open the chat');
    await app.answers(person, 'Yes', ...(person === writer ? ['Save the receipt'] : []));
  }
  const [saved] = await app.files(writer);
  await app.fill(writer, 'text', 'I should not have said that');
  await app.press(writer, 'Send');
  await app.says(reader, 'I should not have said that');
  await writer.close();

  const later = await page('chromium');
  await later.goto(`${server.url}/privacy`);
  const field = await app.until('a place for a file', () => later.$('input[type=file]'));
  const directory = mkdtempSync(join(tmpdir(), 'veilcast-receipts-'));
  writeFileSync(join(directory, 'other.json'), '{}');
  writeFileSync(join(directory, 'saved.json'), saved);
  await field.uploadFile(join(directory, 'other.json'));
  await app.says(later, 'That is no file of receipts with their key');
  await field.uploadFile(join(directory, 'saved.json'));
  await app.says(later, 'Chat: you said yes');
  assert.deepEqual(await audit(later), []);
  await app.press(later, 'Take back');
  await app.says(later, 'Taken back. What was on a screen because of it goes at once.');
  await app.says(later, 'Chat: you took it back');
  await app.until('it is gone', async () => !(await app.text(reader)).includes('I should not have said that'));
  assert.equal(await later.evaluate(() => localStorage.getItem('veilcast-receipts')), null, 'opening a file keeps nothing');
  rmSync(directory, { recursive: true });
  await app.leave(server, later, reader);
});

test('whoever has signed in finds every receipt of theirs, and signing out forgets what the device keeps', async () => {
  await host.bringToFront();
  await app.press(host, 'Open the chat');
  await app.answers(host, 'Yes', 'Keep on this device');
  await app.noteFiles(host);
  await host.goto(`${server.url}/account`);
  await app.press(host, 'Your receipts');
  await app.says(host, 'Take part in the chat?');
  const shown = await app.text(host);
  for (const words of ['You said yes', `asked on ${server.url}`, event, 'kept here for two years']) assert.ok(shown.includes(words), words);
  assert.ok(!shown.includes('Questions'), 'a receipt has no title');
  assert.deepEqual(await audit(host), []);
  await app.press(host, 'Download');
  await app.press(host, 'Download all');
  const saved = await app.until('both files', async () => ((await app.files(host)).length === 2 ? app.files(host) : null));
  for (const file of saved) assert.match(await server.verifyReceipts(file), /chat 1\tgiven/);
  const kept = () => host.evaluate(() => localStorage.getItem('veilcast-receipts'));
  assert.notEqual(await kept(), null);
  await host.goto(`${server.url}/account`);
  await app.press(host, 'Sign out');
  await app.until('it is forgotten', async () => (await kept()) === null);
});
