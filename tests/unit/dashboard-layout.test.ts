import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { edgesOf } from '../../dashboard/src/graph/edges';
import { BOX, layOut, type Box, type Direction } from '../../dashboard/src/graph/layout';
import { walk } from '../../dashboard/src/graph/walk';

type Link = { readonly from: string; readonly to: string };

const link = (from: string, to: string): Link => ({ from, to });
const placed = (nodes: readonly string[], edges: readonly Link[], direction: Direction = 'right') =>
  layOut({ nodes, edges, direction });
const boxOf = (boxes: readonly Box[], id: string) => boxes.find((box) => box.id === id)!;

/** Edges go from an earlier node to a later one, so there is no circle. */
const graphs = fc.integer({ min: 1, max: 25 }).chain((count) =>
  fc.record({
    nodes: fc.constant(Array.from({ length: count }, (_, index) => `n${index}`)),
    edges: fc
      .array(fc.tuple(fc.nat(count - 1), fc.nat(count - 1)), { maxLength: 60 })
      .map((pairs) => pairs.flatMap(([a, b]) => (a < b ? [link(`n${a}`, `n${b}`)] : []))),
    direction: fc.constantFrom<Direction>('right', 'down'),
  }),
);

describe('the layout of a graph', () => {
  it('puts a node into the layer after the last of those it follows', () => {
    const boxes = placed(['a', 'b', 'c', 'd'], [link('a', 'b'), link('b', 'c'), link('a', 'd'), link('c', 'd')]);
    expect(Object.fromEntries(boxes.map(({ id, layer }) => [id, layer]))).toEqual({ a: 0, b: 1, c: 2, d: 3 });
    expect(boxes.map(({ x }) => x)).toEqual(
      boxes.map(({ layer }) => layer * (boxOf(boxes, 'b').x - boxOf(boxes, 'a').x)),
    );
  });

  it('orders a layer by whom its nodes follow, so that edges do not cross', () => {
    const boxes = placed(['a', 'b', 'of_b', 'of_a'], [link('a', 'of_a'), link('b', 'of_b')]);
    expect(boxOf(boxes, 'of_a').y).toBeLessThan(boxOf(boxes, 'of_b').y);
  });

  it('draws downwards where that is asked for', () => {
    const boxes = placed(['a', 'b'], [link('a', 'b')], 'down');
    expect([boxOf(boxes, 'b').x, boxOf(boxes, 'b').y > boxOf(boxes, 'a').y]).toEqual([boxOf(boxes, 'a').x, true]);
  });

  it('places all of a circle, each node once, and what names no node of the graph is left aside', () => {
    const boxes = placed(
      ['a', 'b', 'c'],
      [link('a', 'b'), link('b', 'a'), link('b', 'c'), link('x', 'c'), link('c', 'c')],
    );
    expect(boxes.map(({ id }) => id).toSorted()).toEqual(['a', 'b', 'c']);
  });

  it('places 10,000 nodes in a row as well as side by side', () => {
    const nodes = Array.from({ length: 10_000 }, (_, index) => `n${index}`);
    const row = nodes.slice(1).map((to, index) => link(`n${index}`, to));
    expect(placed(nodes, row).at(-1)).toMatchObject({ id: 'n9999', layer: 9_999, y: 0 });
    expect(placed(nodes, []).every(({ layer }) => layer === 0)).toBe(true);
  });

  it('makes every edge go forward and lets no two boxes overlap, whatever the graph', () => {
    fc.assert(
      fc.property(graphs, ({ nodes, edges, direction }) => {
        const boxes = placed(nodes, edges, direction);
        expect(boxes.map(({ id }) => id).toSorted()).toEqual([...nodes].toSorted());
        for (const { from, to } of edges) expect(boxOf(boxes, from).layer).toBeLessThan(boxOf(boxes, to).layer);
        for (const [index, a] of boxes.entries()) {
          for (const b of boxes.slice(index + 1)) {
            const apart = Math.abs(a.x - b.x) >= BOX.width || Math.abs(a.y - b.y) >= BOX.height;
            expect(apart).toBe(true);
          }
        }
      }),
    );
  });

  it('gives the same graph the same drawing, from the upper left corner on', () => {
    fc.assert(
      fc.property(graphs, ({ nodes, edges, direction }) => {
        const boxes = placed(nodes, edges, direction);
        expect(placed(nodes, edges, direction)).toEqual(boxes);
        expect([Math.min(...boxes.map(({ x }) => x)), Math.min(...boxes.map(({ y }) => y))]).toEqual([0, 0]);
      }),
    );
  });
});

describe('the edges of a graph', () => {
  const edges = (nodes: Parameters<typeof edgesOf>[0]['nodes']) => edgesOf({ nodes });

  it('are its inputs, mentions and afters, one line per pair with all their names', () => {
    const found = edges({
      price: { type: 'ticker' },
      ok: { type: 'threshold', inputs: { value: 'price.last', other: 'price.bid' } },
      tell: { type: 'notify', after: ['ok.pass', 'price.success'], params: { message: 'at {{price.last}}' } },
      sized: { type: 'math', when: 'price.last > 3' },
    });
    expect(found).toEqual([
      { from: 'price', to: 'ok', label: 'last, bid', control: false },
      { from: 'price', to: 'tell', label: 'last', control: false },
      { from: 'ok', to: 'tell', label: 'pass', control: true },
      { from: 'price', to: 'sized', label: 'last', control: false },
    ]);
  });

  it('go to the node that holds a body for what is read inside it, and to nobody for what is no node', () => {
    const inside = { each: { type: 'math', inputs: { a: 'price.last', b: 'item.value' } } };
    expect(edges({ price: { type: 'ticker' }, all: { type: 'map', body: { nodes: inside } } })).toEqual([
      { from: 'price', to: 'all', label: 'last', control: false },
    ]);
  });
});

describe('the arrows in a graph', () => {
  const edges = [link('a', 'c'), link('b', 'c'), link('c', 'd')];
  const boxes = placed(['a', 'b', 'c', 'd'], edges);
  const go = (from: string, key: string, direction: Direction = 'right') =>
    walk(
      { boxes: direction === 'right' ? boxes : placed(['a', 'b', 'c', 'd'], edges, direction), edges, direction },
      from,
      key,
    );

  it.each([
    ['a', 'ArrowRight', 'c'],
    ['c', 'ArrowRight', 'd'],
    ['d', 'ArrowLeft', 'c'],
    ['a', 'ArrowDown', 'b'],
    ['b', 'ArrowUp', 'a'],
    ['a', 'ArrowUp', undefined],
    ['b', 'ArrowDown', undefined],
    ['a', 'ArrowLeft', undefined],
    ['d', 'ArrowRight', undefined],
    ['c', 'Home', 'a'],
    ['a', 'End', 'd'],
    ['a', 'x', undefined],
    ['nobody', 'ArrowRight', undefined],
  ])('lead from %s with %s to %s', (from, key, to) => {
    expect(go(from, key)).toBe(to);
  });

  it('are turned with the drawing', () => {
    expect([go('a', 'ArrowDown', 'down'), go('a', 'ArrowRight', 'down'), go('c', 'ArrowUp', 'down')]).toEqual([
      'c',
      'b',
      'a',
    ]);
  });
});
