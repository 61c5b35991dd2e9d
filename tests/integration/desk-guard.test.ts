import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { closingOf } from '../../src/emergency/closing';
import { ClosingPublisher } from '../../src/event-log';
import { DeskGuard } from '../../src/worker/desk-guard';
import { nodeContext } from '../support/node-context';
import { startOwnRedis, type OwnRedis } from '../support/own-redis';
import { ScriptedDesk } from '../support/scripted-desk';
import { until } from '../support/until';
import { NO_RESETS } from '../support/trade-surroundings';

const KEY = 'k'.repeat(32);
const { task, idempotency_key, signal } = nodeContext();
let redis: OwnRedis;
let desk: ScriptedDesk;
let guard: DeskGuard;
let said: string[];

beforeEach(async () => {
  redis = await startOwnRedis();
  desk = new ScriptedDesk();
  said = [];
  const log = { warn: (_: object, what: string) => void said.push(what) };
  guard = new DeskGuard({ desk_id: 'default', port: desk, redis_url: redis.url, closing_key: KEY, log });
  await until('the gate is open', () => guard.verdict(task, 'trade').open);
});
afterEach(async () => {
  await guard.close();
  await redis.stop();
});

describe('the guard of a worker', () => {
  it('stops nodes, permits that are asked for and permits in hand with one closing', async () => {
    const publisher = new ClosingPublisher(redis.url, KEY);
    const attempt = (dispatch: number) =>
      guard.openTrade(
        { task: { ...task, dispatch }, idempotency_key, signal, run_id: 'run' },
        NO_RESETS,
        () => undefined,
      );
    const order = { account: 'main', venue: 'paper', symbol: 'X', side: 'buy', quantity: '1', price: '1' } as const;
    const permit = await attempt(1).request({ ...order, currency: 'USDT' });
    const command = { action: 'halt', scope: 'global', command_id: 'c1', reason: 'drill', actor: 'kim' } as const;
    await publisher.publish(closingOf(command, { desk: 'default', issued_at: Date.now() }));
    await until('nodes are refused', () => !guard.verdict(task, 'trade').open);
    expect(guard.verdict(task, 'notify').open).toBe(false);
    await expect(attempt(2).request({ ...order, currency: 'USDT' })).rejects.toMatchObject({ code: 'EmergencyHalted' });
    expect(() => {
      permit.assertUsable();
    }).toThrow('global is closed: drill');
    await until('the permit is settled', () => desk.settlements.length === 1);
    publisher.close();
  });

  it('learns of a halt from a permit that the desk denies', async () => {
    desk.answer = (permit_id) => ({ permit_id, granted: false, code: 'EmergencyHalted', message: 'global is in halt' });
    desk.halt('global');
    const trade = guard.openTrade({ task, idempotency_key, signal, run_id: 'run' }, NO_RESETS, () => undefined);
    const terms = { account: 'main', venue: 'paper', symbol: 'X', side: 'buy', quantity: '1', price: '1' } as const;
    await expect(trade.request({ ...terms, currency: 'USDT' })).rejects.toMatchObject({
      code: 'EmergencyHalted',
      details: { unsent: true, scope: 'global', reason: 'global is in halt' },
    });
    await until('nodes are refused', () => !guard.verdict(task, 'notify').open, 500);
  });

  it('says in the log what it refused and what it could not hear', async () => {
    const stranger = new ClosingPublisher(redis.url, 'x'.repeat(32));
    const command = { action: 'halt', scope: 'global', command_id: 'c1', reason: 'drill', actor: 'kim' } as const;
    await stranger.publish(closingOf(command, { desk: 'default', issued_at: Date.now() }));
    stranger.close();
    await until('it is refused', () => guard.closings.forged === 1);
    await redis.kill();
    await until('the gap is said', () => said.length === 2);
    expect(said).toEqual(['closing_refused', 'closings_not_heard']);
    expect(guard.closings.heard).toBe(0);
  });
});
