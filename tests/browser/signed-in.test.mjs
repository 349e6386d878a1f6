// Staying signed in: over a reload, in two tabs that renew at once, until somebody signs out; and signing in with an
// authenticator app and with recovery codes.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, afterEach, test } from 'node:test';
import * as app from './lib/app.mjs';
import { closeBrowsers, page } from './lib/browsers.mjs';
import { audit } from './lib/pages.mjs';
import { Server } from './lib/server.mjs';

const STEP_MS = 30_000;

let server;

afterEach(async () => {
  await server?.stop();
  server = undefined;
});

after(closeBrowsers);

/** What an app shows that has this secret (RFC 6238), so many steps from now. */
function totp(secret, ahead = 0) {
  const bits = [...secret].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / STEP_MS) + ahead));
  const mac = createHmac('sha1', key).update(counter).digest();
  const number = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

const copied = (page) => page.evaluate(() => document.querySelector('vc-copy-field input')?.value ?? '');
const keys = (page) => page.evaluate(() => document.querySelectorAll('vc-stream-keys li').length);
const isAsked = (page) => page.evaluate(() => document.querySelector('vc-step-up') !== null);

/** An operator with a password, an app and recovery codes, and the page that they were made in. */
async function operator(kind) {
  server = await Server.start();
  const own = await page(kind);
  await app.setUp(own, server);
  await app.says(own, 'Your first event');
  await own.goto(`${server.url}/account`);
  await app.press(own, 'Add an authenticator app');
  const secret = await app.until('a secret', () => copied(own));
  await app.fill(own, 'code', totp(secret));
  await app.press(own, 'Add the app');
  await app.says(own, 'Replace the authenticator app');
  await app.press(own, 'Make ten codes');
  const codes = await app.until('ten codes', async () => {
    const shown = await own.evaluate(() => [...document.querySelectorAll('.codes code')].map((e) => e.textContent.trim()));
    return shown.length === 10 ? shown : null;
  });
  return { own, secret, codes };
}

async function makeKey(own, number) {
  await app.press(own, 'Create a stream key');
  await app.until(`stream key ${number}`, async () => {
    assert.equal(await isAsked(own), false, 'nobody is asked again');
    return (await keys(own)) === number;
  });
}

async function signIn(own, code) {
  await own.goto(`${server.url}/studio`);
  await app.fill(own, 'name', app.operator.name);
  await app.fill(own, 'password', app.operator.password);
  await app.press(own, 'Sign in');
  await app.fill(own, 'code', code);
  await app.press(own, 'Sign in');
}

for (const kind of ['chromium', 'firefox']) {
  test(`${kind}: signed in over a reload, in two tabs, until one signs out`, async () => {
    const { own } = await operator(kind);
    const event = await server.createEvent('From OBS', '--public');
    await own.goto(`${server.url}/studio/${event}`);
    await makeKey(own, 1);
    await own.reload();
    await makeKey(own, 2);
    assert.equal(own.url(), `${server.url}/studio/${event}`, 'nobody was sent anywhere');
    assert.deepEqual(await app.keptKey(own), { extractable: false, usages: ['sign'] });
    assert.equal(await own.evaluate(() => document.cookie), '', 'no script sees a cookie');

    const tab = await own.browserContext().newPage();
    await tab.goto(`${server.url}/studio/${event}`);
    for (let round = 0; round < 3; round++) {
      await Promise.all([own.reload(), tab.reload()]);
      await Promise.all([app.says(own, 'OBS and other programs'), app.says(tab, 'OBS and other programs')]);
    }
    await makeKey(tab, 3);
    // A tab behind another shows nothing, and nothing can be pressed there.
    await own.bringToFront();
    await own.goto(`${server.url}/account`);
    await app.says(own, 'This one');
    assert.ok(!(await app.text(own)).includes('A copy of what keeps'), 'no family died of it');
    assert.deepEqual(await audit(own), []);

    await app.press(own, 'Sign out');
    await app.until('signed out', () => new URL(own.url()).pathname === '/');
    // What was open there is over without a reload.
    await tab.bringToFront();
    await app.press(tab, 'Revoke');
    await app.until('the sign-in page', () => new URL(tab.url()).pathname === '/sign-in');
    assert.match(new URL(tab.url()).search, /^\?client_id=veilcast-web&request_uri=urn%3Aietf[\w%.-]+$/, 'nothing to read there');
    app.assertQuiet(own, server);
    await own.browserContext().close();
  });
}

test('an app’s code lets in, a recovery code lets in once', async () => {
  const { own, secret, codes } = await operator('chromium');
  const signOut = async () => {
    await own.goto(`${server.url}/account`);
    await app.press(own, 'Sign out');
    await app.until('signed out', () => new URL(own.url()).pathname === '/');
  };
  await signOut();
  await signIn(own, codes[0]);
  await app.says(own, 'Your first event');
  await signOut();
  await signIn(own, codes[0].toUpperCase());
  await app.says(own, 'The name or the password is wrong.');
  assert.equal(new URL(own.url()).pathname, '/sign-in', 'a second time');
  // The code of this half minute was used up by adding the app.
  await signIn(own, totp(secret, 1));
  await app.says(own, 'Your first event');
  app.assertQuiet(own, server, { allowed: [/status of 401/] });
});
