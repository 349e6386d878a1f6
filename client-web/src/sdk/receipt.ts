import { count, list, Malformed, object, oneOf, parseJson, string } from './parse.js';

/** What was chosen. */
export type Chosen = 'given' | 'refused' | 'withdrawn';

const CHOSEN: readonly Chosen[] = ['given', 'refused', 'withdrawn'];

/** What a receipt says, as it stands there. Whether it is genuine is for `veilcast receipt verify`, which needs no server. */
export interface ReceiptText {
  /** Of the record. */
  id: string;
  event: string;
  purpose: string;
  /** Of the words that were shown. */
  version: number;
  chosen: Chosen;
  /** Seconds since 1970, to the minute. */
  at: number;
  /** The page that asked; none where somebody took consent back with one tap. */
  origin: string | null;
}

/** A receipt that the server keeps for an account. */
export interface KeptForAccount {
  receipt: string;
  said: ReceiptText;
  /** Seconds since 1970. */
  keptUntil: number;
}

/** Throws where it is no receipt. */
export function readReceipt(receipt: string): ReceiptText {
  const fields = object(payload(receipt));
  const statement = fields.statement === undefined ? null : object(payload(string(fields, 'statement')));
  return {
    id: string(fields, 'record_id'),
    event: string(fields, 'event'),
    purpose: string(fields, 'purpose'),
    version: count(fields, 'version'),
    chosen: oneOf(fields, 'event_state', CHOSEN),
    at: count(fields, 'event_time'),
    origin: statement === null ? null : string(statement, 'origin'),
  };
}

/** The claims of a compact JWS (RFC 7515 section 7.1); nobody has looked at its signature. */
function payload(jws: string): unknown {
  const text = jws.split('.')[1] ?? '';
  const bytes = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return parseJson(new TextDecoder().decode(Uint8Array.from(bytes, (letter) => letter.charCodeAt(0))));
}

/** `GET /api/v1/account/receipts`. */
export function parseAccountReceipts(value: unknown): { receipts: KeptForAccount[]; more: boolean } {
  const fields = object(value);
  const receipts = list(fields, 'receipts').map((each) => {
    const kept = object(each);
    const receipt = string(kept, 'receipt');
    return { receipt, said: readReceipt(receipt), keptUntil: count(kept, 'kept_until') };
  });
  return { receipts, more: fields.more === true };
}

/** `GET /api/v1/consent/receipts`. */
export function parseReceipts(value: unknown): string[] {
  return list(object(value), 'receipts').map((receipt) => {
    if (typeof receipt !== 'string') throw new Malformed('receipts');
    return receipt;
  });
}

/** The public and the private half of the key that somebody signed with in one event (RFC 7517). */
export interface OwnKey {
  kty: string;
  crv: string;
  x: string;
  y: string;
  d: string;
}

const NOTE =
  'Receipts of what you chose, signed by you and by the server. veilcast receipt verify looks at them without a network.';
const NOTE_KEY = `${NOTE} Whoever has this key can show that they are yours.`;

/** What somebody saves: receipts, and the key that shows whose they are where the page has it. */
export function receiptFile(receipts: readonly string[], key?: OwnKey): string {
  const file = key === undefined ? { note: NOTE, receipts } : { note: NOTE_KEY, receipts, key };
  return JSON.stringify(file, null, 2);
}
