/** Small things every page uses. */
import type { ReactNode } from 'react';
import { clock } from '../format';
import type { Reading } from '../resource';

/** What to do where there is nothing to show. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children === undefined ? null : <div className="quiet">{children}</div>}
    </div>
  );
}

/** A state in a word and a mark of its own shape: never by colour alone. */
export function StateMark({ state }: { readonly state: string }) {
  return (
    <span className="state" data-state={state}>
      <span className="mark" aria-hidden="true">
        {MARKS[state] ?? '·'}
      </span>
      {state.replaceAll('_', ' ')}
    </span>
  );
}

export const MARKS: Readonly<Record<string, string>> = {
  pending: '○',
  running: '▶',
  retrying: '↻',
  waiting: '◷',
  'awaiting approval': '?',
  approved: '▶',
  completed: '✓',
  failed: '✕',
  skipped: '⤼',
  halted: '■',
  halt: '■',
  shutdown: '⏻',
  alert: '▲',
  normal: '✓',
  cancelled: '⊘',
  terminated: '⊘',
  timed_out: '✕',
  paused: '‖',
  deployed: '✓',
};

export function ModeBadge({ mode }: { readonly mode: string }) {
  return <span className={mode === 'live' ? 'badge live' : 'badge'}>{mode === 'live' ? 'LIVE' : 'PAPER'}</span>;
}

/** How old what is shown is, and why there is nothing newer. */
export function Freshness({ reading }: { readonly reading: Reading<unknown> }) {
  const { at, problem } = reading;
  if (problem !== undefined) {
    return (
      <p className="problem" role="alert">
        {at === undefined ? 'Could not be read. ' : `Not read since ${clock(at)}. `}
        {problem}
      </p>
    );
  }
  return <p className="quiet freshness">{at === undefined ? 'Reading…' : `Read at ${clock(at)}`}</p>;
}

export function Panel({ title, children, aside }: PanelProps) {
  return (
    <section className="panel" aria-label={title}>
      <div className="panel-head">
        <h2>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

interface PanelProps {
  readonly title: string;
  readonly children: ReactNode;
  readonly aside?: ReactNode;
}

/** Each with its name above it. */
export function FigureList({ figures }: { readonly figures: readonly (readonly [name: string, value: string])[] }) {
  return (
    <dl className="figures">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

interface TableProps {
  readonly caption: string;
  readonly heads: readonly string[];
  readonly rows: readonly (readonly [key: string, ...cells: ReactNode[]])[];
}

/** Scrolls by itself, so that the page does not on a narrow screen. */
export function Table({ caption, heads, rows }: TableProps) {
  return (
    <div className="table-box" tabIndex={0} role="region" aria-label={caption}>
      <table>
        <caption className="hidden-text">{caption}</caption>
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([key, ...cells]) => (
            <tr key={key}>
              {cells.map((cell, index) => (
                <td key={heads[index] ?? index}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
