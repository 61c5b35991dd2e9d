/** A halt rehearsed: that it works, and how long it takes here, is known before it is needed. */
import { useState } from 'react';
import { wordsOf } from '../api';
import { clock, duration } from '../format';
import { useSession } from '../session';
import { FigureList, Panel } from '../shell/parts';
import type { DrillReport } from '../wire';

/** Each of its steps is waited for twenty seconds at most; a halt nobody sees by then has failed. */
const WITHIN_MS = 90_000;

type Stands =
  | { readonly kind: 'idle' }
  | { readonly kind: 'running'; readonly since: number }
  | { readonly kind: 'done'; readonly report: DrillReport }
  | { readonly kind: 'failed'; readonly words: string };

export function Drill() {
  const { api } = useSession();
  const [stands, setStands] = useState<Stands>({ kind: 'idle' });
  const rehearse = async () => {
    if (stands.kind === 'running') return;
    setStands({ kind: 'running', since: Date.now() });
    try {
      setStands({ kind: 'done', report: await api.post<DrillReport>('/api/drill', {}, WITHIN_MS) });
    } catch (error) {
      setStands({ kind: 'failed', words: wordsOf(error) });
    }
  };
  return (
    <Panel title="Drill">
      <p className="quiet">
        Halts for real on a desk of its own, on paper: a loss, its limit, the halt, a resume. Nothing that runs hears of
        it.
      </p>
      <div className="buttons left">
        <button type="button" aria-disabled={stands.kind === 'running'} onClick={() => void rehearse()}>
          Rehearse a halt
        </button>
      </div>
      <div id="drill" role="status">
        <Outcome stands={stands} />
      </div>
    </Panel>
  );
}

function Outcome({ stands }: { readonly stands: Stands }) {
  switch (stands.kind) {
    case 'idle':
      return null;
    case 'running':
      return <p>{`Rehearsing since ${clock(stands.since)}; it takes seconds, and is given up after 90.`}</p>;
    case 'failed':
      return (
        <p className="problem">
          Not rehearsed to its end: {stands.words} Without this page: <code>npx holdfast drill</code>
        </p>
      );
    case 'done':
      return <Report report={stands.report} />;
  }
}

function Report({ report }: { readonly report: DrillReport }) {
  const { passed, started_at, said, orders } = report;
  const figures: readonly (readonly [string, string])[] = [
    ['Orders let out', `${orders.before} before the loss, ${orders.during} until the first refusal`],
    ['After that refusal', `${orders.after_refusal}, must be 0`],
    ['Desk answered after', duration(report.desk_answered_ms)],
    ['First refusal after', duration(report.first_refusal_ms)],
    ['Sealed after', duration(report.sealed_ms)],
    ['Execution halted after', duration(report.execution_halted_ms)],
  ];
  return (
    <>
      <p className={passed ? '' : 'problem'}>
        <strong>{passed ? '✓ Passed' : '✕ Not passed'}</strong> at {clock(started_at)}.
        {passed ? '' : ' Until it is understood, do not trust this installation with a halt.'}
      </p>
      <FigureList figures={figures} />
      <details>
        <summary>Its steps</summary>
        <ol>
          {said.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ol>
      </details>
    </>
  );
}
