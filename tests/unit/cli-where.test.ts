import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { Io } from '../../src/cli/io';
import { locate } from '../../src/cli/where';

const home = mkdtempSync(join(tmpdir(), 'holdfast-where-'));
const nothing = (): undefined => undefined;

function ioWith(environment: Record<string, string>): Io {
  const silent = { out: nothing, err: nothing, color: false, actor: 'test', onInterrupt: () => nothing };
  const given = { input: () => Promise.resolve(''), ask: () => Promise.resolve('') };
  return { ...silent, ...given, environment: { HOLDFAST_HOME: home, ...environment } };
}

describe('where the gateway is', () => {
  writeFileSync(
    join(home, 'stack.json'),
    JSON.stringify({
      version: 1,
      supervisor: { pid: 1, started: 'x' },
      gateway: { url: 'http://127.0.0.1:18001', runs: { as: 'external' } },
    }),
  );
  afterAll(() => {
    rmSync(home, { recursive: true });
  });

  it.each([
    ['is what the stack wrote down', {}, 'http://127.0.0.1:18001'],
    ['is what the environment names', { HOLDFAST_GATEWAY_PORT: '9001' }, 'http://127.0.0.1:9001'],
    [
      'is what the stack wrote down when it was asked for any port',
      { HOLDFAST_GATEWAY_PORT: '0' },
      'http://127.0.0.1:18001',
    ],
  ])('%s', async (_what, environment, url) => {
    expect((await locate(ioWith(environment))).gateway_url).toBe(url);
  });
});
