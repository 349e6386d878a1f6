import type { PurposeTerms } from '../protocol/index.js';
import { hashed } from './encoding.js';
import { call } from './http.js';
import { prove, signed } from './proof.js';
import { type OwnKey, parseReceipts } from './receipt.js';

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
  const { question, event, terms, granted, lasting, way, origin } = choice;
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
  return signed(await keyOf(event), 'veilcast-consent+jwt', claims);
}

/** Receipts of this page, by event. */
const receipts = new Map<string, string[]>();

export function noteReceipt(event: string, receipt: string): void {
  receipts.set(event, [...(receipts.get(event) ?? []), receipt]);
}

export function receiptsOf(event: string): readonly string[] {
  return receipts.get(event) ?? [];
}

/** With its private half: for a file, or to be kept on the device. */
export async function ownKey(event: string): Promise<OwnKey> {
  const jwk = await crypto.subtle.exportKey('jwk', (await keyOf(event)).privateKey);
  const { kty = '', crv = '', x = '', y = '', d = '' } = jwk;
  return { kty, crv, x, y, d };
}

/** Everything that the server keeps of what was signed with this page’s key: the key is proven, and no name is told (RFC 9449). */
export async function receiptsOfServer(event: string): Promise<string[]> {
  return asHolder(await keyOf(event), 'GET', '/api/v1/consent/receipts');
}

/** Takes back what was agreed to with a key that was kept; the receipts of that, none where nothing stood any more. */
export async function takeBack(event: string, { d, ...open }: OwnKey): Promise<string[]> {
  const load = (jwk: JsonWebKey, use: KeyUsage): Promise<CryptoKey> =>
    crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, true, [use]);
  const key = { privateKey: await load({ ...open, d }, 'sign'), publicKey: await load(open, 'verify') };
  return asHolder(key, 'DELETE', `/api/v1/consent/grants/${encodeURIComponent(event)}`);
}

/** A call that is answered with receipts, by whoever has their key. */
function asHolder(key: CryptoKeyPair, method: string, path: string): Promise<string[]> {
  const request = new Request(new URL(path, location.origin), { method, credentials: 'omit' });
  return call(request, parseReceipts, { prove: (claims) => prove(key, claims) });
}
