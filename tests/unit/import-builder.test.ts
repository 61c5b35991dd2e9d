import { describe, expect, it } from '@jest/globals';
import { kindCatalogue } from '../../src/activities/kinds';
import { importBuilder } from '../../src/graph/import-builder';
import type { KindCatalogue } from '../../src/graph/kinds';

type Parts = Readonly<Record<string, unknown>>;

const convert = (document: Parts, catalogue: KindCatalogue = kindCatalogue) => importBuilder(document, catalogue);
const nodesOf = (blocks: readonly Parts[], catalogue?: KindCatalogue) =>
  (convert({ id: 'g', blocks, connections: [] }, catalogue).document as { nodes: Parts }).nodes;
const told = (document: Parts) => convert(document).report.map(({ severity, message }) => `${severity} ${message}`);

describe('a graph of blocks', () => {
  it('never takes a block without a counterpart for a kind that has its name', () => {
    const own = new Map([...kindCatalogue, ['binance', { ...kindCatalogue.get('constant')!, type: 'binance' }]]);
    expect(nodesOf([{ id: 'p', category: 'provider', type: 'binance' }], own)).toEqual({
      p: { type: 'provider_binance' },
    });
  });

  it('writes a list of exact numbers as decimals, and keeps one that is written so', () => {
    const block = (values: unknown) => ({ id: 'a', type: 'sma', properties: { values, period: 2 } });
    const expected = { a: { type: 'sma', params: { values: ['1', '2.5'], period: 2 } } };
    expect(nodesOf([block([1, 2.5])])).toEqual(expected);
    expect(nodesOf([block(['1', '2.5'])])).toEqual(expected);
    expect(told({ id: 'g', blocks: [block([1, 2.5])] })).toContain(
      'changed `values` of node `a` is now a list of texts.',
    );
  });

  it('tells of a category that is no text, and drops nothing else', () => {
    const blocks = [{ id: 'a', type: 'constant', category: 7, disabled: false, properties: { value: 1 } }];
    expect(nodesOf(blocks)).toEqual({ a: { type: 'constant', params: { value: 1 } } });
    expect(convert({ id: 'g', blocks }).document).toMatchObject({
      ui: { blocks: { a: { category: 7, disabled: false } } },
    });
  });

  it('feeds a port that has another name, and a unit, into the field it stands for', () => {
    const { document } = convert({
      id: 'g',
      blocks: [
        { id: 'a', type: 'constant', properties: { value: 5 }, outputs: [{ name: 'value' }] },
        { id: 'b', type: 'wait', inputs: [{ name: 'minutes' }] },
      ],
      connections: [{ from: { blockId: 'a', index: 0 }, to: { blockId: 'b', index: 0 } }],
    });
    expect(document).toMatchObject({ nodes: { b: { type: 'wait', inputs: { for: 'a.value' } } } });
  });

  it.each([
    ['My graph!', 'My_graph_', 'changed The id "My graph!" became "My_graph_".'],
    [12, 'graph_12', undefined],
  ])('makes an id of %j', (id, became, note) => {
    const document = { id, blocks: [{ id: 'a', type: 'constant', properties: { value: 1 } }] };
    expect(convert(document).document).toMatchObject({ id: became });
    if (note !== undefined) expect(told(document)).toContain(note);
  });

  it('leaves an id of another form to validation', () => {
    expect(convert({ id: { of: 'g' }, blocks: [{ type: 'constant' }] }).document).toMatchObject({ id: { of: 'g' } });
  });
});
