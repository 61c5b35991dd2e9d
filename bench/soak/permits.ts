/**
 * What permits cost on the way of an order: executions that order again and again, with permits of the desk and without, in turns.
 *
 * Measured: orders per second that reach a counting venue on loopback from two workers, the whole way through the executions. The bar is a
 * ratio within this run.
 *
 * `npm run soak:permits`
 */
import { OrderingWorld } from '../../tests/support/ordering-world';
import { machine, median, spread } from '../support/figures';

const EXECUTIONS = 20;
const TIMES = 25;
const ROUNDS = 5;
const BAR = 0.8;

async function main(): Promise<void> {
  say(machine());
  const world = await OrderingWorld.open({ workers: 2 });
  const rates = { test_order: [] as number[], test_free_order: [] as number[] };
  try {
    for (const type of ['test_order', 'test_free_order'] as const) await world.order(EXECUTIONS, 2, type);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const type of ['test_order', 'test_free_order'] as const) {
        const began = performance.now();
        await world.order(EXECUTIONS, TIMES, type);
        rates[type].push((EXECUTIONS * TIMES * 1_000) / (performance.now() - began));
      }
    }
  } finally {
    await world.close();
  }
  say(
    `orders per second, ${EXECUTIONS} executions: with permits ${spread(rates.test_order)}, without ${spread(rates.test_free_order)}`,
  );
  const ratio = median(rates.test_order) / median(rates.test_free_order);
  say(`${ratio >= BAR ? '✓' : '✗'} with against without: ${ratio.toFixed(2)}× (at least ${BAR}×)`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
