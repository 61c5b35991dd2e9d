import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';

const PLANTED = 'planted-e1f0a2';
const RUNNER = join(__dirname, '../support/run-typescript.cjs');
const MAIN = resolve(__dirname, '../../src/worker/main.ts');

async function startWorker(environment: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [RUNNER, MAIN], {
    // Nobody listens there: what is refused is refused before anybody is asked.
    env: { ...process.env, TEMPORAL_ADDRESS: '127.0.0.1:9', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code: child.exitCode, said: `${out}${err}` };
}

const credentials = { HOLDFAST_VENUE_REAL_KEY: `${PLANTED}k`, HOLDFAST_VENUE_REAL_SECRET: `${PLANTED}s` };

describe('a worker', () => {
  it('does not start with a live venue that nobody allowed', async () => {
    const HOLDFAST_VENUES = '{"real": {"adapter": "binance", "mode": "live"}}';
    const { code, said } = await startWorker({ HOLDFAST_VENUES, ...credentials });
    expect(code).toBe(4);
    expect(said).toContain('Live venue profiles need HOLDFAST_ALLOW_LIVE=1: real.');
    expect(said).not.toContain(PLANTED);
  });

  it('does not start with a paper venue that is the real one, and repeats no secret', async () => {
    const HOLDFAST_VENUES = '{"real": {"adapter": "binance", "base_url": "https://api.binance.com"}}';
    const { code, said } = await startWorker({ HOLDFAST_VENUES, HOLDFAST_ALLOW_LIVE: '1', ...credentials });
    expect(code).toBe(2);
    expect(said).toContain('HOLDFAST_VENUES.real: is paper, but its base_url is neither loopback nor private');
    expect(said).not.toContain(PLANTED);
  });
});
