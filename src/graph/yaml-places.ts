/** The places, doubled keys and forbidden constructs of a parsed YAML document. */
import { isAlias, isMap, isNode, isScalar, isSeq } from 'yaml';
import type { Alias, Document, Pair, YAMLMap, YAMLSeq } from 'yaml';
import type { Doubled } from './json-places';
import { toPointer } from './pointer';
import type { Place } from './positions';

export interface Refused {
  readonly offset: number;
  readonly reason: 'syntax' | 'depth';
  readonly message: string;
}

export interface YamlPlaces {
  readonly root: Place;
  readonly doubled: readonly Doubled[];
  readonly refused: readonly Refused[];
}

interface Walk {
  readonly doubled: Doubled[];
  readonly refused: Refused[];
  /** By anchor: whether the walk is inside what it names, where an alias would make a value contain itself. */
  readonly anchors: Map<string, 'open' | 'closed'>;
}

type Steps = readonly string[];

export function readYamlPlaces(document: Document): YamlPlaces {
  const walk: Walk = { doubled: [], refused: [], anchors: new Map() };
  const children = childrenOf(walk, document.contents, []);
  return { root: { offset: 0, children }, doubled: walk.doubled, refused: walk.refused };
}

const NONE: ReadonlyMap<string, Place> = new Map();

function childrenOf(walk: Walk, node: unknown, steps: Steps): ReadonlyMap<string, Place> {
  if (isAlias(node)) refuseLoop(walk, node);
  if (!isMap(node) && !isSeq(node)) return NONE;
  if (node.anchor !== undefined) walk.anchors.set(node.anchor, 'open');
  const children = itemsOf(walk, node, steps);
  if (node.anchor !== undefined) walk.anchors.set(node.anchor, 'closed');
  return children;
}

function itemsOf(walk: Walk, node: YAMLMap | YAMLSeq, steps: Steps): ReadonlyMap<string, Place> {
  const children = new Map<string, Place>();
  if (isMap(node)) {
    for (const pair of node.items) addPair(walk, pair, steps, children);
  } else {
    for (const [index, item] of node.items.entries()) addItem(walk, item, [...steps, String(index)], children);
  }
  return children;
}

/** Keys are scalars: the parser was told to refuse any others. */
function addPair(walk: Walk, pair: Pair, steps: Steps, children: Map<string, Place>): void {
  const name = isScalar(pair.key) ? String(pair.key.value) : '';
  const inner = [...steps, name];
  const offset = startOf(pair.key);
  if (children.has(name)) walk.doubled.push({ pointer: toPointer(...inner), offset });
  children.set(name, { offset, children: childrenOf(walk, pair.value, inner) });
}

function addItem(walk: Walk, item: unknown, steps: Steps, children: Map<string, Place>): void {
  children.set(steps.at(-1) ?? '', { offset: startOf(item), children: childrenOf(walk, item, steps) });
}

function refuseLoop({ anchors, refused }: Walk, alias: Alias): void {
  if (anchors.get(alias.source) !== 'open') return;
  refused.push({ offset: startOf(alias), reason: 'syntax', message: `*${alias.source} stands inside what it names` });
}

function startOf(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}
