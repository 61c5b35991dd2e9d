/** `npm run soak:NAME [-- --options]`: one of the campaigns in `bench/soak`, on a stack of its own. */
import { join } from 'node:path';
import { onOwnStack, runScript } from './bench.mjs';
import { root } from './steps.mjs';

export async function soak([name, ...options]) {
  const script = join(root, 'bench/soak', `${name}.ts`);
  await onOwnStack('soak', (environment) =>
    runScript([join(root, 'tests/support/run-typescript.cjs'), script, ...options], environment),
  );
}
