// Every page and state as PNG under target/screens: laptop and phone, light and dark. To be looked at.
import { join } from 'node:path';
import * as app from './lib/app.mjs';
import { closeBrowsers, page } from './lib/browsers.mjs';
import { pages } from './lib/pages.mjs';
import { Provider } from './lib/provider.mjs';
import { Server } from './lib/server.mjs';
import { shoot } from './lib/shoot.mjs';

/** A co-host's studio, by invitation. */
async function guestStudio(event) {
  const studio = await page('chromium');
  await studio.goto(await server.invite(event, 'broadcast'));
  await app.press(studio, 'Turn on camera and microphone');
  return studio;
}

/** So many broadcasters are not at hand here; the element is shown what is there several times over. */
const crowd = (viewer, count) =>
  viewer.evaluate((count) => {
    const player = document.querySelector('veilcast-player');
    const [{ stream }] = player.tiles;
    const odd = [{}, { audio: 'muted' }, { video: 'muted' }, { quality: 'paused' }, { audio: 'muted', video: 'muted' }];
    const place = (place) => ({ place, tenure: place + 1, stream, audio: 'live', video: 'live', quality: 'high', ...odd[place % 5] });
    player.tiles = Array.from({ length: count }, (_, at) => place(at));
    player.model = { ...player.model, places: player.tiles };
    player.several = true;
    window.dispatchEvent(new Event('resize'));
  }, count);

async function several(operator) {
  const event = await server.createEvent('An evening of chamber music, and a talk', '--public', '--broadcasters', '4');
  await app.prepare(operator, server, event);
  await app.goLive(operator);
  const viewer = await page('chromium');
  await viewer.goto(`${server.url}/watch/${event}`);
  await app.plays(viewer);
  const cohost = await guestStudio(event);
  await app.says(cohost, 'On stage');
  await app.sleep(1_000);
  await shoot(cohost, 'cohost-before');
  await app.goLive(cohost);
  await app.says(viewer, 'Co-host 2');
  await app.sleep(1_500);
  await shoot(viewer, 'watch-two');
  await shoot(cohost, 'cohost-live');
  await app.says(operator, 'Also on stage');
  await shoot(operator, 'studio-cohosts');
  await operator.evaluate(() => document.querySelector('vc-cohosts').scrollIntoView({ block: 'end' }));
  await shoot(operator, 'studio-invite');
  for (const count of [3, 5, 16]) {
    await crowd(viewer, count);
    await shoot(viewer, `watch-${count}`);
  }
  await moderated(operator, event, cohost);
  await viewer.browserContext().close();
  await cohost.browserContext().close();
  await app.offAir(operator);
}

/** A co-host is put out, as all three of them see it. */
async function moderated(operator, event, cohost) {
  const moderator = await page('chromium');
  await moderator.goto(await server.invite(event, 'moderate'));
  await app.says(moderator, 'Look after this event');
  await app.says(moderator, 'Co-host 2');
  await app.sleep(1_000);
  await shoot(moderator, 'watch-moderator');
  await app.press(moderator, 'Remove and keep out Co-host 2');
  await app.says(moderator, 'keep them out?');
  await shoot(moderator, 'watch-ban');
  await app.press(moderator, 'Keep them out');
  await app.says(moderator, 'Let back in');
  await moderator.evaluate(() => document.querySelector('vc-look-after').scrollIntoView({ block: 'end' }));
  await shoot(moderator, 'watch-banned');
  await app.says(cohost, 'keeps you out');
  await shoot(cohost, 'cohost-banned');
  await app.says(operator, 'Kept out', { within: 20_000 });
  await operator.evaluate(() => document.querySelector('vc-look-after').scrollIntoView({ block: 'end' }));
  await shoot(operator, 'studio-banned');
  await operator.evaluate(() => document.querySelector('vc-invitations').scrollIntoView({ block: 'end' }));
  await shoot(operator, 'studio-moderators');
  await moderator.browserContext().close();
}

