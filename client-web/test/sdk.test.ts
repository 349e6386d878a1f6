import { afterEach, describe, expect, it, vi } from 'vitest';
import { Backoff } from '../src/sdk/backoff.js';
import { guestTokens } from '../src/sdk/guest.js';
import { startingAt, withoutAddresses } from '../src/sdk/sdp.js';
import { FakeClock, fault } from './fakes.js';

afterEach(() => vi.unstubAllGlobals());

describe('Backoff', () => {
  it('doubles up to its limit and starts again after a reset', () => {
    const backoff = new Backoff(() => 1);
    const waits = Array.from({ length: 7 }, () => backoff.next());
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
    backoff.reset();
    expect(backoff.next()).toBe(500);
  });

  it('spreads clients over the upper half of each wait', () => {
    expect(new Backoff(() => 0).next()).toBe(250);
    expect(new Backoff(() => 0.5).next()).toBe(375);
  });
});

describe('withoutAddresses', () => {
  const offer = [
    'v=0',
    'o=- 1 2 IN IP4 192.0.2.7',
    's=-',
    't=0 0',
    'm=audio 50000 UDP/TLS/RTP/SAVPF 111',
    'c=IN IP6 2001:db8::7',
    'a=rtcp:9 IN IP4 192.0.2.7',
    'a=candidate:1 1 udp 2113937151 192.0.2.7 50000 typ host',
    'a=end-of-candidates',
    'a=ice-ufrag:abcd',
    'a=rtcp-mux',
    'a=rtcp-fb:111 transport-cc',
    '',
  ].join('\r\n');

  it('leaves no address behind', () => {
    const sent = withoutAddresses(offer);
    expect(sent).not.toMatch(/192\.0\.2\.7|2001:db8/);
    expect(sent).not.toMatch(/a=candidate|a=end-of-candidates|a=rtcp:/);
  });

  it('keeps everything the answer depends on', () => {
    const sent = withoutAddresses(offer);
    for (const line of [
      'a=ice-ufrag:abcd',
      'a=rtcp-mux',
      'a=rtcp-fb:111 transport-cc',
      'o=- 1 2 IN IP4 0.0.0.0',
    ]) {
      expect(sent).toContain(`${line}\r\n`);
    }
    expect(sent.endsWith('\r\n')).toBe(true);
  });
});

describe('startingAt', () => {
  const answer = [
    'v=0',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    'a=rtpmap:111 opus/48000/2',
    'a=fmtp:111 minptime=10',
    'm=video 9 UDP/TLS/RTP/SAVPF 96 97 102',
    'a=rtpmap:96 VP8/90000',
    'a=rtpmap:97 rtx/90000',
    'a=fmtp:97 apt=96',
    'a=rtpmap:102 H264/90000',
    'a=fmtp:102 packetization-mode=1',
    '',
  ];

  it('gives every video codec a start, and nothing else', () => {
    const expected = answer.toSpliced(6, 0, 'a=fmtp:96 x-google-start-bitrate=1200');
    expected[10] = 'a=fmtp:102 x-google-start-bitrate=1200;packetization-mode=1';
    expect(startingAt(answer.join('\r\n'), 1200).split('\r\n')).toEqual(expected);
  });
});

describe('guestTokens', () => {
  function server(...answers: Response[]) {
    const requests: Request[] = [];
    vi.stubGlobal('fetch', async (request: Request) => {
      requests.push(request);
      return answers.shift();
    });
    return requests;
  }
  const pass = (token: string) => Response.json({ token, expires_in: 600 });

  it('asks once, and again shortly before the pass runs out', async () => {
    const clock = new FakeClock();
    const requests = server(pass('one'), pass('two'));
    const token = guestTokens('https://live.example', 'abc', clock);
    expect(await token(false)).toBe('one');
    await clock.pass(500_000);
    expect(await token(false)).toBe('one');
    await clock.pass(60_000);
    expect(await token(false)).toBe('two');
    expect(requests.map((request) => request.url)).toEqual(
      Array(2).fill('https://live.example/api/v1/events/abc/guest'),
    );
    expect(requests[0]?.headers.get('authorization')).toBeNull();
    expect(requests[1]?.headers.get('authorization')).toBe('Bearer one');
    expect(requests[0]?.credentials).toBe('omit');
  });

  it('asks anew for a pass that was refused before its time', async () => {
    server(pass('one'), pass('two'));
    const token = guestTokens('https://live.example', 'abc', new FakeClock());
    expect(await token(false)).toBe('one');
    expect(await token(true)).toBe('two');
  });

  it('hands on the server’s refusal in its own words', async () => {
    server(Response.json(fault('event-private', 403), { status: 403 }));
    await expect(guestTokens('https://live.example', 'abc')(false)).rejects.toMatchObject({
      code: 'event-private',
      remedy: 'What to do.',
      fatal: true,
    });
  });

  it('takes a proxy’s error page for an unreachable server', async () => {
    server(new Response('<h1>Bad gateway</h1>', { status: 502 }));
    await expect(guestTokens('https://live.example', 'abc')(false)).rejects.toMatchObject({
      code: 'unreachable',
      fatal: false,
    });
  });
});
