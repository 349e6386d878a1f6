// A site of somebody else, in another origin: its back end is a program, and its page shows an event to its own people.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join, normalize } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import * as app from './lib/app.mjs';
import { closeBrowsers, page } from './lib/browsers.mjs';
import { audit } from './lib/pages.mjs';
import { root, Server } from './lib/server.mjs';

const HOME = 'http://course.localhost:9090';
const STRANGER = 'http://other.localhost:9091';
const EXAMPLE = join(root, 'docs/examples/backend.mjs');
const PERSON = 'a person of theirs';

const sites = [];
let server;
let broadcaster;
let veilcast;
let environment;
let event;

/** The package as a site would install it, without a bundler. */
const MODULES = {
  '@veilcast/client': '/package/lib/index.js',
  '@veilcast/client/elements': '/package/lib/elements/index.js',
  lit: '/package/node_modules/lit/index.js',
  'lit/': '/package/node_modules/lit/',
  'lit-html': '/package/node_modules/lit-html/lit-html.js',
  'lit-html/': '/package/node_modules/lit-html/',
  'lit-element/': '/package/node_modules/lit-element/',
  '@lit/reactive-element': '/package/node_modules/@lit/reactive-element/reactive-element.js',
  '@lit/reactive-element/': '/package/node_modules/@lit/reactive-element/',
};

const html = () => `<!doctype html><html lang="en"><title>Course</title><link rel="icon" href="data:,">
<script>
  // What a page of somebody else could read of everything that comes.
  window.news = [];
  window.WebSocket = class extends WebSocket {
    constructor(...address) {
      super(...address);
      this.addEventListener('message', ({ data }) => {
        const { type, news } = JSON.parse(data);
        if (type === 'chat') window.news.push(news);
      });
    }
  };
</script>
<script type="importmap">${JSON.stringify({ imports: MODULES })}</script>
<main><h1>Course</h1><veilcast-player src="${server.url}" event="${event}"></veilcast-player></main>
<script type="module">
  import '@veilcast/client/elements';
  import { grantedAccess } from '@veilcast/client';

  const player = document.querySelector('veilcast-player');
  player.addEventListener('veilcast-talk', ({ detail }) => {
    window.consents = detail.consents;
    window.chat = detail.chat;
    window.refused = [];
    detail.chat.on('refused', ({ code }) => window.refused.push(code));
  });
  const grant = async () => (await (await fetch('/grant', { method: 'POST' })).json()).code;
  player.access = grantedAccess('${server.url}', '${event}', grant);
</script>`;

async function answer(request, response) {
  const { pathname } = new URL(request.url, HOME);
  if (pathname === '/grant') {
    const wish = { role: 'viewer', subject: PERSON, expires_in: 3_600 };
    const { code } = await veilcast('POST', `/api/v1/events/${event}/grants`, wish);
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ code }));
  } else if (pathname.startsWith('/package/')) {
    const bytes = await readFile(join(root, 'client-web', normalize(pathname.slice('/package'.length))));
    response.setHeader('content-type', 'text/javascript').end(bytes);
  } else {
    response.setHeader('content-type', 'text/html').end(html());
  }
}

async function listen(port) {
  const site = createServer((request, response) => {
    answer(request, response).catch((error) => response.writeHead(500).end(String(error)));
  });
  site.listen(port, '127.0.0.1');
  await once(site, 'listening');
  sites.push(site);
}

const visit = async (origin, kind = 'chromium', beforehand = () => {}) => {
  const visitor = await page(kind);
  await visitor.evaluateOnNewDocument(beforehand);
  await visitor.goto(origin);
  return visitor;
};

before(async () => {
  server = await Server.start({ args: ['--allowed-origin', HOME, '--log', 'debug'] });
  broadcaster = await page('chromium');
  await app.setUp(broadcaster, server);
  const made = await server.command(
    'client', 'create', '--label', 'Course', '--owner', 'IT', '--scope', 'events:read,events:manage,grants:issue',
  );
  const [client, ...pem] = made.split('\n');
  const key = join(server.data, 'program.pem');
  await writeFile(key, pem.join('\n'), { mode: 0o600 });
  environment = { VEILCAST_URL: server.url, VEILCAST_CLIENT: client, VEILCAST_KEY: key };
  Object.assign(process.env, environment);
  ({ veilcast } = await import(EXAMPLE));
  ({ id: event } = await veilcast('POST', '/api/v1/events', { title: 'Their lecture' }));
  await Promise.all([listen(9_090), listen(9_091)]);
  await app.prepare(broadcaster, server, event);
  await app.goLive(broadcaster);
});

after(async () => {
  await closeBrowsers();
  for (const site of sites) {
    site.closeAllConnections();
    site.close();
  }
  await server?.stop();
});