/** An event with a door: who asks, who decides, who was turned away. */
async function door() {
  const event = await server.createEvent('A reading among friends', '--approval');
  const moderator = await page('chromium');
  await moderator.goto(await server.invite(event, 'moderate'));
  await app.says(moderator, 'Nobody waits to be let in.');
  const guest = await page('chromium');
  await guest.goto(`${server.url}/watch/${event}`);
  await app.says(guest, 'lets people in one by one');
  await shoot(guest, 'door-ask');
  await app.fill(guest, 'name', 'Ada');
  await app.press(guest, 'Ask to come in');
  await app.says(guest, 'The host has been asked');
  await shoot(guest, 'door-waiting');
  await app.says(moderator, 'Guest 1');
  await moderator.evaluate(() => document.querySelector('vc-look-after').scrollIntoView({ block: 'end' }));
  await shoot(moderator, 'door-keeper');
  await app.press(moderator, 'Turn away Guest 1, “Ada”');
  await app.says(guest, 'did not let you in');
  await shoot(guest, 'door-turned-away');
  await app.says(moderator, 'was turned away.');
  await shoot(moderator, 'door-keeper-after');
  await guest.browserContext().close();
  await moderator.browserContext().close();
}

async function accountPage(operator) {
  await operator.goto(`${server.url}/account`);
  await app.says(operator, 'This one');
  await operator.evaluate(() => document.querySelector('#sessions').scrollIntoView());
  await shoot(operator, 'account-activity');
  await operator.evaluate(() => window.scrollTo(0, 0));
  await app.press(operator, 'Make ten codes');
  await app.says(operator, 'They are shown only now');
  await operator.evaluate(() => document.querySelector('vc-account-recovery').scrollIntoView());
  await shoot(operator, 'account-codes');
  await app.press(operator, 'I have kept them');
  await app.press(operator, 'Add an authenticator app');
  await app.says(operator, 'open it in an app');
  await shoot(operator, 'account-app');
  await app.press(operator, 'Cancel');
}

async function programsPage(operator) {
  const scopes = ['--scope', 'events:read,events:manage,grants:issue'];
  await server.command('client', 'create', '--label', 'Course platform', '--owner', 'IT, room 4', ...scopes);
  await server.command('client', 'create', '--label', 'Box office', '--owner', 'Front of house', '--ttl', '7d', ...scopes);
  await operator.goto(`${server.url}/operator/programs`);
  await app.says(operator, 'It ends soon');
  await shoot(operator, 'programs-list');
  await app.press(operator, 'Revoke Box office');
  await app.says(operator, 'Put its people out, too');
  await shoot(operator, 'programs-revoke');
  await app.press(operator, 'Keep it');
  await app.press(operator, 'Register a program');
  await shoot(operator, 'programs-form');
  await app.fill(operator, 'label', 'Newsletter');
  await app.fill(operator, 'owner', 'Editors');
  await app.press(operator, 'Register');
  await app.says(operator, 'It is shown only now');
  await shoot(operator, 'programs-made');
}

/** Receivers of webhooks, and what is seen when somebody guesses at passwords. */
async function signalsPage(operator) {
  const hooks = ['https://hooks.invalid/a', 'http://127.0.0.1:9/b'];
  for (const url of hooks) await server.command('webhook', 'add', '--url', url, '--config', join(server.data, 'veilcast.toml'));
  for (let guess = 0; guess < 10; guess++) {
    const headers = { 'content-type': 'application/json', origin: server.url };
    const body = JSON.stringify({ name: app.operator.name, password: `wrong horse battery ${guess}` });
    await fetch(`${server.url}/oauth/sign-in`, { method: 'POST', headers, body });
  }
  await server.command('event', 'end', await server.createEvent('An evening that was called off'));
  await app.sleep(6_000);
  await operator.goto(`${server.url}/operator`);
  await app.says(operator, 'Somebody guesses at one account');
  await app.says(operator, 'Does not work');
  await operator.evaluate(() => document.querySelector('vc-security-events').scrollIntoView());
  await shoot(operator, 'operator-security');
  await operator.evaluate(() => document.querySelector('vc-webhooks').scrollIntoView());
  await shoot(operator, 'operator-webhooks');
  await app.press(operator, 'Add a receiver');
  await app.fill(operator, 'url', 'https://hooks.example.org/veilcast');
  await operator.evaluate(() => document.querySelector('vc-webhooks form.adding').scrollIntoView({ block: 'center' }));
  await shoot(operator, 'operator-webhook-new');
  await app.press(operator, 'Add it');
  await app.says(operator, 'It is shown only now');
  await operator.evaluate(() => document.querySelector('vc-webhooks').scrollIntoView());
  await shoot(operator, 'operator-webhook-secret');
}

