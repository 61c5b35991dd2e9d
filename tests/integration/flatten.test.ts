/** What is held is sold once, whatever happens meanwhile. The venue's own books say what was sold. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { FlattenReport } from '../../src/emergency/flatten';
import { decimal } from '../../src/money';
import { holdfast, type CommandLineOptions } from '../support/command-line';
import { TradingWorld } from '../support/trading-world';
import { answered, until } from '../support/until';

const PLACE = { venue: 'paper_binance', symbol: 'BTC/BUSD' };
const BOT = { bot_id: 'bot_1', name: 'One', venues: ['paper_binance'], starting_equity: '10000', time_zone: 'UTC' };

let world: TradingWorld;
beforeAll(async () => {
  world = await TradingWorld.open();
  await world.command({ action: 'register_bot', bot: BOT });
});
beforeEach(async () => {
  await world.forget();
});
afterEach(async () => {
  await world.forgive();
  await world.resume();
});
afterAll(async () => {
  await world.close();
});

const far = async (factor: string) =>
  decimal(await world.price())
    .times(factor)
    .round(2, 0)
    .toFixed();
const market = (quantity = '0.01') => ({ type: 'market_order', params: { ...PLACE, side: 'buy', quantity } });

/** Bought by a node of an execution. */
async function bought(quantity = '0.01', owner: Readonly<Record<string, string>> = {}): Promise<void> {
  const id = await world.start({ order: market(quantity) }, undefined, owner);
  expect((await world.ended(id)).nodes['order']).toMatchObject({ branch: 'filled' });
}

const cli = (args: readonly string[], options: CommandLineOptions = {}) =>
  holdfast([...args, '--desk', world.desk], { environment: world.environment, ...options });

const orderOf = (scope = 'global') => ({ action: 'flatten', scope, confirm: scope });

/** The epoch it is known by. */
async function flatten(over: Readonly<Record<string, unknown>> = {}): Promise<number> {
  return (await world.command({ ...orderOf(), ...over })).epoch;
}

async function done(epoch: number): Promise<FlattenReport> {
  return until(
    'the flatten has ended',
    async () => {
      const report = await answered(() => world.client.flattenReport(epoch, world.desk));
      return report?.is_done === true && report;
    },
    90_000,
  );
}

/** `SIDE STATUS executed` of what the venue has since the test began, in its order. */
async function booked(): Promise<string[]> {
  return (await world.orders()).map(({ side, status, executed }) => `${side} ${status} ${decimal(executed).toFixed()}`);
}

async function sold(): Promise<string> {
  const sells = (await world.orders()).filter(({ side }) => side === 'SELL');
  return sells.reduce((sum, { executed }) => sum.plus(decimal(executed)), decimal('0')).toFixed();
}

/** By the desk's own word: nothing is held, nor held back. */
async function isFlat(): Promise<boolean> {
  const { positions } = await answered(() => world.client.deskFigures(world.desk));
  return positions.length === 0 && (await world.deskStatus()).open_permits.count === 0;
}

const statuses = ({ results }: FlattenReport) => results.map(({ status }) => status);

