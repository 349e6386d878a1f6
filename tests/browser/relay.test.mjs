// Media through a relay of the operator's (coturn over TCP): for who has no other way, and to nobody but this server.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import * as app from './lib/app.mjs';
import { page } from './lib/browsers.mjs';
import { Relay } from './lib/relay.mjs';
import { MEDIA_ADDRESS } from './lib/server.mjs';
import { Site } from './lib/site.mjs';

/** A server that names a relay which reaches one address. */
function relayed({ relayPort, allowed, port, mediaPort }) {
  let relay;
  const site = new Site(async () => {
    relay = await Relay.start({ port: relayPort, allowed });
    return { port, mediaPort, args: ['--config', relay.server, '--log', 'debug'] };
  });
  after(() => relay?.stop());
  return site;
}

const reaching = relayed({ relayPort: 3_478, allowed: MEDIA_ADDRESS, port: 8_080, mediaPort: 10_000 });
const astray = relayed({ relayPort: 3_479, allowed: '10.99.0.9', port: 8_081, mediaPort: 10_100 });

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

/** The path that media take: the kind of our end of it, and what leads to the relay. */
const path = async (viewer) => {
  const { candidate, relayProtocol } = await app.measure(viewer);
  return { candidate, relayProtocol };
};

for (const kind of ['chromium', 'firefox']) {
  test(`whose network lets nothing through but the relay watches in ${kind}, with credentials of its own`, async (t) => {
    const event = await reaching.onAir(`Relayed to ${kind}`);
    const viewers = [await watch(kind, reaching, event), await watch(kind, reaching, event)];
    const names = [];
    for (const viewer of viewers) {
      const seen = await app.plays(viewer, { within: 30_000 });
      assert.ok(seen.width >= 160 && seen.audioPackets > 0, `${seen.width}×${seen.height}`);
      assert.deepEqual(await path(viewer), { candidate: 'relay', relayProtocol: 'tcp' });
      const [{ username }] = await viewer.evaluate(() => window.told);
      names.push(username);
      t.diagnostic(`the first frame after ${Math.round(seen.firstFrame)} ms`);
    }
    assert.notEqual(names[0], names[1], 'nobody is told by the name');
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

test("a stranger's player takes the relay from WHEP's Link", async () => {
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
  await app.plays(viewer, { within: 30_000 });
  assert.deepEqual(await path(viewer), { candidate: 'relay', relayProtocol: 'tcp' });
  await reaching.end(viewer);
});

test('over a relay that may not reach the media address nothing flows, and the others watch', async () => {
  const event = await astray.onAir('Refused');
  const other = await astray.watch('chromium', event);
  await app.plays(other);
  const refused = await watch('chromium', astray, event);
  await app.until('the relay takes it', () => refused.evaluate(() => window.placed));
  const started = Date.now();
  while (Date.now() < started + 8_000) {
    const now = await app.measure(refused);
    assert.ok(!now || (now.state !== 'connected' && now.frames === 0 && now.audioPackets === 0), JSON.stringify(now));
    await app.sleep(200);
  }
  assert.notEqual((await app.measure(other)).candidate, 'relay', 'who needs no relay takes none');
  await refused.browserContext().close();
  await astray.end(other);
});
