import { describe, expect, it } from '@jest/globals';
import { defineNode } from '../../src/activities/define-node';
import { createNodeActivities, type NodeActivity } from '../../src/activities/node-activities';
import type { OrderDraft } from '../../src/activities/trade';
import { addKinds } from '../../src/activities/load-kinds';
import { HoldfastError } from '../../src/errors';
import { planGraph } from '../../src/graph/plan';
import type { Graph } from '../../src/graph/schema';
import { validateGraph } from '../../src/graph/validate';
import { MemoryBlobs } from '../../src/testing/memory-blobs';
import { Gate } from '../../src/worker/gate';
import { PermitDesk } from '../../src/worker/permits';
import { AttemptTrade } from '../../src/worker/trade';
import { nodeContext } from '../support/node-context';
import { ScriptedDesk } from '../support/scripted-desk';
import { until } from '../support/until';
import { tradeSurroundings } from '../support/trade-surroundings';

const draft: OrderDraft = {
  ...{
    account: 'main',
    venue: 'paper',
    symbol: 'BTC/USDT',
    side: 'buy',
    quantity: '1',
    price: '100',
    currency: 'USDT',
  },
};

function attempt() {
  const desk = new ScriptedDesk();
  const gate = new Gate();
  gate.learn(desk.reading(), gate.ask());
  const permits = new PermitDesk({ port: desk, gate });
  const timeout = new AbortController();
  const { task, idempotency_key } = nodeContext();
  const trade = new AttemptTrade(
    { task, idempotency_key, signal: timeout.signal, run_id: 'run' },
    tradeSurroundings(permits),
  );
  const halt = () => {
    desk.halt('global');
    gate.learn(desk.reading(), gate.ask());
  };
  return { desk, trade, timeout, halt };
}

describe('the permits of one attempt', () => {
  it('are worth nothing once its time is over, so a body that is ignored sends nothing either', async () => {
    const { desk, trade, timeout } = attempt();
    const permit = await trade.request(draft);
    timeout.abort(new HoldfastError('TimeoutError', 'no end within 1 s'));
    expect(() => {
      permit.assertUsable();
    }).toThrow('no end within 1 s');
    await expect(trade.request(draft)).rejects.toThrow('no end within 1 s');
    await until('it is settled', () => desk.settlements.length === 1);
    expect(desk.settlements[0]?.outcome).toBe('unused');
  });

  it('are worth nothing once its body has ended, also one that is granted afterwards', async () => {
    const { desk, trade } = attempt();
    const early = await trade.request(draft);
    const late = trade.request({ ...draft, leg: 'second' });
    trade.end();
    for (const permit of [early, await late]) {
      expect(() => {
        permit.assertUsable();
      }).toThrow('the body of the node has ended');
    }
    await until('both are settled', () => desk.settlements.length === 2);
  });

  it('that were used are unknown when it ends without a word of their orders, until somebody says', async () => {
    const { desk, trade } = attempt();
    const [permit, told] = [await trade.request(draft), await trade.request({ ...draft, leg: '2' })];
    permit.assertUsable();
    told.assertUsable();
    told.settle('acknowledged');
    trade.end();
    permit.settle('acknowledged');
    await until('they are settled', () => desk.settlements.length === 3);
    expect(desk.settlements.map(({ permit_id, outcome }) => [permit_id === told.permit_id, outcome])).toEqual([
      [true, 'acknowledged'],
      [false, 'unknown'],
      [false, 'acknowledged'],
    ]);
  });

  it('go by one client order id in every dispatch, and by one of its own for each leg', async () => {
    const ids = async (leg: string, dispatch: number) => {
      const desk = new ScriptedDesk();
      const gate = new Gate();
      gate.learn(desk.reading(), gate.ask());
      const { task, idempotency_key, signal } = nodeContext();
      const trade = new AttemptTrade(
        { task: { ...task, dispatch }, idempotency_key, signal, run_id: 'run' },
        tradeSurroundings(new PermitDesk({ port: desk, gate })),
      );
      const { permit_id, client_order_id } = await trade.request({ ...draft, leg });
      expect(desk.batches[0]?.requests[0]).toMatchObject({ permit_id, client_order_id });
      return { permit_id, client_order_id };
    };
    const [first, again, other] = [await ids('a', 1), await ids('a', 2), await ids('b', 1)];
    expect(again.client_order_id).toBe(first.client_order_id);
    expect(new Set([first, again, other].map(({ permit_id }) => permit_id)).size).toBe(3);
    expect(other.client_order_id).not.toBe(first.client_order_id);
    expect(first.client_order_id).toMatch(/^[0-9a-f]{32}$/);
  });

  it('are asked for in a halt where an operator wants to reduce, and are of no use for what does not', async () => {
    const desk = new ScriptedDesk();
    desk.halt('global');
    const gate = new Gate();
    gate.learn(desk.reading(), gate.ask());
    const { task, idempotency_key, signal } = nodeContext();
    const { workflow_id: _graph, ...operation } = task;
    const trade = new AttemptTrade(
      { task: operation, idempotency_key, signal, run_id: 'run', purpose: 'operator' },
      tradeSurroundings(new PermitDesk({ port: desk, gate })),
    );
    const permit = await trade.request(draft);
    expect(desk.batches[0]?.requests[0]).toMatchObject({ purpose: 'operator' });
    expect(desk.batches[0]?.requests[0]).not.toHaveProperty('workflow_id');
    expect(() => {
      permit.assertUsable();
    }).toThrow(expect.objectContaining({ code: 'EmergencyHalted' }));
  });

  it('say of a halt that nothing was sent, at the last check as at the desk', async () => {
    const { trade, halt } = attempt();
    const permit = await trade.request(draft);
    halt();
    const details: unknown = expect.objectContaining({ unsent: true, scope: 'global' });
    expect(() => {
      permit.assertUsable();
    }).toThrow(expect.objectContaining({ code: 'EmergencyHalted', details }));
    await expect(trade.request({ ...draft, leg: '2' })).rejects.toMatchObject({ details: { unsent: true } });
  });

  it('say of a halt after the first leg that something was sent', async () => {
    const { trade, halt } = attempt();
    const first = await trade.request({ ...draft, leg: '1' });
    first.assertUsable();
    halt();
    await expect(trade.request({ ...draft, leg: '2' })).rejects.toMatchObject({
      code: 'EmergencyHalted',
      details: { unsent: false, scope: 'global' },
    });
  });
});

