import { afterEach, describe, expect, it, vi } from 'vitest';
import type { VeilcastError } from '../src/sdk/errors.js';
import type { SessionState } from '../src/sdk/session.js';
import { Viewer, type ViewerPlace } from '../src/sdk/viewer.js';
import { ABSENT, access, EVENT, FakeBrowser, fault, LIVE, settle, stage, welcome } from './fakes.js';

afterEach(() => vi.unstubAllGlobals());

function watching(token?: (refused: boolean) => Promise<string>, lookingOn = false) {
  const browser = new FakeBrowser();
  const viewer = new Viewer({
    url: 'https://live.example',
    event: EVENT.id,
    access: access(token),
    lookingOn,
    environment: browser.environment,
  });
  const states: SessionState[] = [];
  const errors: VeilcastError[] = [];
  viewer.on('state', (state) => states.push(state));
  viewer.on('error', (error) => errors.push(error));
  viewer.start();
  return { browser, viewer, states, errors };
}

describe('joining', () => {
  it('authenticates in the first message, not in the address', async () => {
    const { browser } = watching();
    await settle();
    expect(browser.socket.url).toBe('wss://live.example/ws');
    await browser.socket.greet();
    expect(browser.socket.sent).toHaveLength(1);
    expect(browser.socket.sent[0]).toMatchObject({ type: 'hello', token: 'pass' });
    expect(browser.socket.sent[0]).not.toHaveProperty('role');
  });

  it('offers to receive, with no address in the offer', async () => {
    const { browser, states } = watching();
    await browser.connect('viewer');
    expect(browser.peer.transceivers.map(({ kind, init }) => [kind, init.direction])).toEqual([
      ['audio', 'recvonly'],
      ['video', 'recvonly'],
    ]);
    expect(browser.socket.offers()[0]).not.toContain('192.0.2.7');
    expect(states).toEqual(['connecting', 'connected']);
  });

  it('holds back against jitter what the event asks for', async () => {
    const target = async (event: object) => {
      const { browser } = watching();
      await browser.connect('viewer', ABSENT, [], event);
      return browser.peer.transceivers.map(({ receiver }) => receiver.jitterBufferTarget);
    };
    expect(await target({ ...EVENT, latency: 'interactive' })).toEqual([0, 0]);
    expect(await target({ ...EVENT, latency: 'balanced' })).toEqual([200, 200]);
  });

  it('watches as a moderator, and says so', async () => {
    const { browser, viewer, states } = watching();
    const roles: string[] = [];
    viewer.on('role', (role) => roles.push(role));
    await browser.connect('moderator');
    expect([roles, states]).toEqual([['moderator'], ['connecting', 'connected']]);
  });

  it.each(['removed', 'banned'] as const)('stays out when it was %s', async (code) => {
    const { browser, states, errors } = watching();
    await browser.connect('viewer');
    browser.socket.say({ type: 'disconnected', fault: fault(code) });
    await settle();
    expect(states.at(-1)).toBe('failed');
    expect(errors.map((error) => error.code)).toEqual([code]);
  });

  it('uses the ICE servers that the operator named, and none by itself', async () => {
    const alone = watching();
    await alone.browser.connect('viewer');
    expect(alone.browser.peer.configuration.iceServers).toEqual([]);
    const helped = watching();
    const relay = { username: 'stage', credential: 'c' };
    await helped.browser.connect('viewer', ABSENT, [
      { url: 'stun:stun.example:3478' },
      { url: 'turn:turn.example?transport=tcp', ...relay },
    ]);
    expect(helped.browser.peer.configuration.iceServers).toEqual([
      { urls: 'stun:stun.example:3478' },
      { urls: 'turn:turn.example?transport=tcp', ...relay },
    ]);
  });

  it('opens the socket only once the token is there', async () => {
    let give: (token: string) => void = () => {};
    const { browser } = watching(() => new Promise((resolve) => (give = resolve)));
    await settle();
    expect(browser.sockets).toHaveLength(0);
    give('late');
    await browser.connect('viewer');
    expect(browser.socket.sent[0]).toMatchObject({ type: 'hello', token: 'late' });
  });

  it('refuses another event or role than its own', async () => {
    const { browser, states, errors } = watching();
    await settle();
    await browser.socket.greet();
    browser.socket.say(welcome({ role: 'broadcaster' }));
    await settle();
    expect(states.at(-1)).toBe('failed');
    expect(errors[0]?.code).toBe('unsupported');
  });

  it.each(['event-private', 'proof-invalid', 'token-unbound'] as const)(
    'gives up on a refusal that stays one: %s',
    async (code) => {
      const { browser, states, errors } = watching();
      await settle();
      await browser.socket.greet();
      browser.socket.say({ type: 'fault', fault: fault(code, 401) });
      await browser.clock.pass(60_000);
      expect(browser.sockets).toHaveLength(1);
      expect(states).toEqual(['connecting', 'failed']);
      expect(errors[0]?.remedy).toBe('What to do.');
    },
  );

  it('fetches an expired token anew, once', async () => {
    const token = vi.fn(async () => 'fresh');
    const { browser, states } = watching(token);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await settle();
      await browser.socket.greet();
      browser.socket.say({ type: 'fault', fault: fault('token-expired', 401) });
      await browser.clock.pass(2_000);
    }
    expect(token).toHaveBeenCalledTimes(2);
    expect(states.at(-1)).toBe('failed');
  });

  it('takes an event that is over as an end, not as a failure', async () => {
    const { browser, viewer, states } = watching();
    const ended = vi.fn();
    viewer.on('ended', ended);
    await settle();
    await browser.socket.greet();
    browser.socket.say({ type: 'fault', fault: fault('event-ended', 410) });
    await settle();
    expect(states.at(-1)).toBe('ended');
    expect(ended).toHaveBeenCalledWith('What happened.');
  });
});

