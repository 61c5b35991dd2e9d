import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { NodeView } from '../../src/feed-client/execution-view';
import { ToldNodes } from '../../src/feed-client/told-nodes';
import { context, node, nodeStarted } from '../support/sample-events';

const KEYS = ['a', 'b', 'each[0]/a', 'constructor', '__proto__'];
const { event } = node(context('exec_told'), 'a', nodeStarted);

/** Each is another object, so that one is not taken for the other. */
function told(seq: number): NodeView {
  return { node_id: 'a', state: 'running', event: { ...event, log_epoch: '1-a-1', seq } };
}

const step = fc.record({ from: fc.nat(), key: fc.constantFrom(...KEYS), reads: fc.boolean() });

describe('the nodes a view was told of', () => {
  it('are what a copy of all of them would hold, in every version, whichever is continued and whenever one is read', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 300 }), (steps) => {
        const versions = [{ nodes: ToldNodes.of({}), model: new Map<string, NodeView>() }];
        for (const [seq, { from, key, reads }] of steps.entries()) {
          // Mostly the newest, as a feed does it.
          const { nodes, model } = versions.at(from % 4 === 0 ? from % versions.length : -1)!;
          if (reads) expect(Object.keys(nodes.record)).toEqual([...model.keys()]);
          const view = told(seq);
          versions.push({ nodes: nodes.with(key, view), model: new Map(model).set(key, view) });
        }
        for (const { nodes, model } of versions) {
          for (const key of [...KEYS, 'toString']) expect(nodes.get(key)).toBe(model.get(key));
          expect(new Map(Object.entries(nodes.record))).toEqual(model);
          expect(nodes.record).toBe(nodes.record);
        }
      }),
      { numRuns: 200 },
    );
  });
});
