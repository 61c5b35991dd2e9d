/** The places, doubled keys and forbidden constructs of a parsed YAML document. */
import { isAlias, isMap, isScalar } from 'yaml';
import type { Alias, Document, Pair, ParsedNode, YAMLMap, YAMLSeq } from 'yaml';
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

export function readYamlPlaces(document: Document.Parsed): YamlPlaces {
  const walk: Walk = { doubled: [], refused: [], anchors: new Map() };
  const children = childrenOf(walk, document.contents, []);
  return { root: { offset: 0, children }, doubled: walk.doubled, refused: walk.refused };
}

const NONE: ReadonlyMap<string, Place> = new Map();

function childrenOf(walk: Walk, node: ParsedNode | null, steps: Steps): ReadonlyMap<string, Place> {
  if (node === null) return NONE;
  if (isAlias(node)) {
    refuseLoop(walk, node);
    return NONE;
  }
  if (node.anchor !== undefined) walk.anchors.set(node.anchor, 'open');
  const children = isScalar(node) ? NONE : itemsOf(walk, node, steps);
  if (node.anchor !== undefined) walk.anchors.set(node.anchor, 'closed');
  return children;
}

function itemsOf(walk: Walk, node: YAMLMap.Parsed | YAMLSeq.Parsed, steps: Steps): ReadonlyMap<string, Place> {
  const children = new Map<string, Place>();
  if (isMap(node)) {
    for (const pair of node.items) addPair(walk, pair, steps, children);
  } else {
    for (const [index, item] of node.items.entries()) addItem(walk, item, { steps, index, children });
  }
  return children;
}

/** Keys are scalars: the parser was told to refuse any others. */
function addPair(
  walk: Walk,
  pair: Pair<ParsedNode, ParsedNode | null>,
  steps: Steps,
  children: Map<string, Place>,
): void {
  const name = isScalar(pair.key) ? String(pair.key.value) : '';
  const inner = [...steps, name];
  const [offset] = pair.key.range;
  if (children.has(name)) walk.doubled.push({ pointer: toPointer(...inner), offset });
  children.set(name, { offset, children: childrenOf(walk, pair.value, inner) });
}

interface ItemPlace {
  readonly steps: Steps;
  readonly index: number;
  readonly children: Map<string, Place>;
}

function addItem(walk: Walk, item: ParsedNode, { steps, index, children }: ItemPlace): void {
  const step = String(index);
  children.set(step, { offset: item.range[0], children: childrenOf(walk, item, [...steps, step]) });
}

function refuseLoop({ anchors, refused }: Walk, alias: Alias.Parsed): void {
  if (anchors.get(alias.source) !== 'open') return;
  refused.push({ offset: alias.range[0], reason: 'syntax', message: `*${alias.source} stands inside what it names` });
}
