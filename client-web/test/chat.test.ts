import { describe, expect, it } from 'vitest';
import type { VeilcastError } from '../src/sdk/errors.js';
import { Viewer } from '../src/sdk/viewer.js';
import { ABSENT, access, EVENT, FakeBrowser, fault } from './fakes.js';

const GRANTED = { purpose: 'chat', standing: 'granted', generation: 3, expires_in: null };

async function taking() {
  const browser = new FakeBrowser();
  const viewer = new Viewer({
    url: 'https://live.example',
    event: EVENT.id,
    access: access(),
    environment: browser.environment,
  });
  viewer.start();
  await browser.connect('viewer', ABSENT);
  return { browser, viewer, chat: viewer.chat };
}

type Socket = FakeBrowser['socket'];

function agree(socket: Socket): void {
  socket.say({ type: 'consent', purposes: [GRANTED] });
  socket.say({ type: 'chat', news: 'begin' });
  socket.say({ type: 'chat', news: 'board', pinned: null, slow: 0 });
  socket.say({ type: 'chat', news: 'end' });
}

function said(socket: Socket, id: string, generation: number, reply: string | null = null): void {
  const words = { author: `author ${generation}`, role: 'viewer', name: 'Ada', text: `text of ${id}` };
  socket.say({ type: 'chat', news: 'message', id, generation, reply, ...words });
}

describe('a chat', () => {
  it('asks only when it is opened, and shows nothing before', async () => {
    const { browser, viewer, chat } = await taking();
    expect(chat.state).toBe('closed');
    expect(browser.socket.sent.some(({ type }) => type === 'request-consent')).toBe(false);
    viewer.consents.request('chat');
    expect(browser.socket.sent.at(-1)).toEqual({ type: 'request-consent', purpose: 'chat' });
    agree(browser.socket);
    said(browser.socket, 'one', 7);
    expect([chat.state, chat.lines.map(({ text }) => text)]).toEqual(['open', ['text of one']]);
    chat.say('hello', 'one');
    expect(browser.socket.sent.at(-1)).toEqual({ type: 'chat', verb: 'say', text: 'hello', reply: 'one' });
  });

  it('asks whoever opened it before the socket was open', async () => {
    const browser = new FakeBrowser();
    const { environment } = browser;
    const viewer = new Viewer({
      url: 'https://live.example',
      event: EVENT.id,
      access: access(),
      environment,
    });
    viewer.start();
    viewer.consents.request('chat');
    await browser.connect('viewer', ABSENT);
    const asked = browser.socket.sent.filter(({ type }) => type === 'request-consent');
    expect(asked).toEqual([{ type: 'request-consent', purpose: 'chat' }]);
  });

  it('clears what was taken back, and drops what comes later under the same grant', async () => {
    const { browser, chat } = await taking();
    agree(browser.socket);
    said(browser.socket, 'one', 7);
    said(browser.socket, 'two', 8, 'one');
    browser.socket.say({ type: 'chat', news: 'board', pinned: 'one', slow: 30 });
    expect([chat.pinned?.id, chat.slow, chat.line('one')?.id]).toEqual(['one', 30, 'one']);
    browser.socket.say({ type: 'retracted', purpose: 'chat', generation: 7 });
    expect(chat.lines.map(({ id }) => id)).toEqual(['two']);
    expect([chat.pinned, chat.line('one')]).toEqual([null, null]);
    said(browser.socket, 'three', 7);
    expect(chat.lines.map(({ id }) => id)).toEqual(['two']);
    browser.socket.say({ type: 'retracted', purpose: 'location', generation: 8 });
    expect(chat.lines.map(({ id }) => id)).toEqual(['two']);
  });

  it('does not show a message that was removed before it came', async () => {
    const { browser, chat } = await taking();
    agree(browser.socket);
    browser.socket.say({ type: 'chat', news: 'removed', messages: ['late'] });
    said(browser.socket, 'late', 7);
    expect(chat.lines).toEqual([]);
  });

  it('shows nothing while nobody looks, and nothing before it has caught up', async () => {
    const { browser, viewer, chat } = await taking();
    agree(browser.socket);
    said(browser.socket, 'one', 7);
    browser.socket.say({ type: 'chat', news: 'listed', people: [{ name: 'Ada', generation: 9 }] });
    expect(chat.listed).toHaveLength(1);
    viewer.people.lookout.look(false);
    expect([chat.state, chat.lines, chat.line('one')]).toEqual(['catching-up', [], null]);
    viewer.people.lookout.look(true);
    expect([chat.lines, chat.listed]).toEqual([[], []]);
    const asked = browser.socket.sent.at(-1);
    expect(asked).toMatchObject({ type: 'sync' });
    browser.socket.say({ type: 'synced', number: 99 });
    expect(chat.lines).toEqual([]);
    browser.socket.say({ type: 'retracted', purpose: 'chat', generation: 7 });
    said(browser.socket, 'two', 8);
    browser.socket.say({ type: 'synced', number: 1 });
    expect(chat.lines.map(({ id }) => id)).toEqual(['two']);
  });

  it('forgets everything when the person withdraws', async () => {
    const { browser, viewer, chat } = await taking();
    agree(browser.socket);
    said(browser.socket, 'one', 7);
    viewer.consents.withdraw('chat');
    const refused = { ...GRANTED, standing: 'refused', generation: null };
    browser.socket.say({ type: 'retracted', purpose: 'chat', generation: 3 });
    browser.socket.say({ type: 'consent', purposes: [refused] });
    expect([chat.state, chat.lines]).toEqual(['closed', []]);
  });

  it('goes ten minutes after the event, and with the page', async () => {
    const { browser, viewer, chat } = await taking();
    agree(browser.socket);
    said(browser.socket, 'one', 7);
    browser.socket.say({ type: 'ended', title: 'Over.' });
    expect([chat.over, chat.lines.length]).toEqual([true, 1]);
    // Nothing can be taken back any more, so there is nothing to catch up with.
    viewer.people.lookout.look(false);
    viewer.people.lookout.look(true);
    expect(chat.lines).toHaveLength(1);
    await browser.clock.pass(10 * 60_000);
    expect([chat.state, chat.lines]).toEqual(['closed', []]);
    viewer.stop();
  });

  it('shows nothing after the event that may have been taken back before', async () => {
    const { browser, viewer, chat } = await taking();
    agree(browser.socket);
    said(browser.socket, 'one', 7);
    viewer.people.lookout.look(false);
    browser.socket.say({ type: 'ended', title: 'Over.' });
    viewer.people.lookout.look(true);
    expect([chat.over, chat.state, chat.lines]).toEqual([true, 'closed', []]);
  });

  it('is told of a refusal, and the session goes on', async () => {
    const { browser, viewer, chat } = await taking();
    const refused: VeilcastError[] = [];
    chat.on('refused', (error) => refused.push(error));
    agree(browser.socket);
    browser.socket.say({ type: 'fault', fault: fault('chat-slow') });
    browser.socket.say({ type: 'fault', fault: fault('chat-muted') });
    expect(refused.map(({ code }) => code)).toEqual(['chat-slow', 'chat-muted']);
    expect(viewer.state).toBe('connected');
  });
});
