import { describe, expect, it } from '@jest/globals';
import { GraphRun } from '../../src/graph/graph-run';
import { rerunFrom } from '../../src/graph/rerun';
import { GraphAtWork, completed, failed, traits, type Nodes } from '../support/plans';

const data = (from: string): Partial<Nodes[string]> => ({ inputs: { value: `${from}.value` } });
const one = completed({ value: 1 });

/** What a rerun of it would be, and the nodes that start first in it. */
function rerun(before: GraphAtWork, from?: string) {
  const { graph, ...rest } = rerunFrom(before.plans.top, before.run.carry(), { from });
  const again = GraphRun.restore(before.plans, graph, { inputs: {}, output_limit: 1_000_000 });
  return { ...rest, starts: again.readyIds.map((id) => again.key(id)), run: again };
}

describe('a rerun', () => {
  it('adopts what does not depend on the node, and what depends on it runs again', () => {
    const work = new GraphAtWork({ a: {}, b: { after: ['a'] }, c: { after: ['b'] }, other: {} });
    for (const node of ['a', 'other', 'b', 'c']) work.end(node);
    expect(rerun(work, 'b')).toMatchObject({
      ...{ adopted: ['a', 'other'], again: ['b', 'c'], dropped: [] },
      starts: ['b'],
    });
  });

  it('runs again as well what is needed and no longer held, and says so', () => {
    const chain = { a: {}, b: data('a'), c: data('b'), last: { after: ['c'] } };
    const options = { output_limit: 30 };
    const work = new GraphAtWork(chain, options);
    for (const node of ['a', 'b', 'c', 'last']) work.end(node, one);
    expect(rerun(work, 'c')).toMatchObject({
      ...{ adopted: [], again: ['a', 'b', 'c', 'last'], dropped: ['b', 'a'], starts: ['a'] },
    });
    expect(rerun(work, 'last')).toMatchObject({ adopted: ['a', 'b', 'c'], again: ['last'], dropped: [] });
    const kept = new GraphAtWork(chain, { ...options, outputs: { b: 'b.value' } });
    for (const node of ['a', 'b', 'c', 'last']) kept.end(node, one);
    const { run, ...rest } = rerun(kept, 'c');
    expect(rest).toMatchObject({ adopted: ['a', 'b'], again: ['c', 'last'], dropped: [], starts: ['c'] });
    const [id = -1] = run.readyIds;
    expect(run.fields(id)).toEqual({ value: 1 });
  });

  it('of a failure runs what failed and what never ran, and keeps a failure that was handled', () => {
    const work = new GraphAtWork({
      handled: {},
      instead: { after: ['handled.error'] },
      bad: {},
      after: { after: ['bad'] },
      never: { after: ['late'] },
      late: { after: ['instead'] },
    });
    work.end('handled', failed);
    work.end('instead');
    work.end('bad', failed);
    expect(rerun(work)).toMatchObject({
      ...{ adopted: ['handled', 'instead'], again: ['bad', 'after', 'never', 'late'], dropped: [] },
      starts: ['bad', 'late'],
    });
  });

  it('keeps a branch that was not taken, unless its condition runs again', () => {
    const work = new GraphAtWork({
      pick: { type: 'choice' },
      left: { after: ['pick.left'] },
      right: { after: ['pick.right'] },
      last: { after: ['left'] },
    });
    work.end('pick', completed({}, 'left'));
    work.end('left');
    work.end('last');
    expect(rerun(work, 'last')).toMatchObject({ adopted: ['pick', 'left', 'right'], again: ['last'] });
    expect(rerun(work, 'pick')).toMatchObject({
      adopted: [],
      again: ['pick', 'left', 'right', 'last'],
      starts: ['pick'],
    });
  });

  it('takes a loop as a whole, adopted or again', () => {
    const nodes: Nodes = {
      each: { type: 'map', params: { items: [1, 2] }, body: { nodes: { x: { type: 'step' } }, outputs: {} } },
      last: { after: ['each'] },
    };
    const work = new GraphAtWork(nodes);
    work.open('each');
    work.end('each[0]/x');
    work.end('each[1]/x');
    work.end('last');
    const { run, ...rest } = rerun(work, 'last');
    expect(rest).toMatchObject({ adopted: ['each'], again: ['last'], dropped: [], starts: ['last'] });
    expect(run.frames).toHaveLength(1);
    expect(rerun(work, 'each')).toMatchObject({ adopted: [], again: ['each', 'last'], starts: ['each'] });
  });

  it('says in which nodes that run again an order may be out', () => {
    const body = { nodes: { x: { type: 'order' } }, outputs: {} };
    const work = new GraphAtWork({
      a: {},
      out: { type: 'order', after: ['a'] },
      read: { type: 'fetch', after: ['a'] },
      done: { type: 'order', after: ['a'] },
      each: { type: 'map', params: { items: [1] }, after: ['a'], body },
      child: { type: 'subgraph', after: ['a'], body },
      never: { type: 'order', after: ['out'] },
    });
    work.end('a');
    work.start('out', 'read', 'child');
    work.open('each');
    work.end('done');
    const ended = work.run.carry();
    const options = { kinds: { order: traits('trade') } };
    expect(rerunFrom(work.plans.top, ended, options).unheard).toEqual(['out', 'each', 'child']);
    const followed = new Set([work.plans.top.index.get('never')!]);
    expect(rerunFrom(work.plans.top, ended, { followed }).unheard).toEqual(['out', 'each', 'never']);
  });

  it('has nothing to do where nothing failed and no node is named, and knows no other node', () => {
    const work = new GraphAtWork({ a: {} });
    work.end('a');
    expect(rerun(work)).toMatchObject({ adopted: ['a'], again: [], starts: [] });
    expect(() => rerun(work, 'b')).toThrow(RangeError);
  });
});
