import type { Purpose, PurposeTerms } from '../protocol/index.js';
import { hashed } from './encoding.js';
import { signed } from './proof.js';

/** How somebody was asked. */
export type Way = 'dialog' | 'frame' | 'window';

/** What a person has chosen. */
export interface Choice {
  question: string;
  event: string;
  terms: PurposeTerms;
  granted: boolean;
  /** Yes, for so many seconds; without it until it is withdrawn. */
  lasting?: number | undefined;
  /** They were told that Global Privacy Control is on. */
  despiteSignal: boolean;
  way: Way;
  /** The page that asked. */
  origin: string;
}

/** The exact words, one sentence a line: what is shown, and what is signed. */
export function words({ title, what, who, how_long, refusing, remains }: PurposeTerms): string {
  return [title, what, who, how_long, refusing, ...(remains === null ? [] : [remains])].join('\n');
}

/** Keys that choices are signed with: one for each event, for as long as the page is open. */
const keys = new Map<string, Promise<CryptoKeyPair>>();

/** Its private half can be taken along: whoever has it can show that the receipts are theirs. */
function keyOf(event: string): Promise<CryptoKeyPair> {
  const known = keys.get(event);
  if (known !== undefined) return known;
  const made = crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  keys.set(event, made);
  return made;
}

/** A compact JWS (RFC 7515) of a choice. */
export async function state(choice: Choice): Promise<string> {
  const { question, event, terms, granted, lasting, despiteSignal, way, origin } = choice;
  const { purpose, version } = terms;
  const notice = await hashed(words(terms));
  const decision = granted ? 'given' : 'refused';
  const claims = {
    question,
    event,
    purpose,
    version,
    notice,
    language: 'en',
    decision,
    lasting,
    way,
    origin,
  };
  const told = despiteSignal ? { ...claims, despite_signal: true } : claims;
  return signed(await keyOf(event), 'veilcast-consent+jwt', told);
}

/** Receipts of this page, by event. */
const receipts = new Map<string, string[]>();

export function noteReceipt(event: string, receipt: string): void {
  receipts.set(event, [...(receipts.get(event) ?? []), receipt]);
}

export function hasReceipts(event: string): boolean {
  return receipts.has(event);
}

/** All of it, for a file: receipts, and the key that shows whose they are. */
export async function receiptFile(event: string, purpose?: Purpose): Promise<string> {
  const key = await crypto.subtle.exportKey('jwk', (await keyOf(event)).privateKey);
  const { kty, crv, x, y, d } = key;
  const note =
    'Receipts of what you chose, signed by you and by the server. Whoever has this key can show that they are yours. ' +
    'veilcast receipt verify looks at them without a network.';
  return JSON.stringify(
    { note, purpose, receipts: receipts.get(event) ?? [], key: { kty, crv, x, y, d } },
    null,
    2,
  );
}
