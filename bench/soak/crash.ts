/**
 * Workers killed with -9 at random moments of executions that use every construct.
 * `npm run soak:crash -- --kills=20 --seed=1`. Ends with code 1 when something arrived that must not, or did not.
 */
import { parseArgs } from 'node:util';
import { crashCampaign } from '../../tests/support/crash-campaign';
import { machine } from '../support/figures';

const { values: options } = parseArgs({
  options: { kills: { type: 'string', default: '20' }, seed: { type: 'string' } },
});

async function main(): Promise<void> {
  say(machine());
  const seed = Number(options.seed ?? Date.now() % 1_000_000);
  const { kills, executions, repeats, wrong } = await crashCampaign({ kills: Number(options.kills), seed, say });
  say(`${kills} kills, ${executions} executions, all ended; effects that arrived again under their key: ${repeats}`);
  for (const each of wrong) say(`✗ ${each}`);
  if (wrong.length === 0) say('✓ every effect arrived under exactly one key, nothing else did');
  else process.exitCode = 1;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
