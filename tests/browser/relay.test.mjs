// Media through a relay of the operator's (coturn over TLS on port 443, with the sample of docs/edges): for who has no other
// way, and to nobody but this server.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import * as app from './lib/app.mjs';
import { Authority } from './lib/authority.mjs';
import { page, trust } from './lib/browsers.mjs';
import { Relay } from './lib/relay.mjs';
import { MEDIA_ADDRESS } from './lib/server.mjs';
import { Site } from './lib/site.mjs';

const [authority, unknown] = [new Authority(), new Authority()];
trust(authority);
after(() => [authority, unknown].forEach((one) => one.remove()));

async function started(options) {
  const relay = await Relay.start(options);
  after(() => relay.stop());
  return relay;
}

const relay = await started({ port: 443, allowed: MEDIA_ADDRESS, authority });
const foreign = await started({ port: 5_349, allowed: MEDIA_ADDRESS, authority: unknown });
const elsewhere = await started({ port: 5_350, allowed: '10.99.0.9', authority });

/** A server that names a relay. */
const naming = ({ server }, ports) => new Site({ ...ports, args: ['--config', server, '--log', 'debug'] });
const reaching = naming(relay, { port: 8_080, mediaPort: 10_000 });
const astray = naming(elsewhere, { port: 8_081, mediaPort: 10_100 });

/** Serialised into a page: a network that lets nothing pass but the relay. */
function throughRelayOnly() {
  const Original = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Original {
    constructor(configuration) {
      super({ ...configuration, iceTransportPolicy: 'relay' });
      window.told = configuration?.iceServers;
      this.addEventListener('icecandidate', ({ candidate }) => { window.placed ||= candidate?.type === 'relay'; });
    }
  };
}

const watch = (kind, site, event) =>
  site.watch(kind, event, { prepared: (viewer) => viewer.evaluateOnNewDocument(throughRelayOnly) });

/** Waits until it plays over the relay, and over TLS to there; returns the measurements. */
async function playsRelayed(viewer) {
  await app.plays(viewer, { within: 30_000 });
  // Media may come before the path is settled.
  const seen = await app.until('its path is settled', async () => {
    const now = await app.measure(viewer);
    return now.candidate ? now : null;
  });
  const { candidate, relayProtocol } = seen;
  assert.deepEqual({ candidate, relayProtocol }, { candidate: 'relay', relayProtocol: 'tls' });
  return seen;
}

/** Serialised into a page: the places that a relay gives to who asks it. */
async function places(server) {
  const peer = new RTCPeerConnection({ iceServers: [server] });
  const given = [];
  const complete = new Promise((resolve) => {
    peer.addEventListener('icecandidate', ({ candidate }) => {
      if (candidate?.type === 'relay') given.push(candidate.type);
      if (!candidate) resolve();
    });
  });
  peer.createDataChannel('');
  await peer.setLocalDescription();
  await complete;
  peer.close();
  return given;
}

for (const kind of ['chromium', 'firefox']) {
  test(`whose network lets nothing through but the relay watches in ${kind}, with credentials of its own`, async (t) => {
    const event = await reaching.onAir(`Relayed to ${kind}`);
    const viewers = [await watch(kind, reaching, event), await watch(kind, reaching, event)];
    const names = [];
    let bytes = 0;
    for (const viewer of viewers) {
      const seen = await playsRelayed(viewer);
      assert.ok(seen.width >= 160 && seen.audioPackets > 0, `${seen.width}×${seen.height}`);
      const [{ urls, username }] = await viewer.evaluate(() => window.told);
      assert.equal(String(urls), relay.url);
      names.push(username);
      bytes += seen.bytes;
      t.diagnostic(`the first frame after ${Math.round(seen.firstFrame)} ms`);
    }
    assert.notEqual(names[0], names[1], 'nobody is told by the name');
    const received = relay.received();
    assert.ok(bytes > 0 && received > bytes, `${bytes} bytes of media, ${received} from port 443`);

    // A session of its own, since a session's name is good for no more connections than it needs.
    const session = relay.session();
    assert.notDeepEqual(await viewers[0].evaluate(places, { urls: relay.url, ...session }), []);
    const before = foreign.connections;
    assert.deepEqual(await viewers[0].evaluate(places, { urls: foreign.url, ...session }), [], 'who signed for it is unknown');
    assert.ok(foreign.connections > before, 'it was tried');
    assert.doesNotMatch(foreign.said, /incoming packet/, 'and it was asked nothing');
    await reaching.end(...viewers);
  });
}

