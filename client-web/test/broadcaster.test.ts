import { afterEach, describe, expect, it, vi } from 'vitest';
import { Broadcaster } from '../src/sdk/broadcaster.js';
import { EVENT, FakeBrowser, fault } from './fakes.js';

afterEach(() => vi.unstubAllGlobals());

function onAir() {
  const browser = new FakeBrowser();
  const broadcaster = new Broadcaster({
    url: 'http://localhost:8080',
    event: EVENT.id,
    token: 'pass',
    environment: browser.environment,
  });
  return { browser, broadcaster };
}

function track(kind: string): MediaStreamTrack {
  return { kind, contentHint: '' } as MediaStreamTrack;
}

describe('Broadcaster', () => {
  it('sends one sound and one picture, and nothing it was not given', async () => {
    const { browser, broadcaster } = onAir();
    await broadcaster.setVideo(track('video'));
    broadcaster.start();
    await browser.connect('broadcaster');
    const [audio, video] = browser.peer.transceivers;
    expect([audio?.init.direction, video?.init.direction]).toEqual(['sendonly', 'sendonly']);
    expect(audio?.sender.track).toBeNull();
    expect(video?.sender.track).toMatchObject({ kind: 'video', contentHint: 'motion' });
  });

  it('changes its sources without another offer', async () => {
    const { browser, broadcaster } = onAir();
    broadcaster.start();
    await browser.connect('broadcaster');
    await broadcaster.setAudio(track('audio'));
    await broadcaster.setVideo(track('video'), 'screen');
    await broadcaster.setAudio(null);
    const [audio, video] = browser.peer.transceivers;
    expect(browser.socket.offers()).toHaveLength(1);
    expect(audio?.sender.track).toBeNull();
    expect(video?.sender.track).toMatchObject({ contentHint: 'detail' });
    expect(video?.sender.parameters.degradationPreference).toBe('maintain-resolution');
  });

  it('keeps its sources over a reconnect', async () => {
    const { browser, broadcaster } = onAir();
    await broadcaster.setAudio(track('audio'));
    broadcaster.start();
    await browser.connect('broadcaster');
    browser.socket.drop();
    await browser.clock.pass(600);
    await browser.connect('broadcaster');
    expect(browser.peers).toHaveLength(2);
    expect(browser.peer.transceivers[0]?.sender.track).toMatchObject({ kind: 'audio' });
  });

  it('does not fight over the stage once it was replaced', async () => {
    const { browser, broadcaster } = onAir();
    const errors = vi.fn();
    broadcaster.on('error', errors);
    broadcaster.start();
    await browser.connect('broadcaster');
    browser.socket.say({ type: 'disconnected', fault: fault('replaced', 409) });
    await browser.clock.pass(60_000);
    expect(browser.sockets).toHaveLength(1);
    expect(broadcaster.state).toBe('failed');
    expect(errors.mock.calls[0]?.[0].code).toBe('replaced');
  });

  it('counts heads and measures the line', async () => {
    const { browser, broadcaster } = onAir();
    const [audience, stats] = [vi.fn(), vi.fn()];
    broadcaster.on('audience', audience);
    broadcaster.on('stats', stats);
    broadcaster.start();
    await browser.connect('broadcaster');
    browser.socket.say({ type: 'audience', viewers: 12 });
    browser.peer.stats.set('v', { type: 'outbound-rtp', bytesSent: 500_000, framesPerSecond: 30 });
    browser.peer.stats.set('p', { type: 'candidate-pair', currentRoundTripTime: 0.02 });
    await browser.clock.pass(2_000);
    expect(audience).toHaveBeenCalledWith(12);
    expect(stats).toHaveBeenCalledWith(
      expect.objectContaining({ bitrate: 2_000_000, framesPerSecond: 30, roundTripMs: 20, loss: null }),
    );
  });

  it('ends with its event', async () => {
    const { browser, broadcaster } = onAir();
    broadcaster.start();
    await browser.connect('broadcaster');
    browser.socket.say({ type: 'ended', title: 'This event has ended.' });
    browser.socket.drop();
    await browser.clock.pass(60_000);
    expect(broadcaster.state).toBe('ended');
    expect(browser.sockets).toHaveLength(1);
    expect(browser.peer.closed).toBe(true);
  });
});
