// Media through a relay of the operator's (coturn over TCP): for who has no other way, and to nobody but this server.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as app from './lib/app.mjs';
import { closeBrowsers, page } from './lib/browsers.mjs';
import { Relay } from './lib/relay.mjs';
import { MEDIA_ADDRESS, Server } from './lib/server.mjs';

/** A relay to the media address and one to somewhere else, with a server that names it. */
const sites = {
  reaching: { relay: { port: 3_478, allowed: MEDIA_ADDRESS }, server: { port: 8_080, mediaPort: 10_000 } },
  astray: { relay: { port: 3_479, allowed: '10.99.0.9' }, server: { port: 8_081, mediaPort: 10_100 } },
};

before(async () => {
  for (const site of Object.values(sites)) {
    site.turn = await Relay.start(site.relay);
    site.http = await Server.start({ ...site.server, args: ['--config', site.turn.server, '--log', 'debug'] });
    site.broadcaster = await page('chromium');
    await app.setUp(site.broadcaster, site.http);
  }
});

after(async () => {
  await closeBrowsers();
  for (const { http, turn } of Object.values(sites)) {
    await http?.stop();
    await turn?.stop();
  }
});

/** An event that is on air, without a relay between the studio and the server. */
async function onAir({ http, broadcaster }, title) {
  const event = await http.createEvent(title, '--public');
  await app.prepare(broadcaster, http, event);
  await app.goLive(broadcaster);
  return event;
}

/** Serialised into a page: a network that lets nothing pass but the relay. */
function throughRelayOnly() {
  const Original = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Original {
    constructor(configuration) {
      super({ ...configuration, iceTransportPolicy: 'relay' });
      window.told = configuration?.iceServers;
    }
  };
}

async function watch(kind, { http }, event) {
  const viewer = await page(kind);
  await viewer.evaluateOnNewDocument(throughRelayOnly);
  await viewer.goto(`${http.url}/watch/${event}`);
  return viewer;
}

/** The path that media take: the kind of our end of it, and what leads to the relay. */
const path = async (viewer) => {
  const { candidate, relayProtocol } = await app.measure(viewer);
  return { candidate, relayProtocol };
};

for (const kind of ['chromium', 'firefox']) {
  test(`whose network lets nothing through but the relay watches in ${kind}, with credentials of its own`, async (t) => {
    const event = await onAir(sites.reaching, `Relayed to ${kind}`);
    const viewers = [await watch(kind, sites.reaching, event), await watch(kind, sites.reaching, event)];
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
    await app.leave(sites.reaching.http, ...viewers);
    await app.offAir(sites.reaching.broadcaster);
  });
}

/** Serialised into a page: WHEP as a stranger's player speaks it, which learns of the relay from the answer's `Link`. */
async function whep(event, token) {
  const peer = new RTCPeerConnection({ iceTransportPolicy: 'relay' });
  window.stranger = peer;
  for (const kind of ['audio', 'video']) peer.addTransceiver(kind, { direction: 'recvonly' });
  const offer = await peer.createOffer();
  const headers = { 'content-type': 'application/sdp', authorization: `Bearer ${token}` };
  const answer = await fetch(`/whep/${event}`, { method: 'POST', headers, body: offer.sdp });
  const link = answer.headers.get('link');
  const field = (name) => link.match(new RegExp(`${name}="([^"]*)"`))[1];
  const server = { urls: link.match(/<([^>]*)>/)[1], username: field('username'), credential: field('credential') };
  peer.setConfiguration({ iceTransportPolicy: 'relay', iceServers: [server] });
  // Candidates are gathered from here on.
  await peer.setLocalDescription(offer);
  await peer.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
  return { link, status: answer.status };
}

test("a stranger's player takes the relay from WHEP's Link", async () => {
  const { http, broadcaster } = sites.reaching;
  const event = await onAir(sites.reaching, 'Relayed over WHEP');
  const viewer = await page('chromium');
  await viewer.goto(`${http.url}/privacy`);
  const { status, link } = await viewer.evaluate(whep, event, await http.token(event, 'watch'));
  assert.equal(status, 201);
  assert.match(link, /rel="ice-server"/);
  await app.plays(viewer, { within: 30_000 });
  assert.deepEqual(await path(viewer), { candidate: 'relay', relayProtocol: 'tcp' });
  await app.leave(http, viewer);
  await app.offAir(broadcaster);
});

test('over a relay that may not reach the media address nothing flows, and the others watch', async () => {
  const { http, broadcaster } = sites.astray;
  const event = await onAir(sites.astray, 'Refused');
  const other = await page('chromium');
  await other.goto(`${http.url}/watch/${event}`);
  await app.plays(other);
  const refused = await watch('chromium', sites.astray, event);
  const described = () => refused.evaluate(() => window.describe());
  await app.until('the relay takes it', async () => (await described()).local.includes(' typ relay '));
  const started = Date.now();
  while (Date.now() < started + 8_000) {
    const now = await app.measure(refused);
    assert.ok(!now || (now.state !== 'connected' && now.frames === 0 && now.audioPackets === 0), JSON.stringify(now));
    await app.sleep(200);
  }
  assert.notEqual((await app.measure(other)).candidate, 'relay', 'who needs no relay takes none');
  await refused.browserContext().close();
  await app.leave(http, other);
  await app.offAir(broadcaster);
});