/** Serialised into a page: what a stranger's player offers. Nothing is gathered yet. */
async function offered() {
  const peer = new RTCPeerConnection({ iceTransportPolicy: 'relay' });
  window.stranger = peer;
  for (const kind of ['audio', 'video']) peer.addTransceiver(kind, { direction: 'recvonly' });
  window.offer = await peer.createOffer();
  return window.offer.sdp;
}

/** Serialised into a page: it takes the relay that the answer's `Link` names. */
async function answered(sdp, link) {
  const field = (name) => link.match(new RegExp(`${name}="([^"]*)"`))[1];
  const server = { urls: link.match(/<([^>]*)>/)[1], username: field('username'), credential: field('credential') };
  const { stranger, offer } = window;
  stranger.setConfiguration({ iceTransportPolicy: 'relay', iceServers: [server] });
  // Candidates are gathered from here on.
  await stranger.setLocalDescription(offer);
  await stranger.setRemoteDescription({ type: 'answer', sdp });
}

/** Serialised into a page: it has the relay reach for these addresses, too. */
async function reach(addresses) {
  const candidate = (address) => ({ candidate: `candidate:1 1 udp 2113937151 ${address} 10000 typ host`, sdpMid: '0' });
  for (const address of addresses) await window.stranger.addIceCandidate(candidate(address));
}

test("a stranger's player takes the relay from WHEP's Link, and reaches nothing else over it", async () => {
  const event = await reaching.onAir('Relayed over WHEP');
  const viewer = await page('chromium');
  await viewer.goto(`${reaching.server.url}/privacy`);
  // A program speaks WHEP and the page is its screen: pages of ours show no program's token.
  const token = await reaching.server.token(event, 'watch');
  const headers = { 'content-type': 'application/sdp', authorization: `Bearer ${token}` };
  const body = await viewer.evaluate(offered);
  const reply = await fetch(`${reaching.server.url}/whep/${event}`, { method: 'POST', headers, body });
  const { status } = reply;
  const link = reply.headers.get('link');
  assert.equal(status, 201);
  assert.match(link, /rel="ice-server"/);
  await viewer.evaluate(answered, await reply.text(), link);
  await playsRelayed(viewer);

  // The way out, the relay itself, and an address on the internet.
  const others = ['10.99.0.2', '10.99.0.3', '192.0.2.9'];
  await viewer.evaluate(reach, others);
  for (const address of others) await relay.refuses(address);
  assert.ok(!relay.refused.includes(MEDIA_ADDRESS));
  await reaching.end(viewer);
});

test('over a relay that may not reach the media address nothing flows, and the others watch', async () => {
  const event = await astray.onAir('Refused');
  const other = await astray.watch('chromium', event);
  await app.plays(other);
  const refused = await watch('chromium', astray, event);
  await app.until('the relay takes it', () => refused.evaluate(() => window.placed));
  await elsewhere.refuses(MEDIA_ADDRESS);
  const since = Date.now();
  while (Date.now() < since + 2_000) {
    const now = await app.measure(refused);
    assert.ok(!now || (now.state !== 'connected' && now.frames === 0 && now.audioPackets === 0), JSON.stringify(now));
    await app.sleep(200);
  }
  assert.notEqual((await app.measure(other)).candidate, 'relay', 'who needs no relay takes none');
  await refused.browserContext().close();
  await astray.end(other);
});
