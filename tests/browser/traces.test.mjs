// What a whole visit leaves in a browser, compared with the table of retention: every key in cookies, storages, databases and
// caches has its row there.
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import * as app from './lib/app.mjs';
import { closeBrowsers, page } from './lib/browsers.mjs';
import { Provider } from './lib/provider.mjs';
import { Server } from './lib/server.mjs';

let server;
let provider;

afterEach(async () => {
  await server?.stop();
  await provider?.stop();
  server = undefined;
  provider = undefined;
});

after(closeBrowsers);

/** Everything that is there, as `place: key`. Cookies come from the browser, since no script sees them. */
async function traces(page) {
  const scripted = await page.evaluate(async () => {
    const found = [];
    for (const [place, storage] of [['local-storage', localStorage], ['session-storage', sessionStorage]]) {
      for (let at = 0; at < storage.length; at++) found.push(`${place}: ${storage.key(at)}`);
    }
    const request = (asked) =>
      new Promise((resolve, reject) => {
        asked.onsuccess = () => resolve(asked.result);
        asked.onerror = () => reject(asked.error);
      });
    for (const { name } of await indexedDB.databases()) {
      const database = await request(indexedDB.open(name));
      for (const store of database.objectStoreNames) {
        const keys = await request(database.transaction(store).objectStore(store).getAllKeys());
        found.push(...(keys.length === 0 ? [] : keys.map((key) => `indexed-db: ${name}/${store}/${String(key)}`)));
      }
      database.close();
    }
    for (const name of await caches.keys()) {
      for (const { url } of await (await caches.open(name)).keys()) found.push(`cache-storage: ${name} ${url}`);
    }
    found.push(...(await navigator.serviceWorker.getRegistrations()).map(({ scope }) => `service-worker: ${scope}`));
    return found;
  });
  const { cookies } = await cookiesOf(page);
  return [...scripted, ...cookies.map(({ name }) => `cookie: ${name}`)];
}

async function cookiesOf(page) {
  // Cookies know no ports: the provider's own are on this machine's name, too.
  const cookies = await page.browserContext().cookies();
  return { cookies: cookies.filter(({ name }) => !name.startsWith('_interaction')) };
}

/** The rows of the table that the server tells machines. */
async function table() {
  const { rows } = await (await fetch(`${server.url}/.well-known/privacy.json`)).json();
  return rows;
}

/** Keys without a row, and rows that some key had. */
function judge(rows, found) {
  const fits = (row, place, key) =>
    row.place === place && (row.kind.endsWith('*') ? key.startsWith(row.kind.slice(0, -1)) : key === row.kind);
  const seen = new Set();
  const strange = [];
  for (const trace of found) {
    const [place, key] = [trace.slice(0, trace.indexOf(': ')), trace.slice(trace.indexOf(': ') + 2)];
    const row = rows.find((one) => fits(one, place, key));
    if (row === undefined) strange.push(trace);
    else seen.add(row.kind);
  }
  return { strange, seen };
}

const anyTrace = async (page) => judge(await table(), await traces(page));

test('a guest’s visit leaves nothing', async () => {
  server = await Server.start();
  const event = await server.createEvent('Quillwort', '--public');
  for (const kind of ['chromium', 'firefox']) {
    const guest = await page(kind);
    await guest.goto(`${server.url}/watch/${event}`);
    await app.says(guest, 'Waiting for the broadcaster');
    await app.says(guest, 'Quillwort');
    const kept = [await guest.title(), guest.url()].join(' ');
    assert.ok(!kept.includes('Quillwort'), `history keeps the title of an unlisted event: ${kept}`);
    await guest.goto(`${server.url}/privacy`);
    await app.says(guest, 'The cookie of your sign-in');
    assert.deepEqual(await traces(guest), [], kind);
    await guest.browserContext().close();
  }
});

