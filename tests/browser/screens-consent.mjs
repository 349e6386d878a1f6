// What people are asked and what comes of it, as PNG under target/screens. To be looked at.
import * as app from './lib/app.mjs';
import { closeBrowsers, page, settle } from './lib/browsers.mjs';
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

/** An operator's own receipts, the session log and the figures. */
async function operators() {
  const operator = await page('chromium');
  await app.authenticator(operator);
  await app.setUp(operator, server);
  await operator.goto(`${server.url}/account/receipts`);
  await app.says(operator, 'No receipts yet');
  await shoot(operator, 'receipts-none');
  const event = await server.createEvent('Rehearsal', '--public');
  await app.prepare(operator, server, event);
  for (const words of ['No', 'Yes']) {
    await app.press(operator, 'Open the chat');
    await app.answers(operator, words);
  }
  await operator.goto(`${server.url}/account`);
  await app.says(operator, 'What you agreed to');
  await into(operator, '#receipts');
  await shoot(operator, 'account-receipts');
  await operator.goto(`${server.url}/account/receipts`);
  await app.says(operator, 'You said yes');
  await shoot(operator, 'receipts');
  await into(operator, '#check');
  await shoot(operator, 'receipts-check');

  await operator.goto(`${server.url}/operator`);
  await app.says(operator, 'No event has ended yet');
  await into(operator, 'vc-event-figures');
  await shoot(operator, 'figures-none');
  await app.press(operator, 'Open the session log');
  await app.press(operator, 'Create a passkey');
  await app.says(operator, 'Nothing is written yet');
  await into(operator, 'vc-session-log');
  await shoot(operator, 'session-log-empty');
  const ended = await server.createEvent('A reading that is over', '--public');
  await server.createEvent('A panel on the future of public broadcasting, with questions from the audience', '--public');
  for (const id of (await server.command('event', 'list')).match(/\b[a-z2-7]{26}\b/g)) {
    if (id !== event) await server.command('event', 'end', id);
  }
  await operator.goto(`${server.url}/operator`);
  await app.says(operator, 'A reading that is over');
  // A hundred people are not at hand here; the elements are shown what there would be of them.
  await operator.evaluate((event, ended) => {
    const log = document.querySelector('vc-session-log');
    const at = Math.floor(Date.now() / 60_000) * 60;
    const line = (back, who, what, detail) => ({ written: at - back * 60, event, who, what, detail });
    log.log = {
      epoch: { begins: at - 7_200, ends: at + 79_200, on_disk: false },
      entries: [
        line(1, 'k3v9-2mqa', 'left', 'own-will'),
        line(1, 'b7ux-91fd', 'quality', 'firefox:low'),
        line(2, 'p0sd-44ze', 'consent', 'chat granted'),
        line(3, 'k3v9-2mqa', 'joined', 'chromium:high'),
        line(3, 'w8ty-7hjn', 'joined', 'other'),
        line(4, 'c2lm-05rg', 'moderated', 'for-now'),
        { ...line(60, null, 'totals', '15 10 0 5 0 0'), event: ended },
      ],
    };
    const figures = document.querySelector('vc-event-figures');
    const counted = { 'took-part': 212, 'saw-high': 148, 'saw-low': 61, 'sound-only': null, paused: 27, 'line-lost': 33, 'saw-fault': null };
    const told = {
      unit: '',
      epsilon: 1,
      counters_each: 5,
      noise: '',
      suppressed_below: 25,
      figures: Object.entries(counted).map(([counter, value]) => ({ counter, value })),
    };
    figures.told = new Map([[ended, told]]);
    for (const one of figures.querySelectorAll('details')) {
      if (one.querySelector('summary').textContent === 'A reading that is over') one.open = true;
    }
  }, event, ended);
  await into(operator, 'vc-event-figures');
  await shoot(operator, 'figures');
  await operator.evaluate(() => document.querySelector('vc-session-log').scrollIntoView());
  await shoot(operator, 'session-log');
  await operator.$eval('vc-session-log summary', (summary) => summary.click());
  await operator.evaluate(() => document.querySelector('vc-session-log').scrollIntoView({ block: 'end' }));
  await shoot(operator, 'session-log-glass');
  await operator.browserContext().close();
}

/** Asking to come in, where the host lets people in. */
async function door() {
  const guest = await page('chromium');
  await guest.goto(`${server.url}/watch/${await server.createEvent('A reading among friends', '--approval')}`);
  await app.says(guest, 'lets people in one by one');
  await shoot(guest, 'door-ask');
  await guest.browserContext().close();
}

try {
  await operators();
  await door();
  const event = await server.createEvent('An evening of chamber music', '--public', '--location', 'precise');
  const studio = await page('chromium');
  await studio.goto(await server.invite(event, 'broadcast'));
  await app.press(studio, 'Turn on camera and microphone');
  await app.goLive(studio);
  const viewer = await page('chromium');
  await settle(viewer, server.url);
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
    const asked = [...document.querySelectorAll('dt, dd')].find((each) => each.textContent.includes('The Chamber Music Society'));
    asked.scrollIntoView({ block: 'center' });
  });
  await shoot(reader, 'privacy-added');

  await app.press(viewer, 'Open the chat');
  await app.sleep(1_000);
  await shoot(viewer, 'consent-question');
  await app.press(viewer, 'Yes');
  await app.says(viewer, 'You said yes.');
  await shoot(viewer, 'consent-answered');
  await app.until('the device', async () => {
    for (const button of await viewer.$$('veilcast-consent-ask >>> veilcast-consent-question >>> .actions button')) {
      if ((await button.evaluate((e) => e.textContent.trim())) === 'Keep on this device') await button.click();
    }
    return viewer.evaluate(() => localStorage.getItem('veilcast-receipts'));
  });
  await app.sleep(1_000);
  await shoot(viewer, 'consent-kept');
  await app.press(viewer, 'Close');
  await viewer.evaluate(() => document.querySelector('vc-own-receipts').scrollIntoView({ block: 'center' }));
  await shoot(viewer, 'receipts-of-visit');
  await viewer.evaluate(() => {
    // Of another visit, at another time.
    const [visit] = JSON.parse(localStorage.getItem('veilcast-receipts'));
    localStorage.setItem('veilcast-receipts', JSON.stringify([visit, { ...visit, key: { ...visit.key, x: 'other' } }]));
    window.dispatchEvent(new Event('veilcast-kept-receipts'));
  });
  await into(viewer, 'vc-receipts-here');
  await shoot(viewer, 'receipts-kept');
  const keeper = await viewer.browserContext().newPage();
  await keeper.setViewport({ width: 1280, height: 800 });
  await keeper.goto(`${server.url}/privacy`);
  await app.says(keeper, 'Your saved receipts');
  await into(keeper, 'vc-receipts-here');
  await shoot(keeper, 'privacy-kept');
  await keeper.close();
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
