import { afterEach, describe, expect, it, vi } from 'vitest';
import { VeilcastError } from '../src/sdk/errors.js';
import { Onlooker } from '../src/sdk/onlooker.js';
import type { SessionState } from '../src/sdk/session.js';
import { Viewer } from '../src/sdk/viewer.js';
import {
  access,
  CHALLENGE,
  EVENT,
  FakeBrowser,
  FINGERPRINT,
  fault,
  LIVE,
  proved,
  settle,
  welcome,
} from './fakes.js';

afterEach(() => vi.unstubAllGlobals());

const WS = { method: 'GET', url: 'https://live.example/ws', nonce: CHALLENGE };

/** Each token is another one. */
function numbered() {
  let count = 0;
  return vi.fn(async (_refused: boolean) => {
    count += 1;
    return `token${count}`;
  });
}

async function watching(token: (refused: boolean) => Promise<string> = numbered()) {
  const browser = new FakeBrowser();
  const ended = vi.fn();
  const viewer = new Viewer({
    url: 'https://live.example',
    event: EVENT.id,
    access: { ...access(token), ended },
    environment: browser.environment,
  });
  const states: SessionState[] = [];
  const errors: VeilcastError[] = [];
  viewer.on('state', (state) => states.push(state));
  viewer.on('error', (error) => errors.push(error));
  viewer.start();
  await settle();
  return { browser, viewer, states, errors, ended };
}

const renewals = (browser: FakeBrowser) => browser.socket.sent.filter(({ type }) => type === 'renew');
const renewed = (browser: FakeBrowser, expires_in = 300) =>
  browser.socket.say({ type: 'renewed', expires_in });

describe('the way in', () => {
  it('waits for the challenge, and proves that it is meant for this connection', async () => {
    const { browser } = await watching();
    browser.socket.readyState = 1;
    browser.socket.dispatchEvent(new Event('open'));
    await settle();
    expect(browser.socket.sent).toEqual([]);
    await browser.socket.greet();
    expect(browser.socket.sent.map(({ type, token }) => [type, token])).toEqual([['hello', 'token1']]);
    expect(proved(browser.socket.sent[0])).toEqual({ ...WS, token: 'token1' });
  });

  it('says hello once, whatever else is asked', async () => {
    const { browser } = await watching();
    await browser.socket.greet();
    await browser.socket.greet();
    expect(browser.socket.sent).toHaveLength(1);
  });

  it('proves the certificate with the first offer of a session, and with no other', async () => {
    const { browser } = await watching();
    await browser.connect('viewer', LIVE);
    browser.socket.say({ type: 'stage', ...LIVE, places: [...LIVE.places, ...LIVE.places] });
    await settle();
    await browser.answer();
    const offers = browser.socket.sent.filter(({ type }) => type === 'offer');
    expect(offers.map((offer) => proved(offer))).toEqual([
      { ...WS, token: 'token1', fingerprint: FINGERPRINT },
      null,
    ]);
    browser.socket.drop();
    await browser.clock.pass(600);
    await browser.connect('viewer', LIVE);
    const again = browser.socket.sent.find(({ type }) => type === 'offer');
    expect(proved(again)).toEqual({ ...WS, token: 'token2', fingerprint: FINGERPRINT });
  });

  it('says so where this browser can prove nothing', async () => {
    const browser = new FakeBrowser();
    const errors: VeilcastError[] = [];
    const prove = () => Promise.reject(VeilcastError.local('unsupported'));
    const viewer = new Viewer({
      url: 'https://live.example',
      event: EVENT.id,
      access: { ...access(), prove },
      environment: browser.environment,
    });
    viewer.on('error', (error) => errors.push(error));
    viewer.start();
    await settle();
    await browser.socket.greet();
    expect(viewer.state).toBe('failed');
    expect(errors.map(({ code }) => code)).toEqual(['unsupported']);
  });
});

