/** The lists: workflows, executions, events, and the node that was chosen. */
import { make, timeOf } from './dom.js';
import type { ExecutionView, NodeView } from './store.js';
import type { Deployment, PageEvent } from './wire.js';

const MOST_EXECUTIONS = 60;

function entry(name: string, state: string, note: string, current: boolean): HTMLElement {
  return make(
    'button',
    { type: 'button', 'aria-current': String(current), title: name },
    make('span', { class: 'name' }, name),
    make('span', { class: 'state', 'data-state': state }, note),
  );
}

/** Replaces the children, leaving the keyboard where it was; not under a pressed pointer, or the click would find nothing. */
function replace(place: HTMLElement, items: readonly HTMLElement[]): void {
  if (place.matches(':active')) return;
  const active = document.activeElement;
  const kept = active !== null && place.contains(active) ? active.getAttribute('data-key') : null;
  place.replaceChildren(...items);
  if (kept !== null) place.querySelector<HTMLElement>(`[data-key="${CSS.escape(kept)}"]`)?.focus();
}

export function showWorkflows(
  place: HTMLElement,
  deployments: readonly Deployment[],
  chosen: string | undefined,
  choose: (id: string | undefined) => void,
): void {
  const items = deployments.map(({ workflow_id, name, paused }) => {
    const button = entry(name, paused ? 'waiting' : 'running', paused ? 'paused' : 'deployed', workflow_id === chosen);
    button.setAttribute('data-key', workflow_id);
    button.addEventListener('click', () => {
      choose(workflow_id === chosen ? undefined : workflow_id);
    });
    return make('li', {}, button);
  });
  replace(place, items.length > 0 ? items : [make('li', { class: 'empty' }, 'Nothing is deployed.')]);
}

export function showExecutions(
  place: HTMLElement,
  executions: readonly ExecutionView[],
  chosen: string | undefined,
  choose: (id: string) => void,
): void {
  const newest = [...executions].sort((a, b) => b.at.localeCompare(a.at)).slice(0, MOST_EXECUTIONS);
  const items = newest.map(({ execution_id, state, at }) => {
    const button = entry(execution_id, state, `${state} · ${timeOf(at)}`, execution_id === chosen);
    button.setAttribute('data-key', execution_id);
    button.addEventListener('click', () => {
      choose(execution_id);
    });
    return make('li', {}, button);
  });
  replace(place, items.length > 0 ? items : [make('li', { class: 'empty' }, 'Nothing has run yet.')]);
}

export function showEvents(place: HTMLElement, events: readonly PageEvent[]): void {
  const items = events
    .slice(0, 120)
    .map((event) =>
      make(
        'li',
        {},
        make('time', { datetime: event.timestamp }, timeOf(event.timestamp)),
        make('strong', {}, event.type),
        ` ${event.node_id ?? ''} ${noteOf(event)}`,
      ),
    );
  place.replaceChildren(...(items.length > 0 ? items : [make('li', { class: 'empty' }, 'No events yet.')]));
}

function noteOf({ error, error_type, reason, duration_ms, attempt, type, new_state }: PageEvent): string {
  if (error !== undefined) return `· ${error_type ?? ''}: ${error}`;
  if (new_state !== undefined) return `→ ${new_state} · ${reason ?? ''}`;
  if (reason !== undefined) return `· ${reason}`;
  if (duration_ms !== undefined) return `· ${duration_ms} ms`;
  return type === 'node_started' && (attempt ?? 1) > 1 ? `· attempt ${attempt}` : '';
}

export function showNode(place: HTMLElement, id: string | undefined, node: NodeView | undefined): void {
  if (id === undefined) {
    place.replaceChildren(make('p', { class: 'quiet' }, 'Choose a node to see what it gave.'));
    return;
  }
  const { state = 'pending', attempt, duration_ms, error, reason, outputs } = node ?? {};
  const facts = [
    state,
    attempt && `attempt ${attempt}`,
    duration_ms !== undefined && `${duration_ms} ms`,
    reason,
    error,
  ];
  place.replaceChildren(
    make('h3', {}, id),
    make('p', { class: 'state', 'data-state': state }, facts.filter(Boolean).join(' · ')),
    ...(outputs === undefined ? [] : [make('pre', {}, JSON.stringify(outputs, null, 2))]),
  );
}
