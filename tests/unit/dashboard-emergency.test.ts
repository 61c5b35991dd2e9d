import { describe, expect, it } from '@jest/globals';
import type { Commanded, Outcome } from '../../dashboard/src/emergency/command';
import {
  causeWords,
  commandLine,
  deskWords,
  factsOf,
  isStopped,
  notNormal,
  resumeOf,
  scopeIn,
} from '../../dashboard/src/emergency/facts';
import { nameOfScope, scopesOffered } from '../../dashboard/src/emergency/scopes';
import type { Desk, DeskScope } from '../../dashboard/src/wire';

const AT = Date.parse('2026-01-05T12:00:00.000Z');
const cause = (state: string) => ({ state, id: 'operator:ann', reason: 'odd', actor: 'ann', since: AT, epoch: 7 });

function scope(name: string, state: string, more: Partial<DeskScope> = {}): DeskScope {
  return {
    ...{ scope: name, state, effective_state: state, epoch: 7, causes: state === 'normal' ? [] : [cause(state)] },
    ...{ limits: [], held: '0', reserved: '0', open_orders: 0, unsettled: 0 },
    ...more,
  };
}

function desk(...scopes: readonly DeskScope[]): Desk {
  return {
    ...{ desk_id: 'default', currency: 'USDT', epoch: 9, state: 'normal', scopes, bots: [] },
    open_permits: { count: 0, unknown: 0, listed: [] },
  };
}

function commanded(outcome: Outcome, more: Partial<Commanded> = {}): Commanded {
  const order = { action: 'halt', scope: 'global', reason: 'odd', more: {} } as const;
  return { ...order, command_id: 'page_1', requested_at: AT, tries: 1, outcome, ...more };
}

const answered = (answer: Partial<Extract<Outcome, { kind: 'answered' }>['answer']>): Outcome => ({
  kind: 'answered',
  answer: { command_id: 'page_1', action: 'halt', scope: 'global', ...answer },
  after_ms: 90,
});
const stated = (outcome: Outcome, now?: DeskScope, more: Partial<Commanded> = {}) =>
  factsOf(commanded(outcome, more), now).map(({ name, state }) => `${name} ${state}`);
const wordsOf = (outcome: Outcome, name: string, now?: DeskScope) =>
  factsOf(commanded(outcome), now).find((fact) => fact.name === name)?.words;

describe('the facts of a command', () => {
  it('are not said before they are known', () => {
    expect(stated({ kind: 'asked' })).toEqual(['requested done', 'accepted open']);
    expect(stated({ kind: 'unanswered' })).toEqual(['requested done', 'accepted failed']);
    expect(stated({ kind: 'refused', words: 'no' })).toEqual(['requested done', 'accepted failed']);
    expect(wordsOf({ kind: 'asked', words: 'The gateway cannot be reached.' }, 'accepted')).toContain(
      'cannot be reached',
    );
    expect(wordsOf({ kind: 'asked' }, 'accepted')).toBe('no answer yet.');
    expect(wordsOf({ kind: 'unanswered', words: 'The journal is down.' }, 'accepted')).toContain(
      'heard: The journal is down.',
    );
  });

  it('tell accepted from in force: without a desk a halt is the one and not the other', () => {
    expect(stated(answered({ accepted_ms: 4 }))).toEqual([
      'requested done',
      'accepted done',
      'in force open',
      'sealed open',
    ]);
    expect(wordsOf(answered({ accepted_ms: 4 }), 'accepted')).toBe('cannot be lost any more, after 4 ms');
  });

  it('tell in force from sealed, with how many orders are in between', () => {
    const halted = answered({ state: 'halt', epoch: 7, in_force_ms: 81, sealed: false, unsettled: 2 });
    expect(wordsOf(halted, 'in force')).toBe('global is halt after 81 ms (epoch 7)');
    expect(wordsOf(halted, 'sealed')).toBe('closing: 2 orders may still be accepted');
    expect(wordsOf(answered({ state: 'halt' }), 'in force')).toBe('global is halt after 90 ms');
  });

  it('take the seal from the desk once it says so, but not that of an older halt', () => {
    const halted = answered({ state: 'halt', epoch: 7, sealed: false, unsettled: 2 });
    const sealed = { halted_at: AT, sealed_at: AT + 97 };
    expect(wordsOf(halted, 'sealed', scope('global', 'halt', sealed))).toMatch(/after 97 ms$/);
    expect(stated(halted, scope('global', 'halt', { ...sealed, epoch: 6 }))).toContain('sealed open');
    expect(wordsOf(halted, 'sealed', scope('global', 'halt', { unsettled: 1 }))).toContain('1 orders');
    expect(wordsOf(answered({ state: 'halt', epoch: 7, sealed: true, sealed_ms: 3 }), 'sealed')).toMatch(/after 3 ms$/);
    expect(wordsOf(answered({ state: 'halt', sealed: true }), 'sealed')).toMatch(/any more$/);
    expect(wordsOf(halted, 'sealed', scope('global', 'halt', { sealed_at: AT }))).toMatch(/any more$/);
  });

  it('of what seals nothing end with what is in force', () => {
    expect(stated(answered({ state: 'normal' }), undefined, { action: 'resume' })).toEqual([
      'requested done',
      'accepted done',
      'in force done',
    ]);
    expect(wordsOf(answered({ state: 'shutdown', awaits_approval_until: AT }), 'in force')).toContain('second person');
  });

  it('say how often it was sent', () => {
    expect(factsOf(commanded({ kind: 'asked' }, { tries: 3 }), undefined)[0]?.words).toMatch(
      /, sent 3 times under the same id$/,
    );
  });
});

