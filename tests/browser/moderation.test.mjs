// A moderator looks after an event: removes a co-host, keeps one out, and lets them back in.
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

/** Opens a co-host's studio and goes on air. */
async function onAir(studio) {
  await app.press(studio, 'Turn on camera and microphone');
  await app.goLive(studio);
}

const decide = async (moderator, asked, answer) => {
  await app.press(moderator, asked);
  await app.says(moderator, 'out of the event at once');
  assert.deepEqual(await audit(moderator), []);
  await app.press(moderator, answer);
};

test('a moderator removes a co-host, who is told; kept out holds over a reload, until somebody lets them back in', async () => {
  const event = await server.createEvent('Panel', '--public', '--broadcasters', '2');
  const cohost = await page('chromium');
  await cohost.goto(await server.invite(event, 'broadcast'));
  await onAir(cohost);
  const viewer = await page('chromium');
  await viewer.goto(`${server.url}/watch/${event}`);
  await app.plays(viewer);
  const moderator = await page('chromium');
  await moderator.goto(await server.invite(event, 'moderate'));
  await app.says(moderator, 'Look after this event');
  await app.plays(moderator);
  assert.deepEqual(await audit(moderator), []);
  assert.ok(!(await app.text(viewer)).includes('Look after this event'), 'a viewer looks after nothing');

  await decide(moderator, 'Remove Co-host 2', 'Remove them');
  await app.says(moderator, 'and may come back');
  await app.says(cohost, 'A moderator has removed you from this event.');
  await app.says(viewer, 'Waiting for the broadcaster');
  await app.goLive(cohost);
  await app.says(moderator, 'Co-host 2');

  await decide(moderator, 'Remove and keep out Co-host 2', 'Keep them out');
  await app.says(moderator, 'This holds for their invitation');
  await app.says(cohost, 'A moderator keeps you out of this event.');
  await cohost.reload();
  await app.says(cohost, 'A moderator keeps you out of this event.');
  assert.deepEqual(await audit(cohost), []);
  assert.ok(!/moderator|removed|kept out/i.test(await app.text(viewer)), 'nobody else is told');
  await moderator.reload();
  await app.says(moderator, 'An invitation');
  assert.deepEqual(await audit(moderator), []);

  await app.until('they are let back in', async () => {
    const buttons = await moderator.$$('vc-look-after button');
    for (const button of buttons) {
      const words = await button.evaluate((e) => e.getAttribute('aria-label') ?? '');
      if (words.startsWith('Let back in')) {
        await button.click();
        return true;
      }
    }
    return false;
  });
  await app.says(moderator, 'They may come back now.');
  // Whoever is let back in within ten seconds of a ban waits for what was under way then.
  await app.until('the studio opens again', async () => {
    await cohost.reload();
    await app.says(cohost, 'You are invited to broadcast', { within: 2_000 });
    return true;
  });
  await cohost.close();
  await app.leave(server, viewer, moderator);
});
