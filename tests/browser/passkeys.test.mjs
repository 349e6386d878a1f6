// What an operator does with a passkey: the first start, a second device, a stream key after a while, throwing somebody out.
// Chromium's virtual authenticator stands for the device.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as app from './lib/app.mjs';
import { closeBrowsers, page } from './lib/browsers.mjs';
import { audit } from './lib/pages.mjs';
import { Server } from './lib/server.mjs';

let server;

before(async () => {
  server = await Server.start();
});

after(async () => {
  await closeBrowsers();
  await server?.stop();
});

test('from the first start with a passkey to the studio, a second device, and a stream key', async () => {
  const first = await page('chromium');
  const device = await app.authenticator(first);
  await first.goto(await server.setupLink());
  await app.press(first, 'Create a passkey');
  await app.says(first, 'Your first event');
  const [kept] = await device.credentials();
  assert.equal(kept.rpId, 'localhost');
  assert.ok(kept.isResidentCredential, 'found without a name');

  // The same person elsewhere: the passkey went along, as synchronised ones do.
  const second = await page('chromium');
  const other = await app.authenticator(second);
  await other.add(kept);
  await second.goto(`${server.url}/studio`);
  await app.press(second, 'Sign in with a passkey');
  await app.says(second, 'Your first event');
  await first.reload();
  await app.says(first, 'Somebody signed in to this account with');

  const event = await server.createEvent('From OBS', '--public');
  await second.goto(`${server.url}/studio/${event}`);
  await app.press(second, 'Create a stream key');
  await app.says(second, 'It is shown only now');

  // A quarter of an hour later the server wants to be sure again (RFC 9470): the passkey is shown, and the page goes on where it was.
  await server.ageSignIns(900);
  await second.reload();
  await app.press(second, 'Create a stream key');
  await app.says(second, 'Use your passkey, then you go on where you were.');
  assert.deepEqual(await audit(second), []);
  await app.press(second, 'Use a passkey');
  await app.says(second, 'It is shown only now');

  // What somebody reads of a page's request is worth nothing in another browser: nobody there has the key for the next proof.
  const answered = second.waitForResponse((reply) => reply.request().headers().dpop && reply.url().endsWith('/stream-keys'));
  await second.reload();
  const read = (await answered).request();
  const { authorization, dpop } = read.headers();
  const bearer = authorization.replace(/^DPoP/, 'Bearer');
  for (const headers of [{ authorization, dpop }, { authorization }, { authorization: bearer }, { authorization: bearer, dpop }]) {
    const refused = await first.evaluate(async (url, headers) => (await fetch(url, { headers })).json(), read.url(), headers);
    assert.match(refused.code, /^proof-(invalid|missing)$/, Object.keys(headers).join());
  }

  // Break-glass: who is at the event already hears of it, and of its end.
  await second.goto(`${server.url}/studio/${event}`);
  const viewer = await page('firefox');
  await viewer.goto(`${server.url}/watch/${event}`);
  const operators = await second.browserContext().newPage();
  await operators.goto(`${server.url}/operator`);
  await app.press(operators, 'Open the session log');
  await app.until('the log is open', () => operators.$('vc-session-log summary'));
  await operators.$eval('vc-session-log summary', (summary) => summary.click());
  await app.press(operators, 'Ask for it');
  await second.bringToFront();
  for (const each of [viewer, second]) {
    await app.says(each, 'asked to learn who is put out here');
    await app.says(each, 'Who is put out can be named');
  }
  for (const each of [viewer, second]) assert.deepEqual(await audit(each), []);
  await operators.bringToFront();
  await app.press(operators, 'Take it back');
  await second.bringToFront();
  for (const each of [viewer, second]) {
    await app.until('nothing is said of it any more', async () => !(await app.text(each)).includes('put out'));
  }
  await operators.close();
  await viewer.browserContext().close();

  await first.goto(`${server.url}/account`);
  await app.says(first, 'This one');
  assert.deepEqual(await audit(first), []);
  await app.press(first, 'This was not me');
  await app.says(first, 'Sign in with a passkey');
  await second.goto(`${server.url}/studio`);
  await app.says(second, 'Sign in with a passkey');
  // The server says 401 to whoever was thrown out, or 400 where their page renews its token, and browsers write that down.
  for (const each of [first, second]) {
    app.assertQuiet(each, server, { allowed: [/status of 40[01]/] });
    await each.browserContext().close();
  }
});
