// The app as a person uses it: by what is written on it.
import assert from 'node:assert/strict';

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until `probe` returns something true; returns it. */
export async function until(what, probe, { within = 15_000, every = 100 } = {}) {
  const end = Date.now() + within;
  let last;
  while (Date.now() < end) {
    try {
      const value = await probe();
      if (value) return value;
    } catch (error) {
      last = error;
    }
    await sleep(every);
  }
  throw new Error(`${what}: not within ${within} ms`, { cause: last });
}

/** The text of the page, shadow roots included. */
export const text = (page) =>
  page.evaluate(() => {
    const words = (node) => {
      if (node instanceof Element && getComputedStyle(node).display === 'none') return '';
      const inside = node.shadowRoot ? words(node.shadowRoot) : '';
      if (node.nodeType === Node.TEXT_NODE) return node.textContent;
      if (node instanceof HTMLStyleElement || node instanceof HTMLScriptElement) return '';
      return `${inside} ${[...node.childNodes].map(words).join(' ')}`;
    };
    return words(document.body).replace(/\s+/g, ' ');
  });

export const says = (page, words, options) =>
  until(`the page says '${words}'`, async () => (await text(page)).includes(words), options);

/** In the page: the visible button or link with these words, shadow roots included. One question for all of them, since each costs a
 *  round trip. */
const findButton = (words) => {
  const plain = (text) => text.replace(/\s+/g, ' ').trim();
  const named = (e) => [e.getAttribute('aria-label') ?? e.textContent, e.textContent].some((text) => plain(text) === words);
  const find = (root) => {
    for (const element of root.querySelectorAll('*')) {
      const fits = element.matches('button, a') && named(element) && element.checkVisibility() && !element.disabled;
      const found = fits ? element : element.shadowRoot && find(element.shadowRoot);
      if (found) return found;
    }
    return null;
  };
  return find(document);
};

/** Presses the visible button or link with these words. */
export async function press(page, words, { within = 15_000 } = {}) {
  const look = async () => (await page.evaluateHandle(findButton, words)).asElement();
  const button = await until(`a button '${words}'`, look, { within });
  await button.click();
}

/** Answers the question that the person is asked, presses what else is named, and closes it. The dialog grows while it is read: what
 *  moves is not clicked. */
export async function answers(page, words, ...others) {
  const buttons = 'veilcast-consent-ask >>> veilcast-consent-question >>> .actions button';
  for (const name of [words, ...others, 'Close']) {
    await until(`the answer '${name}'`, async () => {
      for (const button of await page.$$(buttons)) {
        const look = () => button.evaluate((e) => [e.textContent.trim(), e.disabled, e.getBoundingClientRect().top]);
        const before = await look();
        await sleep(100);
        if (before[0] !== name || before[1] || String(before) !== String(await look())) continue;
        await button.click();
        return true;
      }
      return false;
    });
  }
}

/** Puts words into a field, as pasting does: a key at a time, they would be a hundred messages to the browser. */
const paste = (input, words) =>
  input.evaluate((field, words) => {
    field.focus();
    document.execCommand('insertText', false, words);
  }, words);

export async function fill(page, name, value) {
  const input = await until(`a field '${name}'`, () => page.$(`pierce/input[name=${name}]`));
  await paste(input, value);
}

export const operator = { name: 'wanda-quill', password: 'a long enough secret' };

/** Makes the operator's account with the one-time link. */
export async function setUp(page, server) {
  await page.goto(await server.setupLink());
  await press(page, 'Use a name and a password instead');
  await fill(page, 'name', operator.name);
  for (const field of await page.$$('pierce/input[type=password]')) await paste(field, operator.password);
  await press(page, 'Make the account');
  // By way of the issuer: whoever goes elsewhere before cuts that short.
  await until('the studio', () => new URL(page.url()).pathname === '/studio');
}

