import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isExecutionId, mayBeGiven } from '../../src/events/execution-id';
import { messageSchemas } from '../../src/gateway/protocol';
import { childIdOf } from '../../src/workflows/children';

const isTaken = (execution_id: string) => messageSchemas.request_state.safeParse({ execution_id }).success;

describe('the name of an execution', () => {
  it.each(['', '_x', '-dash', 'mein lauf', 'läuft', 'new\nline', 'desk/default', 'constructor', 'z'.repeat(301)])(
    'that is %j is given to none',
    (id) => {
      expect(mayBeGiven(id)).toBe(false);
    },
  );

  it.each(['exec_arb_1a2b3c4d', 'exec_arb-2026-11-30T22:22:56Z', 'today.1', '7'])('may be %s', (id) => {
    expect([mayBeGiven(id), isExecutionId(id), isTaken(id)]).toEqual([true, true, true]);
  });

  it('is one every message to the gateway takes, also that of a subgraph, and of one that was retried', () => {
    const given = fc.stringMatching(/^[A-Za-z0-9][\w:.~-]{0,299}$/).filter(mayBeGiven);
    const node = fc.stringMatching(/^([a-z]{1,20}\[\d{1,3}\]\/){0,3}[A-Za-z][\w-]{0,40}$/);
    fc.assert(
      fc.property(given, node, fc.nat(9), (execution_id, at, generation) => {
        const child = childIdOf({ execution_id, node: at, generation, depth: 1 });
        expect([isTaken(execution_id), isTaken(child)]).toEqual([true, true]);
      }),
    );
  });
});
