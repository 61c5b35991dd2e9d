/**
 * Ten thousand orders at a paper venue with faults of every kind, while the worker is killed at random moments.
 *
 * Shown, from the venue's own books: no order is there twice, the journal knows each with what it filled, no permit is open a minute after the
 * last fault, and the desk's position is the venue's. Ends with code 1 when one of these does not hold. When the time is over nothing more is
 * begun, and what was done until then is judged in the same way.
 *
 * What takes the time is the faults: an order that was lost is looked for until the venue can accept it no more, one that was cancelled is
 * looked at again after the venue's query lag. So many lanes order at once, and most of them wait.
 *
 * `npm run soak:orders -- --orders=10000 --executions=20 --lanes=3 --kills=40 --minutes=40 --seed=1`
 */
import { parseArgs } from 'node:util';
import { orderCampaign } from '../../tests/support/order-campaign';
import { machine } from '../support/figures';

const { values: options } = parseArgs({
  options: {
    orders: { type: 'string', default: '10000' },
    executions: { type: 'string', default: '20' },
    lanes: { type: 'string', default: '3' },
    kills: { type: 'string', default: '40' },
    minutes: { type: 'string', default: '40' },
    seed: { type: 'string' },
  },
});
const PROBABILITY = 0.05;

async function main(): Promise<void> {
  say(machine());
  const given = {
    orders: Number(options.orders),
    executions: Number(options.executions),
    lanes: Number(options.lanes),
    kills: Number(options.kills),
    minutes: Number(options.minutes),
    seed: Number(options.seed ?? Date.now() % 1_000_000),
  };
  const { orders, executions, lanes, kills, minutes, seed } = given;
  const size = `${orders} orders by ${executions} executions of ${lanes} lanes, ${kills} kills, at most ${minutes} minutes`;
  say(`${size}, most faults in ${PROBABILITY * 100} % of requests, seed ${seed}`);
  const began = performance.now();
  const report = await orderCampaign({ ...given, probability: PROBABILITY, say });
  const seconds = ((performance.now() - began) / 1_000).toFixed(0);
  say(`${report.orders} orders at the venue, ${report.kills} kills, ${seconds} s`);
  if (report.orders < orders)
    say(`the time was over before ${orders} orders were there: what follows is of ${report.orders}`);
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
