/** A graph as a Mermaid flowchart. */
import { bodyWith, readGraph, type BodyReading } from './body-reading';
import type { KindCatalogue } from './kinds';
import { guardIdOf, LOOP_GUARD } from './names';
import type { NodeReading } from './node-reading';
import type { Graph } from './schema';
import { branchesOf } from './wiring';
import { wiresOf, type Source, type Wire } from './wires';

/**
 * Mermaid text, `flowchart LR`: solid arrows carry data and name the output, dotted ones are control and name the branch or
 * ending, diamonds are conditions and the guards of `when` and `while`, frames are bodies. Ids are numbered, because Mermaid gives
 * words such as `end` a meaning; names stand in the labels, escaped.
 */
export function drawMermaid(graph: Graph, catalogue: KindCatalogue): string {
  const { bodies } = readGraph(graph, catalogue);
  const drawing = new Drawing(bodies);
  const [top, ...rest] = bodies;
  const lines = top === undefined ? [] : drawing.inside(top);
  const aside = rest.filter(({ kind }) => kind === 'on_halt').flatMap((each) => drawing.framed('on_halt', 'h', each));
  const arrows = new Set(bodies.flatMap((body) => wiresOf(body).flatMap((wire) => drawing.arrow(wire, body))));
  return ['flowchart LR', ...[...lines, ...aside, ...arrows].map((line) => `  ${line}`), ''].join('\n');
}

class Drawing {
  readonly #inside: ReadonlyMap<NodeReading | undefined, BodyReading>;
  readonly #names = new Map<BodyReading, ReadonlyMap<string, string>>();

  constructor(bodies: readonly BodyReading[]) {
    this.#inside = new Map(bodies.map((body) => [body.owner, body]));
    let at = 0;
    for (const body of bodies) {
      const names = [...body.nodes.keys()].flatMap((id) => {
        const number = at++;
        return [[id, `n${number}`] as const, [guardIdOf(id), `g${number}`] as const];
      });
      const { owner, around } = body;
      const loopGuard = owner && around ? this.#nameOf(around, owner.id)?.replace('n', 'w') : undefined;
      this.#names.set(
        body,
        new Map([...names, ...(loopGuard === undefined ? [] : [[LOOP_GUARD, loopGuard] as const])]),
      );
    }
  }

  inside(body: BodyReading): string[] {
    const goesOn = body.kind === 'repeat' ? body.owner?.goes_on : undefined;
    return [
      ...[...body.nodes.values()].flatMap((node) => this.#shapes(node, body)),
      ...(goesOn === undefined ? [] : [`${this.#nameOf(body, LOOP_GUARD)}{"while<br/>${escaped(goesOn)}"}`]),
    ];
  }

  framed(label: string, name: string, body: BodyReading): string[] {
    return [`subgraph ${name}["${label}"]`, ...this.inside(body).map((line) => `  ${line}`), 'end'];
  }

  arrow({ to, source }: Wire, body: BodyReading): string[] {
    if (source === undefined || to === undefined) return [];
    const there = source.carries === 'data' ? bodyWith(source.node, body) : body;
    const from = there && this.#nameOf(there, source.node);
    const target = this.#nameOf(body, to);
    return from === undefined || target === undefined ? [] : [`${from} ${lineOf(source)} ${target}`];
  }

  /** A node with a body is the frame around it. */
  #shapes(node: NodeReading, body: BodyReading): string[] {
    const { id, type = '', when } = node;
    const label = `${escaped(id)}<br/>${escaped(type)}`;
    const name = this.#nameOf(body, id) ?? '';
    const inside = this.#inside.get(node);
    const [open, close] = branchesOf(node).length > 0 ? '{}' : '[]';
    const shape = inside === undefined ? [`${name}${open}"${label}"${close}`] : this.framed(label, name, inside);
    if (when === undefined) return shape;
    const guard = this.#nameOf(body, guardIdOf(id));
    return [`${guard}{"when<br/>${escaped(when)}"}`, ...shape, `${guard} -. "true" .-> ${name}`];
  }

  #nameOf(body: BodyReading, id: string): string | undefined {
    return this.#names.get(body)?.get(id);
  }
}

function lineOf({ carries, on, path }: Source): string {
  const label = escaped([on, ...path].join('.'));
  if (carries === 'data') return `-- "${label}" -->`;
  return on === 'success' ? '-.->' : `-. "${label}" .->`;
}

/** Mermaid's entity codes for everything but plain text, so that no label can end its quotes or become HTML. */
function escaped(text: string): string {
  return text.replace(/[^\p{L}\p{N} _.,:+*/=|()!-]/gu, (character) => `#${character.codePointAt(0)};`);
}
