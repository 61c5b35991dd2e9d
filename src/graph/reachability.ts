/**
 * Nodes that can never start, because what they wait for excludes each other: directly (`after: ["t.pass", "t.fail"]`) or
 * through their ancestors.
 *
 * For every vertex, in an order with sources first, we keep which endings of its ancestors it rules out. A source of which
 * every ending is ruled out tears the vertex: it cannot start. Only ancestors that are referred to in ways
 * that exclude each other can tear, and each is one bit of a bigint per ending, so 10,000 nodes take milliseconds and the worst graph well under a second.
 * A join that needs fewer than all of the edges it counts rules out what each of these rules out: sound, never a false alarm,
 * though `join: 2` of three edges that exclude one another in pairs is not seen. The edges it does not count are all needed.
 */
import { itemAt } from './item-at';
import type { Edge, Vertex } from './wiring';

export interface Unreachable {
  readonly vertex: number;
  /** The ancestor that would have to end in two ways. */
  readonly torn: number;
}

/** Ruled-out endings: one bigint per ending, one bit per tearing source. */
type RuledOut = readonly bigint[];

interface Tearing {
  /** By bit. */
  readonly sources: readonly number[];
  readonly bitOf: ReadonlyMap<number, bigint>;
  /** Endings the source of a bit does not have count as ruled out from the start. */
  readonly nothing: RuledOut;
}

/** `components` hold every vertex, sources first. Those of `cycles` are neither judged nor passed on. */
export function findUnreachable(
  vertices: readonly Vertex[],
  components: readonly (readonly number[])[],
  cycles: ReadonlySet<readonly number[]>,
): Unreachable[] {
  const tearing = findTearing(vertices);
  const known: (RuledOut | undefined)[] = vertices.map(() => undefined);
  const found: Unreachable[] = [];
  if (tearing.sources.length === 0) return found;
  for (const component of components) {
    if (cycles.has(component)) continue;
    const index = itemAt(component, 0);
    const verdict = judge(itemAt(vertices, index), vertices, { tearing, known });
    if (typeof verdict === 'number') found.push({ vertex: index, torn: verdict });
    else known[index] = verdict;
  }
  return found.sort((a, b) => a.vertex - b.vertex);
}

function endingsOf({ branches }: Vertex): readonly string[] {
  return ['error', ...(branches.length > 0 ? branches : ['success'])];
}

/** Whether a vertex that ended this way takes an edge. What the kind cannot end with is another mistake: it rules out nothing. */
function takes(on: string, ending: string, endings: readonly string[]): boolean {
  if (on === 'success') return ending !== 'error';
  return on === ending || on === 'finished' || !endings.includes(on);
}

/** The sources whose endings are all ruled out by the ways they are referred to: only these can tear. */
function findTearing(vertices: readonly Vertex[]): Tearing {
  const tearing = [...waysOf(vertices)].filter(([at, ways]) => canTear(itemAt(vertices, at), ways));
  const sources = tearing.map(([at]) => at).sort((a, b) => a - b);
  const counts = sources.map((source) => endingsOf(itemAt(vertices, source)).length);
  const planes = Math.max(0, ...counts);
  const nothing = Array.from({ length: planes }, (_, ending) =>
    counts.reduce((bits, count, at) => (ending < count ? bits : bits | (1n << BigInt(at))), 0n),
  );
  return { sources, bitOf: new Map(sources.map((source, at) => [source, 1n << BigInt(at)])), nothing };
}

/** Of the vertices that are referred to in more than one way, all these ways. */
function waysOf(vertices: readonly Vertex[]): ReadonlyMap<number, readonly string[]> {
  const first: (string | undefined)[] = vertices.map(() => undefined);
  const ways = new Map<number, string[]>();
  for (const { edges } of vertices) {
    for (const { from, on } of edges) {
      const before = (first[from] ??= on);
      if (before === on) continue;
      const known = ways.get(from);
      if (known === undefined) ways.set(from, [before, on]);
      else if (!known.includes(on)) known.push(on);
    }
  }
  return ways;
}

function canTear(source: Vertex, ways: readonly string[]): boolean {
  const endings = endingsOf(source);
  return endings.every((ending) => ways.some((on) => !takes(on, ending, endings)));
}

interface Known {
  readonly tearing: Tearing;
  /** By vertex; nothing of one that was not judged. */
  readonly known: readonly (RuledOut | undefined)[];
}

function ruledOutBy({ from, on }: Edge, source: Vertex, { tearing, known }: Known): RuledOut {
  const before = known[from] ?? tearing.nothing;
  const bit = tearing.bitOf.get(from);
  if (bit === undefined) return before;
  const endings = endingsOf(source);
  if (endings.every((ending) => takes(on, ending, endings))) return before;
  return before.map((bits, at) =>
    at >= endings.length || takes(on, itemAt(endings, at), endings) ? bits : bits | bit,
  );
}

/** What a vertex rules out, or the source that tears it. */
function judge(vertex: Vertex, vertices: readonly Vertex[], world: Known): RuledOut | number {
  const { tearing, known } = world;
  const { edges } = vertex;
  const ruledOut = edges.map((edge) => ruledOutBy(edge, itemAt(vertices, edge.from), world));
  const all = merge(needed(vertex, ruledOut, tearing), tearing, union);
  // What is no more than its source's did not tear that.
  const isInherited = edges.length === 0 || known[itemAt(edges, 0).from] === all;
  return isInherited ? all : (tornBy(all, tearing) ?? all);
}

/** What each of the edges rules out that a vertex needs; of those of which it needs some, what all of them do. */
function needed({ join, edges }: Vertex, ruledOut: readonly RuledOut[], tearing: Tearing): readonly RuledOut[] {
  if (join === 'all') return ruledOut;
  const counted = ruledOut.filter((_, at) => edges[at]?.counted === true);
  if ((join === 'any' ? 1 : join) >= counted.length) return ruledOut;
  const required = ruledOut.filter((_, at) => edges[at]?.counted !== true);
  return [...required, merge(counted, tearing, common)];
}

type Join = (a: bigint, b: bigint) => bigint;

const union: Join = (a, b) => a | b;
const common: Join = (a, b) => a & b;

function merge(edges: readonly RuledOut[], { nothing }: Tearing, join: Join): RuledOut {
  let merged = edges[0] ?? nothing;
  for (const each of edges) if (each !== merged) merged = merged.map((bits, at) => join(bits, itemAt(each, at)));
  return merged;
}

function tornBy(ruledOut: RuledOut, { sources }: Tearing): number | undefined {
  const torn = ruledOut.reduce((bits, each) => bits & each);
  return torn === 0n ? undefined : sources[torn.toString(2).length - 1];
}
