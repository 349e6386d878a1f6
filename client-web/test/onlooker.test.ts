import { afterEach, describe, expect, it, vi } from 'vitest';
import { Onlooker } from '../src/sdk/onlooker.js';
import { ABSENT, access, EVENT, FakeBrowser, fault, LIVE, settle, welcome as welcoming } from './fakes.js';

afterEach(() => vi.unstubAllGlobals());

async function looking(token?: (refused: boolean) => Promise<string>) {
  const browser = new FakeBrowser();
  const onlooker = new Onlooker({
    url: 'http://localhost:8080',
    event: EVENT.id,
    access: access(token),
    environment: browser.environment,
  });
  onlooker.start();
  await settle();
  return { browser, onlooker };
}

async function welcome(browser: FakeBrowser, stage = ABSENT): Promise<void> {
  await browser.socket.greet();
  browser.socket.say(welcoming({ role: 'broadcaster', stage }));
  await settle();
}

describe('Onlooker', () => {
  it('hears of the stage and the audience, and sends nothing but its token', async () => {
    const { browser, onlooker } = await looking();
    const [stage, audience, health] = [vi.fn(), vi.fn(), vi.fn()];
    onlooker.on('stage', stage);
    onlooker.on('audience', audience);
    onlooker.on('health', health);
    await welcome(browser, LIVE);
    browser.socket.say({ type: 'audience', viewers: 12 });
    browser.socket.say({ type: 'health', high: 10, medium: null, low: null, sound_only: null, paused: null });
    expect(stage).toHaveBeenCalledWith(LIVE);
    expect(audience).toHaveBeenCalledWith(12);
    expect(health).toHaveBeenCalledWith(expect.objectContaining({ high: 10, low: null }));
    expect(browser.socket.sent.map(({ type }) => type)).toEqual(['hello']);
    expect(browser.peers).toHaveLength(0);
  });

  it('comes back when the connection breaks, until it is stopped', async () => {
    const { browser, onlooker } = await looking();
    await welcome(browser);
    browser.socket.drop();
    await browser.clock.pass(3_000);
    expect(browser.sockets).toHaveLength(2);
    await welcome(browser);
    browser.socket.drop();
    onlooker.stop();
    await browser.clock.pass(60_000);
    expect(browser.sockets).toHaveLength(2);
  });

  it('asks for another token once, and gives up what cannot be helped', async () => {
    const token = vi.fn(async (_refused: boolean) => 'pass');
    const { browser } = await looking(token);
    await browser.socket.greet();
    browser.socket.say({ type: 'fault', fault: fault('token-expired', 401) });
    await browser.clock.pass(3_000);
    expect(token.mock.calls.map(([refused]) => refused)).toEqual([false, true]);
    await browser.socket.greet();
    browser.socket.say({ type: 'fault', fault: fault('token-expired', 401) });
    await browser.clock.pass(600_000);
    expect(browser.sockets).toHaveLength(2);
  });

  it('leaves when the event is over', async () => {
    const { browser } = await looking();
    await welcome(browser);
    browser.socket.say({ type: 'ended', title: 'Over.' });
    await browser.clock.pass(600_000);
    expect(browser.sockets).toHaveLength(1);
  });
});
