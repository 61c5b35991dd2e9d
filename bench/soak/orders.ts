/**
 * Ten thousand orders at a paper venue with faults of every kind, while the worker is killed at random moments.
 *
 * Shown, from the venue's own books: no order is there twice, the journal knows each with what it filled, no permit is open a minute after the
 * last fault, and the desk's position is the venue's. Ends with code 1 when one of these does not hold.
 *
 * `npm run soak:orders -- --orders=10000 --executions=20 --kills=40 --seed=1`
 */
import { parseArgs } from 'node:util';
import { orderCampaign } from '../../tests/support/order-campaign';
import { machine } from '../support/figures';

const { values: options } = parseArgs({
  options: {
    orders: { type: 'string', default: '10000' },
    executions: { type: 'string', default: '20' },
    kills: { type: 'string', default: '40' },
    seed: { type: 'string' },
  },
});
const PROBABILITY = 0.05;

async function main(): Promise<void> {
  say(machine());
  const [orders, executions, kills] = [options.orders, options.executions, options.kills].map(Number) as [
    number,
    number,
    number,
  ];
  const seed = Number(options.seed ?? Date.now() % 1_000_000);
  say(
    `${orders} orders, ${executions} executions, ${kills} kills, each fault in ${PROBABILITY * 100} % of requests, seed ${seed}`,
  );
  const began = performance.now();
  const report = await orderCampaign({ orders, executions, kills, seed, probability: PROBABILITY, say });
  const seconds = ((performance.now() - began) / 1_000).toFixed(0);
  say(`${report.orders} orders at the venue, ${report.kills} kills, ${seconds} s`);
  say(`nodes: ${JSON.stringify(report.outcomes)}`);
  for (const each of report.wrong.slice(0, 20)) say(`✗ ${each}`);
  if (report.wrong.length === 0) say('✓ none twice, each in the journal, no permit open, positions equal');
  else process.exitCode = 1;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
