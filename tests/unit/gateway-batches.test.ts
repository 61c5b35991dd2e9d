import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Publication } from '../../src/events/build';
import type { EventEnvelope, NodeFact } from '../../src/events/envelope';
import { Batches } from '../../src/gateway/batches';
import { completed, context, node, nodeCompleted, nodeStarted, started } from '../support/sample-events';

const of = context('exec_1');
const retrying: NodeFact = { type: 'node_retrying', error: 'x', error_type: 'ConnectionError', next_attempt_ms: 5 };
let sent: (string | readonly string[])[];
let batches: Batches;
let seq: number;

beforeEach(() => {
  jest.useFakeTimers();
  sent = [];
  seq = 0;
  const brief = ({ node_id = '', type, seq: number }: EventEnvelope) => `${number} ${node_id} ${type}`;
  batches = new Batches({ one: (event) => sent.push(brief(event)), many: (events) => sent.push(events.map(brief)) });
});

afterEach(() => {
  jest.useRealTimers();
});

const add = (...publications: readonly Publication[]) => {
  for (const { event } of publications) batches.add({ ...event, log_epoch: '1-a-1', seq: (seq += 1) });
};

describe('batches', () => {
  it('tell what comes by itself at once', () => {
    add(started(of));
    jest.advanceTimersByTime(16);
    add(completed(of));
    expect(sent).toEqual(['1  execution_started', '2  execution_completed']);
  });

  it('gather what follows within a window, in order, with the last state of each node', () => {
    add(started(of), node(of, 'a', nodeStarted), node(of, 'b', nodeStarted), node(of, 'a', retrying));
    add(node(of, 'a', nodeCompleted), node(of, 'c', nodeStarted));
    expect(sent).toEqual(['1  execution_started']);
    jest.advanceTimersByTime(16);
    expect(sent.slice(1)).toEqual([['3 b node_started', '5 a node_completed', '6 c node_started']]);
  });

  it('leave out no end and nothing that is about no node, also of a node that begins again', () => {
    const again = node(of, 'a', nodeStarted, { generation: 2 });
    add(
      started(of),
      node(of, 'a', nodeCompleted),
      again,
      node(of, 'a', nodeCompleted, { generation: 2 }),
      completed(of),
    );
    jest.advanceTimersByTime(16);
    expect(sent[1]).toEqual(['2 a node_completed', '4 a node_completed', '5  execution_completed']);
  });

  it('tell nodes of the same name apart by execution', () => {
    add(started(of), node(of, 'a', nodeStarted), node(context('exec_2'), 'a', nodeStarted));
    jest.advanceTimersByTime(16);
    expect(sent[1]).toHaveLength(2);
  });

  it('wait for longer while much happens, 100 ms at most, and no longer once less does', () => {
    const burst = (nodes: number) => {
      add(...Array.from({ length: nodes }, (_, index) => node(of, `n${index}`, nodeCompleted)));
    };
    const waited = (ms: number) => {
      const before = sent.length;
      jest.advanceTimersByTime(ms - 1);
      expect(sent).toHaveLength(before);
      jest.advanceTimersByTime(1);
      expect(sent).toHaveLength(before + 1);
    };
    add(started(of));
    for (const window of [16, 32, 64, 100, 100]) {
      burst(50);
      waited(window);
    }
    burst(1);
    waited(100);
    burst(1);
    waited(16);
  });

  it('go before anything else that is said', () => {
    add(started(of), node(of, 'a', nodeStarted));
    batches.flush();
    batches.flush();
    expect(sent).toEqual(['1  execution_started', ['2 a node_started']]);
  });

  it('are over when the client is gone', () => {
    add(started(of), node(of, 'a', nodeStarted));
    batches.close();
    jest.advanceTimersByTime(1_000);
    expect(sent).toHaveLength(1);
  });
});