const provider = await Provider.start();
const realm = await provider.realm('http://localhost:8080');
const server = await Server.start({ config: `webhook_allow = ["127.0.0.0/8"]\n${realm.settings}` });
try {
  const operator = await page('chromium');
  await app.authenticator(operator);
  await operator.goto(await server.setupLink());
  await app.says(operator, 'Create a passkey');
  await shoot(operator, 'setup-first');
  await app.press(operator, 'Use a name and a password instead');
  await app.says(operator, 'Make the account');
  await shoot(operator, 'setup-password');
  await app.setUp(operator, server);
  await operator.goto(`${server.url}/studio`);
  await app.says(operator, 'Create event');
  await shoot(operator, 'studio-first');

  const event = await server.createEvent('Audited: an evening of chamber music', '--public', '--listed');
  await server.createEvent('Board meeting', '--public');
  const ended = await server.createEvent('Yesterday’s rehearsal', '--public');
  await server.command('event', 'end', ended);
  for (const { name, path, ready, anonymous } of pages(event, ended)) {
    const visitor = anonymous ? await page('chromium') : operator;
    await visitor.goto(`${server.url}${path}`);
    await app.says(visitor, ready);
    await shoot(visitor, name);
    if (anonymous) await visitor.browserContext().close();
  }

  await app.prepare(operator, server, event);
  await app.sleep(1_000);
  await shoot(operator, 'studio-preview');
  await app.press(operator, 'Create a stream key');
  await app.says(operator, 'Confirm that it is you');
  await shoot(operator, 'step-up');
  await app.press(operator, 'Create a passkey');
  await app.says(operator, 'Not used yet');
  await operator.evaluate(() => document.querySelector('vc-stream-keys').scrollIntoView({ block: 'end' }));
  await shoot(operator, 'studio-keys');
  await app.press(operator, 'I have copied it');
  await app.goLive(operator);
  const viewer = await page('chromium');
  await viewer.goto(`${server.url}/watch/${event}`);
  await app.plays(viewer);
  await app.sleep(1_000);
  await shoot(operator, 'studio-live');
  // An audience is not at hand here; the element is told of one.
  await operator.evaluate(() => {
    const studio = document.querySelector('veilcast-studio');
    studio.viewers = 1_200;
    studio.health = { high: 1_100, medium: 95, low: 40, sound_only: null, paused: 25 };
  });
  await app.says(operator, 'Picture paused');
  await operator.evaluate(() => document.querySelector('veilcast-studio').scrollIntoView({ block: 'end' }));
  await shoot(operator, 'studio-audience');
  await shoot(viewer, 'watch-live');
  await (await viewer.$('pierce/[aria-controls=qualities]')).click();
  await shoot(viewer, 'watch-quality');
  await app.choose(viewer, 'Sound only');
  await app.says(viewer, 'You switched the picture off.');
  await shoot(viewer, 'watch-sound-only');
  await app.press(viewer, 'Show the picture');
  await app.plays(viewer);
  // A line that is too slow is not at hand here; the element is told of one.
  await viewer.evaluate(() => {
    const player = document.querySelector('veilcast-player');
    player.model = { ...player.model, quality: 'paused' };
  });
  await app.says(viewer, 'Picture paused');
  await shoot(viewer, 'watch-slow');
  await accountPage(operator);
  await programsPage(operator);
  await signalsPage(operator);
  await several(operator);
  await door();
  const by = await server.createEvent('By invitation');
  await operator.goto(`${server.url}/studio/${by}`);
  await app.says(operator, 'Copy invitation');
  await server.invite(by, 'watch');
  await operator.reload();
  await app.says(operator, 'Not used yet');
  await shoot(operator, 'studio-private');
  await viewer.goto(`${server.url}/watch/${by}`);
  await app.says(viewer, 'by invitation');
  await shoot(viewer, 'watch-private');
  await viewer.goto(`${server.url}/watch/${event.replace(/./g, 'a')}`);
  await app.says(viewer, 'There is no such event');
  await shoot(viewer, 'watch-unknown');
  const members = await server.createEvent('For whoever signs in', '--sign-in');
  await viewer.goto(`${server.url}/watch/${members}`);
  await app.says(viewer, 'Sign in to watch');
  await shoot(viewer, 'watch-sign-in');
  await viewer.goto(`${server.url}/signed-in?fault=provider-refused`);
  await app.says(viewer, 'could not be signed in');
  await shoot(viewer, 'signed-in-refused');
  await operator.goto(`${server.url}/studio`);
  await app.press(operator, 'New event');
  await shoot(operator, 'studio-new');
} finally {
  await closeBrowsers();
  await server.stop();
  await provider.stop();
}