/** A device of the page's that holds passkeys and always finds its person (Chrome DevTools Protocol, WebAuthn). */
export async function authenticator(page) {
  const session = await page.createCDPSession();
  await session.send('WebAuthn.enable');
  const options = {
    protocol: 'ctap2',
    transport: 'internal',
    hasResidentKey: true,
    hasUserVerification: true,
    isUserVerified: true,
    automaticPresenceSimulation: true,
  };
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', { options });
  return {
    credentials: async () => (await session.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
    add: (credential) => session.send('WebAuthn.addCredential', { authenticatorId, credential }),
  };
}

export async function signIn(page, server) {
  await page.goto(`${server.url}/studio`);
  await until('the sign-in page', () => page.url().includes('/sign-in'));
  await fill(page, 'name', operator.name);
  await fill(page, 'password', operator.password);
  await press(page, 'Sign in');
  await until('the studio', () => new URL(page.url()).pathname === '/studio');
}

/** Opens an event's studio with camera and microphone on. */
export async function prepare(page, server, event) {
  await page.goto(`${server.url}/studio/${event}`);
  await press(page, 'Turn on camera and microphone');
}

export async function goLive(page) {
  await press(page, 'Go live');
  await says(page, 'You are on air.');
}

/** Chooses a quality with the mouse, or without it: while Firefox decodes a large picture in software, it loses clicks. */
export async function choose(page, words, { mouse = true } = {}) {
  const opener = await until('the quality menu', () => page.$('pierce/[aria-controls=qualities]'));
  if ((await opener.evaluate((e) => e.getAttribute('aria-expanded'))) === 'false') await opener.click();
  const choice = await until(`a choice '${words}'`, async () => {
    for (const label of await page.$$('pierce/#qualities label')) {
      const found = await label.evaluate((e) => [e.textContent.trim(), e.checkVisibility()]);
      if (found[1] && found[0].startsWith(words)) return label;
    }
    return null;
  });
  if (mouse) await choice.click();
  else await choice.evaluate((label) => label.querySelector('input').click());
}

/** What may be done with the one key that this page keeps. */
export const keptKey = (page) =>
  page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open('veilcast');
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const all = opening.result.transaction('keys').objectStore('keys').getAll();
          all.onsuccess = () => {
            opening.result.close();
            const [{ key }, ...others] = all.result;
            const { extractable, usages } = key.privateKey;
            resolve(others.length === 0 ? { extractable, usages } : null);
          };
        };
      }),
  );

export const measure = (page) => page.evaluate(() => window.measure());

/** Waits until frames are decoded and keep coming; returns the measurements. */
export async function plays(page, { within = 15_000 } = {}) {
  const first = await until('a first frame', async () => {
    const now = await measure(page);
    return now?.frames > 0 && now.firstFrame !== null ? now : null;
  }, { within });
  return until('frames keep coming', async () => {
    const now = await measure(page);
    return now?.frames > first.frames + 10 ? now : null;
  }, { within });
}

/** Firefox says so of a socket that its page closes before it is open. One that fails is a page that does not work. */
const CLOSED_EARLY = /Firefox can’t establish a connection to the server at wss?:/;
/** And then this of the same socket, if it was nearly open. Without the first, it is of one that the server has cut. */
const CLOSED_EARLY_TOO = /The connection to wss?:\S+ was interrupted while the page was loading/;

/** What the page's console has that is not fine; Firefox's second word on a socket goes with its first. */
function worth(problems, allowed) {
  let early = problems.filter((problem) => CLOSED_EARLY.test(problem)).length;
  const fine = [CLOSED_EARLY, ...allowed];
  return problems.filter((problem) => !(CLOSED_EARLY_TOO.test(problem) && early-- > 0) && !fine.some((pattern) => pattern.test(problem)));
}

/** From now on, what pages hand out as files is noted. */
export const noteFiles = (page) =>
  page.evaluateOnNewDocument(() => {
    const make = URL.createObjectURL;
    window.files = [];
    URL.createObjectURL = (blob) => {
      window.files.push(blob);
      return make.call(URL, blob);
    };
  });

/** The texts of the files that this page has handed out. */
export const files = (page) => page.evaluate(() => Promise.all(window.files.map((blob) => blob.text())));

/** What every page must hold at its end. */
export function assertQuiet(page, server, { allowed = [] } = {}) {
  assert.deepEqual(worth(page.problems, allowed), []);
  const foreign = page.requests.filter((url) => !url.startsWith(server.url) && !/^(data|blob|about):/.test(url));
  assert.deepEqual(foreign, [], 'no third-party request of any kind');
}

/** Closes pages, each of which must have been quiet. */
export async function leave(server, ...pages) {
  for (const page of pages) {
    assertQuiet(page, server);
    await page.browserContext().close();
  }
}

/** Turns a switch of the studio. */
export async function flip(page, words) {
  for (const toggle of await page.$$('pierce/[role=switch]')) {
    const label = await toggle.evaluate((e) => e.getAttribute('aria-label') ?? e.closest('label')?.textContent ?? e.parentElement.textContent);
    if (label.includes(words)) return toggle.click();
  }
  throw new Error(`there is no switch '${words}'`);
}

/** Stops the broadcast; the event goes on. */
export async function offAir(broadcaster) {
  await press(broadcaster, 'Stop');
  await says(broadcaster, 'You are off air');
}
