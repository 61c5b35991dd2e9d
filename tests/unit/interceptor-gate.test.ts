import { describe, expect, it } from '@jest/globals';
import type { Context } from '@temporalio/activity';
import { ApplicationFailureCategory } from '@temporalio/common';
import { HoldfastError } from '../../src/errors';
import type { Publication } from '../../src/events/build';
import type { Effect } from '../../src/graph/kinds';
import type { NodeTask } from '../../src/graph/task';
import { Gate } from '../../src/worker/gate';
import { nodeVerdict } from '../../src/worker/node-gate';
import { NodeInterceptor } from '../../src/worker/node-interceptor';
import { nodeContext } from '../support/node-context';
import { ScriptedDesk } from '../support/scripted-desk';

const task = (rest: Partial<NodeTask> = {}): NodeTask => ({ ...nodeContext().task, node_type: 'sample', ...rest });

/** One attempt of a node of this effect, around which nothing but the gate is of interest. */
function attempt(effect: Effect, gate: Gate) {
  const told: Publication[] = [];
  const entered: NodeTask[] = [];
  const left: (string | undefined)[] = [];
  const context = { info: { attempt: 1, isLocal: false, activityType: 'sample' }, heartbeat: () => undefined };
  const interceptor = new NodeInterceptor(context as unknown as Context, {
    isNode: () => true,
    verdict: (each) => nodeVerdict(each, effect, gate),
    enter: (each) => {
      entered.push(each);
      return { admitted: true, leave: (errorType) => void left.push(errorType) };
    },
    publish: (publication) => void told.push(publication),
  });
  const run = (of: NodeTask, body: () => Promise<unknown> = () => Promise.resolve({ outputs: {} })) =>
    interceptor.execute({ args: [of], headers: {} }, body).then(
      () => 'ran',
      (error: unknown) => error,
    );
  return { run, told, entered, left };
}

/** Knows a desk in which these scopes are halted. */
function gateWith(...halted: readonly string[]): Gate {
  const desk = new ScriptedDesk();
  for (const scope of halted) desk.halt(scope);
  const gate = new Gate();
  gate.listening();
  gate.learn(desk.reading(), gate.ask());
  return gate;
}

describe('a node at a closed gate', () => {
  it('ends before anything is told or counted, with what a workflow needs to take it back', async () => {
    const { run, told, entered } = attempt('notify', gateWith('bot:a'));
    expect(await run(task({ bot_id: 'a', used_attempts: 1 }))).toMatchObject({
      type: 'EmergencyHalted',
      nonRetryable: true,
      category: ApplicationFailureCategory.BENIGN,
      details: [{ attempt: 2, scope: 'bot:a', reason: 'told to', epoch: 1_001 }],
    });
    expect([told, entered]).toEqual([[], []]);
  });

  it.each<[Effect, string]>([
    ['trade', 'global'],
    ['trade', 'bot:a'],
    ['trade', 'strategy:s'],
    ['notify', 'global'],
    ['notify', 'bot:a'],
    ['notify', 'strategy:s'],
  ])('of effect %s is refused while %s is halted', async (effect, scope) => {
    const { run } = attempt(effect, gateWith(scope));
    expect(await run(task({ bot_id: 'a', strategy_id: 's' }))).toMatchObject({ type: 'EmergencyHalted' });
  });

  it.each<Effect>(['pure', 'read'])('of effect %s runs', async (effect) => {
    expect(await attempt(effect, gateWith('global')).run(task())).toBe('ran');
    expect(await attempt(effect, new Gate()).run(task())).toBe('ran');
  });

  it('runs where another bot, a symbol or a venue is halted: those judge the single order', async () => {
    const gate = gateWith('bot:b', 'symbol:BTC/USDT', 'venue:paper');
    for (const effect of ['trade', 'notify'] as const) {
      expect(await attempt(effect, gate).run(task({ bot_id: 'a' }))).toBe('ran');
    }
  });

  it('of on_halt runs during a halt, and not after a shutdown', async () => {
    const gate = gateWith('global');
    const aside = task({ frame: ':on_halt[1]' });
    expect(await attempt('notify', gate).run(aside)).toBe('ran');
    expect(await attempt('trade', gate).run(aside)).toBe('ran');
    const closing = {
      v: 1,
      desk: 'd',
      scope: 'global',
      state: 'shutdown',
      command_id: 'c',
      reason: 'r',
      actor: 'a',
    } as const;
    gate.close({ ...closing, issued_at: 0 });
    expect(await attempt('trade', gate).run(aside)).toMatchObject({ type: 'EmergencyHalted' });
  });

  it('trades through no gate that has not read the desk, and notifies through it', async () => {
    expect(await attempt('trade', new Gate()).run(task())).toMatchObject({ type: 'EmergencyHalted' });
    expect(await attempt('notify', new Gate()).run(task())).toBe('ran');
  });
});

describe('a node whose body is refused', () => {
  const halted = (unsent: boolean) => () =>
    Promise.reject(
      new HoldfastError('EmergencyHalted', 'halted', { unsent, scope: 'bot:a', reason: 'drill', epoch: 7 }),
    );

  it('is taken back like one that was refused before, when nothing was sent', async () => {
    const { run, told, left } = attempt('trade', gateWith());
    expect(await run(task(), halted(true))).toMatchObject({
      type: 'EmergencyHalted',
      category: ApplicationFailureCategory.BENIGN,
      details: [{ attempt: 1, scope: 'bot:a', reason: 'drill', epoch: 7 }],
    });
    expect(told.map(({ event }) => event.type)).toEqual(['node_started']);
    expect(left).toEqual(['EmergencyHalted']);
  });

  it('has failed when an order of it was sent', async () => {
    const { run, told } = attempt('trade', gateWith());
    expect(await run(task(), halted(false))).toMatchObject({ type: 'EmergencyHalted', details: [{ attempt: 1 }] });
    expect(told.map(({ event }) => event.type)).toEqual(['node_started', 'node_failed']);
  });
});
