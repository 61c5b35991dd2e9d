/**
 * Halts at random moments while executions order without pause, at a venue that counts what arrives and when.
 *
 * Shown: no order is accepted after the seal, no permit is granted between the answer and the resume. `--without-redis`: the gates are not
 * closed first, so only the desk and the end of permits stop what is under way. Ends with code 1 when one of these does not hold.
 *
 * `npm run soak:halts -- --halts=300 --executions=100 --workers=2 --seed=1 [--without-redis]`
 */
import { parseArgs } from 'node:util';
import { haltCampaign, type Spread } from '../../tests/support/halt-campaign';
import { machine } from '../support/figures';

const { values: options } = parseArgs({
  options: {
    halts: { type: 'string', default: '300' },
    executions: { type: 'string', default: '100' },
    workers: { type: 'string', default: '2' },
    seed: { type: 'string' },
    'without-redis': { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  say(machine());
  const [halts, executions, workers] = [options.halts, options.executions, options.workers].map(Number) as [
    number,
    number,
    number,
  ];
  const seed = Number(options.seed ?? Date.now() % 1_000_000);
  const closes = !options['without-redis'];
  say(
    `${halts} halts, ${executions} executions, ${workers} workers, seed ${seed}, gates ${closes ? 'closed first' : 'not told'}`,
  );
  const report = await haltCampaign({ halts, executions, workers, seed, closes, say });
  say(`${report.orders} orders accepted in all`);
  say(`answer        ${words(report.answer_ms)}`);
  say(`last arrival  ${words(report.last_arrival_ms)}`);
  say(`sealed        ${words(report.sealed_ms)}`);
  for (const each of report.wrong) say(`✗ ${each}`);
  if (report.wrong.length === 0) say('✓ nothing accepted after a seal, no permit granted in a halt');
  else process.exitCode = 1;
}

function words({ p50, p99, most }: Spread): string {
  return `p50 ${p50} ms, p99 ${p99} ms, most ${most} ms after the command`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
