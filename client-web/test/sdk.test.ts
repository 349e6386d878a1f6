import { describe, expect, it } from 'vitest';
import { Backoff } from '../src/sdk/backoff.js';
import { fingerprintOf, startingAt, withoutAddresses } from '../src/sdk/sdp.js';

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

describe('fingerprintOf', () => {
  const offer = (line: string) =>
    ['v=0', 'm=audio 9 UDP/TLS/RTP/SAVPF 111', line, 'a=setup:actpass', ''].join('\r\n');

  it('reads the certificate of the offer, wherever it stands', () => {
    expect(fingerprintOf(offer('a=fingerprint:sha-256 AB:CD'))).toBe('sha-256 AB:CD');
    expect(fingerprintOf('v=0\na=fingerprint:sha-256 AB:CD\nm=audio 9')).toBe('sha-256 AB:CD');
    expect(fingerprintOf(offer('a=mid:0'))).toBeNull();
  });
});
