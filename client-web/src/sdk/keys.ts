import { createKey } from './proof.js';

const DATABASE = 'veilcast';
const STORE = 'keys';

/** No invitation and no session lives longer than thirty days: no key goes before what it is for. */
const LIFE_MS = 31 * 24 * 3_600_000;

interface Kept {
  name: string;
  key: CryptoKeyPair;
  /** Milliseconds since 1970. */
  made: number;
}

/** Of a browser that keeps nothing, such as in some private windows: until the page is closed. */
const held = new Map<string, CryptoKeyPair>();

/** The key of this name, the same for every page of this browser; made where there is none. */
export async function keptKey(name: string): Promise<CryptoKeyPair> {
  let key = await createKey();
  try {
    await inStore(true, (store) => {
      dropOld(store);
      const found = store.get(name);
      // One transaction, so that two pages that open at once get the same one.
      found.onsuccess = () => {
        if (isKept(found.result) && !isOld(found.result)) key = found.result.key;
        else store.put({ name, key, made: Date.now() } satisfies Kept);
      };
    });
    return key;
  } catch {
    const before = held.get(name) ?? key;
    held.set(name, before);
    return before;
  }
}

/** The key of this name that was there before, and will be after a reload; makes none. */
export async function storedKey(name: string): Promise<CryptoKeyPair | null> {
  let key: CryptoKeyPair | null = null;
  await ifThere((store) => {
    const found = store.get(name);
    found.onsuccess = () => {
      if (isKept(found.result) && !isOld(found.result)) key = found.result.key;
    };
  });
  return key;
}

/** The same of a browser that keeps nothing. */
export function heldKey(name: string): CryptoKeyPair | null {
  return held.get(name) ?? null;
}

/** The key goes by another name from now on, if there is one. */
export async function renameKey(name: string, to: string): Promise<void> {
  const before = held.get(name);
  if (before !== undefined) {
    held.delete(name);
    held.set(to, before);
  }
  await ifThere((store) => {
    const found = store.get(name);
    found.onsuccess = () => {
      if (!isKept(found.result)) return;
      store.put({ ...found.result, name: to });
      store.delete(name);
    };
  });
}

/** The key is of no more use. */
export async function forgetKey(name: string): Promise<void> {
  held.delete(name);
  await ifThere((store) => store.delete(name));
}

/** Removes what has been there for too long; leaves no database where there was none. */
export async function forgetOldKeys(): Promise<void> {
  await ifThere(dropOld);
}

async function ifThere(work: (store: IDBObjectStore) => void): Promise<void> {
  // Nothing is kept here, then.
  await inStore(false, work).catch(() => {});
}

function dropOld(store: IDBObjectStore): void {
  const all = store.openCursor();
  all.onsuccess = () => {
    const cursor = all.result;
    if (cursor === null) return;
    if (!isKept(cursor.value) || isOld(cursor.value)) cursor.delete();
    cursor.continue();
  };
}

function isOld({ made }: Kept): boolean {
  return Date.now() - made > LIFE_MS;
}

function isKept(value: unknown): value is Kept {
  if (typeof value !== 'object' || value === null) return false;
  const pair: unknown = Reflect.get(value, 'key');
  return (
    typeof Reflect.get(value, 'made') === 'number' &&
    typeof pair === 'object' &&
    pair !== null &&
    Reflect.get(pair, 'privateKey') instanceof CryptoKey &&
    Reflect.get(pair, 'publicKey') instanceof CryptoKey
  );
}

/** Runs `work` in a transaction of its own, and returns when that is done. Rejects where there is no database. */
async function inStore(create: boolean, work: (store: IDBObjectStore) => void): Promise<void> {
  const database = await open(create);
  try {
    await new Promise<void>((resolve, reject) => {
      const transaction = database.transaction(STORE, 'readwrite');
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
      work(transaction.objectStore(STORE));
    });
  } finally {
    database.close();
  }
}

function open(create: boolean): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => {
      if (create) opening.result.createObjectStore(STORE, { keyPath: 'name' });
      else opening.transaction?.abort();
    };
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
}