describe('a flatten in a halt', () => {
  it('takes back what rests, sells what is held, and leaves neither venue nor desk with anything', async () => {
    await bought();
    const { nodes } = await world.run({
      low: {
        type: 'limit_order',
        params: { ...PLACE, side: 'buy', quantity: '0.01', price: await far('0.8'), until: 'placed' },
      },
      stop: {
        type: 'stop_order',
        after: ['low'],
        params: { ...PLACE, side: 'sell', quantity: '0.01', stop_price: await far('0.8'), until: 'placed' },
      },
    });
    expect(nodes).toMatchObject({ low: { branch: 'open' }, stop: { branch: 'open' } });
    await world.halt();
    const shown = await cli(['flatten', 'global', '--dry-run']);
    expect({ code: shown.code, err: shown.err }).toEqual({ code: 0, err: '' });
    expect(shown.out).toMatch(
      /global: halt .*\nACCOUNT .*\npaper_binance main +BTC\/BUSD +- +sell +0\.01 .*are cancelled first/,
    );
    expect(await booked()).toEqual(['BUY FILLED 0.01', 'BUY NEW 0', 'SELL NEW 0']);
    const { code, out, err } = await cli([
      'flatten',
      'global',
      '--reason',
      'it is over',
      '--confirm',
      'global',
      '--json',
    ]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(JSON.parse(out)).toMatchObject({
      scope: 'global',
      flatten: {
        is_done: true,
        results: [{ ...PLACE, side: 'sell', status: 'closed', quantity: '0.01', filled_quantity: '0.01', rest: '0' }],
      },
    });
    expect(await booked()).toEqual(['BUY FILLED 0.01', 'BUY CANCELED 0', 'SELL CANCELED 0', 'SELL FILLED 0.01']);
    await until('the desk holds nothing', isFlat);
    expect((await world.deskStatus()).state).toBe('halt');
    const { epoch } = JSON.parse(out) as { epoch: number };
    await until('it is in the audit', async () => {
      const audit = await cli(['audit', 'list']);
      return /flatten +global +ok +cli:test +"it is over"/.test(audit.out);
    });
    await until('its order is in the journal', async () => {
      const orders = await cli(['orders', '--execution', `desk/${world.desk}/flatten/${epoch}`]);
      return /BTC\/BUSD +sell .* filled/.test(orders.out);
    });
  });

  it('asks for the scope by name, and for nothing less', async () => {
    await bought();
    await world.halt();
    const order = ['flatten', 'global', '--reason', 'it is over'];
    for (const input of ['', 'yes\n', 'bot:bot_1\n']) {
      const { code, err } = await cli(order, { input });
      expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('closes 1 positions. Type global: ') });
      expect(err).toContain('Nothing was closed: it takes the scope once more, global.');
    }
    await expect(world.command({ ...orderOf(), confirm: 'yes' })).rejects.toThrow('BadRequest');
    await expect(world.command({ ...orderOf(), reason: '' })).rejects.toThrow('BadRequest');
    expect(await booked()).toEqual(['BUY FILLED 0.01']);
    expect(await cli(order, { input: 'global\n' })).toMatchObject({ code: 0 });
    expect(await booked()).toEqual(['BUY FILLED 0.01', 'SELL FILLED 0.01']);
  });

  it('of a scope that holds nothing does nothing', async () => {
    await bought('0.01', { bot_id: 'bot_1', strategy_id: 'arb' });
    await world.halt();
    const { code, out, err } = await cli(['flatten', 'symbol:ETH/USDT', '--reason', 'it is over']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('nothing is held of symbol:ETH/USDT');
    expect(statuses(await done(await flatten(orderOf('strategy:other'))))).toEqual([]);
    expect(await booked()).toEqual(['BUY FILLED 0.01']);
    const report = await done(await flatten(orderOf('bot:bot_1')));
    expect(report.results).toMatchObject([{ bot_id: 'bot_1', strategy_id: 'arb', status: 'closed' }]);
    await until('the desk holds nothing', isFlat);
  });

  it('is refused in a shutdown, where nothing goes out', async () => {
    await bought();
    await world.command({ action: 'shutdown', scope: 'symbol:BTC/BUSD' });
    await expect(world.command(orderOf('symbol:BTC/BUSD'))).rejects.toThrow('EmergencyHalted');
    const report = await done(await flatten());
    expect(report.results).toMatchObject([{ status: 'refused', code: 'EmergencyHalted', rest: '0.01' }]);
    expect(await booked()).toEqual(['BUY FILLED 0.01']);
    await liftShutdown();
    expect(statuses(await done(await flatten()))).toEqual(['closed']);
  });

  async function liftShutdown(): Promise<void> {
    const scope = 'symbol:BTC/BUSD';
    const { scopes } = await world.deskStatus();
    const { causes = [], epoch: expected_epoch = 0 } = scopes.find((each) => each.scope === scope) ?? {};
    const saw = { scope, expected_epoch, issued_at: Date.now() };
    await world.command({ action: 'resume', causes: causes.map(({ id }) => id), ...saw });
    await world.command({ action: 'approve', actor: 'another', ...saw });
  }
});

