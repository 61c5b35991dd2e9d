/** A graph with the bodies inside it, as validation and drawing read them. */
import { type Members } from '../json';
import type { KindCatalogue } from './kinds';
import { MAX_BODY_DEPTH } from './limits';
import { objectOf, own, readNode } from './node-reading';
import type { NodeReading } from './node-reading';
import { pointerInto } from './pointer';

/** `unknown`: of a node whose kind nobody declares, so that nobody knows what its body sees. */
export type BodyKind = 'graph' | 'on_halt' | 'map' | 'repeat' | 'subgraph' | 'unknown';

export interface BodyReading {
  readonly kind: BodyKind;
  /** JSON pointer of what holds `nodes`. */
  readonly pointer: string;
  readonly nodes: ReadonlyMap<string, NodeReading>;
  /** Values are texts where the graph is well-formed. */
  readonly outputs: Members;
  /** The node whose body it is, and the body that node stands in. */
  readonly owner?: NodeReading;
  readonly around?: BodyReading;
}

export interface GraphReading {
  /** The graph itself, every body behind the one around it, then what runs at a halt. */
  readonly bodies: readonly BodyReading[];
  /** Pointers of bodies that are nested too deep and were not looked into. */
  readonly too_deep: readonly string[];
  /** In all bodies. */
  readonly count: number;
}

export function readGraph(document: unknown, catalogue: KindCatalogue): GraphReading {
  const reader = new Reader(catalogue);
  const graph = objectOf(document);
  reader.read('graph', '', graph);
  if (own(graph, 'on_halt') !== undefined) reader.read('on_halt', '/on_halt', objectOf(graph['on_halt']));
  return reader;
}

type Place = Pick<BodyReading, 'owner' | 'around'>;

class Reader implements GraphReading {
  readonly bodies: BodyReading[] = [];
  readonly too_deep: string[] = [];
  count = 0;
  readonly #catalogue: KindCatalogue;

  constructor(catalogue: KindCatalogue) {
    this.#catalogue = catalogue;
  }

  read(kind: BodyKind, pointer: string, raw: Members, place: Place = {}): void {
    const nodes = new Map<string, NodeReading>();
    const specs = objectOf(raw['nodes']);
    const above = `${pointer}/nodes`;
    for (const id of Object.keys(specs)) {
      nodes.set(id, readNode(id, specs[id], this.#catalogue, pointerInto(above, id)));
    }
    this.count += nodes.size;
    const body = { kind, pointer, nodes, outputs: objectOf(raw['outputs']), ...place };
    this.bodies.push(body);
    for (const node of nodes.values()) if (node.raw['body'] !== undefined) this.#inside(node, body);
  }

  /** The body of a kind that takes none is told as such and not looked into, nor is a loop in what runs at a halt. */
  #inside(owner: NodeReading, around: BodyReading): void {
    const kind = bodyKind(owner);
    if (kind === undefined || around.kind === 'on_halt') return;
    const pointer = `${owner.pointer}/body`;
    if (depthOf(around) >= MAX_BODY_DEPTH) this.too_deep.push(pointer);
    else this.read(kind, pointer, objectOf(owner.raw['body']), { owner, around });
  }
}

function bodyKind({ kind, type }: NodeReading): BodyKind | undefined {
  if (kind === undefined) return 'unknown';
  if (kind.body === undefined) return undefined;
  return type === 'map' || type === 'repeat' || type === 'subgraph' ? type : 'unknown';
}

/** 0 for the graph itself. */
function depthOf({ around }: BodyReading): number {
  return around === undefined ? 0 : 1 + depthOf(around);
}

export function seesAround({ kind }: BodyReading): boolean {
  return kind === 'map' || kind === 'repeat' || kind === 'unknown';
}

/** Where a data reference to a node is read: in the body it stands in, or in one around it that its loops can see. */
export function bodyWith(id: string, from: BodyReading): BodyReading | undefined {
  for (let each: BodyReading | undefined = from; each !== undefined; each = outside(each)) {
    if (each.nodes.has(id)) return each;
  }
  return undefined;
}

export function outside(body: BodyReading): BodyReading | undefined {
  return seesAround(body) ? body.around : undefined;
}

/** Every id a data reference in a body can name, the nearest first. */
export function* idsSeenFrom(body: BodyReading): Generator<string> {
  for (let each: BodyReading | undefined = body; each !== undefined; each = outside(each)) yield* each.nodes.keys();
}

/** The node whose open fields `input.` stands for; undefined where it stands for the inputs of the graph. */
export function subgraphAround(body: BodyReading): NodeReading | undefined {
  if (body.kind === 'subgraph') return body.owner;
  const around = outside(body);
  return around && subgraphAround(around);
}

/** What a node gives beside the fields of its kind. */
export function openFieldsOf({ params, inputs, kind }: NodeReading): ReadonlySet<string> {
  const given = [...Object.keys(params), ...Object.keys(inputs)];
  return new Set(given.filter((name) => kind === undefined || !Object.hasOwn(kind.fields, name)));
}
