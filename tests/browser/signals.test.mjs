// What an operator does to be told elsewhere what happens here, and what the page says after somebody has guessed at passwords.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import * as app from './lib/app.mjs';
import { closeBrowsers, page } from './lib/browsers.mjs';
import { audit } from './lib/pages.mjs';
import { Server } from './lib/server.mjs';

let server;
let host;
let receiver;
const taken = [];

before(async () => {
  server = await Server.start({ args: ['--log', 'debug'], config: 'webhook_allow = ["127.0.0.0/8"]\n' });
  receiver = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    taken.push({ headers: request.headers, body });
    response.writeHead(204).end();
  });
  await new Promise((resolve) => { receiver.listen(0, '127.0.0.1', resolve); });
  host = await page('chromium');
  await app.authenticator(host);
  await app.setUp(host, server);
});

after(async () => {
  await closeBrowsers();
  await server?.stop();
  receiver?.close();
});

const secretShown = () => host.evaluate(() => document.querySelector('vc-copy-field input')?.value ?? null);

function verifies(secret, { headers, body }) {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const expected = `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
  return headers['webhook-signature'].split(' ').includes(expected);
}

test('a receiver is added, tried out, given another secret and removed', async () => {
  const origin = `http://127.0.0.1:${receiver.address().port}`;
  await host.goto(`${server.url}/operator`);
  await app.says(host, 'Nothing suspicious was seen');
  await app.press(host, 'Add a receiver');
  await app.fill(host, 'url', `${origin}/canary-path`);
  assert.deepEqual(await audit(host), []);
  await app.press(host, 'Add it');
  // A password alone is not enough for that: the way there leads over a passkey, and back.
  await app.press(host, 'Create a passkey');
  await app.says(host, 'It is shown only now');
  const secret = await secretShown();
  assert.match(secret, /^whsec_[\w+/]{43}=$/);
  await app.says(host, 'Nothing sent yet');
  assert.ok(!(await app.text(host)).includes('canary-path'), 'a path may hold a credential');
  assert.deepEqual(await audit(host), []);
  await app.press(host, 'Test');
  await app.says(host, 'Works: it took the last message');
  assert.ok(verifies(secret, taken[0]));
  assert.equal(JSON.parse(taken[0].body).type, 'webhook.test');
  await app.press(host, 'New secret');
  await app.until('another secret', async () => (await secretShown()) !== secret);
  const next = await secretShown();
  await app.press(host, 'Test');
  await app.until('it is sent', () => taken.length === 2);
  assert.ok(verifies(secret, taken[1]) && verifies(next, taken[1]), 'for a day, both will do');
  await host.reload();
  await app.says(host, 'the secret before the last still counts');
  assert.equal(await secretShown(), null, 'nobody is shown it again');
  const event = await server.createEvent('Canary concert');
  await server.command('event', 'end', event);
  await app.until('it is told', () => taken.length === 3);
  assert.ok(taken[2].body.includes('event.ended') && !/canary/i.test(taken[2].body), taken[2].body);
  await app.press(host, 'Remove');
  await app.press(host, 'Remove receiver');
  await app.until('it is gone', () => host.evaluate(() => document.querySelector('vc-webhooks li') === null));
  assert.ok(!server.stderr.includes(secret.slice(6)) && !server.stderr.includes('canary'), 'the log does not know it');
});

test('guesses at a password are told in plain words', async () => {
  for (let guess = 0; guess < 10; guess++) {
    const headers = { 'content-type': 'application/json', origin: server.url };
    const body = JSON.stringify({ name: app.operator.name, password: `wrong horse battery ${guess}` });
    assert.equal((await fetch(`${server.url}/oauth/sign-in`, { method: 'POST', headers, body })).status, 401);
  }
  await host.goto(`${server.url}/operator`);
  await app.says(host, 'Somebody guesses at one account');
  await app.says(host, 'Within the last hour');
  assert.ok(!(await app.text(host)).includes(app.operator.name), 'it does not say whose');
  assert.deepEqual(await audit(host), []);
  app.assertQuiet(host, server, { allowed: [/status of 401/] });
});