describe('staying', () => {
  it('comes back after a lost socket, with a new peer and the same stream', async () => {
    const { browser, viewer, states } = watching();
    await browser.connect('viewer');
    const { stream } = viewer;
    const tracks = stream.getTracks();
    browser.socket.drop();
    expect(browser.peer.closed).toBe(true);
    expect(stream.getTracks()).toEqual(tracks);
    await browser.clock.pass(600);
    await browser.connect('viewer');
    expect(browser.peers).toHaveLength(2);
    expect(viewer.stream).toBe(stream);
    expect(stream.getTracks()).not.toEqual(tracks.concat(tracks));
    expect(stream.getTracks()).toHaveLength(2);
    expect(states).toEqual(['connecting', 'connected', 'reconnecting', 'connected']);
  });

  it('waits longer after each failure', async () => {
    const { browser } = watching();
    await settle();
    const opened: number[] = [];
    for (let attempt = 0; attempt < 4; attempt += 1) {
      browser.socket.drop();
      const count = browser.sockets.length;
      const from = browser.clock.now();
      while (browser.sockets.length === count) await browser.clock.pass(50);
      opened.push(browser.clock.now() - from);
    }
    expect(opened).toEqual([500, 1000, 2000, 4000]);
  });

  it('restarts ICE over the same session when the path is lost', async () => {
    const { browser, states } = watching();
    await browser.connect('viewer');
    browser.peer.become('disconnected');
    await browser.clock.pass(1_100);
    expect(browser.peer.restarts).toBe(1);
    expect(browser.socket.offers()).toHaveLength(2);
    await browser.answer();
    browser.peer.become('connected');
    expect(browser.sockets).toHaveLength(1);
    expect(states).toEqual(['connecting', 'connected', 'reconnecting', 'connected']);
  });

  it('lets a short disturbance heal by itself', async () => {
    const { browser } = watching();
    await browser.connect('viewer');
    browser.peer.become('disconnected');
    await browser.clock.pass(500);
    browser.peer.become('connected');
    await browser.clock.pass(5_000);
    expect(browser.peer.restarts).toBe(0);
  });

  it('looks for a better path on a new network without alarming anybody', async () => {
    const { browser, states } = watching();
    await browser.connect('viewer');
    browser.networkChanged();
    await settle();
    expect(browser.peer.restarts).toBe(1);
    await browser.answer();
    await browser.clock.pass(10_000);
    expect(states).toEqual(['connecting', 'connected']);
    expect(browser.sockets).toHaveLength(1);
  });

  it('starts over when the restart finds no path', async () => {
    const { browser } = watching();
    await browser.connect('viewer');
    browser.networkChanged();
    await browser.clock.pass(7_000);
    expect(browser.sockets).toHaveLength(2);
  });

  it('does not wait for its turn when the network is back', async () => {
    const { browser } = watching();
    await browser.connect('viewer');
    browser.socket.drop();
    browser.networkChanged();
    await settle();
    expect(browser.sockets).toHaveLength(2);
  });

  it('stays away as long as a draining server asks', async () => {
    const { browser } = watching();
    await browser.connect('viewer');
    browser.socket.say({ type: 'draining', retry_after_ms: 3_000 });
    browser.socket.drop();
    await browser.clock.pass(2_900);
    expect(browser.sockets).toHaveLength(1);
    await browser.clock.pass(200);
    expect(browser.sockets).toHaveLength(2);
  });

  it('offers anew when the server lost the media connection', async () => {
    const { browser, states } = watching();
    await browser.connect('viewer');
    browser.socket.say({ type: 'disconnected', fault: fault('connection-lost', 504) });
    await browser.clock.pass(600);
    await browser.connect('viewer');
    expect(states.at(-1)).toBe('connected');
  });

  it('says goodbye and touches nothing afterwards', async () => {
    const { browser, viewer, states } = watching();
    await browser.connect('viewer');
    viewer.stop();
    expect(browser.socket.sent.at(-1)).toEqual({ type: 'leave' });
    browser.networkChanged();
    await browser.clock.pass(60_000);
    expect(browser.sockets).toHaveLength(1);
    expect(states.at(-1)).toBe('closed');
  });

  it('survives nonsense and unknown kinds', async () => {
    const { browser, states } = watching();
    await browser.connect('viewer');
    browser.socket.dispatchEvent(new MessageEvent('message', { data: '{' }));
    browser.socket.say({ type: 'fireworks' });
    browser.socket.say({ type: 'stage', audio: 'loud' });
    expect(states.at(-1)).toBe('connected');
  });
});

