/** Starts a stack from the environment in a process of its own, says so on stdout, and stops it on SIGTERM. */
import { join } from 'node:path';
import { loadConfig } from '../../src/config/config';
import { HoldfastError } from '../../src/errors';
import { startStack } from '../../src/local-stack/stack';

const stub = (name: string) => join(__dirname, `stub-${name}.cjs`);
const services = { worker: stub('worker'), gateway: stub('gateway'), paper_venue: stub('paper-venue') };

async function main(): Promise<void> {
  const stack = await startStack({ config: loadConfig(), services, ui: false });
  process.stdout.write(`started attached=${String(stack.attached)}\n`);
  const alive = setInterval(() => undefined, 60_000);
  process.once('SIGTERM', () => {
    void stack.stop().then(() => {
      clearInterval(alive);
    });
  });
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = error instanceof HoldfastError ? error.entry.exit_code : 1;
});
