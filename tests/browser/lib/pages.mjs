// Every page of the app, and how it is audited.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Pages by what they say when they are there. `anonymous`: seen without signing in. */
export const pages = (event, ended) => [
  { name: 'home', path: '/', ready: 'Audited', anonymous: true },
  { name: 'sign-in', path: '/sign-in', ready: 'Sign in', anonymous: true },
  { name: 'setup', path: '/setup', ready: 'studio', anonymous: true },
  { name: 'studio', path: '/studio', ready: 'Audited' },
  { name: 'studio-event', path: `/studio/${event}`, ready: 'Turn on camera and microphone' },
  { name: 'watch-waiting', path: `/watch/${event}`, ready: 'Waiting for the broadcaster', anonymous: true },
  { name: 'watch-ended', path: `/watch/${ended}`, ready: 'ended', anonymous: true },
  { name: 'privacy', path: '/privacy', ready: 'What this server', anonymous: true },
  { name: 'lost', path: '/no/such/page', ready: 'There is nothing here', anonymous: true },
  { name: 'operator', path: '/operator', ready: 'Audited' },
  { name: 'programs', path: '/operator/programs', ready: 'Register a program' },
  { name: 'account', path: '/account', ready: 'This one' },
  { name: 'receipts', path: '/account/receipts', ready: 'No receipts yet' },
];

/** What axe finds wrong, in a line each. */
export async function audit(page) {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { violations } = await window.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.flat().join(' ')).join(', ')}`);
  });
}
