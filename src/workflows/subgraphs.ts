/** The children of an execution, from their start to their end. */
import { CancellationScope, log } from '@temporalio/workflow';
import { present } from '../json';
import { CHECK_CHILDREN_MS, cancelChild, childIdOf, lookAtChildren, startSubgraph, tellChildHalt } from './children';
import type { Engine } from './engine';
import type { ChildOutcome } from './messages';

export class Subgraphs {
  readonly #engine: Engine;
  #cancelled = false;
  /** Requests to children that the server has not taken yet. */
  #telling = 0;
  #looking = false;
  /** Children of this run whose end the server has not brought yet, though they may have said it themselves. */
  #unheard = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Something was asked of the server whose answer this run must hear. */
  get isBusy(): boolean {
    return this.#telling > 0 || this.#looking;
  }

  /** Until each has ended and taken every word. */
  get areOut(): boolean {
    return this.isBusy || this.#unheard > 0 || this.#engine.books.waits.hasChildren;
  }

  /** `started` is called when the child runs or was refused. It may end before: so the node waits for it from now on. */
  start(id: number, started: () => void): void {
    const { input, books } = this.#engine;
    const { graph, context } = books;
    const place = { node: graph.key(id), generation: graph.generation(id) };
    const link = { execution_id: context.execution_id, ...place, depth: (input.parent?.depth ?? 0) + 1 };
    const childId = childIdOf(link);
    const subgraph = { node: graph.node(id), fields: graph.fields(id), until: graph.fieldsUntil(id), link };
    books.waits.set(id, { kind: 'child', child_id: childId, since: books.clock.now });
    const starting = CancellationScope.nonCancellable(() =>
      startSubgraph(input, subgraph, (outcome) => {
        this.#unheard -= 1;
        this.#engine.guard(() => {
          this.#engine.look();
          this.ended(childId, outcome);
        });
      }),
    );
    starting.then(
      (refused) => {
        this.#engine.guard(() => {
          this.#engine.look();
          started();
          if (refused === undefined) {
            this.#unheard += 1;
            this.#runs(id, childId);
          } else this.ended(childId, refused);
          this.#engine.pump();
        });
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
      this.#engine.settleWait(id, { kind: 'completed', outputs, ...present({ good_until: outcome.good_until }) });
    }
  }

  /** A child stands still while its parent does. */
  halt(reason: string): void {
    this.#tellAll('halt', reason);
  }

  resume(reason: string): void {
    this.#tellAll('normal', reason);
  }

  cancel(): void {
    this.#cancelled = true;
    for (const child of this.#engine.books.waits.children) this.cancelOne(child);
  }

  cancelOne(childId: string): void {
    this.#follow(cancelChild(childId));
  }

  /** In case their own words were lost. One look at a time, at all of them: each is three events of history. */
  look(ids: readonly number[]): void {
    const { books, input } = this.#engine;
    const check_at = books.clock.now + (input.settings?.check_children_ms ?? CHECK_CHILDREN_MS);
    const children: string[] = [];
    for (const id of ids) {
      const wait = books.waits.get(id);
      if (wait?.kind !== 'child') continue;
      books.waits.set(id, { ...wait, check_at });
      children.push(wait.child_id);
    }
    if (this.#looking || children.length === 0) return;
    this.#looking = true;
    lookAtChildren(children).then(
      (outcomes) => {
        this.#looking = false;
        this.#engine.guard(() => {
          this.#engine.look();
          for (const [child, outcome] of Object.entries(outcomes)) if (outcome !== null) this.ended(child, outcome);
          this.#engine.pump();
        });
      },
      (error: unknown) => {
        this.#looking = false;
        log.warn('children_not_seen', { error: String(error) });
        this.#engine.pump();
      },
    );
  }

  #runs(id: number, child_id: string): void {
    const { books, teller } = this.#engine;
    const wait = books.waits.get(id);
    if (wait?.kind !== 'child' || wait.child_id !== child_id) {
      // It has ended already, or its node was begun anew or passed over meanwhile.
      if (books.graph.state(id).state !== 'completed') this.cancelOne(child_id);
      return;
    }
    teller.waits(id, `runs as ${child_id}`);
    const [cause] = books.halts.causes;
    if (cause !== undefined) this.#tell(child_id, 'halt', cause.reason);
    if (this.#cancelled) this.cancelOne(child_id);
  }

  #tellAll(state: 'halt' | 'normal', reason: string): void {
    for (const child of this.#engine.books.waits.children) this.#tell(child, state, reason);
  }

  #tell(child: string, state: 'halt' | 'normal', reason: string): void {
    this.#follow(tellChildHalt(child, state, { epoch: this.#engine.books.ordinal, reason }));
  }

  #follow(request: Promise<void>): void {
    this.#telling += 1;
    void request.then(() => {
      this.#telling -= 1;
      this.#engine.guard(() => {
        this.#engine.look();
        this.#engine.pump();
      });
    });
  }
}
