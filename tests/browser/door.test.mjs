// An event whose host lets people in one by one: a guest asks, waits, and is let in or turned away.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as app from './lib/app.mjs';
import { closeBrowsers, page } from './lib/browsers.mjs';
import { audit } from './lib/pages.mjs';
import { Server } from './lib/server.mjs';

let server;

before(async () => {
  server = await Server.start({ args: ['--log', 'debug'] });
});

after(async () => {
  await closeBrowsers();
  await server?.stop();
});

async function ask(guest, event, name) {
  await guest.goto(`${server.url}/watch/${event}`);
  await app.says(guest, 'The host of this event lets people in one by one.');
  assert.deepEqual(await audit(guest), []);
  await app.fill(guest, 'name', name);
  await app.press(guest, 'Ask to come in');
  await app.says(guest, 'The host has been asked');
}

// What a browser has no part in: tried in one.
test('a guest is let in and sees the event, another is turned away', async () => {
  const event = await server.createEvent('Behind the door', '--approval', '--broadcasters', '2');
  const cohost = await page('chromium');
  await cohost.goto(await server.invite(event, 'broadcast'));
  await app.press(cohost, 'Turn on camera and microphone');
  await app.goLive(cohost);
  const moderator = await page('chromium');
  await moderator.goto(await server.invite(event, 'moderate'));
  await app.says(moderator, 'Nobody waits to be let in.');

  const guest = await page('chromium');
  await ask(guest, event, 'Ada');
  assert.deepEqual(await audit(guest), []);
  assert.ok(!(await app.text(guest)).includes('Behind the door'), 'not even the title');
  await app.says(moderator, 'Guest 1, “Ada”');
  await app.says(moderator, 'Asks since just now');
  assert.deepEqual(await audit(moderator), []);
  await app.says(cohost, 'Guest 1, “Ada”');
  await app.press(cohost, 'Let in Guest 1, “Ada”');
  await app.plays(guest);
  await app.says(guest, 'Behind the door');
  await app.says(moderator, 'Nobody waits to be let in.');

  const other = await page('chromium');
  await ask(other, event, '');
  await app.press(moderator, 'Turn away Guest 2');
  await app.says(other, 'The host did not let you in.');
  assert.deepEqual(await audit(other), []);
  await app.says(moderator, 'was turned away.');
  await cohost.close();
  await app.leave(server, moderator);
  // That the event is closed to them is what they heard first.
  for (const page of [guest, other]) app.assertQuiet(page, server, { allowed: [/status of 403/] });
});
