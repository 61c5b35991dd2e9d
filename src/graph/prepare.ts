/** From a file or document to what an execution is started with. */
import { HoldfastError } from '../errors';
import type { Mode } from '../events/envelope';
import { present } from '../json';
import type { RunGraphInput } from '../workflows/messages';
import { importGraph } from './import-document';
import type { ImportEntry } from './import-report';
import type { KindCatalogue, KindTraits } from './kinds';
import { MAX_BYTES, MAX_INPUT_BYTES, bytesOf } from './limits';
import { GUARD_KIND } from './node-reading';
import { formatMistakes, mistake } from './mistake';
import type { Mistake } from './mistake';
import { parseGraphText } from './parse';
import type { ParsedText } from './parse';
import type { Graph } from './schema';
import { validateGraph } from './validate';
import { graphVersion } from './version';
import type { Sha256 } from './version';

/** `file` names a graph without an id and stands before every mistake. */
export type GraphSource = { readonly text: string; readonly file?: string } | { readonly document: unknown };

export interface PrepareOptions {
  readonly mode: Mode;
  readonly sha256: Sha256;
}

export interface Prepared {
  readonly prepared: RunGraphInput;
  /** What the importers changed; what they lose is a mistake. */
  readonly report: readonly ImportEntry[];
}

/**
 * Parses, imports, validates and freezes a graph. Throws `GraphInvalid` with `details.mistakes`, a `Mistake[]` in the order of
 * the text, and `GraphTooLarge` when one execution could not carry it.
 */
export function prepareGraph(
  source: GraphSource,
  catalogue: KindCatalogue,
  { mode, sha256 }: PrepareOptions,
): Prepared {
  const file = 'file' in source ? source.file : undefined;
  const parsed = 'text' in source ? parseGraphText(source.text) : parsedDocument(source.document);
  if (parsed.document === undefined && parsed.mistakes.length > 0) throw invalid(parsed.mistakes, file);
  const { document, report, originOf } = importGraph(parsed.document, catalogue, file);
  const { graph, mistakes } = validateGraph(document, catalogue);
  const placed = mistakes.map((each) => place(each, originOf(each.path), parsed));
  const lost = report
    .filter(({ severity }) => severity === 'lost')
    .map((each) => place(notImported(each), each.path, parsed));
  const all = [...parsed.mistakes, ...placed, ...lost].sort(inTextOrder);
  if (graph === undefined || all.length > 0) throw invalid(all, file);
  const frozen = { graph, version: graphVersion(graph, sha256), kinds: traitsOf(graph, catalogue), mode };
  const prepared = { ...frozen, orders_by_run: true } as const;
  assertCarriable(prepared);
  return { prepared, report };
}

/** A valid graph is bounded already, so that it is written out for its length only where its kinds are very large. */
function assertCarriable(prepared: RunGraphInput): void {
  if (MAX_BYTES + bytesOf(JSON.stringify({ ...prepared, graph: null })) <= MAX_INPUT_BYTES) return;
  const bytes = bytesOf(JSON.stringify(prepared));
  if (bytes > MAX_INPUT_BYTES) throw tooLarge(prepared.graph.id, bytes);
}

function parsedDocument(document: unknown): ParsedText {
  return { document, locate: () => undefined, mistakes: [] };
}

/** A graph that does less than its original is never run unasked: `holdfast import` writes it down first. */
function notImported({ path, message }: ImportEntry): Mistake {
  return mistake('not_imported', path, message);
}

/** The path becomes the original's, so that it and the line name the same thing. */
function place(each: Mistake, path: string, { locate }: ParsedText): Mistake {
  return { ...each, path, ...locate(path) };
}

function inTextOrder(a: Mistake, b: Mistake): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

function invalid(mistakes: readonly Mistake[], file: string | undefined): HoldfastError {
  const count = mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`;
  return new HoldfastError('GraphInvalid', `The graph has ${count}:\n${formatMistakes(mistakes, file)}`, { mistakes });
}

function tooLarge(id: string, bytes: number): HoldfastError {
  const message = `The graph ${id} with its kinds takes ${bytes} bytes; one execution carries ${MAX_INPUT_BYTES}.`;
  return new HoldfastError('GraphTooLarge', message, { bytes, limit: MAX_INPUT_BYTES });
}

/** Those of every kind the graph uses, also in bodies, behind `when` and `while`, and at a halt. */
function traitsOf({ nodes, on_halt }: Graph, catalogue: KindCatalogue): Record<string, KindTraits> {
  const used = new Set<string>();
  collectKinds(nodes, used);
  collectKinds(on_halt?.nodes ?? {}, used);
  const kinds = [...catalogue].filter(([type]) => used.has(type));
  return Object.fromEntries(kinds.map(([type, kind]) => [type, traits(kind)]));
}

function collectKinds(nodes: Graph['nodes'], used: Set<string>): void {
  for (const { type, when, while: goesOn, body } of Object.values(nodes)) {
    used.add(type);
    if (when !== undefined || goesOn !== undefined) used.add(GUARD_KIND);
    if (body !== undefined) collectKinds(body.nodes, used);
  }
}

/** Only the traits: descriptions and checks stay behind. */
function traits({
  effect,
  branches,
  branches_from,
  resource_from,
  formulas,
  timeout_ms,
  retry,
  follows,
}: KindTraits): KindTraits {
  return { effect, branches, ...present({ branches_from, resource_from, follows }), formulas, timeout_ms, retry };
}
