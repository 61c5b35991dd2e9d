import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Partitions, type Partition } from '../../src/event-log/keys';

const id = fc.stringMatching(/^[A-Za-z0-9][\w:.{}-]{0,30}$/);
const count = fc.integer({ min: 2, max: 64 });
/** What Redis Cluster hashes of a name. */
const tagOf = (name: string) => /\{([^}]+)\}/.exec(name)?.[1];

const namesOf = (partition: Partition, name: string) => [
  ...[partition.channel, partition.epoch, partition.open, partition.none],
  ...[partition.stream(name), partition.seen(name), partition.snapshot(name), partition.meta(name)],
  ...[partition.workflowStatus(name), partition.recent({ all: true }), partition.recent({ workflow_id: name })],
  ...[partition.recent({ bot_id: name }), partition.recent({ strategy_id: name })],
];

describe('the partitions of the event log', () => {
  it('leave every name as it is documented where there is one', () => {
    const { all, count: partitions } = new Partitions(1);
    const [only] = all;
    expect(partitions).toBe(1);
    expect(namesOf(only, 'x')).toEqual([
      ...['workflow_events', 'holdfast:epoch', 'holdfast:open', 'holdfast:none'],
      ...['holdfast:stream:x', 'holdfast:seen:x', 'holdfast:snapshot:x', 'holdfast:meta:x'],
      ...['workflow:x:status', 'holdfast:recent:all', 'holdfast:recent:workflow:x'],
      ...['holdfast:recent:bot:x', 'holdfast:recent:strategy:x'],
    ]);
    expect(new Partitions(1).of('anything').stream('anything')).toBe('holdfast:stream:anything');
  });

  it('give all names of a stream one hash tag, whatever stands in its ids, and no two partitions a name in common', () => {
    fc.assert(
      fc.property(id, count, (name, partitions) => {
        const log = new Partitions(partitions);
        expect(log.count).toBe(partitions);
        const tags = new Set(namesOf(log.of(name), name).map(tagOf));
        expect(tags.size).toBe(1);
        expect([...tags][0]).toMatch(/^p\d+$/);
        const everyName = log.all.flatMap((partition) => namesOf(partition, name));
        expect(new Set(everyName).size).toBe(everyName.length);
      }),
    );
  });

  it('put a stream always into the same one', () => {
    const of = (name: string) => tagOf(new Partitions(4).of(name).channel);
    // Written down: another answer for one of these would move the streams of a running installation.
    expect(['exec_arb_btc_001_0a1b2c3d', 'desk/default', 'metrics/default', ''].map(of)).toEqual([
      'p1',
      'p2',
      'p0',
      'p1',
    ]);
  });

  it('share executions evenly', () => {
    const log = new Partitions(4);
    const held = new Map(log.all.map((partition) => [partition, 0]));
    const [EXECUTIONS, share] = [10_000, 2_500];
    for (let run = 0; run < EXECUTIONS; run += 1) {
      const partition = log.of(`exec_arb_btc_001-2026-01-05T12:${run}:00Z`);
      held.set(partition, held.get(partition)! + 1);
    }
    for (const streams of held.values()) expect(Math.abs(streams - share)).toBeLessThan(share / 10);
  });
});
