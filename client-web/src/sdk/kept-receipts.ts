import type { Clock } from './clock.js';
import { type OwnKey, readReceipt, type receiptFile } from './receipt.js';

const PLACE = 'veilcast-receipts';
/** As long as the server keeps an account's: somebody may ask for proof of a consent long after it was given. A test compares them. */
const LASTING_DAYS = 730;
/** Of all events together: more than a person agrees to in two years, and a tenth of what a browser lets a site keep. */
const MOST = 200;

/** Says that what is kept has changed, to this page; browsers tell the others by `storage`. */
export const KEPT_CHANGED = 'veilcast-kept-receipts';

/** What one visit to one event has left: its receipts, and the key that shows whose they are, for that event alone. */
export interface KeptVisit {
  event: string;
  receipts: readonly string[];
  key: OwnKey;
  /** Milliseconds since 1970. */
  until: number;
}

type Place = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** Receipts on this device, each because somebody asked for it. They are read here alone. */
export class KeptReceipts {
  constructor(
    private readonly storage: Place,
    private readonly clock: Pick<Clock, 'now'>,
    private readonly changed: () => void = () => {},
  ) {}

  /** What is still good. What is not is forgotten at the same time. */
  list(): readonly KeptVisit[] {
    const text = this.storage.getItem(PLACE);
    if (text === null) return [];
    const visits = parse(text);
    const good = visits.filter(({ until }) => until > this.clock.now());
    if (good.length < visits.length || visits.length === 0) this.#write(good);
    return good;
  }

  /** Whether all of these are here. */
  has(receipts: readonly string[]): boolean {
    const kept = new Set(this.list().flatMap((visit) => visit.receipts));
    return receipts.every((receipt) => kept.has(receipt));
  }

  /** Keeps a visit's receipts in place of those that were kept of it before. False: there is no room, and nothing has changed. */
  keep(event: string, receipts: readonly string[], key: OwnKey): boolean {
    const others = this.list().filter((visit) => visit.key.x !== key.x);
    const until = this.clock.now() + LASTING_DAYS * 24 * 3_600_000;
    const visits = [...others, { event, receipts, key, until }];
    if (visits.reduce((sum, visit) => sum + visit.receipts.length, 0) > MOST) return false;
    try {
      this.#write(visits);
      return true;
    } catch {
      // Full, or closed to this page.
      return false;
    }
  }

  forget({ key }: KeptVisit): void {
    this.#write(this.list().filter((visit) => visit.key.x !== key.x));
  }

  forgetAll(): void {
    this.#write([]);
  }

  #write(visits: readonly KeptVisit[]): void {
    if (visits.length === 0) this.storage.removeItem(PLACE);
    else this.storage.setItem(PLACE, JSON.stringify(visits));
    this.changed();
  }
}

/** Anybody can write into a browser's storage: what is not as we write it counts for nothing. */
function parse(text: string): KeptVisit[] {
  try {
    const visits: unknown = JSON.parse(text);
    return Array.isArray(visits) ? visits.filter(isVisit) : [];
  } catch {
    return [];
  }
}

function isVisit(value: unknown): value is KeptVisit {
  const { event, until } = (value ?? {}) as Partial<KeptVisit>;
  return typeof event === 'string' && typeof until === 'number' && hasKey(value);
}

function hasKey(value: unknown): value is Pick<KeptVisit, 'receipts' | 'key'> {
  const { receipts, key } = (value ?? {}) as Partial<KeptVisit>;
  const isKey =
    typeof key === 'object' && key !== null && PARTS.every((part) => typeof key[part] === 'string');
  return isKey && Array.isArray(receipts) && receipts.length > 0 && receipts.every(isReceipt);
}

/** A visit as {@link receiptFile} has saved it; `null` if this is something else. */
export function readFile(text: string): KeptVisit | null {
  try {
    const file: unknown = JSON.parse(text);
    if (!hasKey(file)) return null;
    const [first = ''] = file.receipts;
    return { ...file, event: readReceipt(first).event, until: Number.POSITIVE_INFINITY };
  } catch {
    return null;
  }
}

const PARTS = ['kty', 'crv', 'x', 'y', 'd'] as const;

function isReceipt(value: unknown): boolean {
  try {
    return typeof value === 'string' && readReceipt(value).id !== '';
  } catch {
    return false;
  }
}

/** Of this browser; `null` where it keeps nothing. A frame on somebody else's page has no place that its person could find again. */
export function keptReceipts(clock: Pick<Clock, 'now'> = Date): KeptReceipts | null {
  try {
    const { localStorage } = globalThis;
    if (localStorage === undefined) return null;
    return new KeptReceipts(localStorage, clock, () => window.dispatchEvent(new Event(KEPT_CHANGED)));
  } catch {
    return null;
  }
}
