// What most files of tests begin with: a server, and its operator's browser.
import { after, before } from 'node:test';
import * as app from './app.mjs';
import { closeBrowsers, page } from './browsers.mjs';
import { Server } from './server.mjs';

export class Site {
  /**
   * Stands from the file's first test to its last. `options` are the server's, or make them; `camera` prepares the
   * broadcaster's page before the app is in it.
   */
  constructor(options = {}, camera = () => {}) {
    before(async () => {
      this.server = await Server.start(typeof options === 'function' ? await options() : options);
      this.broadcaster = await page('chromium');
      await camera(this.broadcaster);
      await app.setUp(this.broadcaster, this.server);
    });
    after(async () => {
      await closeBrowsers();
      await this.server?.stop();
    });
  }

  /** A public event that is on air. */
  async onAir(title, ...flags) {
    const event = await this.server.createEvent(title, '--public', ...flags);
    await app.prepare(this.broadcaster, this.server, event);
    await app.goLive(this.broadcaster);
    return event;
  }

  /** A page that is about to watch; `prepared` before the app is in it. */
  async watch(kind, event, { prepared = () => {} } = {}) {
    const viewer = await page(kind);
    await prepared(viewer);
    await viewer.goto(`${this.server.url}/watch/${event}`);
    return viewer;
  }

  /** Ends a broadcast, each of whose pages must have been quiet. */
  async end(...viewers) {
    await app.leave(this.server, ...viewers);
    await app.offAir(this.broadcaster);
  }
}
