/** The chosen node: how it stands, its last error and next attempt, its outputs, and what can be done to it. */
import { useState } from 'react';
import { wordsOf } from '../api';
import { clock, duration, pretty } from '../format';
import { usePart, useValue, type ObservableRecord } from '../observable';
import { useSession } from '../session';
import { Empty, Panel, StateMark } from '../shell/parts';
import type { GraphNode } from '../wire';
import { rerun, useExecutionState } from './execution-head';
import type { ExecutionStore } from './execution-store';
import type { NodeShown } from './nodes';

interface NodeDetailProps {
  readonly store: ExecutionStore;
  readonly nodes: ObservableRecord<NodeShown>;
  readonly chosen: string | undefined;
}

export function NodeDetail({ store, nodes, chosen }: NodeDetailProps) {
  const node = usePart(nodes, (all) => (chosen === undefined ? undefined : all[chosen]));
  const spec = useValue(store.detail.reading).data?.graph.nodes[chosen ?? ''];
  if (chosen === undefined) return <Empty title="No node is chosen">Choose one to see what it gave.</Empty>;
  return (
    <Panel title={`Node ${chosen}`}>
      <div id="node" aria-live="polite">
        {node === undefined ? <p className="quiet">Nothing has been told of it yet.</p> : <Stands node={node} />}
        <Spec spec={spec} />
      </div>
      <NodeCommands key={chosen} store={store} node={chosen} state={node?.state ?? 'pending'} />
    </Panel>
  );
}

function Stands({ node }: { readonly node: NodeShown }) {
  const { state, error, error_type = 'Error', outputs, truncated } = node;
  return (
    <>
      <p>
        <StateMark state={state} /> <span className="quiet">{factsOf(node).join(' · ')}</span>
      </p>
      {error === undefined ? null : <p className="problem">{`${error_type}: ${error}`}</p>}
      {outputs === undefined ? null : (
        <>
          <h3>Outputs{truncated === true ? ', cut' : ''}</h3>
          <pre>{pretty(outputs)}</pre>
        </>
      )}
    </>
  );
}

function factsOf({ attempt, generation = 1, duration_ms, reason, at, next_attempt_ms, waits_for }: NodeShown) {
  return [
    ...(attempt === undefined ? [] : [`attempt ${attempt}`]),
    ...(generation > 1 ? [`run ${generation}`] : []),
    ...(duration_ms === undefined ? [] : [duration(duration_ms)]),
    ...(at === undefined ? [] : [`told at ${clock(at)}`, ...nextAttempt(at, next_attempt_ms)]),
    ...[reason, waits_for?.why].filter((words) => words !== undefined),
  ];
}

function nextAttempt(at: number, after_ms: number | undefined): readonly string[] {
  return after_ms === undefined ? [] : [`next attempt at ${clock(at + after_ms)}`];
}

/** On demand: what was written of it in the graph. */
function Spec({ spec }: { readonly spec: GraphNode | undefined }) {
  if (spec === undefined) return null;
  return (
    <details>
      <summary>As written: inputs and parameters</summary>
      <pre>{pretty(spec)}</pre>
    </details>
  );
}

interface NodeCommandsProps {
  readonly store: ExecutionStore;
  readonly node: string;
  readonly state: string;
}

const STEERED = ['failed', 'waiting', 'retrying'];

function NodeCommands({ store, node, state }: NodeCommandsProps) {
  const session = useSession();
  const [words, setWords] = useState('');
  const { has_ended } = useExecutionState(session, store);
  const steer = (action: 'retry' | 'skip') => {
    const path = `/api/executions/${encodeURIComponent(store.id)}/nodes/${encodeURIComponent(node)}/${action}`;
    session.api.post(path, { reason: 'from the dashboard' }).then(
      () => {
        setWords(`${action}: taken`);
      },
      (error: unknown) => {
        setWords(`${action}: refused. ${wordsOf(error)}`);
      },
    );
  };
  const runAgain = () => void rerun(session.api, store.id, node).then(setWords);
  const mayRunAgain = has_ended && !node.includes('/');
  return (
    <div className="buttons left">
      {!has_ended && STEERED.includes(state) ? (
        <>
          <button
            type="button"
            onClick={() => {
              steer('retry');
            }}
          >
            Begin it anew
          </button>
          <button
            type="button"
            onClick={() => {
              steer('skip');
            }}
          >
            Pass it over
          </button>
        </>
      ) : null}
      {mayRunAgain ? (
        <button type="button" onClick={runAgain}>
          Run again from here
        </button>
      ) : null}
      <span role="status">{words}</span>
    </div>
  );
}
