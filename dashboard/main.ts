/** The page: wires what is known to what is shown. */
import { Api, Refused, forgetToken, takeToken } from './api.js';
import { CommandDialog } from './command-dialog.js';
import { answerWords, deskWords, isStopped, resumeOf } from './desk.js';
import { byId, make, timeOf } from './dom.js';
import { GraphView } from './graph-view.js';
import { showEvents, showExecutions, showNode, showWorkflows } from './lists-view.js';
import { Live, type LiveState } from './live.js';
import { Store, type ExecutionView } from './store.js';
import type { Deployment, Desk, DeskAnswer, ExecutionDetail, ExecutionSummary, PageGraph } from './wire.js';

const REFRESH_MS = 15_000;
const ENDED = /^(completed|failed|cancelled|terminated|timed_out)$/;

/** Graphs of executions looked at. */
const MOST_GRAPHS = 50;

class Page {
  readonly #api: Api;
  readonly #live: Live;
  readonly #store = new Store();
  readonly #dialog = new CommandDialog();
  readonly #graphView: GraphView;
  readonly #graphs = new Map<string, PageGraph>();
  #deployments: readonly Deployment[] = [];
  #workflow: string | undefined;
  #execution: string | undefined;
  #node: string | undefined;
  #connection: LiveState = { state: 'connecting' };
  #problem: string | undefined;
  #desk: Desk | undefined;
  #painting = false;

