// A page as PNG under target/screens: laptop and phone, light and dark.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from './app.mjs';
import { root } from './server.mjs';

const folder = join(root, 'target/screens');
mkdirSync(folder, { recursive: true });
const sizes = { laptop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

export async function shoot(page, name) {
  for (const scheme of ['light', 'dark']) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    for (const [size, viewport] of Object.entries(sizes)) {
      await page.setViewport(viewport);
      await sleep(400);
      await page.screenshot({ path: join(folder, `${name}-${size}-${scheme}.png`) });
    }
  }
  await page.setViewport(sizes.laptop);
  console.log(name);
}
