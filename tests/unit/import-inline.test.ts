import { describe, expect, it } from '@jest/globals';
import { importInline } from '../../src/graph/import-inline';
import { UniqueNames, idFrom, nodeIdFrom } from '../../src/graph/import-names';
import { formatImportReport } from '../../src/graph/import-report';
import { exactDecimal } from '../../src/graph/import-values';
import { graphSchema } from '../../src/graph/schema';
import { sampleCatalogue } from '../support/catalogue';

const convert = (document: unknown) => importInline(document, sampleCatalogue);
const nodesOf = (nodes: unknown) => (convert({ nodes }).document as { nodes: unknown }).nodes;
const told = (nodes: unknown) =>
  convert({ nodes })
    .report.slice(2)
    .map(({ severity, message }) => `${severity} ${message}`);

describe('a graph with inline parameters', () => {
  it('keeps what has the wrong form where it stands, for validation to name', () => {
    const nodes = {
      a: { type: 'constant', params: { x: 1 }, x: 2, y: 3 },
      b: { type: 'constant', params: 7, z: 1 },
      c: 'text',
      d: { type: 'constant' },
    };
    expect(nodesOf(nodes)).toEqual({ ...nodes, a: { type: 'constant', x: 2, params: { x: 1, y: 3 } } });
    expect(told(nodes)).toEqual([
      'changed Node c is not an object and was left as it is, which validation refuses.',
      'changed `x` of node a, which has it in `params` already, stays where it is, and validation refuses it.',
      'changed `y` of node a became its param.',
      'changed `z` of node b, whose `params` is no object, stays where it is, and validation refuses it.',
    ]);
  });

  it('never reads a field of the kind as an order', () => {
    const fields = { next: { ...sampleCatalogue.get('notify')!.fields['message']! } };
    const kinds = new Map([['hop', { ...sampleCatalogue.get('notify')!, type: 'hop', fields }]]);
    const { document } = importInline(
      { nodes: { a: { type: 'hop', next: 'b' }, b: { type: 'hop', next: 'x' } } },
      kinds,
    );
    expect(document).toMatchObject({ nodes: { a: { type: 'hop', params: { next: 'b' } } } });
  });

  it('takes `on_error` for an order only where it names a node', () => {
    expect(
      nodesOf({ a: { type: 'notify', on_error: 'b' }, b: { type: 'notify', on_error: 'continue' }, continue: {} }),
    ).toMatchObject({ a: { type: 'notify' }, b: { on_error: 'continue', after: ['a.error'] }, continue: {} });
  });

  it('keeps an order that is written as a list, and leaves out an empty one', () => {
    expect(nodesOf({ a: { type: 'notify' }, b: { type: 'notify', after: ['a'], x: 1, next: [] } })).toMatchObject({
      b: { after: ['a'], params: { x: 1 } },
    });
    expect(told({ b: { type: 'notify', next: [] } })).toContain('changed The empty `next` of node b was left out.');
  });

  it('unpacks params one level down only where they clash with none', () => {
    const nodes = (params: unknown) => ({ a: { type: 'notify', params, config: { message: 'm' } } });
    expect(nodesOf(nodes({}))).toEqual({ a: { type: 'notify', params: { message: 'm' } } });
    expect(nodesOf(nodes({ message: 'n' }))).toEqual({
      a: { type: 'notify', params: { message: 'n', config: { message: 'm' } } },
    });
  });

  it('leaves `next` to the params where it names no node', () => {
    expect(nodesOf({ a: { type: 'notify', next: 'nobody' } })).toEqual({
      a: { type: 'notify', params: { next: 'nobody' } },
    });
  });

  it('takes one pair of ends of an edge, and says that the other was left out', () => {
    const nodes = { a: { type: 'constant', value: 1 }, b: { type: 'constant', value: 2 } };
    const edges = [{ id: 'e', from: 'a', to: 'b', source: 'c', target: 'b' }];
    const { document, report } = importInline({ nodes, edges }, sampleCatalogue);
    expect(document).toMatchObject({ nodes: { b: { after: ['a'] } } });
    expect(report.filter(({ severity }) => severity === 'lost').map(({ path }) => path)).toEqual(['/edges/0/source']);
  });

  it('gives a list of inputs to the only field there is, and never guesses between two', () => {
    const source = { type: 'constant', value: 1 };
    expect(nodesOf({ a: source, b: { type: 'constant', inputs: ['a'] } })).toMatchObject({
      b: { inputs: { value: 'a.value' } },
    });
    const two = { type: 'threshold', inputs: ['a.value'] };
    expect(nodesOf({ a: source, b: two })).toMatchObject({ b: { type: 'threshold' } });
    expect(told({ a: source, b: two })).toContain(
      'lost The inputs of node b are a list and name no fields; write `inputs: {field: "node.output"}`.',
    );
  });
});

describe('names and values made from other shapes', () => {
  it.each([
    ['examples/my graph.v2.json', 'my_graph_v2'],
    ['C:\\graphs\\7 days.yaml', 'graph_7_days'],
    ['input.json', 'graph_input'],
    ['.json', 'graph'],
    ['', 'graph'],
  ])('names a graph after the file %j: %s', (file, id) => {
    expect(idFrom(file)).toBe(id);
    expect(graphSchema.shape.id.safeParse(idFrom(file)).success).toBe(true);
  });

  it.each([
    ['price-feed', 'ticker', 'price_feed'],
    ['7', 'ticker', 'ticker_7'],
    ['error', 'Price Feed', 'Price_Feed_error'],
    ['', '', 'block'],
    ['1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed', 'ticker', 'ticker_1b9d6bcd'],
  ])('names a node after the block %j of type %j: %s', (block, type, id) => {
    expect(nodeIdFrom(block, type)).toBe(id);
  });

  it('gives no name twice, not even one that looks like the next', () => {
    const names = new UniqueNames();
    expect(['a', 'a', 'a_2', 'a', 'b', 'a_2'].map((name) => names.take(name))).toEqual([
      'a',
      'a_2',
      'a_2_2',
      'a_3',
      'b',
      'a_2_3',
    ]);
  });

  it.each([
    [8, '8'],
    [0.1, '0.1'],
    [-12.5, '-12.5'],
    [123456789012345, '123456789012345'],
    [1234567890123456, undefined],
    [0.1 + 0.2, undefined],
    [1e-7, undefined],
    [1e21, undefined],
  ])('makes the number %d the text %j only where that is exact', (value, text) => {
    expect(exactDecimal(value)).toBe(text);
  });

  it('prints a report with places, or pointers where none are known', () => {
    const report = [
      { severity: 'lost', path: '/blocks/0', message: 'Gone.' },
      { severity: 'changed', path: '', message: 'Added.' },
    ] as const;
    expect(formatImportReport(report, 'b.json', (path) => (path === '' ? undefined : '3:5'))).toBe(
      'b.json:3:5  lost  Gone.\nb.json#  changed  Added.',
    );
  });
});