describe('the lease', () => {
  it('is renewed at two thirds of its life, with a fresh token and a proof of it', async () => {
    const { browser, states } = await watching();
    await browser.connect('viewer');
    await browser.clock.pass(199_000);
    expect(renewals(browser)).toEqual([]);
    await browser.clock.pass(2_000);
    expect(renewals(browser).map(({ token }) => token)).toEqual(['token2']);
    expect(proved(renewals(browser)[0])).toEqual({ ...WS, token: 'token2' });
    renewed(browser, 90);
    await browser.clock.pass(59_000);
    expect(renewals(browser)).toHaveLength(1);
    await browser.clock.pass(2_000);
    expect(renewals(browser).map(({ token }) => token)).toEqual(['token2', 'token3']);
    expect(states).toEqual(['connecting', 'connected']);
    expect(browser.sockets).toHaveLength(1);
  });

  it('is asked for again while the server does not answer, until it runs out', async () => {
    const { browser } = await watching();
    await browser.connect('viewer');
    await browser.clock.pass(251_000);
    expect(renewals(browser)).toHaveLength(2);
    await browser.clock.pass(600_000);
    expect(renewals(browser).length).toBeLessThan(12);
    expect(browser.sockets).toHaveLength(1);
  });

  it('is asked for again while no token is to be had', async () => {
    const token = numbered();
    const { browser, states, errors } = await watching(token);
    await browser.connect('viewer');
    token.mockRejectedValueOnce(VeilcastError.local('unreachable'));
    await browser.clock.pass(201_000);
    expect(renewals(browser)).toEqual([]);
    await browser.clock.pass(50_000);
    expect(renewals(browser)).toHaveLength(1);
    expect(states).toEqual(['connecting', 'connected']);
    expect(errors).toEqual([]);
  });

  it('ends with a word to the person where no token is given any more', async () => {
    const token = numbered();
    const { browser, states, errors } = await watching(token);
    await browser.connect('viewer');
    token.mockRejectedValueOnce(VeilcastError.refused(fault('invitation-invalid', 403)));
    await browser.clock.pass(600_000);
    expect(states.at(-1)).toBe('failed');
    expect(errors.map(({ code }) => code)).toEqual(['invitation-invalid']);
    expect(browser.peer.closed).toBe(true);
    expect(browser.sockets).toHaveLength(1);
  });

  it('lasts to its end where a token is not to be had for another reason', async () => {
    const token = numbered();
    const { browser, states, errors } = await watching(token);
    await browser.connect('viewer');
    token.mockRejectedValue(VeilcastError.local('signed-out'));
    await browser.clock.pass(299_000);
    expect(states.at(-1)).toBe('connected');
    browser.socket.say({ type: 'fault', fault: fault('token-expired', 401) });
    await browser.clock.pass(2_000);
    expect(states.at(-1)).toBe('failed');
    expect(errors.at(-1)?.code).toBe('signed-out');
  });

  it('that has run out is begun again with a token that is fetched anew', async () => {
    const token = numbered();
    const { browser, states } = await watching(token);
    await browser.connect('viewer');
    browser.socket.say({ type: 'fault', fault: fault('token-expired', 401) });
    await browser.clock.pass(2_000);
    expect(token.mock.calls.map(([refused]) => refused)).toEqual([false, true]);
    await browser.connect('viewer');
    expect(states).toEqual(['connecting', 'connected', 'reconnecting', 'connected']);
  });

  it('is nobody’s business after the end', async () => {
    const token = numbered();
    const { browser, viewer } = await watching(token);
    await browser.connect('viewer');
    viewer.stop();
    await browser.clock.pass(600_000);
    expect(token).toHaveBeenCalledOnce();
  });

  it('tells the access that the event is over, and nothing of less', async () => {
    const { browser, viewer, ended } = await watching();
    await browser.connect('viewer');
    viewer.stop();
    expect(ended).not.toHaveBeenCalled();
    viewer.start();
    await browser.connect('viewer');
    browser.socket.say({ type: 'ended', title: 'Over.' });
    expect(ended).toHaveBeenCalledOnce();
  });

  it('of an onlooker is renewed, too, and ends in silence', async () => {
    const browser = new FakeBrowser();
    const token = numbered();
    const onlooker = new Onlooker({
      url: 'https://live.example',
      event: EVENT.id,
      access: access(token),
      environment: browser.environment,
    });
    onlooker.start();
    await settle();
    await browser.socket.greet();
    browser.socket.say(welcome({ role: 'broadcaster' }));
    await browser.clock.pass(201_000);
    expect(renewals(browser)).toHaveLength(1);
    token.mockRejectedValueOnce(VeilcastError.local('signed-out'));
    await browser.clock.pass(600_000);
    expect(browser.sockets).toHaveLength(1);
  });
});