/** Somebody has their choices remembered, and changes their mind. */
async function remembered(visitor, look) {
  const kept = async () => (await traces(visitor)).some((trace) => trace.endsWith('veilcast-preferences'));
  assert.equal(await kept(), false, 'nothing before a yes');
  await app.until('the choices', () => visitor.$('vc-choices summary'));
  await visitor.$eval('vc-choices summary', (summary) => summary.click());
  await app.press(visitor, 'Ask me: Remembering');
  await app.answers(visitor, 'Yes');
  await app.until('the choices are kept', kept);
  await look(visitor);
  await keptReceipt(visitor, look);
  await app.press(visitor, 'Turn off: Remembering');
  await app.until('the choices are forgotten', async () => !(await kept()));
}

/** Somebody has the receipt of it kept, and changes their mind. */
async function keptReceipt(visitor, look) {
  const kept = () => visitor.evaluate(() => localStorage.getItem('veilcast-receipts'));
  assert.equal(await kept(), null, 'nothing before they ask for it');
  await app.press(visitor, 'Keep on this device');
  await app.until('the receipt is kept', kept);
  await look(visitor);
  const lifetimes = { 'veilcast-receipts': (all) => all[0].until, 'veilcast-preferences': (it) => it.until };
  for (const row of (await table()).filter(({ kind }) => kind in lifetimes)) {
    const held = JSON.parse(await visitor.evaluate((key) => localStorage.getItem(key), row.kind));
    const left = (lifetimes[row.kind](held) - Date.now()) / 1_000;
    assert.ok(left > row.longest - 60 && left <= row.longest, `${row.kind} goes in ${left} s, not in ${row.longest}`);
  }
  await app.press(visitor, 'Forget');
  await app.until('the receipt is forgotten', async () => (await kept()) === null);
}

test('every key of a whole visit has its row, and every row of a browser was seen', async () => {
  provider = await Provider.start();
  const realm = await provider.realm('http://localhost:8080');
  server = await Server.start({ config: realm.settings });
  const rows = await table();
  const strange = [];
  const seen = new Set();
  const look = async (page) => {
    const judged = judge(rows, await traces(page));
    strange.push(...judged.strange);
    for (const kind of judged.seen) seen.add(kind);
  };
  const own = await page('chromium');
  // On the way to the sign-in page and at it.
  await own.goto(`${server.url}/studio`);
  await app.until('the sign-in page', () => own.url().includes('/sign-in'));
  await look(own);
  await app.setUp(own, server);
  await look(own);
  const event = await server.createEvent('Closed', '--broadcasters', '2');
  for (const role of ['watch', 'broadcast']) {
    const invited = await page('chromium');
    await invited.goto(await server.invite(event, role));
    await app.until('the key of the invitation', async () => (await traces(invited)).some((trace) => trace.startsWith('indexed-db')));
    await look(invited);
    if (role === 'watch') await remembered(invited, look);
    await invited.browserContext().close();
  }
  // On the way to sign in elsewhere.
  const members = await server.createEvent('Members', '--sign-in');
  const member = await page('chromium');
  await member.goto(`${server.url}/watch/${members}`);
  await app.press(member, 'Sign in with Test University');
  await app.until('the provider', () => !member.url().startsWith(server.url));
  await member.goBack();
  await look(member);
  assert.deepEqual(strange, []);
  const browser = new Set(['cookie', 'session-storage', 'local-storage', 'indexed-db', 'cache-storage']);
  const unseen = rows.filter(({ place, kind }) => browser.has(place) && !seen.has(kind)).map(({ kind }) => kind);
  assert.deepEqual(unseen, [], 'rows of keys that nobody has');

  // The search can fail, in every place.
  await own.goto(`${server.url}/privacy`);
  await own.evaluate(async () => {
    localStorage.setItem('veilcast-tracker', '1');
    sessionStorage.setItem('visits', '3');
    document.cookie = 'visitor=7';
    await (await caches.open('pages')).put('/privacy', new Response('kept'));
    await new Promise((resolve) => {
      const opening = indexedDB.open('analytics', 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore('ids').put(1, 'me');
      opening.onsuccess = () => resolve(opening.result.close());
    });
  });
  const planted = (await anyTrace(own)).strange.map((trace) => trace.split(' ')[0]);
  assert.deepEqual(planted.sort(), ['cache-storage:', 'cookie:', 'indexed-db:', 'local-storage:', 'session-storage:']);
  app.assertQuiet(own, server);
});
