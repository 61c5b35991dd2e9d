/** Built beside the compiled benchmarks, minified like the page it is compared with. */
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const config = {
  root: here('.'),
  base: '/naive/',
  clearScreen: false,
  logLevel: 'error',
  build: { outDir: here('../../.holdfast/bench/naive'), emptyOutDir: true, target: 'es2022' },
};

export { config as default };
