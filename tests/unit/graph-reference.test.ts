import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import Ajv2020 from 'ajv/dist/2020';
import { kindCatalogue } from '../../src/activities/kinds';
import { MAX_BODY_DEPTH, MAX_DEPTH, MAX_NODES } from '../../src/graph/limits';
import { nodeKeys, graphKeys } from '../../src/graph/schema';
import { prepareGraph } from '../../src/graph/prepare';
import { sha256 } from '../support/catalogue';

const root = join(__dirname, '../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const reference = read('docs/GRAPH.md');
const blocks = [...reference.matchAll(/```json\n(.*?)```/gs)].map(([, text = '']) => text.trim());

/** A block is a graph, a member of one, or nodes. */
function graphIn(block: string): Record<string, unknown> {
  const wrapped = block.startsWith('"') ? `{"holdfast": 1, "id": "g", "nodes": {}, ${block}}` : block;
  const value = JSON.parse(wrapped) as Record<string, unknown>;
  return 'nodes' in value ? value : { holdfast: 1, id: 'g', nodes: value };
}

const prepared = (document: unknown) =>
  prepareGraph({ document }, kindCatalogue, { mode: 'paper', sha256 }).prepared.graph;

const schema = JSON.parse(read('docs/graph.schema.json')) as object;
const conforms = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false }).compile(schema);

describe('the reference of the language', () => {
  it('has examples of every construct', () => {
    expect(blocks.length).toBeGreaterThan(12);
    const all = blocks.join('\n');
    const shown = [...kindCatalogue.keys()].filter((type) => all.includes(`"type": "${type}"`));
    const constructs = 'map repeat subgraph wait wait_for_signal approval set get first switch and or not if threshold';
    expect(shown).toEqual(expect.arrayContaining(constructs.split(' ')));
  });

  it.each(blocks.map((block) => [block]))('has examples without mistakes: %s', (block) => {
    const graph = prepared(graphIn(block));
    expect(conforms(graph) ? [] : conforms.errors).toEqual([]);
  });

  it('names every key, and the limits as they are', () => {
    const keys = [...nodeKeys, ...graphKeys];
    expect(keys.filter((key) => !reference.includes(`\`${key}\``))).toEqual([]);
    expect(reference).toContain(`| nodes, those of all bodies counted | ${MAX_NODES.toLocaleString('en')} |`);
    expect(reference).toContain(`| bodies inside bodies | ${MAX_BODY_DEPTH} |`);
    expect(reference).toContain(`| nesting of lists and objects | ${MAX_DEPTH} levels |`);
  });
});

describe('docs/graph.schema.json', () => {
  it.each(['dash_momentum.json', 'trading_arb_btc.json'])('accepts examples/%s', (file) => {
    expect(conforms(JSON.parse(read(`examples/${file}`))) ? [] : conforms.errors).toEqual([]);
  });

  it.each([...kindCatalogue.values()].map((kind) => [kind.type, kind.example]))(
    'accepts the example of %s',
    (_, node) => {
      expect(conforms({ holdfast: 1, id: 'g', nodes: { node } }) ? [] : conforms.errors).toEqual([]);
    },
  );

  it('offers every kind with a description', () => {
    const { $defs } = schema as {
      $defs: { node: { properties: { type: { oneOf: { const: string; description: string }[] } } } };
    };
    const offered = $defs.node.properties.type.oneOf;
    expect(offered.map((each) => each.const)).toEqual([...kindCatalogue.keys()]);
    expect(offered.every(({ description }) => description.endsWith('.'))).toBe(true);
  });

  const node = (one: object) => ({ holdfast: 1, id: 'g', nodes: { one } });
  it.each([
    ['an unknown key', { holdfast: 1, id: 'g', nodes: {}, nmae: 'x' }],
    ['another version', { holdfast: 2, id: 'g', nodes: {} }],
    ['an unknown kind', node({ type: 'candels' })],
    ['an unknown field', node({ type: 'constant', params: { value: 1, vlaue: 2 } })],
    ['a field that is missing', node({ type: 'constant' })],
    ['money as a number', node({ type: 'threshold', params: { value: '1', min: 8 } })],
    ['a word that is none of its choices', node({ type: 'math', params: { op: 'plus', a: '1', b: '2' } })],
    ['a duration that is none', node({ type: 'wait', params: { for: 'soon' } })],
    ['an integer out of range', node({ type: 'repeat', params: { max_iterations: 0 }, body: { nodes: {} } })],
    ['a loop without a body', node({ type: 'map', params: { items: [] } })],
    ['a body where none belongs', node({ type: 'constant', params: { value: 1 }, body: { nodes: {} } })],
    ['a retry of a control kind', node({ type: 'wait', params: { for: 1 }, retry: {} })],
    ['a rate limit of a pure kind', node({ type: 'constant', params: { value: 1 }, rate_limit: { calls: 1, per: 1 } })],
    ['a mistake in a body', node({ type: 'map', params: { items: [] }, body: { nodes: { a: { type: 'x' } } } })],
    ['an input of no type', { holdfast: 1, id: 'g', nodes: {}, inputs: { a: { type: 'money' } } }],
  ])('refuses %s', (_, document) => {
    expect(conforms(document)).toBe(false);
  });
});
