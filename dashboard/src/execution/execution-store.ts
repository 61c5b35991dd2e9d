/**
 * One execution that is looked at: graph, nodes and events, from which drawing, tree, timeline and list are all made.
 *
 * - X1. How a node stands is the feed's word; the execution's own, asked over REST, fills in what the feed has no event of.
 * - X2. Events are those of the log from its beginning, then those the feed tells; each once, in the order of the log.
 * - X3. Of a very long one the oldest events and spans are let go, so that a page that stays open does not grow without an end.
 */
import { Observable, ObservableRecord } from '../observable';
import { Resource } from '../resource';
import type { Session } from '../session';
import type { EventsPage, ExecutionDetail, NodeStatus, PageGraph, TraceEvent } from '../wire';
import { edgesOf, type Edge } from '../graph/edges';
import { EventRun } from './event-run';
import { awaiting, nodeShown, nodesShown, type NodeShown } from './nodes';
import { SpanLog, criticalPath, keyOf, type Span } from './trace';

const PAGE = 2_000;
/** Of an execution with more events the timeline ends here; its nodes stand right all the same. */
const MOST_EVENTS = 40_000;
/** Let go together, so that the list is not copied for it with every event. */
const SPARE_EVENTS = 4_000;
/** The timeline and the critical path are made from all spans anew, so not with each event: after a pause at once, then no faster than this. */
const SPANS_EVERY_MS = 500;

export class ExecutionStore {
  readonly id: string;
  readonly detail: Resource<ExecutionDetail>;
  /** Changed in place with events: parts of it are read, and a copy of a thousand with every frame is what a page would mostly do. */
  readonly nodes = new ObservableRecord<NodeShown>({});
  /** Those that wait for somebody's decision. */
  readonly awaiting = new Observable<readonly NodeShown[]>([]);
  readonly events = new Observable(EventRun.empty);
  /** Made from the events, at most twice a second. */
  readonly spans = new Observable<readonly Span[]>([]);
  readonly critical = new Observable<ReadonlySet<string>>(new Set());
  /** Why the past could not be read. */
  readonly problem = new Observable<string | undefined>(undefined);
  readonly #session: Session;
  readonly #stops: (() => void)[] = [];
  /** It never changes: kept, it is not placed anew with every reading. */
  #graph: PageGraph | undefined;
  #edges: readonly Edge[] | undefined;
  #fresh: TraceEvent[] = [];
  /** Of the nodes, those the feed told of since they were last placed; undefined: all of them may be others. */
  #told: Set<string> | undefined;
  #drawing = false;
  #log = new SpanLog();
  /** Not in the spans yet. */
  #unmeasured: TraceEvent[] = [];
  #measuring: ReturnType<typeof setTimeout> | undefined;
  #measuredAt = -Infinity;

  constructor(session: Session, id: string) {
    this.#session = session;
    this.id = id;
    this.detail = new Resource(async () => {
      const detail = await session.api.get<ExecutionDetail>(`/api/executions/${encodeURIComponent(id)}`);
      return { ...detail, graph: (this.#graph ??= detail.graph) };
    });
  }

  start(): void {
    const { feed, gaps } = this.#session;
    this.#told = undefined;
    this.#stops.push(
      feed.on('execution', (view, event) => {
        if (view.execution_id !== this.id) return;
        if (event === undefined) this.#told = undefined;
        else this.#told?.add(keyOf(event));
        this.#draw();
      }),
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
    this.#draw();
  }

  #draw(): void {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      const fresh = this.#fresh;
      this.#fresh = [];
      this.#take(fresh);
      if (this.#told === undefined) this.#place();
      else this.#placeTold(this.#told);
    });
  }

  #take(more: readonly TraceEvent[]): void {
    const known = this.events.get();
    const all = known.with(more);
    if (all === known) return;
    const isAppended = all.length === known.length + more.length && all.at(known.length) === more[0];
    if (isAppended) this.#unmeasured.push(...more);
    else {
      // Something came before what was known: spans are made in the order of the log.
      this.#log = new SpanLog();
      this.#unmeasured = [...all];
    }
    this.events.set(all.length > MOST_EVENTS + SPARE_EVENTS ? all.latest(MOST_EVENTS) : all);
    const wait = Math.max(0, this.#measuredAt + SPANS_EVERY_MS - performance.now());
    this.#measuring ??= setTimeout(this.#measure, wait);
  }

  readonly #measure = (): void => {
    this.#measuring = undefined;
    this.#measuredAt = performance.now();
    const spans = this.#log.take(this.#unmeasured);
    this.#unmeasured = [];
    this.spans.set(spans);
    if (this.#graph === undefined) return;
    this.#edges ??= edgesOf(this.#graph);
    this.critical.set(criticalPath(spans, this.#edges));
  };

  readonly #place = (): void => {
    this.#told = new Set();
    const told = this.#session.feed.execution(this.id)?.nodes ?? {};
    this.nodes.set(nodesShown(told, this.#status, this.nodes.get()));
    this.#sayWhoWaits();
  };

  #placeTold(keys: Set<string>): void {
    if (keys.size === 0) return;
    const nodes = this.nodes.get() as Record<string, NodeShown>;
    const status = this.#status;
    let mayWait = this.awaiting.get().length > 0;
    for (const key of keys) {
      const event = this.#session.feed.node(this.id, key)?.event;
      if (event === undefined) continue;
      const node = nodeShown({ key, event, status: status[key], known: nodes[key] });
      nodes[key] = node;
      mayWait ||= node.state === 'awaiting approval';
    }
    this.nodes.tellOf(keys);
    keys.clear();
    if (mayWait) this.#sayWhoWaits();
  }

  get #status(): Readonly<Record<string, NodeStatus>> {
    return this.detail.reading.get().data?.status?.nodes ?? {};
  }

  #sayWhoWaits(): void {
    const [waiting, known] = [awaiting(this.nodes.get()), this.awaiting.get()];
    if (waiting.length !== known.length || waiting.some((node, at) => node !== known[at])) this.awaiting.set(waiting);
  }
}
