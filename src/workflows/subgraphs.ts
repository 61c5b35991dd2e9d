/** The children of an execution, from their start to their end. What is said to a child is said again by no one, so it is said in time. */
import { CancellationScope } from '@temporalio/workflow';
import { CHECK_CHILDREN_MS, cancelChild, childIdOf, lookAtChild, startSubgraph, tellChildHalt } from './children';
import type { Engine } from './engine';
import type { ChildOutcome, Wait } from './messages';

export class Subgraphs {
  readonly #engine: Engine;
  #cancelled = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** `started` is called when the child runs or was refused. */
  start(id: number, started: () => void): void {
    const { input, books } = this.#engine;
    const { graph, context } = books;
    const place = { node: graph.key(id), generation: graph.generation(id) };
    const link = { execution_id: context.execution_id, ...place };
    const childId = childIdOf(link);
    const subgraph = { node: graph.node(id), fields: graph.fields(id), link };
    const starting = CancellationScope.nonCancellable(() =>
      startSubgraph(input, subgraph, (outcome) => {
        this.ended(childId, outcome);
      }),
    );
    starting.then(
      (refused) => {
        started();
        if (refused === undefined) this.#runs(id, childId);
        else this.#engine.settleWait(id, refused);
      },
      (error: unknown) => {
        this.#engine.die(error);
      },
    );
  }

  ended(childId: string, outcome: ChildOutcome): void {
    const id = this.#engine.books.waits.child(childId);
    if (id === undefined) return;
    if (outcome.kind === 'failed') this.#engine.settleWait(id, outcome);
    else {
      const outputs = { ...outcome.outputs, execution_id: childId };
      this.#engine.settleWait(id, { kind: 'completed', outputs });
    }
  }

  /** A child stands still while its parent does. */
  halt(reason: string): void {
    this.#tell('halt', reason);
  }

  resume(reason: string): void {
    this.#tell('normal', reason);
  }

  cancel(): void {
    this.#cancelled = true;
    for (const child of this.#engine.books.waits.children) cancelChild(child);
  }

  /** In case its own word was lost. */
  look(id: number, wait: Extract<Wait, { kind: 'child' }>): void {
    const { books, input } = this.#engine;
    const pause = input.settings?.check_children_ms ?? CHECK_CHILDREN_MS;
    books.waits.set(id, { ...wait, check_at: Date.now() + pause });
    lookAtChild(wait.child_id).then(
      (outcome) => {
        if (outcome !== null) this.ended(wait.child_id, outcome);
      },
      (error: unknown) => {
        this.#engine.die(error);
      },
    );
  }

  #runs(id: number, child_id: string): void {
    const { books, teller } = this.#engine;
    books.waits.set(id, { kind: 'child', child_id, since: Date.now() });
    teller.waits(id, `runs as ${child_id}`);
    const [cause] = books.halts.causes;
    if (cause !== undefined) tellChildHalt(child_id, 'halt', { epoch: books.ordinal, reason: cause.reason });
    if (this.#cancelled) cancelChild(child_id);
    this.#engine.pump();
  }

  #tell(state: 'halt' | 'normal', reason: string): void {
    const { waits, ordinal } = this.#engine.books;
    for (const child of waits.children) tellChildHalt(child, state, { epoch: ordinal, reason });
  }
}
