import { defineConfig } from 'vitest/config';

export default defineConfig({
  build: {
    target: 'es2022',
    // data: URLs are not in the Content-Security-Policy, and the polyfill is not needed by any browser with WebRTC.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    // The outline that knows small countries, which comes to whoever shows theirs, is 740 KiB.
    chunkSizeWarningLimit: 800,
  },
  test: { include: ['test/**/*.test.ts'] },
});