  constructor(token: string) {
    this.#api = new Api(token);
    this.#graphView = new GraphView(byId('graph'), (id) => {
      this.#node = id;
      this.#paint();
    });
    this.#live = new Live(token, {
      onEvent: (event) => {
        this.#store.apply(event);
        if (event.type === 'emergency_state_changed') void this.#readDesk();
        this.#paint();
      },
      onSnapshot: (snapshot) => {
        this.#store.restore(snapshot);
        this.#paint();
      },
      onGap: () => void this.#readShown(),
      onState: (state) => {
        this.#connection = state;
        if (state.state === 'live') void this.#read();
        this.#paint();
      },
      onRefused: askForToken,
    });
    this.#wireButtons();
    setInterval(() => void this.#read(), REFRESH_MS);
    this.#paint();
  }

  async #read(): Promise<void> {
    try {
      const [{ workflows }, { executions }] = await Promise.all([
        this.#api.get<{ workflows: Deployment[] }>('/api/workflows'),
        this.#api.get<{ executions: ExecutionSummary[] }>('/api/executions?limit=50'),
        this.#readDesk(),
      ]);
      this.#deployments = workflows;
      this.#store.list(executions);
      this.#problem = undefined;
      const newest = [...this.#store.executions.values()].sort((a, b) => b.at.localeCompare(a.at))[0];
      if (this.#execution === undefined && newest !== undefined) this.#choose(newest.execution_id);
    } catch (error) {
      this.#problem = error instanceof Refused ? error.message : undefined;
    }
    this.#paint();
  }

  async #readDesk(): Promise<void> {
    const place = byId('desk');
    try {
      const desk = await this.#api.get<Desk>('/api/emergency');
      this.#desk = desk;
      place.dataset['state'] = desk.state;
      place.textContent = deskWords(desk);
      byId('halt-all').hidden = isStopped(desk);
      byId('resume-all').hidden = desk.state === 'normal';
    } catch (error) {
      if (!(error instanceof Refused)) return;
      place.textContent = 'The emergency desk does not answer: nothing new starts.';
      byId('halt-all').hidden = false;
    }
  }

  #choose(executionId: string): void {
    this.#execution = executionId;
    this.#node = undefined;
    this.#paint();
    void this.#readShown();
  }

  async #readShown(): Promise<void> {
    const id = this.#execution;
    if (id === undefined) return;
    const snapshot = await this.#live.state(id);
    if (snapshot !== undefined) this.#store.restore(snapshot);
    try {
      const detail = await this.#api.get<ExecutionDetail>(`/api/executions/${encodeURIComponent(id)}`);
      this.#graphs.set(id, detail.graph);
      const [oldest] = this.#graphs.keys();
      if (this.#graphs.size > MOST_GRAPHS && oldest !== undefined) this.#graphs.delete(oldest);
      this.#store.detail(detail);
    } catch (error) {
      if (error instanceof Refused && error.code !== 'ExecutionNotFound') this.#problem = error.message;
    }
    this.#paint();
  }

  /** At most once per frame, however many events come. */
  #paint(): void {
    if (this.#painting) return;
    this.#painting = true;
    requestAnimationFrame(() => {
      this.#painting = false;
      this.#paintNow();
    });
  }

  #paintNow(): void {
    this.#paintConnection();
    showWorkflows(byId('workflows'), this.#deployments, this.#workflow, (id) => {
      this.#workflow = id;
      this.#paint();
    });
    const executions = [...this.#store.executions.values()].filter(
      ({ workflow_id }) => this.#workflow === undefined || workflow_id === this.#workflow,
    );
    showExecutions(byId('executions'), executions, this.#execution, (id) => {
      this.#choose(id);
    });
    const shown = this.#store.events.filter(
      ({ stream }) => this.#execution === undefined || stream === this.#execution,
    );
    showEvents(byId('events'), shown);
    this.#paintExecution();
  }

  #paintConnection(): void {
    const place = byId('connection');
    const { state } = this.#connection;
    place.dataset['state'] = state;
    place.textContent = 'since' in this.#connection ? `${state} since ${timeOf(this.#connection.since)}` : state;
    const banner = byId('banner');
    const down = state === 'stale' || state === 'reconnecting';
    banner.hidden = !down && this.#problem === undefined;
    banner.textContent = down
      ? `The gateway does not answer. Halting works without it: npx holdfast halt ${this.#execution ?? '--all'}`
      : (this.#problem ?? '');
  }

  #paintExecution(): void {
    const id = this.#execution ?? '';
    const view = this.#store.executions.get(id);
    const graph = this.#graphs.get(id);
    this.#paintTitle(view, graph);
    this.#graphView.show(graph, graph === undefined ? '' : id);
    if (graph !== undefined && view !== undefined) this.#graphView.paint(graph, view.nodes, this.#node);
    showNode(byId('node'), this.#node, view?.nodes.get(this.#node ?? ''));
  }

  #paintTitle(view: ExecutionView | undefined, graph: PageGraph | undefined): void {
    byId('halt').hidden = view === undefined || ENDED.test(view.state) || view.state === 'halted';
    byId('resume').hidden = view?.state !== 'halted';
    if (view === undefined) return;
    byId('title').textContent = graph?.name ?? view.workflow_id;
    byId('subtitle').textContent = view.execution_id;
    byId('badges').replaceChildren(...badgesOf(view.mode, view.state));
  }

  #wireButtons(): void {
    const one = {
      halt: 'Nothing new starts in it until it is resumed.',
      resume: 'It goes on where it stopped.',
    } as const;
    const all = {
      halt: 'Nothing new starts anywhere; what runs halts.',
      resume: 'Executions the desk halted go on.',
    } as const;
    for (const action of ['halt', 'resume'] as const) {
      const verb = action === 'halt' ? 'Halt' : 'Resume';
      byId(action).addEventListener('click', () => {
        const id = this.#execution ?? '';
        this.#dialog.open({
          title: `${verb} ${id}?`,
          text: one[action],
          confirm: verb,
          send: async (reason) => {
            const path = `/api/executions/${encodeURIComponent(id)}/${action}`;
            const { state } = await this.#api.post<{ state?: string }>(path, { reason });
            return `Accepted. The execution says: ${state ?? 'nothing yet, no worker answers'}.`;
          },
        });
      });
      byId(`${action}-all`).addEventListener('click', () => {
        // What is shown now is what is lifted: a cause that comes while somebody writes a reason is not.
        const saw = action === 'resume' ? resumeOf(this.#desk) : {};
        this.#dialog.open({
          title: `${verb} everything?`,
          text:
            action === 'resume' && this.#desk !== undefined ? `${deskWords(this.#desk)}. ${all.resume}` : all[action],
          confirm: `${verb} all`,
          send: async (reason) => {
            const answer = await this.#api.post<DeskAnswer>(`/api/emergency/global/${action}`, { reason, ...saw });
            await this.#readDesk();
            return answerWords(answer);
          },
        });
      });
    }
  }
}

function badgesOf(mode: string, state: string): HTMLElement[] {
  const live = mode === 'live';
  return [
    make('span', { class: live ? 'badge live' : 'badge' }, mode.toUpperCase()),
    make('span', { class: 'state', 'data-state': state }, state),
  ];
}

function askForToken(reason: string): void {
  forgetToken();
  byId('page').hidden = true;
  byId('no-token').hidden = false;
  byId('no-token-reason').textContent = reason;
  byId('token-address').textContent = `${location.origin}/#token=<token>`;
  byId('connection').textContent = 'not connected';
}

function begin(): void {
  const token = takeToken();
  if (token === undefined) {
    askForToken('This page shows what runs and can halt it, so it must know who you are.');
    return;
  }
  byId('no-token').hidden = true;
  byId('page').hidden = false;
  new Page(token);
}

window.addEventListener('hashchange', () => {
  location.reload();
});
begin();