describe('what is on', () => {
  it('measures the time to the first frame', async () => {
    const { browser, viewer } = watching();
    const playing = vi.fn();
    viewer.on('playing', playing);
    await browser.connect('viewer', LIVE);
    await browser.clock.pass(300);
    expect(playing).not.toHaveBeenCalled();
    browser.peer.stats.set('v', { type: 'inbound-rtp', framesDecoded: 1 });
    await browser.clock.pass(100);
    expect(playing).toHaveBeenCalledExactlyOnceWith({ elapsedMs: 400 });
  });

  it('waits for a broadcaster and starts without being asked', async () => {
    const { browser, viewer } = watching();
    const playing = vi.fn();
    viewer.on('playing', playing);
    await browser.connect('viewer', ABSENT);
    await browser.clock.pass(60_000);
    browser.socket.say({ type: 'stage', ...LIVE });
    await browser.clock.pass(100);
    browser.peer.stats.set('v', { type: 'inbound-rtp', framesDecoded: 3 });
    await browser.clock.pass(200);
    expect(playing.mock.calls[0]?.[0].elapsedMs).toBeLessThanOrEqual(300);
  });

  it('says so when a picture comes back under a sound that never stopped', async () => {
    const { browser, viewer } = watching();
    const playing = vi.fn();
    viewer.on('playing', playing);
    const frames = (framesDecoded: number) =>
      browser.peer.stats.set('v', { type: 'inbound-rtp', framesDecoded });
    await browser.connect('viewer', LIVE);
    frames(40);
    await browser.clock.pass(200);
    browser.socket.say({ type: 'stage', audio: 'live', video: 'muted' });
    await browser.clock.pass(5_000);
    browser.socket.say({ type: 'stage', ...LIVE });
    await browser.clock.pass(300);
    expect(playing).toHaveBeenCalledOnce();
    frames(41);
    await browser.clock.pass(200);
    expect(playing).toHaveBeenCalledTimes(2);
  });

  it('tells of a pause and of a codec that cannot be played', async () => {
    const { browser, viewer } = watching();
    const [muted, unplayable] = [vi.fn(), vi.fn()];
    viewer.on('muted', muted);
    viewer.on('unplayable', unplayable);
    await browser.connect('viewer', LIVE);
    browser.socket.say({ type: 'stage', audio: 'muted', video: 'muted' });
    browser.socket.say({ type: 'unplayable', codec: 'H264', title: 'No.' });
    expect(muted).toHaveBeenCalledOnce();
    expect(unplayable).toHaveBeenCalledWith({ place: 0, codec: 'H264', title: 'No.' });
  });
});

