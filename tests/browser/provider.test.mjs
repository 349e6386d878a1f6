// Somebody signs in at a provider, watches an event that asks for it, and the provider learns nothing of that.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as app from './lib/app.mjs';
import { closeBrowsers, page } from './lib/browsers.mjs';
import { audit } from './lib/pages.mjs';
import { Provider } from './lib/provider.mjs';
import { Server } from './lib/server.mjs';

let provider;
let realm;
let server;

before(async () => {
  provider = await Provider.start();
  realm = await provider.realm('http://localhost:8080');
  server = await Server.start({ config: realm.settings, args: ['--log', 'debug'] });
});

after(async () => {
  await closeBrowsers();
  await server?.stop();
  await provider?.stop();
});

const RANDOM = new Set(['state', 'nonce', 'code_challenge']);

/** What the provider was asked since the last time, without what is different every time. */
let seen = 0;
async function asked() {
  const all = await realm.tell('requests');
  const fresh = all.slice(seen).filter(({ path }) => !path.startsWith('/.well-known/') && path !== '/jwks');
  seen = all.length;
  return fresh.map(({ method, path, query, headers }) => ({
    method,
    path: path.replace(/^\/auth\/.+/, '/auth/UID'),
    query: query.map(([name, value]) => {
      if (!RANDOM.has(name)) return [name, value];
      assert.match(value, /^[\w-]{43}$/, `${name} is 256 random bits and nothing else`);
      return [name, 'RANDOM'];
    }),
    headers: {
      ...headers,
      cookie: headers.cookie?.replace(/=[^;]+/g, '=RANDOM'),
      // From one of its own pages to another.
      referer: headers.referer?.replace(/^(.+\/interaction\/).+/, '$1UID'),
    },
  }));
}

/** Everything that a person does from an event's link to its picture. */
async function signInFor(event) {
  const viewer = await page('chromium');
  await viewer.goto(`${server.url}/watch/${event}`);
  await app.says(viewer, 'Sign in to watch');
  assert.deepEqual(await audit(viewer), []);
  await app.press(viewer, 'Sign in with Test University');
  await app.press(viewer, 'Continue');
  await app.until('back at the event', () => viewer.url() === `${server.url}/watch/${event}`);
  return viewer;
}

/** That signing in was asked for shows in the console, and the provider's own page in the requests. */
function leave(viewer) {
  viewer.requests = viewer.requests.filter((url) => !url.startsWith(realm.issuer));
  app.assertQuiet(viewer, server, { allowed: [/status of 403/] });
  return viewer.browserContext().close();
}

test('somebody signs in to watch, and the provider cannot tell what', async () => {
  const host = await page('chromium');
  await app.setUp(host, server);
  const [one, two] = [await server.createEvent('One', '--sign-in'), await server.createEvent('Two', '--sign-in')];
  await app.prepare(host, server, one);
  await app.goLive(host);

  const viewer = await signInFor(one);
  await app.plays(viewer);
  await app.says(viewer, 'One');
  const first = await asked();
  await viewer.reload();
  await app.plays(viewer);
  assert.deepEqual(await asked(), [], 'whoever has signed in is not sent there again');

  const other = await signInFor(two);
  await app.says(other, 'Two');
  const second = await asked();
  assert.deepEqual(second, first, 'the same, byte for byte');
  assert.ok(first.some(({ path }) => path === '/auth') && first.some(({ path }) => path === '/token'));
  const everything = JSON.stringify([first, second]);
  assert.ok(first.every(({ headers }) => headers.referer?.startsWith(realm.issuer) ?? true), 'no page of ours is named');
  for (const telltale of [one, two, 'One', 'Two', 'watch']) assert.ok(!everything.includes(telltale), telltale);

  // Signed out there, out here: the picture goes at once.
  await realm.tell('logout', { sub: 'ada' });
  await app.says(viewer, 'Your access to this event was withdrawn.');
  await leave(viewer);
  await leave(other);
  await app.offAir(host);
});

test('an answer that nobody asked for is explained', async () => {
  const visitor = await page('chromium');
  await visitor.goto(`${server.url}/oauth/provider/callback/0?code=forged&state=forged&iss=${encodeURIComponent(realm.issuer)}`);
  await app.says(visitor, 'You could not be signed in with the answer that came back.');
  assert.equal(new URL(visitor.url()).pathname + new URL(visitor.url()).search, '/signed-in', 'nothing stays in the address');
  assert.deepEqual(await audit(visitor), []);
  await app.press(visitor, 'Try again');
  await app.says(visitor, 'Sign in with Test University');
  assert.deepEqual(await audit(visitor), []);
  await leave(visitor);
});