describe('a kind that trades', () => {
  const kind = defineNode({
    type: 'buy',
    family: 'test',
    effect: 'trade',
    description: 'Buys.',
    fields: {},
    outputs: {},
    run: async (_, { trade }) => {
      await trade.request(draft);
      return { outputs: {} };
    },
  });
  const kinds = addKinds(new Map(), [kind]);

  it('may be an author’s own, and has one attempt', () => {
    expect(kinds.get('buy')).toMatchObject({ effect: 'trade', retry: { max_attempts: 1 } });
  });

  it('is refused a desk it does not have, whatever it would do', async () => {
    const activities = createNodeActivities([kind], {
      blobs: new MemoryBlobs(),
      log: () => ({ info: () => undefined }),
    });
    const { buy } = activities as { buy: NodeActivity };
    await expect(buy(nodeContext().task)).rejects.toMatchObject({ code: 'Unexpected', message: /no desk to ask/ });
  });

  it('takes no `retry`: neither its own, which is a mistake, nor that of the defaults', () => {
    const graph = (buy: object) => ({
      holdfast: 1,
      id: 'g',
      defaults: { retry: { max_attempts: 5 }, timeout: 7, circuit_breaker: 'venue' },
      nodes: { buy: { type: 'buy', ...buy } },
    });
    const { mistakes } = validateGraph(graph({ retry: { max_attempts: 2 } }), kinds);
    expect(mistakes.map(({ code, path }) => [code, path])).toEqual([['bad_policy', '/nodes/buy/retry']]);
    const valid = validateGraph(graph({}), kinds);
    expect(valid.mistakes).toEqual([]);
    const [node] = planGraph(valid.graph as Graph, Object.fromEntries(kinds)).nodes;
    expect(node).toMatchObject({ retry: { max_attempts: 1 }, timeout_ms: 7_000, circuit_breaker: 'venue' });
  });
});