describe('what the desk says', () => {
  const mixed = desk(
    scope('global', 'normal'),
    scope('bot:a', 'alert'),
    scope('symbol:X/Y', 'shutdown'),
    scope('global', 'halt'),
  );

  it('is in order of gravity, and everything comes first', () => {
    expect(notNormal(mixed).map(({ scope: name }) => name)).toEqual(['global', 'symbol:X/Y', 'bot:a']);
    expect(deskWords(mixed)).toBe('halt: global, and 2 more');
    expect(deskWords(desk(scope('bot:a', 'alert')))).toBe('alert: bot:a');
    expect(deskWords(desk())).toBe('desk normal');
    expect(causeWords(cause('halt'))).toMatch(/^halt by ann since \d\d:\d\d:\d\d: odd$/);
  });

  it('names what a resume must have seen', () => {
    expect(resumeOf(scope('bot:a', 'halt'))).toEqual({ causes: ['operator:ann'], expected_epoch: 7 });
    expect(scopeIn(mixed, 'bot:a')?.state).toBe('alert');
    expect(scopeIn(undefined, 'bot:a')).toBeUndefined();
    expect([isStopped('halt'), isStopped('shutdown'), isStopped('alert'), isStopped(undefined)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('the same on the command line', () => {
  it.each([
    ['global', 'npx holdfast halt --all --reason "why"'],
    ['bot:bot_001', 'npx holdfast halt --bot bot_001 --reason "why"'],
    ['symbol:BTC/USDT', 'npx holdfast halt --symbol BTC/USDT --reason "why"'],
  ])('%s is %s', (name, line) => {
    expect(commandLine('halt', name)).toBe(line);
  });
});

describe('the scopes that are offered', () => {
  it('are those the desk, its permits and the deployed graphs name, and the one that is chosen', () => {
    const permit = { permit_id: 'p', venue: 'v', symbol: 'BTC/USDT', side: 'buy', quantity: '1', price: '1' };
    const more = { filled: '0', reduces: false, status: 'granted', at: AT, execution_id: 'e' };
    const known = {
      ...desk(scope('venue:paper', 'alert')),
      bots: [{ bot_id: 'b', name: 'B', venues: [], starting_equity: '1', time_zone: 'UTC' }],
      open_permits: { count: 1, unknown: 0, listed: [{ ...permit, ...more }] },
    };
    const inner = { buy: { type: 'order', params: { symbol: 'ETH/USDT' } } };
    const nodes = { all: { type: 'map', body: { nodes: inner } }, x: { type: 'y', params: { symbol: '{{a.b}}' } } };
    const deployment = {
      ...{ workflow_id: 'w', name: 'W', graph_version: '1', paused: false, next_runs: [], recent_executions: [] },
      ...{ graph: { id: 'w', strategy_id: 's', nodes }, runs: { started: 0, missed: 0, skipped: 0 } },
    };
    expect(scopesOffered(known, [deployment], 'bot:other')).toEqual([
      { title: 'Bots', scopes: ['bot:b', 'bot:other'] },
      { title: 'Strategies', scopes: ['strategy:s'] },
      { title: 'Symbols', scopes: ['symbol:BTC/USDT', 'symbol:ETH/USDT'] },
      { title: 'Venues', scopes: ['venue:paper'] },
    ]);
    expect(scopesOffered(undefined, [{ ...deployment, graph: { id: 'w', nodes: {} } }], 'global')).toEqual([]);
    expect([nameOfScope('global'), nameOfScope('bot:b')]).toEqual(['everything', 'bot b']);
  });
});