describe('quality', () => {
  const wishes = (browser: FakeBrowser) =>
    browser.socket.sent.flatMap((message) => (message.type === 'quality' ? [message.max] : []));

  it('says nothing where nothing is wished', async () => {
    const { browser } = watching();
    await browser.connect('viewer');
    expect(wishes(browser)).toEqual([]);
  });

  it('tells a wish at once, and over again on every connection', async () => {
    const { browser, viewer } = watching();
    await browser.connect('viewer', LIVE);
    viewer.setMaxQuality('low');
    viewer.setMaxQuality('low');
    expect(wishes(browser)).toEqual(['low']);
    browser.socket.drop();
    viewer.setMaxQuality('off');
    await browser.clock.pass(600);
    await browser.connect('viewer', LIVE);
    expect(wishes(browser)).toEqual(['off']);
    const kinds = browser.socket.sent.map(({ type }) => type);
    expect(kinds).toEqual(['hello', 'quality', 'offer']);
  });

  it('takes a wish before there is a connection', async () => {
    const { browser, viewer } = watching();
    viewer.setMaxQuality('medium');
    await browser.connect('viewer', LIVE);
    expect(wishes(browser)).toEqual(['medium']);
  });

  it('does not pass on every step of a key held down', async () => {
    const { browser, viewer } = watching();
    await browser.connect('viewer', LIVE);
    for (const max of ['medium', 'low', 'off', 'low', 'medium'] as const) viewer.setMaxQuality(max);
    await browser.clock.pass(5_000);
    expect(wishes(browser)).toEqual(['medium']);
    for (const max of ['low', 'off', 'low', 'medium', 'high'] as const) viewer.setMaxQuality(max);
    await browser.clock.pass(5_000);
    expect(wishes(browser)).toEqual(['medium', 'low', 'high']);
  });

  it('waits for sound while there is no picture for it, and for the picture when it returns', async () => {
    const { browser, viewer } = watching();
    const [playing, quality] = [vi.fn(), vi.fn()];
    viewer.on('playing', playing);
    viewer.on('quality', quality);
    await browser.connect('viewer', LIVE);
    const got = (framesDecoded: number, packetsReceived: number) =>
      browser.peer.stats.set('v', { type: 'inbound-rtp', framesDecoded, packetsReceived });
    got(40, 100);
    await browser.clock.pass(200);
    browser.socket.say({ type: 'quality', video: 'paused' });
    await browser.clock.pass(200);
    got(40, 120);
    await browser.clock.pass(200);
    expect(playing).toHaveBeenCalledTimes(2);
    browser.socket.say({ type: 'quality', video: 'low' });
    await browser.clock.pass(200);
    got(40, 150);
    await browser.clock.pass(1_000);
    expect(playing).toHaveBeenCalledTimes(2);
    got(41, 160);
    await browser.clock.pass(200);
    expect(playing).toHaveBeenCalledTimes(3);
    browser.socket.say({ type: 'quality', video: 'low' });
    expect(quality.mock.calls).toEqual([['paused'], ['low']]);
  });
});