test('a page of another origin shows the event to whom its back end has granted it', async () => {
  const visitor = await visit(HOME);
  await app.plays(visitor, { within: 30_000 });
  await visitor.reload();
  await app.plays(visitor, { within: 30_000 });
  const { grants } = await veilcast('GET', `/api/v1/events/${event}/grants`);
  assert.ok(grants.length >= 2 && new Set(grants.map(({ person }) => person)).size === 1, 'one person');
  await veilcast('POST', `/api/v1/events/${event}/subjects/revoke`, { subject: PERSON });
  await app.says(visitor, 'was withdrawn');
  const left = await veilcast('GET', `/api/v1/events/${event}/grants`);
  assert.deepEqual(left.grants, []);
  const foreign = visitor.requests.filter((url) => ![server.url, HOME].some((origin) => url.startsWith(origin)));
  assert.deepEqual(foreign.filter((url) => !/^(data|blob|about):/.test(url)), []);
  await visitor.browserContext().close();
});

test('a page of another origin asks, and cannot answer for its visitor', async () => {
  const visitor = await visit(HOME);
  await app.plays(visitor, { within: 30_000 });
  const standing = () => visitor.evaluate(() => window.consents.standing('chat'));
  const ask = () => visitor.evaluate(() => window.consents.request('chat'));
  const question = async () => {
    const handle = await app.until('the frame', () => visitor.$('veilcast-consent-ask >>> iframe'));
    const frame = await handle.contentFrame();
    await app.until('the question', () => frame.$('veilcast-consent-question >>> .actions button'));
    return frame;
  };
  const press = async (frame, name) => {
    const buttons = await frame.$$('veilcast-consent-question >>> .actions button');
    const words = await Promise.all(buttons.map((button) => button.evaluate((it) => it.textContent.trim())));
    await buttons[words.indexOf(name)].focus();
    await visitor.keyboard.press('Enter');
  };
  const held = (frame) => frame.evaluate(() => document.querySelector('veilcast-consent-question').held);

  assert.equal(await standing(), 'open');
  await ask();
  let frame = await question();
  assert.equal(new URL(frame.url()).origin, server.url, 'the question is of the server');
  assert.equal(
    await visitor.evaluate(() => document.querySelector('veilcast-consent-ask').renderRoot.querySelector('iframe').contentDocument),
    null,
    'the page around it sees nothing of it',
  );
  await app.until('it may be answered', async () => !(await held(frame)));
  // A click of a script, in the frame itself, is nobody's.
  await frame.evaluate(() => {
    const buttons = document.querySelector('veilcast-consent-question').renderRoot.querySelectorAll('.actions button');
    buttons[1].click();
  });
  await app.sleep(300);
  assert.equal(await standing(), 'open');
  // Covered: whatever lies over it, the button takes no click.
  await visitor.evaluate(() => {
    const cover = document.createElement('div');
    cover.id = 'cover';
    cover.style.cssText = 'position:absolute;inset:0;background:#fff;opacity:.9;pointer-events:none';
    const dialog = document.querySelector('veilcast-consent-ask').renderRoot.querySelector('dialog');
    dialog.append(cover);
  });
  await app.until('it is held', () => held(frame));
  await press(frame, 'Yes').catch(() => {});
  await app.sleep(300);
  assert.equal(await standing(), 'open');
  await visitor.evaluate(() => document.querySelector('veilcast-consent-ask').renderRoot.querySelector('#cover').remove());
  // Nothing was decided, so nothing is proven, and nothing of the chat has come over the page's socket, whatever it sent.
  await visitor.evaluate(() => {
    window.chat.say('hello');
    window.chat.name('Ada');
  });
  await app.until('the server says that there is no consent', () => visitor.evaluate(() => window.refused.includes('consent-missing')));
  assert.deepEqual(visitor.requests.filter((url) => url.endsWith('/api/v1/consent')), []);
  assert.deepEqual(await visitor.evaluate(() => [window.chat.state, window.news]), ['closed', []]);
  await app.until('it may be answered again', async () => !(await held(frame)));
  await press(frame, 'Yes');
  await app.until('the person has said yes', async () => (await standing()) === 'granted');
  assert.equal(visitor.requests.filter((url) => url.endsWith('/api/v1/consent')).length, 1);
  await app.until('the chat has come', () => visitor.evaluate(() => window.news.includes('begin')));
  // A key whose frame goes while it is down never comes up; and closing needs nobody's hand.
  await app.until('it can be closed', () =>
    frame.evaluate(() => {
      const buttons = document.querySelector('veilcast-consent-question').renderRoot.querySelectorAll('.actions button');
      const close = [...buttons].find((button) => button.textContent.trim() === 'Close');
      close?.click();
      return close !== undefined;
    }),
  );
  await app.until('the question has gone', async () => (await visitor.$('veilcast-consent-ask')) === null);
  // The person finds what they have agreed to in the player itself, and takes it back there.
  await app.press(visitor, 'Your choices');
  const row = async () => (await visitor.$$eval('veilcast-choices-dialog >>> veilcast-choices >>> li', (all) => all.map((it) => it.innerText)))[0];
  assert.match(await row(), /Chat[^]*On[^]*Turn off/);
  assert.deepEqual(await audit(visitor), []);
  await app.press(visitor, 'Turn off: Chat');
  await app.until('it is withdrawn', async () => (await standing()) === 'refused');
  await app.until('it says so, and has a receipt', async () => /Chat[^]*Off[^]*Ask me/.test(await row()));
  await app.press(visitor, 'Close');
  await visitor.browserContext().close();
});

