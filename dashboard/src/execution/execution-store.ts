/**
 * One execution that is looked at: graph, nodes and events, from which drawing, tree, timeline and list are all made.
 *
 * - X1. How a node stands is the feed's word; the execution's own, asked over REST, fills in what the feed has no event of.
 * - X2. Events are those of the log from its beginning, then those the feed tells; each once, in the order of the log.
 * - X3. Of a very long one the oldest events and spans are let go, so that a page that stays open does not grow without an end.
 */
import { Observable } from '../observable';
import { Resource } from '../resource';
import type { Session } from '../session';
import type { EventsPage, ExecutionDetail, PageGraph, TraceEvent } from '../wire';
import { edgesOf } from '../graph/edges';
import { nodesShown, type Nodes } from './nodes';
import { SpanLog, criticalPath, merged, type Span } from './trace';

const PAGE = 2_000;
/** Of an execution with more events the timeline ends here; its nodes stand right all the same. */
const MOST_EVENTS = 40_000;
/** Let go together, so that the list is not copied for it with every event. */
const SPARE_EVENTS = 4_000;
/** The timeline and the critical path are made from all spans anew, so not with each event. */
const SPANS_EVERY_MS = 250;

export class ExecutionStore {
  readonly id: string;
  readonly detail: Resource<ExecutionDetail>;
  readonly nodes = new Observable<Nodes>({});
  readonly events = new Observable<readonly TraceEvent[]>([]);
  /** Made from the events, at most four times a second. */
  readonly spans = new Observable<readonly Span[]>([]);
  readonly critical = new Observable<ReadonlySet<string>>(new Set());
  /** Why the past could not be read. */
  readonly problem = new Observable<string | undefined>(undefined);
  readonly #session: Session;
  readonly #stops: (() => void)[] = [];
  /** It never changes: kept, it is not placed anew with every reading. */
  #graph: PageGraph | undefined;
  #fresh: TraceEvent[] = [];
  #drawing = false;
  #log = new SpanLog();
  /** Not in the spans yet. */
  #unmeasured: TraceEvent[] = [];
  #measuring: ReturnType<typeof setTimeout> | undefined;

  constructor(session: Session, id: string) {
    this.#session = session;
    this.id = id;
    this.detail = new Resource(async () => {
      const detail = await session.api.get<ExecutionDetail>(`/api/executions/${encodeURIComponent(id)}`);
      return { ...detail, graph: (this.#graph ??= detail.graph) };
    });
  }

  start(): void {
    const { feed, executions, gaps } = this.#session;
    this.#stops.push(
      executions.subscribe(this.#place),
      this.detail.reading.subscribe(this.#place),
      gaps.subscribe(() => void this.read()),
      feed.on('event', (event) => {
        if (event.stream === this.id) this.#add(event);
      }),
    );
    // Among the latest it is followed anyway; an older one is from here on. A refusal shows in the detail.
    feed.watch({ execution_id: this.id }).catch(() => undefined);
    void this.read();
  }

  stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
    clearTimeout(this.#measuring);
    this.#measuring = undefined;
    this.#session.feed.unwatch({ execution_id: this.id }).catch(() => undefined);
  }

  async read(): Promise<void> {
    await Promise.all([this.detail.refresh(), this.#readEvents()]);
  }

  async #readEvents(): Promise<void> {
    const path = `/api/executions/${encodeURIComponent(this.id)}/events?limit=${PAGE}`;
    let after = '';
    try {
      for (let count = 0; count < MOST_EVENTS;) {
        const { events, cursor } = await this.#session.api.get<EventsPage>(`${path}${after}`);
        this.#take(events);
        count += events.length;
        const last = events.at(-1) ?? cursor;
        if (last === undefined || events.length < PAGE) break;
        after = `&after=${encodeURIComponent(`${last.log_epoch}:${last.seq}`)}`;
      }
      this.problem.set(undefined);
    } catch (error) {
      this.problem.set(error instanceof Error ? error.message : String(error));
    }
  }

  #add(event: TraceEvent): void {
    this.#fresh.push(event);
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      const fresh = this.#fresh;
      this.#fresh = [];
      this.#take(fresh);
    });
  }

  #take(more: readonly TraceEvent[]): void {
    const known = this.events.get();
    const all = merged(known, more);
    if (all === known) return;
    const isAppended = all.length === known.length + more.length && all[known.length] === more[0];
    if (isAppended) this.#unmeasured.push(...more);
    else {
      // Something came before what was known: spans are made in the order of the log.
      this.#log = new SpanLog();
      this.#unmeasured = [...all];
    }
    this.events.set(all.length > MOST_EVENTS + SPARE_EVENTS ? all.slice(-MOST_EVENTS) : all);
    this.#measuring ??= setTimeout(this.#measure, SPANS_EVERY_MS);
  }

  readonly #measure = (): void => {
    this.#measuring = undefined;
    const spans = this.#log.take(this.#unmeasured);
    this.#unmeasured = [];
    this.spans.set(spans);
    if (this.#graph !== undefined) this.critical.set(criticalPath(spans, edgesOf(this.#graph)));
  };

  readonly #place = (): void => {
    const told = this.#session.executions.get().get(this.id)?.nodes ?? {};
    const status = this.detail.reading.get().data?.status?.nodes ?? {};
    this.nodes.set(nodesShown(told, status, this.nodes.get()));
  };
}
