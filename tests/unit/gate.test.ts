import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Closing } from '../../src/emergency/closing';
import type { EmergencyState } from '../../src/emergency/model';
import type { DeskReading, ScopeReading } from '../../src/worker/desk-port';
import { Gate } from '../../src/worker/gate';

const closing = (rest: Partial<Closing> = {}): Closing => ({
  ...{ v: 1, desk: 'default', scope: 'global', state: 'halt', command_id: 'c1', reason: 'drill', actor: 'kim' },
  ...{ issued_at: 0 },
  ...rest,
});
const reading = (epoch: number, scopes: readonly ScopeReading[] = [], known: readonly string[] = []): DeskReading => ({
  epoch,
  scopes,
  known_commands: known,
});
const inState = (scope: string, state: EmergencyState, epoch: number): ScopeReading => ({ scope, state, epoch });

/** Listening, and told that all is normal at `epoch`. */
function openGate(epoch = 10): Gate {
  const gate = new Gate();
  gate.listening();
  gate.learn(reading(epoch), gate.ask());
  return gate;
}
const isOpen = (gate: Gate, ...scopes: string[]) => gate.mayTrade(scopes).open;

describe('a gate', () => {
  it('is closed for trade until the desk was read, and says so', () => {
    const gate = new Gate();
    expect(gate.mayTrade([])).toMatchObject({ open: false, scope: 'global', reason: /not been read/ });
    expect(gate.mayOperate([]).open).toBe(false);
    expect(gate.mayNotify([]).open).toBe(true);
    gate.learn(reading(1), gate.ask());
    expect(isOpen(gate)).toBe(true);
  });

  it('is closed after a gap until a reading that was asked for after it', () => {
    const gate = openGate();
    const early = gate.ask();
    gate.gap();
    gate.learn(reading(10), early);
    expect(isOpen(gate)).toBe(false);
    gate.learn(reading(10), gate.ask());
    expect(isOpen(gate)).toBe(true);
  });

  it('closes the scope of a closing at once, and no other', () => {
    const gate = openGate();
    gate.close(closing({ scope: 'bot:a' }));
    expect(gate.mayTrade(['bot:a'])).toEqual({ open: false, scope: 'bot:a', reason: 'drill', epoch: 10 });
    expect(isOpen(gate, 'bot:b')).toBe(true);
    gate.close(closing({ command_id: 'c2' }));
    expect(isOpen(gate, 'bot:b')).toBe(false);
  });

  it('is opened by no reading that was asked for before the closing, and by none that does not know its command', () => {
    const gate = openGate();
    const early = gate.ask();
    gate.close(closing());
    gate.learn(reading(11, [], ['c1']), early);
    expect(isOpen(gate)).toBe(false);
    gate.learn(reading(11), gate.ask());
    expect(isOpen(gate)).toBe(false);
    gate.learn(reading(11, [], ['c1']), gate.ask());
    expect(isOpen(gate)).toBe(true);
  });

  it('follows the desk once it knows the command: closed while the halt holds, open after the resume', () => {
    const gate = openGate();
    gate.close(closing({ scope: 'bot:a' }));
    gate.learn(reading(11, [inState('bot:a', 'halt', 11)], ['c1']), gate.ask());
    expect(gate.undecided()).toEqual([]);
    expect(gate.mayTrade(['bot:a'])).toMatchObject({ open: false, scope: 'bot:a', epoch: 11 });
    expect(isOpen(gate)).toBe(true);
    gate.learn(reading(12, [inState('bot:a', 'normal', 12)]), gate.ask());
    expect(isOpen(gate, 'bot:a')).toBe(true);
  });

  it('goes by the desk’s answer after the command was delivered, whatever that knows', () => {
    const gate = openGate();
    gate.close(closing());
    const early = gate.ask();
    gate.delivered(closing());
    gate.learn(reading(10), early);
    expect(isOpen(gate)).toBe(false);
    gate.learn(reading(10), gate.ask());
    expect(isOpen(gate)).toBe(true);
  });

  it('waits for the epoch that a closing of the desk itself names', () => {
    const gate = openGate();
    gate.close(closing({ epoch: 12 }));
    gate.learn(reading(11), gate.ask());
    expect(isOpen(gate)).toBe(false);
    gate.learn(reading(12), gate.ask());
    expect(isOpen(gate)).toBe(true);
  });

  it('is not closed again by a closing that was decided', () => {
    const gate = openGate();
    gate.close(closing());
    gate.learn(reading(12, [], ['c1']), gate.ask());
    gate.close(closing());
    expect(isOpen(gate)).toBe(true);
    gate.close(closing({ issued_at: 1 }));
    expect(isOpen(gate)).toBe(false);
  });

  it('learns nothing from an answer older than one it has had', () => {
    const gate = openGate();
    gate.learn(reading(20, [inState('global', 'halt', 20)]), gate.ask());
    gate.learn(reading(19), gate.ask());
    expect(isOpen(gate)).toBe(false);
  });

  it('lets a reducing order pass a halt, announced or decided, and no shutdown', () => {
    const gate = openGate();
    gate.close(closing());
    expect(gate.mayOperate([]).open).toBe(true);
    gate.learn(reading(11, [inState('global', 'halt', 11)], ['c1']), gate.ask());
    expect(gate.mayOperate([]).open).toBe(true);
    gate.close(closing({ state: 'shutdown', command_id: 'c2' }));
    expect(gate.mayOperate([]).open).toBe(false);
  });

  it('lets an alert pass', () => {
    const gate = openGate();
    gate.learn(reading(11, [inState('global', 'alert', 11)]), gate.ask());
    expect(isOpen(gate)).toBe(true);
  });

  it('counts what may have been halted unseen as a halt: behind a gap for all, behind a closing for its scope', () => {
    const gap = openGate(10);
    gap.gap();
    gap.learn(reading(12), gap.ask());
    expect(gap.epochOfLastHalt('bot:a')).toBe(12);
    const closed = openGate(10);
    closed.close(closing({ scope: 'bot:a' }));
    closed.learn(reading(12, [], ['c1']), closed.ask());
    expect([closed.epochOfLastHalt('bot:a'), closed.epochOfLastHalt('bot:b')]).toEqual([12, 10]);
  });

  it('hears from the desk of a halt that was lifted before it was read', () => {
    const gate = openGate(10);
    gate.learn(reading(12, [{ ...inState('bot:a', 'normal', 12), halted_epoch: 11 }]), gate.ask());
    expect([isOpen(gate, 'bot:a'), gate.epochOfLastHalt('bot:a')]).toEqual([true, 11]);
  });

  it('is at rest only when it listens, knows and nothing is closed', () => {
    const gate = openGate();
    expect(gate.isAtRest).toBe(true);
    gate.close(closing());
    expect(gate.isAtRest).toBe(false);
    const deaf = new Gate();
    deaf.learn(reading(1), deaf.ask());
    expect(deaf.isAtRest).toBe(false);
  });
});

