import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isAfter } from '../../src/event-log/cursor';
import { Fifo } from '../../src/event-log/fifo';
import { Outbox } from '../../src/event-log/outbox';
import { context, node, nodeCompleted, nodeStarted, started } from '../support/sample-events';

const of = context('exec_1');
const roomy = { events: 1_000, bytes: 1_000_000 };
const idsOf = (taken: ReturnType<Outbox['take']>) => taken.map(({ publication }) => publication.event.event_id);

describe('the outbox', () => {
  it('gives back what it holds in the order it was pushed, whatever its kind', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 60 }), fc.integer({ min: 1, max: 9 }), (kinds, most) => {
        const outbox = new Outbox(roomy);
        const all = kinds.map((progress, i) => node(of, `n${i}`, progress ? nodeStarted : nodeCompleted));
        for (const each of all) outbox.push(each);
        const taken: string[] = [];
        while (outbox.length > 0) taken.push(...idsOf(outbox.take(most)));
        expect(taken).toEqual(all.map(({ event }) => event.event_id));
        expect(outbox.takeGap()).toBeUndefined();
      }),
    );
  });

  it('stays within its bound, drops the oldest progress first and the oldest fact only when no progress is left', () => {
    const outbox = new Outbox({ events: 3, bytes: 1_000_000 });
    outbox.push(node(of, 'fact1', nodeCompleted));
    outbox.push(node(of, 'progress1', nodeStarted));
    outbox.push(node(of, 'progress2', nodeStarted));
    outbox.push(node(of, 'fact2', nodeCompleted));
    outbox.push(node(of, 'fact3', nodeCompleted));
    outbox.push(node(of, 'fact4', nodeCompleted));
    expect(outbox.dropped).toBe(3);
    expect(outbox.take(9).map(({ publication }) => publication.key)).toEqual(['fact2', 'fact3', 'fact4']);
  });

  it('is bounded in bytes too', () => {
    const outbox = new Outbox({ events: 1_000, bytes: 2_000 });
    for (let i = 0; i < 100; i++) outbox.push(node(of, `n${i}`, nodeCompleted));
    expect(outbox.length).toBeLessThan(10);
    expect(outbox.length + outbox.dropped).toBe(100);
  });

  it('announces what it dropped once, by stream, and says when it cannot name them all', () => {
    const outbox = new Outbox({ events: 1, bytes: 1_000_000 });
    outbox.push(started(context('one')));
    outbox.push(started(context('two')));
    outbox.push(started(context('three')));
    expect(outbox.takeGap()).toEqual({ type: 'gap', dropped: 2, streams: ['one', 'two'], complete: true });
    expect(outbox.takeGap()).toBeUndefined();
    for (let i = 0; i < 1_002; i++) outbox.push(started(context(`many${i}`)));
    outbox.push(started(context('many0')));
    expect(outbox.takeGap()).toMatchObject({ dropped: 1_003, complete: false });
  });
});

describe('a fifo', () => {
  it('behaves like an array through any pushes and shifts', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(), { nil: undefined }), { maxLength: 200 }), (steps) => {
        const fifo = new Fifo<number>();
        const model: number[] = [];
        for (const step of steps) {
          if (step === undefined) expect(fifo.shift()).toBe(model.shift());
          else {
            fifo.push(step);
            model.push(step);
          }
          expect([fifo.length, fifo.peek()]).toEqual([model.length, model[0]]);
        }
      }),
    );
  });

  it('keeps its order when it drops the room it no longer needs', () => {
    const fifo = new Fifo<number>();
    for (let i = 0; i < 5_000; i++) fifo.push(i);
    for (let i = 0; i < 5_000; i++) expect(fifo.shift()).toBe(i);
    expect(fifo.shift()).toBeUndefined();
  });
});

describe('positions', () => {
  const at = (log_epoch: string, seq = 1) => ({ log_epoch, seq });

  it.each([
    [at('1-a-100', 5), at('1-a-100', 4), true],
    [at('1-a-100', 4), at('1-a-100', 4), false],
    [at('1-a-200', 1), at('1-a-100', 90), true],
    [at('1-a-100', 90), at('1-a-200', 1), false],
    // The dump that was put back is of before the stream began anew.
    [at('9-c-100', 3), at('7-a-200', 90), true],
    [at('7-a-200', 90), at('9-c-100', 3), false],
    [at('2-b-100', 1), at('1-a-100', 90), true],
    [at('1-a-100', 90), at('2-b-100', 1), false],
    [at('1-a-100', 1), at('', 0), true],
    [at('', 0), at('1-a-100', 1), false],
  ])('%j after %j: %s', (place, known, after) => {
    expect(isAfter(place, known)).toBe(after);
  });
});