describe('several broadcasters', () => {
  const ON = { audio: 'live', video: 'live' } as const;
  const OFF = { audio: 'absent', video: 'absent' } as const;
  const say = (browser: FakeBrowser, ...places: (typeof ON | typeof OFF)[]) =>
    browser.socket.say({ type: 'stage', ...stage(...places) });
  const directions = (browser: FakeBrowser) => browser.peer.transceivers.map(({ direction }) => direction);
  const tracks = (browser: FakeBrowser, place: number) =>
    browser.peer.transceivers.slice(2 * place, 2 * place + 2).map(({ receiver }) => receiver.track);

  it('asks for everybody who is on when it comes', async () => {
    const { browser, viewer } = watching();
    await browser.connect('viewer', stage(ON, OFF, ON));
    expect(browser.peer.transceivers.map(({ kind }) => kind)).toEqual(
      Array(3).fill(['audio', 'video']).flat(),
    );
    expect(browser.socket.offers()).toHaveLength(1);
    expect(viewer.places.map(({ place }) => place)).toEqual([0, 2]);
  });

  it('offers more sections when somebody joins, and touches none of the others', async () => {
    const { browser, viewer } = watching();
    const seen: number[][] = [];
    viewer.on('places', (places) => seen.push(places.map(({ place }) => place)));
    await browser.connect('viewer', stage(ON));
    const first = viewer.places[0]?.stream;
    const before = tracks(browser, 0);
    say(browser, ON, ON);
    await settle();
    expect(browser.socket.offers()).toHaveLength(2);
    expect(browser.peer.transceivers).toHaveLength(4);
    await browser.answer();
    expect(browser.peers).toHaveLength(1);
    expect(viewer.places[0]?.stream).toBe(first);
    expect(viewer.stream).toBe(first);
    expect(first?.getTracks()).toEqual(before);
    expect(viewer.places[1]?.stream.getTracks()).toEqual(tracks(browser, 1));
    expect(seen.at(-1)).toEqual([0, 1]);
  });

  it('keeps a section that somebody left for whoever has the place next', async () => {
    const { browser, viewer } = watching();
    await browser.connect('viewer', stage(ON, ON));
    const second = viewer.places[1]?.stream;
    say(browser, ON);
    expect(viewer.places).toHaveLength(1);
    say(browser, ON, ON);
    await settle();
    expect(browser.socket.offers()).toHaveLength(1);
    expect(viewer.places[1]?.stream).toBe(second);
  });

  it('remembers who joins while an offer is being answered', async () => {
    const { browser } = watching();
    await settle();
    await browser.socket.greet();
    browser.socket.say(welcome({ stage: stage(ON) }));
    await settle();
    say(browser, ON, ON);
    say(browser, ON, ON, ON);
    await settle();
    expect(browser.socket.offers()).toHaveLength(1);
    await browser.answer();
    expect(browser.socket.offers()).toHaveLength(2);
    expect(browser.peer.transceivers).toHaveLength(6);
  });

  it('keeps the streams over a reconnect', async () => {
    const { browser, viewer } = watching();
    await browser.connect('viewer', stage(ON, ON));
    const streams = viewer.places.map(({ stream }) => stream);
    const old = tracks(browser, 1);
    browser.socket.drop();
    expect(streams[1]?.getTracks()).toEqual(old);
    await browser.clock.pass(600);
    await browser.connect('viewer', stage(ON, ON));
    expect(browser.peer.transceivers).toHaveLength(4);
    expect(viewer.places.map(({ stream }) => stream)).toEqual(streams);
    expect(streams[1]?.getTracks()).toEqual(tracks(browser, 1));
    expect(streams[1]?.getTracks()[0]).not.toBe(old[0]);
  });

  it('tells how much arrives of each', async () => {
    const { browser, viewer } = watching();
    const quality = vi.fn();
    viewer.on('quality', quality);
    await browser.connect('viewer', stage(ON, ON));
    browser.socket.say({ type: 'quality', video: 'medium', places: ['medium', 'paused'] });
    expect(viewer.places.map((place: ViewerPlace) => place.quality)).toEqual(['medium', 'paused']);
    expect(quality.mock.calls).toEqual([['medium']]);
  });

  it('leaves out a place that is its own, and takes it back', async () => {
    const { browser, viewer } = watching(undefined, true);
    viewer.skip(1);
    await browser.connect('viewer', stage(ON, ON));
    expect(browser.socket.sent[0]).toMatchObject({ type: 'hello', token: 'pass', role: 'viewer' });
    expect(viewer.places.map(({ place }) => place)).toEqual([0]);
    viewer.skip(null);
    await settle();
    expect(viewer.places).toHaveLength(2);
    expect(browser.socket.offers()).toHaveLength(1);
    expect(directions(browser)).toEqual(Array(4).fill('recvonly'));
  });

  it('understands servers that know of one broadcaster', async () => {
    const { browser, viewer } = watching();
    await browser.connect('viewer', { ...ON } as never);
    expect(viewer.places.map(({ place, audio, video }) => [place, audio, video])).toEqual([
      [0, 'live', 'live'],
    ]);
    browser.socket.say({ type: 'quality', video: 'low' });
    expect(viewer.places[0]?.quality).toBe('low');
    browser.socket.say({ type: 'stage', ...OFF });
    expect(viewer.places).toEqual([]);
  });
});
