// What an operator does about the programs of others: registers one with a key made here, sees what it does, revokes it.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import * as app from './lib/app.mjs';
import { closeBrowsers, page } from './lib/browsers.mjs';
import { audit } from './lib/pages.mjs';
import { root, Server } from './lib/server.mjs';

let server;
let operator;

before(async () => {
  server = await Server.start({ args: ['--log', 'debug'] });
  operator = await page('chromium');
  await app.authenticator(operator);
  await app.setUp(operator, server);
});

after(async () => {
  await closeBrowsers();
  await server?.stop();
});

const value = (selector) => operator.evaluate((selector) => document.querySelector(selector)?.value ?? null, selector);

test('a program is registered, seen and revoked', async () => {
  await operator.goto(`${server.url}/operator`);
  await app.press(operator, 'Programs and keys');
  await app.says(operator, 'No programs are registered.');
  await app.press(operator, 'Register a program');
  await app.fill(operator, 'label', 'Course platform');
  await app.fill(operator, 'owner', 'IT, room 4');
  assert.deepEqual(await audit(operator), []);
  await app.press(operator, 'Register');
  // A password alone is not enough for that: the way there leads over a passkey, and back.
  await app.press(operator, 'Create a passkey');
  await app.says(operator, 'It is shown only now');
  assert.deepEqual(await audit(operator), []);
  const [id, pem] = [await value('vc-copy-field input'), await value('textarea.pem')];
  assert.match(id, /^[a-z2-7]{26}$/);
  await app.press(operator, 'Done');
  assert.equal(await value('textarea.pem'), null, 'nobody is shown it again');

  const key = join(server.data, 'program.pem');
  await writeFile(key, pem, { mode: 0o600 });
  Object.assign(process.env, { VEILCAST_URL: server.url, VEILCAST_CLIENT: id, VEILCAST_KEY: key });
  const { veilcast } = await import(join(root, 'docs/examples/backend.mjs'));
  const event = await veilcast('POST', '/api/v1/events', { title: 'Their lecture' });
  const wish = { role: 'viewer', subject: 'somebody of theirs', expires_in: 3_600 };
  const { code } = await veilcast('POST', `/api/v1/events/${event.id}/grants`, wish);
  const viewer = await page('chromium');
  await viewer.goto(`${server.url}/watch/${event.id}#invitation=${code}`);
  await app.says(viewer, 'Waiting for the broadcaster');

  await operator.reload();
  await app.says(operator, 'Events created: 1 · Grants issued: 1');
  assert.ok(!(await app.text(operator)).includes('somebody'), 'and nobody by name');
  // Who was recognised a moment ago is not asked again, though the page is a new one.
  await app.press(operator, 'New key for Course platform');
  await app.says(operator, 'It is shown only now');
  assert.notEqual(await value('textarea.pem'), pem);
  await app.press(operator, 'Revoke Course platform');
  await app.says(operator, 'Put its people out, too');
  assert.deepEqual(await audit(operator), []);
  await operator.click('dialog input[name=grants]');
  await operator.click('dialog button[value=revoke]');
  await app.says(operator, 'No programs are registered.');
  await app.says(viewer, 'was withdrawn');
  await assert.rejects(veilcast('GET', '/api/v1/events'), /token-invalid|client-refused/);
  for (const word of [pem.split('\n')[1], code, 'Course platform', 'somebody']) {
    assert.ok(!server.stderr.includes(word), 'the log does not know it');
  }
  app.assertQuiet(operator, server, { allowed: [/status of 401/] });
});