test('a page of another origin has nobody asked against their browser’s privacy signal', async () => {
  const visitor = await visit(HOME, 'chromium', () => {
    Object.defineProperty(navigator, 'globalPrivacyControl', { value: true });
  });
  await app.plays(visitor, { within: 30_000 });
  const standing = () => visitor.evaluate(() => window.consents.standing('analytics'));
  // Whatever the page does: by the word of the SDK, and by a socket of its own.
  await visitor.evaluate(() => {
    window.asked = [];
    window.consents.on('question', ({ purpose }) => window.asked.push(purpose));
    window.consents.request('analytics');
    window.consents.request('analytics', true);
    window.consents.request('chat');
  });
  await app.until('what the signal does not speak against is asked', () => visitor.evaluate(() => window.asked.length > 0));
  assert.deepEqual(await visitor.evaluate(() => [window.asked, window.refused]), [['chat'], ['consent-signal']]);
  assert.equal(await standing(), 'open');
  await visitor.browserContext().close();
});

test('where the browser cannot tell what covers the frame, the answer is given in a window of its own', async () => {
  const visitor = await visit(HOME, 'firefox');
  await app.plays(visitor, { within: 30_000 });
  const standing = () => visitor.evaluate(() => window.consents?.standing('chat'));
  // Whom the integrator's site calls the same has answered before, and taken it back.
  assert.notEqual(await standing(), 'granted');
  await visitor.evaluate(() => window.consents.request('chat'));
  const handle = await app.until('the frame', () => visitor.$('veilcast-consent-ask >>> iframe'));
  const frame = await handle.contentFrame();
  const way = await app.until('the way to the window', () => frame.$('.asked-elsewhere .button:not([disabled])'));
  assert.equal(await frame.$('veilcast-consent-question'), null, 'the frame itself takes no answer');
  const before = await visitor.browserContext().pages();
  await way.click();
  const opened = await app.until('the window', async () => {
    const pages = await visitor.browserContext().pages();
    return pages.find((one) => !before.includes(one) && one.url().startsWith(server.url));
  });
  const button = (name) =>
    app.until(`the button ${name}`, async () => {
      const buttons = await opened.$$('veilcast-consent-question >>> .actions button:not([disabled])');
      const words = await Promise.all(buttons.map((each) => each.evaluate((it) => it.textContent.trim())));
      return buttons[words.indexOf(name)];
    });
  const yes = await button('Yes');
  // A window that comes up under a double click takes nothing for a moment.
  const held = () => opened.evaluate(() => document.querySelector('vc-consent').held);
  await opened.evaluate(() => window.dispatchEvent(new Event('focus')));
  assert.equal(await held(), true);
  await app.until('it may be answered again', async () => !(await held()));
  assert.equal(new URL(opened.url()).origin, server.url, 'the window is of the server');
  await yes.evaluate((it) => it.click());
  await app.sleep(300);
  assert.notEqual(await standing(), 'granted', 'a click of a script is nobody’s');
  await yes.click();
  await app.until('the person has said yes', async () => (await standing()) === 'granted');
  await (await button('Close')).click();
  await app.until('window and frame have gone', async () => {
    const pages = await visitor.browserContext().pages();
    return pages.length === before.length && (await visitor.$('veilcast-consent-ask')) === null;
  });
  await visitor.browserContext().close();
});

test('a page of an origin that is not allowed shows nothing', async () => {
  const visitor = await visit(STRANGER);
  await app.says(visitor, 'cannot be reached');
  assert.ok(visitor.problems.some((problem) => problem.includes('CORS')), 'and its console says why');
  await visitor.browserContext().close();
});

test('the example runs as it stands, and its link lets one person in', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [EXAMPLE], { env: { ...process.env, ...environment } });
  const link = stdout.trim();
  const visitor = await page('chromium');
  await visitor.goto(link);
  await app.says(visitor, 'Waiting for the broadcaster');
  await app.says(visitor, 'Begins');
  const other = await page('chromium');
  await other.goto(link);
  await app.says(other, 'used in another browser');
  await app.leave(server, visitor);
  await other.browserContext().close();
  assert.ok(!server.stderr.includes(PERSON) && !server.stderr.includes(link.split('=').at(-1)), 'no word of it in the log');
  await app.offAir(broadcaster);
});
