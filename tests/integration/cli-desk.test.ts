import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { holdfast } from '../support/command-line';
import { ownNamespace, type OwnNamespace } from '../support/own-namespace';
import { until } from '../support/until';

const SECOND = 'cli:bob';
let own: OwnNamespace;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-cli-'));
  own = await ownNamespace('cli-desk');
  const limits = ['--limit', 'daily_loss=300', '--limit', 'max_order_notional=50'];
  const bot = ['--id', 'bot_001', '--venue', 'paper_binance', 'paper_bybit', '--equity', '1000', ...limits];
  const { code, out, err } = await cli(['bots', 'add', ...bot, '--reason', 'it begins']);
  expect({ code, err, out }).toEqual({
    code: 0,
    err: '',
    out: expect.stringMatching(/^bot_001 is registered \(epoch \d+\)\.\n$/),
  });
});
afterAll(async () => {
  await own.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** Every test finds the desk as the first did. */
afterEach(async () => {
  if (isUnattended) return;
  for (const { scope, causes, state } of (await own.client.deskStatus()).scopes) {
    if (causes.length === 0) continue;
    await cli(['resume', '--scope', scope, '--reason', 'a test ended']);
    if (state === 'shutdown') await cli(['desk', 'approve', scope, '--reason', 'a test ended'], { actor: SECOND });
  }
  expect(await statesOf()).toEqual({});
});
let isUnattended = false;

function cli(args: readonly string[], options: Parameters<typeof holdfast>[1] = {}) {
  return holdfast(args, { ...options, environment: { ...own.environment, HOLDFAST_HOME: join(folder, 'home') } });
}

/** The scopes that are not normal. */
async function statesOf(): Promise<Record<string, string>> {
  const { scopes } = await own.client.deskStatus();
  return Object.fromEntries(scopes.flatMap(({ scope, state }) => (state === 'normal' ? [] : [[scope, state]])));
}

async function running(id: string, more: object = {}): Promise<string> {
  const nodes = {
    first: { type: 'constant', params: { value: 1 } },
    nap: { type: 'wait', params: { for: '1h' }, after: ['first'] },
  };
  const file = join(folder, `${id}.json`);
  writeFileSync(file, JSON.stringify({ holdfast: 1, id, nodes, ...more }));
  const { out, err } = await cli(['run', file, '--json']);
  expect(err).toBe('');
  const { execution_id } = JSON.parse(out) as { execution_id: string };
  await until('it waits', async () => (await own.client.executionStatus(execution_id)).state === 'waiting');
  await until('it is listed', async () => (await cli(['list', '--json', '--workflow', id])).out.includes(execution_id));
  return execution_id;
}

const stateOf = async (id: string) => (await own.client.executionStatus(id)).state;

/** A command that is refused with a code and changes nothing. */
async function refuses(args: readonly string[], code: number, name: string): Promise<string> {
  const before = { epoch: (await own.client.deskStatus()).epoch, states: await statesOf() };
  const said = await cli(args);
  expect([said.code, said.err]).toEqual([code, expect.stringContaining(`[${name}]\n`)]);
  expect({ epoch: (await own.client.deskStatus()).epoch, states: await statesOf() }).toEqual(before);
  return said.err;
}

describe('a halt of one scope', () => {
  it('halts its executions and no other, and says when each step held', async () => {
    const mine = await running('of_the_bot', { bot_id: 'bot_001' });
    const other = await running('of_nobody');
    const { code, out, err } = await cli(['halt', '--bot', 'bot_001', '--reason', 'odd fills']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(
      new RegExp(
        '^bot:bot_001: halt since .* by cli:test: odd fills\\n' +
          'accepted after \\d+ ms, in force at the desk after \\d+ ms \\(epoch \\d+\\)\\n' +
          'sealed after \\d+ ms: no increasing order can be accepted any more\\n' +
          '1 of 1 open executions confirmed after \\d+ ms\\n$',
      ),
    );
    expect([await stateOf(mine), await stateOf(other)]).toEqual(['halted', 'waiting']);
    const resume = await cli(['resume', '--bot', 'bot_001', '--reason', 'fine again']);
    expect(resume.out).toMatch(
      /^lifts operator:cli:test \(halt\) since .* by cli:test: odd fills\nbot:bot_001: normal\n/,
    );
    expect(resume.out).toMatch(/\n1 of 1 open executions confirmed after \d+ ms\n$/);
    expect(await stateOf(mine)).toBe('waiting');
  });

  it('gives programs the same as data', async () => {
    const { out } = await cli(['halt', '--symbol', 'BTC/USDT', '--reason', 'odd', '--cancel-open', '--json']);
    const answer = JSON.parse(out) as Record<string, number>;
    expect(answer).toMatchObject({
      ...{ action: 'halt', scope: 'symbol:BTC/USDT', state: 'halt', sealed: true, seal: { unsettled: 0 } },
      desk: { state: 'normal' },
    });
    expect(answer['desk_ms']).toBeGreaterThanOrEqual(answer['accepted_ms']!);
    expect(answer['sealed_ms']).toBeGreaterThanOrEqual(answer['desk_ms']!);
    // No execution halts for a symbol.
    expect(answer).not.toHaveProperty('executions');
    const lifted = await cli(['resume', '--symbol', 'BTC/USDT', '--reason', 'fine', '--json']);
    expect(JSON.parse(lifted.out)).toMatchObject({
      ...{ state: 'normal', expected_epoch: answer['epoch'], lifted: [{ id: 'operator:cli:test' }] },
    });
  });

  it('waits for neither seal nor executions when told so', async () => {
    const { out } = await cli(['halt', '--all', '--no-wait', '--json']);
    const answer = JSON.parse(out) as object;
    expect(answer).toMatchObject({ state: 'halt', accepted_ms: expect.any(Number), desk_ms: expect.any(Number) });
    for (const later of ['seal', 'sealed', 'executions']) expect(answer).not.toHaveProperty(later);
  });

  it('again under its id is answered as before, and refused with another body', async () => {
    const halt = ['halt', '--venue', 'paper_binance', '--command-id', 'drill-1', '--json'];
    const first = JSON.parse((await cli([...halt, '--reason', 'drill'])).out) as { epoch: number };
    const again = JSON.parse((await cli([...halt, '--reason', 'drill'])).out) as { epoch: number };
    expect(again.epoch).toBe(first.epoch);
    await refuses(halt.slice(0, -1).concat('--reason', 'another'), 4, 'CommandConflict');
  });
});

describe('an alert', () => {
  it('stops nothing and is no wait', async () => {
    const { out } = await cli(['alert', '--strategy', 'arb', '--reason', 'look']);
    expect(out).toMatch(/^strategy:arb: alert since .*: look\naccepted after .* \(epoch \d+\)\n$/);
    expect((await cli(['resume', '--strategy', 'arb', '--reason', 'seen'])).out).toContain('strategy:arb: normal');
    expect((await cli(['resume', '--strategy', 'arb', '--reason', 'seen'])).out).toBe(
      'strategy:arb is normal: there is nothing to lift.\n',
    );
  });
});

describe('a shutdown', () => {
  it('ends its executions, and is lifted by two people alone', async () => {
    const id = await running('shut_down', { strategy_id: 'leaky' });
    const shutdown = await cli(['shutdown', '--strategy', 'leaky', '--reason', 'keys leaked']);
    expect(shutdown.out).toMatch(/^strategy:leaky: shutdown since .*\n1 of 1 open executions confirmed/s);
    await until('it ends', async () => (await own.client.describeExecution(id)).closing);
    expect(await stateOf(id)).toBe('cancelled');
    await refuses(['desk', 'approve', 'strategy:leaky', '--reason', 'early'], 4, 'CommandExpired');
    const resume = await cli(['resume', '--strategy', 'leaky', '--reason', 'keys are new']);
    expect(resume.out).toMatch(
      /^would lift operator:cli:test .*\nstrategy:leaky: shutdown .*\nwaits for a second person until .*:\n {2}holdfast desk approve strategy:leaky --expected-epoch \d+ --reason TEXT\n$/,
    );
    expect((await cli(['desk'])).out).toMatch(/\nstrategy:leaky waits for a second person until /);
    await refuses(['resume', '--strategy', 'leaky', '--approve', '--reason', 'me again'], 4, 'NeedsSecondPerson');
    expect(await statesOf()).toEqual({ 'strategy:leaky': 'shutdown' });
    const second = await cli(['resume', '--strategy', 'leaky', '--approve', '--reason', 'I looked'], { actor: SECOND });
    expect(second.out).toContain('\nstrategy:leaky: normal\n');
  });
});

describe('what is refused changes nothing', () => {
  it.each<[readonly string[], number, string]>([
    [['halt', '--bot', 'bot_02', '--reason', 'odd'], 4, 'UnknownScope'],
    [['halt', '--scope', 'everything', '--reason', 'odd'], 4, 'UnknownScope'],
    [['resume', '--bot', 'bot_02', '--reason', 'odd'], 4, 'UnknownScope'],
    [['resume', '--all'], 2, 'BadRequest'],
    [['halt', '--all', '--reason', ' '], 2, 'BadRequest'],
    [['shutdown', 'exec_1'], 2, 'BadRequest'],
    [['limits', 'set', 'global', 'daily_loss=300'], 2, 'BadRequest'],
    [['limits', 'set', 'global', 'daily=300', '--reason', 'x'], 2, 'BadRequest'],
    [['limits', 'set', 'global', 'daily_loss=-1', '--reason', 'x'], 2, 'BadRequest'],
    [['limits', 'set', 'bot:bot_02', 'daily_loss=1', '--reason', 'x'], 4, 'UnknownScope'],
    [['bots', 'add', '--id', 'bot_003', '--equity', '10', '--reason', 'x'], 2, 'BadRequest'],
    [['desk', 'init'], 4, 'AlreadyInitialised'],
  ])('%j', async (args, code, name) => {
    await refuses(args, code, name);
  });

  it('a resume that saw an older state', async () => {
    const { out } = await cli(['halt', '--all', '--json', '--reason', 'first']);
    const { epoch } = JSON.parse(out) as { epoch: number };
    await cli(['alert', '--all', '--reason', 'second'], { actor: SECOND });
    const err = await refuses(
      ['resume', '--all', '--reason', 'x', '--expected-epoch', String(epoch)],
      4,
      'StaleResume',
    );
    expect(err).toContain(`Global changed at epoch ${epoch + 1}, the desk is at ${epoch + 1}, and ${epoch} was seen.`);
  });
});

describe('limits and bots', () => {
  it('are shown with what is used of them, and set', async () => {
    const bot = ['limits', 'bot:bot_001'];
    expect((await cli(bot)).out).toMatch(
      /^SCOPE +LIMIT +ALLOWED +USED +OF IT +HALTS\nbot:bot_001 +daily_loss +300 +0 +0\.0 % +yes\nbot:bot_001 +max_order_notional +50 +- +- +yes\n$/,
    );
    const set = ['limits', 'set', 'bot:bot_001', 'daily_loss=250', 'max_order_notional=none', '--no-auto-halt'];
    expect((await cli([...set, '--reason', 'smaller'])).out).toMatch(
      /\nbot:bot_001 +daily_loss +250 +0 +0\.0 % +no\n$/,
    );
    expect(JSON.parse((await cli([...bot, '--json'])).out)).toMatchObject({
      ...{ desk_id: 'default', currency: 'USDT' },
      scopes: [{ scope: 'bot:bot_001', auto_halt: false, limits: [{ limit: 'daily_loss', allowed: '250' }] }],
    });
    expect((await cli(['limits'])).out).toMatch(/\nglobal +daily_loss +500 /);
    expect((await cli(['limits', 'symbol:X'])).out).toBe('symbol:X has no limits of its own.\n');
  });

  it('are registered from a file, with options over it', async () => {
    const file = join(folder, 'bot.yaml');
    writeFileSync(
      file,
      'bot_id: bot_002\nvenues: [paper_bybit]\nstarting_equity: "250.50"\nlimits:\n  daily_loss: "20"\n',
    );
    expect((await cli(['bots', 'add', file, '--name', 'Second', '--reason', 'it begins'])).code).toBe(0);
    expect((await cli(['bots'])).out).toMatch(
      /^BOT +NAME +STATE +EQUITY +ZONE +VENUES\nbot_001 +bot_001 +normal +1000 USDT +UTC +paper_binance paper_bybit\nbot_002 +Second +normal +250\.5\d* USDT +UTC +paper_bybit\n$/,
    );
    expect((await cli(['limits', 'bot:bot_002'])).out).toMatch(/daily_loss +20 /);
    expect(JSON.parse((await cli(['bots', 'list', '--json'])).out)).toMatchObject({
      bots: [{ bot_id: 'bot_001' }, {}],
    });
  });
});

describe('holdfast desk and status --watch', () => {
  it('shows every scope that is not normal with each of its causes', async () => {
    await cli(['alert', '--bot', 'bot_001', '--reason', 'look', '--no-wait']);
    await cli(['halt', '--bot', 'bot_001', '--reason', 'odd', '--no-wait'], { actor: SECOND });
    const { out } = await cli(['desk', 'status']);
    expect(out).toMatch(
      /^desk {2}default, global: normal; 1 more scope is not normal\nepoch \d+, USDT, trading days of UTC, \d bots\nopen permits 0\n\n/,
    );
    expect(out).toMatch(
      /\nSCOPE +STATE +SEAL +CAUSE +SINCE +REASON\nbot:bot_001 +halt +sealed +operator:cli:test +\S+ +look\n +operator:cli:bob +\S+ +odd\n/,
    );
    expect(JSON.parse((await cli(['desk', '--json'])).out)).toMatchObject({ desk_id: 'default', state: 'normal' });
  });

  it('looks again until Ctrl-C, and sees what changed', async () => {
    let stop = (): void => undefined;
    let halted: Promise<unknown> | undefined;
    const watching = await cli(['status', '--watch', '--json'], {
      onListening: (interrupt) => (stop = interrupt),
      onOut: (soFar) => {
        halted ??= cli(['halt', '--bot', 'bot_001', '--reason', 'seen?', '--no-wait']);
        if (soFar.includes('seen?')) stop();
      },
    });
    await halted;
    expect(watching).toMatchObject({ code: 0, err: '' });
    const lines = watching.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { desk: { state: string } });
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.every(({ desk }) => desk.state === 'normal')).toBe(true);
  });
});

describe('without a worker', () => {
  it('a halt of everything is accepted, nobody confirms it, and it holds once somebody works', async () => {
    isUnattended = true;
    await own.stopWorker();
    const { code, out, err } = await cli(['halt', '--all', '--reason', 'nobody works']);
    expect({ code, out }).toEqual({ code: 3, out: '' });
    expect(err).toMatch(
      /^error: Temporal accepted it after \d+ ms, but the desk does not say yet that the halt holds\.\n/,
    );
    expect(err).toContain('[WorkerUnavailable]');
  });
});