describe('what is held is sold once', () => {
  it('when the command is given twice under one id, and never for another body under it', async () => {
    await bought();
    const command = { ...orderOf(), command_id: `cmd_${randomUUID()}` };
    const [first, second] = await Promise.all([flatten(command), flatten(command)]);
    expect(second).toBe(first);
    await expect(world.command({ ...command, max_slippage_percent: '9' })).rejects.toThrow('CommandConflict');
    expect(statuses(await done(first))).toEqual(['closed']);
    expect(await flatten(command)).toBe(first);
    expect(await sold()).toBe('0.01');
    await until('the desk holds nothing', isFlat);
  });

  it('when two are given at once', async () => {
    await bought();
    const epochs = await Promise.all([flatten(), flatten()]);
    expect(new Set(epochs).size).toBe(2);
    const reports = await Promise.all(epochs.map(done));
    const filled = reports.flatMap(({ results }) => results.map(({ filled_quantity }) => decimal(filled_quantity)));
    expect(filled.reduce((a, b) => a.plus(b), decimal('0')).toFixed()).toBe('0.01');
    expect(await sold()).toBe('0.01');
    await until('the desk holds nothing', isFlat);
  });

  it('when the answer of the venue is lost', async () => {
    await bought();
    await world.halt();
    await world.faults({ drop_after: { next: 1 }, hidden_for_ms: { next: 1, ms: 2_000 } });
    expect(statuses(await done(await flatten()))).toEqual(['closed']);
    expect(await booked()).toEqual(['BUY FILLED 0.01', 'SELL FILLED 0.01']);
    await until('the desk holds nothing', isFlat);
  });

  it('when the order never arrives, which is found out before the next goes out', async () => {
    await bought();
    await world.faults({ drop_before: { next: 1 } });
    const report = await done(await flatten());
    expect(report.results).toMatchObject([{ status: 'closed', filled_quantity: '0.01' }]);
    expect(await booked()).toEqual(['BUY FILLED 0.01', 'SELL FILLED 0.01']);
  });

  it('when the worker is killed with -9 while the order is in flight', async () => {
    await bought();
    await world.halt();
    await world.faults({ delay_after_ms: { next: 1, ms: 4_000 } });
    const epoch = await flatten();
    await until('the venue has it', async () => (await world.orders()).length === 2);
    await world.killWorker();
    await world.startWorker();
    expect(statuses(await done(epoch))).toEqual(['closed']);
    expect(await booked()).toEqual(['BUY FILLED 0.01', 'SELL FILLED 0.01']);
    await until('the desk holds nothing', isFlat);
  });

  it('when its workflow goes on in new runs meanwhile', async () => {
    await bought();
    await world.faults({ delay_after_ms: { next: 1, ms: 9_000 } });
    const epoch = (await world.deskStatus()).epoch + 1_000_000;
    const order = { scope: 'global', epoch, reason: 'it is over', actor: 'test', command_id: randomUUID() };
    const handle = await world.temporal.workflow.start('flattenPositions', {
      workflowId: `desk/${world.desk}/flatten/${epoch}`,
      taskQueue: world.environment['HOLDFAST_DESK_TASK_QUEUE'] ?? '',
      args: [{ desk_id: world.desk, ...order, settings: { events_per_run: 1 } }],
    });
    await until('the venue has it', async () => (await world.orders()).length === 2);
    await world.faults({ error_5xx_before: { probability: 1, on: ['query'] } });
    await until(
      'a step ended without an answer',
      async () => (await answered(() => world.client.flattenReport(epoch, world.desk)))?.results[0]?.why,
      60_000,
    );
    await world.forgive();
    expect(statuses(await done(epoch))).toEqual(['closed']);
    expect((await handle.describe()).runId).not.toBe(handle.firstExecutionRunId);
    expect(await booked()).toEqual(['BUY FILLED 0.01', 'SELL FILLED 0.01']);
  });
});
