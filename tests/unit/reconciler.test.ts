/** What a worker makes of an account that does not agree with the desks. */
import { describe, expect, it } from '@jest/globals';
import type { RaiseCommand } from '../../src/emergency/model';
import type { OpenOrders } from '../../src/emergency/open-orders';
import { confirmed, differenceWords, foreignOrders, missingBalances } from '../../src/emergency/reconcile';
import type { PermitStatus } from '../../src/emergency/status';
import type { Balance } from '../../src/venues/venue';
import { Reconciler } from '../../src/worker/reconciler';
import { ScriptedVenue } from '../support/scripted-venue';

const btc = (free: string, locked = '0'): Balance => ({ asset: 'BTC', free, locked });
const held = (quantity: string, symbol = 'BTC/USDT') => ({ symbol, quantity });

describe('balances', () => {
  it('may be more than the desks count, and less by what fees took', () => {
    expect(missingBalances([btc('10')], [held('1')])).toEqual([]);
    expect(missingBalances([btc('0.5', '0.48')], [held('1')])).toEqual([]);
  });

  it('contradict them when what is counted as held is not there', () => {
    expect(missingBalances([btc('0.97')], [held('1')])).toMatchObject([{ kind: 'missing_balance', id: 'BTC' }]);
    expect(missingBalances([], [held('1')])[0]?.text).toBe('1 BTC counted as held, and the account has 0');
  });

  it('are compared with all positions in a currency, long and short together', () => {
    const positions = [held('1'), held('1', 'BTC/EUR'), held('-1.5', 'BTC/BUSD')];
    expect(missingBalances([btc('0.5')], positions)).toEqual([]);
    expect(missingBalances([btc('0.4')], positions)).toHaveLength(1);
    expect(missingBalances([], [held('-1')])).toEqual([]);
  });
});

it('names five differences and counts the rest', () => {
  const venue = new ScriptedVenue();
  for (let at = 0; at < 7; at += 1) venue.rests({ client_order_id: `f-${at}` });
  const words = differenceWords(foreignOrders(venue.accepted, new Set()));
  expect(words).toMatch(/^limit buy of 1 BTC\/USDT \(f-0\), which no desk permitted; .*; and 2 more$/);
});

/** One account, two desks that know what they are given, and the alerts that were told. */
function reconciling() {
  const venue = new ScriptedVenue();
  const alerts: RaiseCommand[] = [];
  const said: string[] = [];
  const gauge: number[] = [];
  const permitted: Record<string, string[]> = { default: [], second: [] };
  const known = (ids: readonly string[]): OpenOrders => {
    const resting = ids.map((client_order_id) => ({ client_order_id }) as PermitStatus);
    return { currency: 'USDT', unsettled: [], resting, positions: [] };
  };
  const state = { alertFails: false };
  const reconciler = new Reconciler({
    accounts: [{ venue: 'paper', trading: venue }],
    desks: {
      listDesks: () => Promise.resolve(Object.keys(permitted)),
      openOrders: (_question, id) => Promise.resolve(known(permitted[id]!)),
    },
    alert: (command) => {
      if (state.alertFails) return Promise.reject(new Error('no answer'));
      alerts.push(command);
      return Promise.resolve();
    },
    log: { warn: (_: object, what: string) => void said.push(what) } as never,
    meter: { createGauge: () => ({ set: (value: number) => void gauge.push(value) }) } as never,
  });
  return { venue, alerts, said, gauge, permitted, reconciler, state };
}

describe('the reconciler of an account', () => {
  it('tells of an order no desk permitted when it has seen it twice, and only once', async () => {
    const { venue, alerts, gauge, reconciler, said } = reconciling();
    venue.rests({ client_order_id: 'foreign' });
    expect(await reconciler.look()).toBe(true);
    expect(alerts).toEqual([]);
    expect(await reconciler.look()).toBe(false);
    await reconciler.look();
    expect(alerts).toMatchObject([{ action: 'alert', scope: 'venue:paper', actor: 'reconciliation' }]);
    expect(alerts[0]?.reason).toContain('(foreign), which no desk permitted');
    expect(gauge).toEqual([0, 1, 1]);
    expect(said).toEqual(['account_differs']);
    expect(venue.cancels).toEqual([]);
  });

  it('says nothing of what one of the desks knows, nor of what was there for a moment', async () => {
    const { venue, alerts, permitted, reconciler } = reconciling();
    venue.rests({ client_order_id: 'of-second' });
    permitted['second'] = ['of-second'];
    venue.rests({ client_order_id: 'ends' });
    await reconciler.look();
    venue.change('ends', { status: 'filled' });
    await reconciler.look();
    expect(alerts).toEqual([]);
  });

  it('tells again when something else is found, under another id, and the same under the same id', async () => {
    const first = reconciling();
    const second = reconciling();
    for (const { venue, reconciler } of [first, second]) {
      venue.rests({ client_order_id: 'one' });
      await reconciler.look();
      await reconciler.look();
    }
    first.venue.rests({ client_order_id: 'two' });
    await first.reconciler.look();
    await first.reconciler.look();
    const [once, changed] = first.alerts;
    expect(first.alerts).toHaveLength(2);
    expect(changed?.command_id).not.toBe(once?.command_id);
    expect(second.alerts[0]).toEqual(once);
  });

  it('tells later what the desk did not hear, and goes on when the venue is silent', async () => {
    const { venue, alerts, reconciler, state, said } = reconciling();
    venue.rests({ client_order_id: 'foreign' });
    await reconciler.look();
    state.alertFails = true;
    await reconciler.look();
    expect(said).toEqual(['account_differs', 'account_not_reconciled']);
    state.alertFails = false;
    await reconciler.look();
    expect(alerts).toHaveLength(1);
    venue.openOrders = () => Promise.reject(new Error('no answer'));
    expect(await reconciler.look()).toBe(false);
    expect(said.at(-1)).toBe('account_not_reconciled');
  });
});

describe('differences', () => {
  const found = (id: string) => ({ kind: 'foreign_order', id, text: `order ${id}` }) as const;

  it('count when they were there at the look before, too, in an order of their own', () => {
    expect(confirmed([found('b'), found('c'), found('a')], [found('a'), found('b')])).toEqual([found('a'), found('b')]);
    expect(confirmed([found('a'), found('b')], [found('b'), found('a')])).toEqual([found('a'), found('b')]);
  });

  it('are named as far as they fit into a sentence, and counted beyond', () => {
    const many = Array.from({ length: 40 }, (_, at) => found(String(at)));
    expect(differenceWords(many)).toMatch(/^order 0; .*; and \d+ more$/);
    expect(differenceWords(many.slice(0, 1))).toBe('order 0');
  });
});
