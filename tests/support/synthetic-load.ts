/** Executions that exist in the log alone, of which events are published at a steady rate; what they come to is known. */
import type { EventPublisher } from '../../src/event-log';
import { executionEvent, nodeEvent, type ExecutionContext } from '../../src/events/build';
import type { NodeFact } from '../../src/events/envelope';
import type { Held, Truth } from './fault-judge';

const NODES = 10;
/** Of a node in one generation: its start and its end. */
const FACTS = 2;
const CYCLE = NODES * FACTS;
const TICK_MS = 20;

export interface LoadOptions {
  readonly publisher: EventPublisher;
  /** Begins the ids. */
  readonly name: string;
  readonly streams: number;
  /** Events a second, over all. */
  readonly rate: number;
  readonly held: Held;
}

interface Stream {
  readonly context: ExecutionContext & { readonly workflow_id: string; readonly bot_id: string };
  told: number;
}

/** A quarter of the executions each. */
export const LOAD_GROUPS = 4;

export class SyntheticLoad {
  readonly #options: LoadOptions;
  readonly #streams: readonly Stream[];
  #timer: NodeJS.Timeout | undefined;
  #published = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#streams = Array.from({ length: options.streams }, (_, at) => ({
      context: {
        execution_id: `${options.name}_${at}`,
        workflow_id: `load_${at % LOAD_GROUPS}`,
        bot_id: `bot_load_${at % LOAD_GROUPS}`,
        graph_version: 'abcdef012345',
        mode: 'paper',
      },
      told: 0,
    }));
  }

  get ids(): string[] {
    return this.#streams.map(({ context }) => context.execution_id);
  }

  get published(): number {
    return this.#published;
  }

  /** Tells of every start, then of nodes, as many as time has passed for. */
  begin(): void {
    for (const { context } of this.#streams) this.#start(context);
    const { rate } = this.#options;
    const begun = performance.now();
    const before = this.#published;
    this.#timer = setInterval(() => {
      const due = before + ((performance.now() - begun) / 1_000) * rate;
      while (this.#published < due) this.#next(this.#streams[this.#published % this.#streams.length]!);
    }, TICK_MS);
  }

  /** So many events of one execution at once; `size`: characters in what a node gives. */
  burst(executionId: string, count: number, size = 1): void {
    const stream = this.#streams.find(({ context }) => context.execution_id === executionId);
    for (let at = 0; stream !== undefined && at < count; at += 1) this.#next(stream, size);
  }

  /** Tells of every start and node once more, since the log may have lost them and nobody else would, and of every end. */
  end(): void {
    clearInterval(this.#timer);
    for (const stream of this.#streams) {
      this.#start(stream.context);
      const whole = (Math.ceil(stream.told / CYCLE) + 1) * CYCLE;
      while (stream.told < whole) this.#next(stream);
      const { context } = stream;
      const fact = { type: 'execution_completed', status: 'completed', duration_ms: 1 } as const;
      this.#publish(context, executionEvent(context, 'end', fact, Date.now()));
    }
  }

  /** Once it has ended. */
  get truths(): Truth[] {
    return this.#streams.map(({ context, told }) => {
      const generation = told / CYCLE;
      const nodes = Array.from({ length: NODES }, (_, at) => [`n${at}`, { state: 'completed', generation }] as const);
      const { execution_id, workflow_id, bot_id } = context;
      const state = { state: 'completed', has_ended: true };
      return { execution_id, workflow_id, bot_id, ...state, nodes: Object.fromEntries(nodes) };
    });
  }

  #start(context: Stream['context']): void {
    this.#publish(context, executionEvent(context, 0, { type: 'execution_started', node_count: NODES }, Date.now()));
  }

  #next(stream: Stream, size = 1): void {
    const at = stream.told++;
    const turn = { node_id: `n${Math.floor(at / FACTS) % NODES}`, node_type: 'constant', frame: '' };
    const place = { ...turn, generation: Math.floor(at / CYCLE) + 1, dispatch: 1, attempt: 1 };
    this.#publish(stream.context, nodeEvent(stream.context, place, factOf(at, size), Date.now()));
  }

  #publish({ execution_id }: ExecutionContext, publication: ReturnType<typeof nodeEvent>): void {
    this.#published += 1;
    this.#options.held.add(execution_id, publication.event.event_id);
    this.#options.publisher.publish(publication);
  }
}

function factOf(at: number, size: number): NodeFact {
  if (at % FACTS === 0) return { type: 'node_started' };
  return { type: 'node_completed', status: 'success', duration_ms: 1, outputs: { value: 'x'.repeat(size) } };
}
