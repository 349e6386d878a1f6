// What people are asked and what comes of it, as PNG under target/screens. To be looked at.
import * as app from './lib/app.mjs';
import { closeBrowsers, PLACE, page } from './lib/browsers.mjs';
import { Server } from './lib/server.mjs';
import { shoot } from './lib/shoot.mjs';

/** What an organiser asks beside what is built in. */
const config = `
[[purpose]]
name = "x-newsletter"
version = 1
since = "2026-11-22"
title = "Get the season’s programme by mail?"
what = "The mail address that you give on the organiser’s page, and that you asked for it at this event."
who = "The Chamber Music Society and Mailhouse Ltd., which sends the letters."
how_long = "Until you unsubscribe, two years at most."
refusing = "Nothing changes here; the programme is on the society’s page as well."
remains = "A letter that was sent stays in your mailbox."
outside = true
`;
const server = await Server.start({ config });

/** Somebody who has agreed to chat, under a name. */
async function talks(event, name, words) {
  const visitor = await page('chromium');
  await visitor.goto(`${server.url}/watch/${event}`);
  await app.press(visitor, 'Open the chat');
  await app.answers(visitor, 'Yes');
  await app.fill(visitor, 'name', name);
  for (const text of words) {
    await app.fill(visitor, 'text', text);
    await app.press(visitor, 'Send');
  }
  return visitor;
}

const into = (visitor, part) => visitor.evaluate((part) => document.querySelector(part).scrollIntoView({ block: 'center' }), part);

try {
  const event = await server.createEvent('An evening of chamber music', '--public', '--location', 'precise');
  const studio = await page('chromium');
  await studio.goto(await server.invite(event, 'broadcast'));
  await app.press(studio, 'Turn on camera and microphone');
  await app.goLive(studio);
  const viewer = await page('chromium');
  await viewer.evaluateOnNewDocument((coords) => {
    navigator.geolocation.getCurrentPosition = (found) => found({ coords });
  }, PLACE);
  await viewer.goto(`${server.url}/watch/${event}`);
  await app.plays(viewer);
  await app.says(viewer, 'Open the chat');
  await viewer.$eval('vc-choices summary', (summary) => summary.click());
  await into(viewer, 'vc-choices');
  await shoot(viewer, 'consent-choices');

  await app.press(viewer, 'Ask me: Get the season’s programme by mail');
  await app.sleep(1_000);
  await shoot(viewer, 'consent-added');
  await app.answers(viewer, 'Yes');
  await app.says(viewer, 'Get the season’s programme by mail');
  await into(viewer, 'vc-choices');
  await shoot(viewer, 'consent-added-on');
  const reader = await page('chromium');
  await reader.goto(`${server.url}/privacy`);
  await app.says(reader, 'The Chamber Music Society');
  await reader.evaluate(() => {
    const asked = [...document.querySelectorAll('dt')].find((each) => each.textContent.includes('The Chamber Music Society'));
    asked.scrollIntoView({ block: 'center' });
  });
  await shoot(reader, 'privacy-added');

  await app.press(viewer, 'Open the chat');
  await app.sleep(1_000);
  await shoot(viewer, 'consent-question');
  await app.answers(viewer, 'Yes');
  const ada = await talks(event, 'Ada', ['Good evening from the back row', 'What is the second piece?']);
  const bob = await talks(event, 'Bob', ['Brahms, the clarinet quintet. The programme is on https://example.org/tonight']);
  await app.says(viewer, 'the clarinet quintet');
  await into(viewer, 'veilcast-chat');
  await shoot(viewer, 'chat-open');
  await app.press(studio, 'Open the chat');
  await app.answers(studio, 'Yes');
  await app.says(studio, 'the clarinet quintet');
  await into(studio, 'veilcast-chat');
  await shoot(studio, 'chat-studio');

  await app.press(viewer, 'Choose what to show');
  await into(viewer, 'vc-location');
  await shoot(viewer, 'location-choose');
  await (await viewer.$('input[value=city]')).click();
  await app.press(viewer, 'Show my area');
  await app.sleep(3_000);
  await shoot(viewer, 'location-question');
  await app.answers(viewer, 'Yes');
  await app.says(viewer, 'Shown: An area');
  await into(viewer, 'vc-location');
  await shoot(viewer, 'location-shown');
  await app.says(studio, 'Where people watch from');
  await studio.$eval('vc-located summary', (summary) => summary.click());
  await app.until('the map', () => studio.$('vc-located svg path.medium'), { within: 30_000 });
  await into(studio, 'vc-located');
  await shoot(studio, 'location-studio');
  await app.leave(server, ada, bob, viewer, studio, reader);
} finally {
  await closeBrowsers();
  await server.stop();
}
