import { afterEach, describe, expect, it, vi } from 'vitest';
import { Door } from '../src/sdk/door.js';
import { parseKnockList } from '../src/sdk/moderation.js';
import { access, EVENT, FakeBrowser, fault, settle } from './fakes.js';

afterEach(() => vi.unstubAllGlobals());

async function knocking(name?: string, token?: (refused: boolean) => Promise<string>) {
  const browser = new FakeBrowser();
  const door = new Door({
    url: 'http://localhost:8080',
    event: EVENT.id,
    access: access(token),
    environment: browser.environment,
    ...(name === undefined ? {} : { name }),
  });
  const [states, errors] = [[] as string[], [] as string[]];
  door.on('state', (state) => states.push(state));
  door.on('error', (error) => errors.push(error.code));
  door.start();
  await settle();
  await browser.socket.greet();
  return { browser, door, states, errors };
}

describe('Door', () => {
  it('asks by a name, waits longer than any welcome may take, and is let in', async () => {
    const { browser, states } = await knocking(' Ada ');
    expect(browser.socket.sent[0]).toMatchObject({ type: 'hello', knock: { name: 'Ada' } });
    browser.socket.say({ type: 'waiting', expires_in: 300 });
    await browser.clock.pass(150_000);
    expect(states).toEqual(['asking', 'waiting']);
    browser.socket.say({ type: 'let-in' });
    await settle();
    expect(states.at(-1)).toBe('let-in');
    expect(browser.socket.readyState).toBe(3);
    expect(browser.peers).toHaveLength(0);
  });

  it('renews its lease while it waits', async () => {
    const { browser, door } = await knocking('  ');
    expect(browser.socket.sent[0]).toMatchObject({ knock: {} });
    browser.socket.say({ type: 'waiting', expires_in: 300 });
    await browser.clock.pass(201_000);
    expect(browser.socket.sent.map(({ type }) => type)).toEqual(['hello', 'renew']);
    door.stop();
    expect(browser.socket.readyState).toBe(3);
  });

  it('hears at once what was decided before', async () => {
    const { browser, states } = await knocking();
    browser.socket.say({ type: 'let-in' });
    await settle();
    expect(states).toEqual(['asking', 'let-in']);
  });

  it('asks again when the line is lost, and not when the answer was no', async () => {
    const { browser, states, errors } = await knocking();
    browser.socket.say({ type: 'waiting', expires_in: 300 });
    await settle();
    browser.socket.drop();
    await browser.clock.pass(3_000);
    expect(browser.sockets).toHaveLength(2);
    await browser.socket.greet();
    browser.socket.say({ type: 'waiting', expires_in: 300 });
    await settle();
    browser.socket.say({ type: 'fault', fault: fault('turned-away', 403) });
    await browser.clock.pass(600_000);
    expect(browser.sockets).toHaveLength(2);
    expect(states).toEqual(['asking', 'waiting', 'refused']);
    expect(errors).toEqual(['turned-away']);
  });

  it('ends with the event', async () => {
    const { browser, states } = await knocking();
    browser.socket.say({ type: 'waiting', expires_in: 300 });
    await settle();
    browser.socket.say({ type: 'ended', title: 'Over.' });
    await settle();
    expect(states.at(-1)).toBe('ended');
  });
});

describe('who waits', () => {
  it('is read as it is sent, and nothing else is', () => {
    const knock = { number: 3, signed_in: true, minutes: 2, turned_away: false };
    expect(parseKnockList({ knocks: [knock, { ...knock, name: 'Ada', address: 'x' }] })).toEqual([
      knock,
      { ...knock, name: 'Ada' },
    ]);
    expect(() => parseKnockList({ knocks: [{ ...knock, number: -1 }] })).toThrow();
  });
});
