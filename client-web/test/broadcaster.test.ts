import { afterEach, describe, expect, it, vi } from 'vitest';
import { Broadcaster } from '../src/sdk/broadcaster.js';
import { planLayers, type VideoKind } from '../src/sdk/layers.js';
import { access, EVENT, FakeBrowser, type FakeSender, fault, settle, welcome } from './fakes.js';

afterEach(() => vi.unstubAllGlobals());

function onAir(options: { simulcast?: boolean } = {}) {
  const browser = new FakeBrowser();
  const broadcaster = new Broadcaster({
    url: 'http://localhost:8080',
    event: EVENT.id,
    access: access(),
    ...options,
    environment: browser.environment,
  });
  return { browser, broadcaster };
}

function track(kind: string, width = 1280, height = 720): MediaStreamTrack {
  return { kind, contentHint: '', getSettings: () => ({ width, height }) } as MediaStreamTrack;
}

/** The layers as the browser was told: `rid scale`, a star on those that are sent. */
function layers(browser: FakeBrowser): string[] {
  const { encodings } = video(browser).parameters;
  return encodings.map((e) => `${e.rid ?? '-'} ${e.scaleResolutionDownBy}${e.active === true ? '*' : ''}`);
}

function video(browser: FakeBrowser): FakeSender {
  const sender = browser.peer.transceivers[1]?.sender;
  if (sender === undefined) throw new Error('nothing was offered yet');
  return sender;
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
    const [audience, health, stats] = [vi.fn(), vi.fn(), vi.fn()];
    broadcaster.on('audience', audience);
    broadcaster.on('health', health);
    broadcaster.on('stats', stats);
    broadcaster.start();
    await browser.connect('broadcaster');
    browser.socket.say({ type: 'audience', viewers: 12 });
    browser.socket.say({ type: 'health', high: 10, medium: null, low: null, sound_only: null, paused: null });
    browser.peer.stats.set('v', {
      type: 'outbound-rtp',
      kind: 'video',
      bytesSent: 500_000,
      framesPerSecond: 30,
    });
    browser.peer.stats.set('p', { type: 'candidate-pair', currentRoundTripTime: 0.02 });
    await browser.clock.pass(2_000);
    expect(audience).toHaveBeenCalledWith(12);
    expect(health).toHaveBeenCalledWith(expect.objectContaining({ high: 10, paused: null }));
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

describe('simulcast', () => {
  const resting = (...rids: string[]) => ({
    type: 'layers',
    layers: ['l', 'm', 'h'].map((rid) => ({ rid, active: !rids.includes(rid) })),
  });

  it('offers three sizes of the camera', async () => {
    const { browser, broadcaster } = onAir();
    await broadcaster.setVideo(track('video'));
    broadcaster.start();
    await browser.connect('broadcaster');
    expect(browser.peer.transceivers[1]?.init.sendEncodings).toMatchObject([
      { rid: 'l', scaleResolutionDownBy: 4, maxBitrate: 150_000 },
      { rid: 'm', scaleResolutionDownBy: 2, maxBitrate: 500_000 },
      { rid: 'h', scaleResolutionDownBy: 1, maxBitrate: 2_488_320 },
    ]);
    expect(layers(browser)).toEqual(['l 4*', 'm 2*', 'h 1*']);
  });

  it('fits them to each source', async () => {
    const { browser, broadcaster } = onAir();
    broadcaster.start();
    await browser.connect('broadcaster');
    await broadcaster.setVideo(track('video', 640, 360));
    expect(layers(browser)).toEqual(['l 2*', 'm 1*', 'h 1']);
    await broadcaster.setVideo(track('video', 1920, 1080), 'screen');
    expect(layers(browser)).toEqual(['l 1*', 'm 1*', 'h 1']);
    const rates = () => video(browser).parameters.encodings.map(({ maxFramerate }) => maxFramerate);
    expect(rates()).toEqual([5, 30, undefined]);
    await broadcaster.setVideo(track('video', 720, 1280));
    expect(layers(browser)).toEqual(['l 4*', 'm 2*', 'h 1*']);
    expect(rates()).toEqual([undefined, undefined, undefined]);
  });

  it('rests the layers that nobody needs, and wakes them', async () => {
    const { browser, broadcaster } = onAir();
    const told = vi.fn();
    broadcaster.on('layers', told);
    await broadcaster.setVideo(track('video'));
    broadcaster.start();
    await browser.connect('broadcaster');
    // At once, as a hasty audience makes it: the browser is asked one thing at a time, and the last word counts.
    for (const message of [resting('h'), resting(), resting('m'), resting('l', 'm')])
      browser.socket.say(message);
    await settle();
    expect(layers(browser)).toEqual(['l 4', 'm 2', 'h 1*']);
    browser.socket.say(resting());
    await settle();
    expect(layers(browser)).toEqual(['l 4*', 'm 2*', 'h 1*']);
    expect(told).toHaveBeenCalledTimes(5);
  });

  it('makes good what the browser refused, and asks for nothing twice', async () => {
    const { browser, broadcaster } = onAir();
    await broadcaster.setVideo(track('video'));
    broadcaster.start();
    await browser.connect('broadcaster');
    video(browser).refusals = 1;
    browser.socket.say(resting('h'));
    await settle();
    expect(layers(browser)).toEqual(['l 4*', 'm 2*', 'h 1*']);
    await browser.clock.pass(4_000);
    expect(layers(browser)).toEqual(['l 4*', 'm 2*', 'h 1']);
    const { changes } = video(browser);
    await browser.clock.pass(60_000);
    expect(video(browser).changes).toBe(changes);
  });

  it('rests them again after an answer, which woke them', async () => {
    const { browser, broadcaster } = onAir();
    await broadcaster.setVideo(track('video'));
    broadcaster.start();
    await browser.connect('broadcaster');
    browser.socket.say(resting('h'));
    await settle();
    browser.networkChanged();
    await settle();
    browser.peer.answered = () => {
      for (const encoding of video(browser).parameters.encodings) encoding.active = true;
    };
    await browser.answer();
    expect(layers(browser)).toEqual(['l 4*', 'm 2*', 'h 1']);
  });

  it('sends its full size to a server that takes one layer only', async () => {
    const { browser, broadcaster } = onAir();
    await broadcaster.setVideo(track('video'));
    broadcaster.start();
    await settle();
    await browser.socket.greet();
    browser.socket.say(welcome({ role: 'broadcaster' }));
    await settle();
    browser.peer.answered = () => video(browser).parameters.encodings.splice(1);
    await browser.answer();
    expect(layers(browser)).toEqual(['l 1*']);
    expect(video(browser).parameters.encodings[0]?.maxBitrate).toBe(2_488_320);
  });

  it('can be switched off', async () => {
    const { browser, broadcaster } = onAir({ simulcast: false });
    await broadcaster.setVideo(track('video'));
    broadcaster.start();
    await browser.connect('broadcaster');
    expect(browser.peer.transceivers[1]?.init.sendEncodings).toHaveLength(1);
    expect(layers(browser)).toEqual(['- 1*']);
  });

  it('tells of the largest picture that is sent', async () => {
    const { browser, broadcaster } = onAir();
    const stats = vi.fn();
    broadcaster.on('stats', stats);
    await broadcaster.setVideo(track('video'));
    broadcaster.start();
    await browser.connect('broadcaster');
    const sent = (id: string, bytesSent: number, frameHeight: number) =>
      browser.peer.stats.set(id, {
        type: 'outbound-rtp',
        kind: 'video',
        bytesSent,
        frameHeight,
        frameWidth: (frameHeight * 16) / 9,
        framesPerSecond: 30,
      });
    sent('l', 10_000, 180);
    sent('h', 100_000, 720);
    await browser.clock.pass(2_000);
    expect(stats).toHaveBeenLastCalledWith(
      expect.objectContaining({ height: 720, layers: 2, bitrate: 440_000 }),
    );
    sent('l', 20_000, 180);
    await browser.clock.pass(2_000);
    expect(stats).toHaveBeenLastCalledWith(
      expect.objectContaining({ height: 180, layers: 1, bitrate: 40_000 }),
    );
  });
});

describe('planLayers', () => {
  const plan = (kind: VideoKind, width?: number, height?: number, count = 3) =>
    planLayers(kind, { width, height }, count).map(({ active, scaleResolutionDownBy: scale, maxBitrate }) =>
      active ? `${scale}:${Math.round(maxBitrate / 1000)}` : '-',
    );

  it.each<[string, VideoKind, number | undefined, number | undefined, string[]]>([
    ['no size yet', 'camera', undefined, undefined, ['4:150', '2:500', '1:2488']],
    ['720p', 'camera', 1280, 720, ['4:150', '2:500', '1:2488']],
    ['1080p', 'camera', 1920, 1080, ['6:150', '3:500', '1:2500']],
    ['540p', 'camera', 960, 540, ['3:150', '1.5:500', '1:1400']],
    ['a phone, upright', 'camera', 720, 1280, ['4:150', '2:500', '1:2488']],
    ['360p', 'camera', 640, 360, ['2:150', '1:622', '-']],
    ['180p', 'camera', 320, 180, ['1:156', '-', '-']],
    ['a stamp', 'camera', 64, 64, ['1:150', '-', '-']],
    ['a screen', 'screen', 1920, 1080, ['1:400', '1:2500', '-']],
    ['a small window', 'screen', 300, 200, ['1:2500', '-', '-']],
  ])('%s', (_, kind, width, height, expected) => {
    expect(plan(kind, width, height)).toEqual(expected);
  });

  it('uses one encoding for everything where there is one', () => {
    expect(plan('camera', 1280, 720, 1)).toEqual(['1:2488']);
    expect(plan('screen', 1280, 720, 1)).toEqual(['1:2500']);
  });
});
