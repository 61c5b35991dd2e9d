/** The page is built into what the gateway serves. Nothing is inlined: the content security policy allows files of our own alone. */
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const config = {
  root: here('.'),
  base: '/',
  clearScreen: false,
  logLevel: 'error',
  // The published client, from its source: as modules, so that only what is used comes along.
  resolve: { alias: { 'holdfast/client': here('../src/feed-client/index.ts') } },
  worker: { format: 'es' },
  build: {
    outDir: here('../dist/dashboard'),
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Read by the check of sizes.
    manifest: 'manifest.json',
  },
};

export { config as default };