const scopes = ['global', 'bot:a', 'symbol:X'] as const;
const anyClosing = fc
  .record({
    scope: fc.constantFrom(...scopes),
    state: fc.constantFrom('halt', 'shutdown'),
    command_id: fc.constantFrom('c1', 'c2', 'c3'),
    issued_at: fc.nat(3),
  })
  .map((each) => closing(each));
const closes = fc.oneof(
  anyClosing.map((each) => (gate: Gate) => {
    gate.close(each);
  }),
  fc.constant((gate: Gate) => {
    gate.gap();
  }),
  fc.constant((gate: Gate) => {
    gate.listening();
  }),
  anyClosing.map((each) => (gate: Gate) => {
    gate.delivered(each);
  }),
);
const anyReading = fc
  .record({
    epoch: fc.nat(30),
    scopes: fc.uniqueArray(
      fc.record({
        scope: fc.constantFrom(...scopes),
        state: fc.constantFrom('normal', 'alert', 'halt', 'shutdown'),
        epoch: fc.nat(30),
      }),
      { selector: ({ scope }) => scope },
    ),
    known_commands: fc.subarray(['c1', 'c2', 'c3']),
  })
  .map((each): DeskReading => each);
const asksAndLearns = anyReading.map((each) => (gate: Gate) => {
  gate.learn(each, gate.ask());
});

describe('whatever happened to a gate', () => {
  it('no sequence of closings, gaps and deliveries opens any scope', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(closes, asksAndLearns)), fc.array(closes), (before, then) => {
        const gate = new Gate();
        for (const step of before) step(gate);
        for (const step of then) {
          const closed = scopes.filter((scope) => !isOpen(gate, scope));
          step(gate);
          expect(closed.filter((scope) => isOpen(gate, scope))).toEqual([]);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('no answer to a question from before a closing or gap opens what that closed', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(closes, asksAndLearns)), anyReading, anyClosing, (before, late, last) => {
        const gate = new Gate();
        for (const step of before) step(gate);
        const asked = gate.ask();
        const fresh = { ...last, command_id: 'fresh' };
        gate.close(fresh);
        gate.learn({ ...late, known_commands: ['c1', 'c2', 'c3', 'fresh'] }, asked);
        expect(isOpen(gate, last.scope)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('the epoch of a scope’s last halt never falls', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(closes, asksAndLearns)), (steps) => {
        const gate = new Gate();
        let last = scopes.map((scope) => gate.epochOfLastHalt(scope));
        for (const step of steps) {
          step(gate);
          const now = scopes.map((scope) => gate.epochOfLastHalt(scope));
          now.forEach((epoch, index) => {
            expect(epoch).toBeGreaterThanOrEqual(last[index] ?? 0);
          });
          last = now;
        }
      }),
      { numRuns: 300 },
    );
  });
});
