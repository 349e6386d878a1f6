import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ClientMessage, ConsentStanding, Purpose } from '../src/protocol/index.js';
import { Consents } from '../src/sdk/consents.js';
import { parseServerMessage } from '../src/sdk/parse.js';
import { isPurpose, parsePurposes } from '../src/sdk/parse-consent.js';
import { FakeClock } from './fakes.js';

const LETTER: Purpose = 'x-newsletter';
const PARTNER: Purpose = 'x-partner';

function told(purpose: Purpose, standing: ConsentStanding, generation: number | null, yields: boolean) {
  const added = { title: `Agree to ${purpose}?`, yields_to_signal: yields };
  return { purpose, standing, generation, expires_in: null, added };
}

function consenting() {
  const sent: ClientMessage[] = [];
  const line = { open: true };
  const send = (message: ClientMessage): boolean => {
    if (line.open) sent.push(message);
    return line.open;
  };
  const consents = new Consents(send, new FakeClock());
  const hear = (message: object): boolean => {
    const parsed = parseServerMessage(JSON.stringify(message));
    if (parsed === null) throw new Error('is known');
    return consents.take(parsed);
  };
  const stand = (...purposes: object[]) => hear({ type: 'consent', purposes });
  return { line, sent, consents, hear, stand };
}

afterEach(() => vi.unstubAllGlobals());

describe('what whoever runs the server asks', () => {
  it('is known once the server has said so, and forgotten when it is no more', () => {
    const { consents, stand } = consenting();
    const chat = { purpose: 'chat', standing: 'open', generation: null, expires_in: null };
    expect(consents.added).toEqual([]);
    stand(chat, told(LETTER, 'open', null, false), told(PARTNER, 'open', null, true));
    expect(consents.added).toEqual([
      { purpose: LETTER, title: 'Agree to x-newsletter?' },
      { purpose: PARTNER, title: 'Agree to x-partner?' },
    ]);
    stand(chat);
    expect(consents.added).toEqual([]);
  });

  it('is asked for and taken back, and its standing is told by its number', () => {
    const { consents, sent, hear, stand } = consenting();
    consents.request(LETTER);
    expect(sent).toEqual([{ type: 'request-consent', purpose: LETTER }]);
    stand(told(LETTER, 'granted', 4, false));
    expect([consents.standing(LETTER), consents.generation(LETTER)]).toEqual(['granted', 4]);
    consents.withdraw(LETTER);
    expect(sent.at(-1)).toEqual({ type: 'withdraw-consent', purpose: LETTER });
    hear({ type: 'retracted', purpose: LETTER, generation: 4 });
    stand(told(LETTER, 'refused', null, false));
    expect([consents.hasEnded(LETTER, 4), consents.standing(LETTER)]).toEqual([true, 'refused']);
  });

  it('waits for the socket, and of each purpose the last thing goes out once the server has said how all stand', () => {
    const { line, consents, sent, stand } = consenting();
    line.open = false;
    consents.request(LETTER);
    consents.withdraw(PARTNER);
    consents.withdraw(LETTER);
    expect(sent).toEqual([]);
    line.open = true;
    stand(told(LETTER, 'granted', 4, false));
    const withdrawn = (purpose: Purpose) => ({ type: 'withdraw-consent', purpose });
    expect(sent).toEqual([withdrawn(PARTNER), withdrawn(LETTER)]);
    stand(told(LETTER, 'refused', null, false));
    expect(sent).toHaveLength(2);
  });

  it('is not asked where it goes to somebody else and the signal is on, unless the person wants the question', () => {
    const { consents, sent, stand } = consenting();
    stand(told(LETTER, 'open', null, false), told(PARTNER, 'open', null, true));
    consents.request(PARTNER);
    expect(sent).toHaveLength(1);
    vi.stubGlobal('navigator', { globalPrivacyControl: true });
    expect([LETTER, PARTNER, 'analytics' as const].map((one) => consents.signalAgainst(one))).toEqual([
      false,
      true,
      true,
    ]);
    consents.request(PARTNER);
    expect(sent).toHaveLength(1);
    consents.request(LETTER);
    consents.request(PARTNER, true);
    expect(sent.slice(1).map((message) => 'purpose' in message && message.purpose)).toEqual([
      LETTER,
      PARTNER,
    ]);
  });

  it('has a name of its own', () => {
    expect(['x-newsletter', 'chat', 'newsletter', '', 7, null].map(isPurpose)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
    const words = {
      version: 2,
      since: '2026-11-22',
      title: 'Get the newsletter?',
      what: 'An address.',
      who: 'The organiser.',
      how_long: 'A year.',
      refusing: 'Nothing.',
      remains: null,
      yields_to_signal: true,
    };
    expect(parsePurposes({ purposes: [{ purpose: LETTER, ...words }] })).toEqual([
      { purpose: LETTER, ...words },
    ]);
    expect(() => parsePurposes({ purposes: [{ purpose: 'letter', ...words }] })).toThrow();
  });
});
