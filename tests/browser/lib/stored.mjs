// What a browser keeps for a page, values and all, and whether words are in it: as they are, escaped, in base64, in hex or as a digest.
import { createHash } from 'node:crypto';


/** Every place of storage with everything in it as one text. */
async function stores(page) {
  const places = await page.evaluate(async () => {
    const request = (asked) =>
      new Promise((resolve, reject) => {
        asked.onsuccess = () => resolve(asked.result);
        asked.onerror = () => reject(asked.error);
      });
    const databases = [];
    for (const { name } of await indexedDB.databases()) {
      const database = await request(indexedDB.open(name));
      for (const store of database.objectStoreNames) {
        const objects = database.transaction(store).objectStore(store);
        databases.push(name, store, await request(objects.getAllKeys()), await request(objects.getAll()));
      }
      database.close();
    }
    const kept = [];
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const key of await cache.keys()) kept.push(name, key.url, await (await cache.match(key)).text());
    }
    return {
      'local storage': JSON.stringify({ ...localStorage }),
      'session storage': JSON.stringify({ ...sessionStorage }),
      databases: JSON.stringify(databases),
      caches: JSON.stringify(kept),
      history: JSON.stringify([history.state, location.href, document.title]),
    };
  });
  return { ...places, cookies: JSON.stringify(await page.browserContext().cookies()) };
}

/** The forms in which words could be kept. In base64, neighbours change what is at the ends. */
function forms(words) {
  const bytes = Buffer.from(words);
  const based = [0, 1, 2].map((skip) => {
    const encoded = Buffer.concat([Buffer.alloc(skip), bytes]).toString('base64url').slice(0, -2);
    return encoded.slice(Math.ceil((skip * 8) / 6));
  });
  const plain = based.map((each) => each.replaceAll('-', '+').replaceAll('_', '/'));
  const digests = ['hex', 'base64', 'base64url'].map((as) => createHash('sha256').update(bytes).digest(as).replace(/=+$/, ''));
  // As bytes of two each, which a page has as a list of numbers.
  const wide = Buffer.from(words, 'utf16le');
  const listed = [bytes, wide].map((each) => [...each].join(','));
  const escaped = [JSON.stringify(words).slice(1, -1), encodeURIComponent(words)];
  return [words, ...escaped, bytes.toString('hex'), wide.toString('hex'), ...based, ...plain, ...digests, ...listed];
}

/** Where the browser keeps one of these words for the page, as `words in place`. */
export async function kept(page, ...words) {
  const places = Object.entries(await stores(page));
  return words.flatMap((each) =>
    places.filter(([, text]) => forms(each).some((form) => text.includes(form))).map(([place]) => `${each} in ${place}`),
  );
}

/** Puts words where a page can put them. */
export function plant(page, words) {
  return page.evaluate(async (words) => {
    localStorage.setItem('last', words);
    sessionStorage.setItem('draft', btoa(`x${words}`));
    document.cookie = `said=${encodeURIComponent(words)}`;
    history.replaceState({ words }, '');
    await (await caches.open('chat')).put('/said', new Response(words));
    await new Promise((resolve) => {
      const opening = indexedDB.open('chat', 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore('said').put({ words }, 1);
      opening.onsuccess = () => resolve(opening.result.close());
    });
  }, words);
}
