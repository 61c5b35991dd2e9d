/**
 * S5: what is read again after a halt, within one frame: what is too old and a node that has not begun would start with, as far back as it was
 * read, and what a decision among it had let run.
 *
 * It is read again where that undoes nothing and takes nothing from anybody: every node to be done again only reads or computes, what it
 * is given is held, no node that followed it is at work (handed out again later, it would find another value, or none), and whatever ran
 * because of a decision among them can be done again as well. Otherwise all stays, and who would have started with it fails (A4).
 */
import type { Parts } from './carry';
import type { Frame } from './frame';
import { decidesByOld, goodAround, isReading, passesOld } from './freshness';
import { itemAt } from './item-at';
import type { PlannedEdge } from './plan';
import { edgeAt, hasEnded, nodeAt, type RunNode } from './scheduler';

export interface Judgement {
  /** What is not good any more at this instant is too old. */
  readonly at: number;
  /** Whether an instance that has not ended is at work outside: it is never taken back. */
  readonly hasBegun: (id: number) => boolean;
  /** The only instance to look at; absent for all. */
  readonly only?: number;
}

/** The nodes to be read again, by index; none where nothing is too old, or can be read. */
export function oldReadings(parts: Parts, frame: Frame, judgement: Judgement): ReadonlySet<number> {
  return new Rereading(parts, frame, judgement).find();
}

class Rereading {
  readonly #parts: Parts;
  readonly #frame: Frame;
  readonly #judgement: Judgement;
  /** What stays as it is: done and not to be done again, or at work; and what hangs together with that. */
  readonly #fixed = new Set<number>();
  /** What is read again, and what was skipped because of how that ended, which may run after all. */
  readonly #open = new Set<number>();

  constructor(parts: Parts, frame: Frame, judgement: Judgement) {
    this.#parts = parts;
    this.#frame = frame;
    this.#judgement = judgement;
  }

  find(): ReadonlySet<number> {
    if (!this.#frame.run.nodes.some((node, index) => this.#isOld(node, index))) return this.#open;
    this.#fix();
    for (const [index, node] of this.#frame.run.nodes.entries()) if (this.#waits(node, index)) this.#want(index);
    for (const each of this.#open) {
      if (this.#node(each).state === 'completed') this.#want(each);
      for (const edge of this.#outOf(each)) this.#affect(edge);
    }
    return new Set([...this.#open].filter((each) => this.#node(each).state === 'completed'));
  }

  /** The sources of a node that are too old: all of them or none. */
  #want(index: number): void {
    const old = this.#into(index).filter((edge) => this.#passesOld(edge));
    if (old.some(({ from }) => this.#fixed.has(from)) || this.#readsOldAround(index)) return;
    for (const { from } of old) this.#open.add(from);
  }

  #affect(edge: PlannedEdge): void {
    const target = this.#node(edge.to);
    if (target.state === 'completed' && this.#decidesByOld(edge)) this.#open.add(edge.to);
    if (target.state !== 'skipped' || target.passed_over === true || this.#open.has(edge.to)) return;
    this.#open.add(edge.to);
    this.#want(edge.to);
  }

  #fix(): void {
    for (const [index, node] of this.#frame.run.nodes.entries()) if (this.#stays(node, index)) this.#fixed.add(index);
    for (const each of this.#fixed) {
      const isSkipped = this.#node(each).state === 'skipped';
      for (const edge of this.#into(each)) if (isSkipped || this.#decidesByOld(edge)) this.#fixed.add(edge.from);
      for (const edge of this.#outOf(each)) {
        if (this.#node(edge.to).state === 'completed' && this.#passesOld(edge)) this.#fixed.add(edge.to);
      }
    }
  }

  #stays(node: RunNode, index: number): boolean {
    switch (node.state) {
      case 'completed':
        return !this.#canBeReadAgain(index);
      case 'failed':
        return true;
      case 'skipped':
        return node.passed_over !== true && !this.#inputsAreHeld(index);
      case 'pending':
        return false;
      case 'ready':
      case 'running':
        return this.#hasBegun(index);
    }
  }

  #canBeReadAgain(index: number): boolean {
    const node = nodeAt(this.#frame.plan, index);
    if (!isReading(node) || this.#readsOldAround(index) || !this.#inputsAreHeld(index)) return false;
    return !this.#outOf(index).some(({ to }) => this.#hasBegun(to));
  }

  /** What is read again itself need not be. */
  #inputsAreHeld(index: number): boolean {
    return this.#into(index).every((edge) => {
      const source = this.#node(edge.from);
      const isGone = edge.carries === 'data' && source.state === 'completed' && source.outputs === undefined;
      return !isGone || this.#passesOld(edge);
    });
  }

  #isOld(node: RunNode, index: number): boolean {
    return node.state === 'completed' && this.#outOf(index).some((edge) => this.#passesOld(edge));
  }

  #waits(node: RunNode, index: number): boolean {
    const { only } = this.#judgement;
    const isMeant = only === undefined || only === this.#frame.base + index;
    return isMeant && !hasEnded(node) && !this.#hasBegun(index);
  }

  #hasBegun(index: number): boolean {
    const { state } = this.#node(index);
    const isOut = state === 'ready' || state === 'running';
    return isOut && this.#judgement.hasBegun(this.#frame.base + index);
  }

  #readsOldAround(index: number): boolean {
    return goodAround(this.#parts, this.#frame, index) < this.#judgement.at;
  }

  #passesOld(edge: PlannedEdge): boolean {
    return passesOld(this.#frame, edge, this.#judgement.at);
  }

  #decidesByOld(edge: PlannedEdge): boolean {
    return decidesByOld(this.#frame, edge, this.#judgement.at);
  }

  #node(index: number): RunNode {
    return itemAt(this.#frame.run.nodes, index);
  }

  #into(index: number): PlannedEdge[] {
    return this.#edges(nodeAt(this.#frame.plan, index).incoming);
  }

  #outOf(index: number): PlannedEdge[] {
    return this.#edges(nodeAt(this.#frame.plan, index).outgoing);
  }

  #edges(indexes: readonly number[]): PlannedEdge[] {
    return indexes.map((each) => edgeAt(this.#frame.plan, each));
  }
}
