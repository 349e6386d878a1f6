import type { PurposeTerms } from '../protocol/index.js';
import { call, callWith } from '../sdk/http.js';
import { parsePurposes } from '../sdk/parse-consent.js';
import { type KeptForAccount, parseAccountReceipts } from '../sdk/receipt.js';
import { plain } from './api.js';
import { person } from './auth.js';

/** What the server keeps of what a person chose while they were signed in. */
export const receipts = {
  /** Newest first; from before this one, where one is named. */
  part: (before?: string): Promise<{ receipts: KeptForAccount[]; more: boolean }> => {
    const query = before === undefined ? '' : `?before=${encodeURIComponent(before)}`;
    return callWith(person, plain('GET', `/api/v1/account/receipts${query}`), parseAccountReceipts);
  },
  /** The words that are in force. */
  purposes: (): Promise<PurposeTerms[]> => call(plain('GET', '/api/v1/purposes'), parsePurposes),
};
