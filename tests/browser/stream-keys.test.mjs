// What a person does in the studio to broadcast from another program: make a key, copy it, see it used, revoke it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as app from './lib/app.mjs';
import { closeBrowsers, page } from './lib/browsers.mjs';
import { audit } from './lib/pages.mjs';
import { Server } from './lib/server.mjs';

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

const fields = () =>
  host.evaluate(() => [...document.querySelectorAll('vc-copy-field input')].map(({ value }) => value));

/** What a program is told that shows a key and then sends no offer: 400 where the key is good. */
async function told(address, key) {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/sdp' };
  const reply = await fetch(address, { method: 'POST', headers, body: 'v=0' });
  return (await reply.json()).code;
}

test('a stream key is shown once, works, and is revoked', async () => {
  const event = await server.createEvent('From OBS', '--public');
  await host.goto(`${server.url}/studio/${event}`);
  await app.says(host, 'OBS and other programs');
  assert.equal((await fields()).length, 1, 'the address alone');
  await app.press(host, 'Create a stream key');
  // A password alone is not enough for that: the way there leads over a passkey, and back.
  await app.press(host, 'Create a passkey');
  await app.says(host, 'It is shown only now');
  await app.says(host, 'Not used yet · ends in 30 days');
  assert.deepEqual(await audit(host), []);
  const [address, key] = await fields();
  assert.equal(address, `${server.url}/whip/${event}`);
  assert.match(key, /^vk_[\w-]{43}$/);
  assert.equal(await told(address, key), 'sdp-invalid', 'the key is good');
  await host.reload();
  await app.says(host, 'Used just now');
  assert.equal((await fields()).length, 1, 'nobody is shown it again');
  await app.press(host, 'Revoke');
  await app.until('the key is gone', () => host.evaluate(() => document.querySelector('vc-stream-keys li') === null));
  assert.equal(await told(address, key), 'token-invalid');
  assert.ok(!server.stderr.includes(key.slice(3)), 'the log does not know it');
  app.assertQuiet(host, server, { allowed: [/status of 401/] });
});
