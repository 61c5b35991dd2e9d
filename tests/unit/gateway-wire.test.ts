import { describe, expect, it } from '@jest/globals';
import type { EventEnvelope } from '../../src/events/envelope';
import { batchPacket, eventPacket } from '../../src/gateway/wire';
import { context, node, nodeCompleted } from '../support/sample-events';

const of = context('exec_wire');
const event = (seq: number): EventEnvelope => ({
  ...node(of, `n${seq}`, nodeCompleted).event,
  log_epoch: '1-a-1',
  seq,
});
/** One that counts how often it was made text. */
function counted(seq: number): { readonly event: EventEnvelope; readonly times: () => number } {
  let times = 0;
  const plain = event(seq);
  const toJSON = () => {
    times += 1;
    return plain;
  };
  return { event: Object.assign(Object.create({ toJSON }) as EventEnvelope, plain), times: () => times };
}

describe('the text of events', () => {
  it('is a packet of an event with what happened as its one argument', () => {
    expect(eventPacket(event(1))).toBe(`2${JSON.stringify(['workflow_event', event(1)])}`);
    const both = [event(1), event(2)];
    expect(batchPacket(both)).toBe(`2${JSON.stringify(['workflow_event_batch', both])}`);
  });

  it('is made once per event, alone and in batches', () => {
    const [one, two] = [counted(1), counted(2)];
    eventPacket(one.event);
    eventPacket(one.event);
    batchPacket([one.event, two.event]);
    batchPacket([one.event, two.event]);
    batchPacket([two.event]);
    expect([one.times(), two.times()]).toEqual([1, 1]);
  });

  it('is that of the batch it is asked for, whatever was asked for before', () => {
    const [one, two, three] = [event(1), event(2), event(3)];
    for (const batch of [[one, two], [one, two], [one], [one, three], [two, one], [one, two]]) {
      expect(batchPacket(batch)).toBe(`2${JSON.stringify(['workflow_event_batch', batch])}`);
    }
  });
});
