// One process of each browser, shared by all tests; every test gets a context of its own.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';
import { instrumentation } from './instrument.mjs';

/** Where these browsers are, when a page may know. */
export const PLACE = { latitude: 48.208_174, longitude: 16.373_819 };

/** What a place on the network would answer that Firefox asks where it is. */
const answer = { location: { lat: PLACE.latitude, lng: PLACE.longitude }, accuracy: 20 };

/** Has a page of Chromium's be where it is, and its person allow it to know. Firefox asks a place on the network, and is answered. */
export async function settle(page, url) {
  if (page.browser() !== (await started.get('chromium')?.process)) return;
  await page.browserContext().overridePermissions(url, ['geolocation']);
  await page.setGeolocation({ ...PLACE, accuracy: answer.accuracy });
}

const started = new Map();

/** An authority of the test's that browsers know which are started from now on. */
let trusted;

export function trust(authority) {
  trusted = authority;
}

/** The browsers' own check of the chain stays as it is. Chromium looks for such authorities in its home. */
function withAuthority(profile, options) {
  trusted.into(options.browser === 'firefox' ? profile : join(profile, '.pki/nssdb'));
  return { ...options, env: { ...process.env, HOME: profile } };
}

const kinds = {
  chromium: (profile) => ({
    browser: 'chrome',
    executablePath: '/usr/bin/chromium',
    userDataDir: profile,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      '--autoplay-policy=no-user-gesture-required',
    ],
  }),
  firefox: (profile) => ({
    browser: 'firefox',
    executablePath: '/usr/bin/firefox-esr',
    userDataDir: profile,
    headless: true,
    protocolTimeout: 120_000,
    extraPrefsFirefox: {
      'media.navigator.streams.fake': true,
      'media.navigator.permission.disabled': true,
      'media.autoplay.default': 0,
      'media.autoplay.blocking_policy': 0,
      'app.normandy.enabled': false,
      'app.update.enabled': false,
      'browser.safebrowsing.malware.enabled': false,
      'browser.safebrowsing.phishing.enabled': false,
      'datareporting.policy.dataSubmissionEnabled': false,
      'geo.provider.network.url': `data:application/json,${encodeURIComponent(JSON.stringify(answer))}`,
      'geo.provider.use_geoclue': false,
      'geo.provider.use_gpsd': false,
      'geo.prompt.testing': true,
      'geo.prompt.testing.allow': true,
      'network.captive-portal-service.enabled': false,
      'network.connectivity-service.enabled': false,
    },
  }),
};

/** The shared browser of a kind. */
export function browser(kind) {
  if (!started.has(kind)) {
    const profile = mkdtempSync(join(tmpdir(), `veilcast-${kind}-`));
    const options = kinds[kind](profile);
    started.set(kind, { profile, process: puppeteer.launch(trusted ? withAuthority(profile, options) : options) });
  }
  return started.get(kind).process;
}

/** A new page in a context of its own, which collects what goes wrong in it. In Firefox it has a window of its own, too: a tab behind
    another shows a frame a second there, and a click on it waits for half a minute. */
export async function page(kind, { width = 1280, height = 800 } = {}) {
  const context = await (await browser(kind)).createBrowserContext();
  const page = await context.newPage(kind === 'firefox' ? { type: 'window' } : {});
  await page.setViewport({ width, height });
  await page.evaluateOnNewDocument(instrumentation);
  page.problems = [];
  page.requests = [];
  page.on('pageerror', (error) => page.problems.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') page.problems.push(message.text());
  });
  // A studio on air asks before it is left.
  page.on('dialog', (dialog) => dialog.accept());
  page.on('request', (request) => page.requests.push(request.url()));
  return page;
}

export async function closeBrowsers() {
  const close = async ({ process, profile }) => {
    await (await process).close();
    rmSync(profile, { recursive: true, force: true });
  };
  await Promise.all([...started.values()].map(close));
  started.clear();
}
