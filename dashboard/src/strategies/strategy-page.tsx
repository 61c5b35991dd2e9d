/** One deployed graph: what it is, what starts it, what it came to, what it ran last. */
import { useMemo, useState } from 'react';
import { wordsOf } from '../api';
import { moment } from '../format';
import { LastExecutions } from '../executions/last-executions';
import { Link, go } from '../navigation';
import { Resource, useResource } from '../resource';
import { pathOf } from '../routes';
import { useSession } from '../session';
import { Freshness, Panel, StateMark } from '../shell/parts';
import type { Deployment } from '../wire';
import { GraphFigures } from './graph-figures';
import { Results } from './results';

const EVERY_MS = 15_000;

export function StrategyPage({ id }: { readonly id: string }) {
  const { api } = useSession();
  const one = useMemo(
    () => new Resource(() => api.get<Deployment>(`/api/workflows/${encodeURIComponent(id)}`)),
    [api, id],
  );
  const reading = useResource(one, EVERY_MS);
  const { data } = reading;
  return (
    <>
      <div className="page-head">
        <h1>{data?.name ?? id}</h1>
        {data === undefined ? null : <StateMark state={data.paused ? 'paused' : 'deployed'} />}
        <span className="spread" />
        {data === undefined ? null : <Steering deployment={data} onDone={() => void one.refresh()} />}
      </div>
      <Freshness reading={reading} />
      {data === undefined ? null : <Schedule deployment={data} />}
      {data === undefined ? null : <GraphFigures key={data.graph_version} deployment={data} />}
      {data?.graph.strategy_id === undefined ? null : <Results of="strategies" id={data.graph.strategy_id} />}
      <LastExecutions by="workflow_id" id={id} />
    </>
  );
}

function Steering({ deployment, onDone }: { readonly deployment: Deployment; readonly onDone: () => void }) {
  const { api } = useSession();
  const [words, setWords] = useState('');
  const { workflow_id, paused } = deployment;
  const steer = async (action: 'pause' | 'resume' | 'trigger') => {
    try {
      const path = `/api/workflows/${encodeURIComponent(workflow_id)}/${action}`;
      const answer = await api.post<{ readonly execution_id?: string }>(path, { reason: 'from the dashboard' });
      setWords(`${action}: taken`);
      if (answer.execution_id !== undefined) go(pathOf('executions', answer.execution_id));
      onDone();
    } catch (error) {
      setWords(`${action}: not taken. ${wordsOf(error)}`);
    }
  };
  const next = paused ? 'resume' : 'pause';
  return (
    <>
      <div className="buttons">
        <button type="button" onClick={() => void steer('trigger')}>
          Run now
        </button>
        <button type="button" onClick={() => void steer(next)}>
          {paused ? 'Let the clock start it again' : 'Pause its clock'}
        </button>
      </div>
      <p role="status">{words}</p>
    </>
  );
}

function Schedule({ deployment }: { readonly deployment: Deployment }) {
  const { note, next_runs, runs, graph, graph_version } = deployment;
  const { started, missed, skipped } = runs;
  return (
    <Panel title="Schedule">
      {note === undefined ? null : <p>{note}</p>}
      <p>
        Version {graph_version}, {Object.keys(graph.nodes).length} nodes
        {graph.bot_id === undefined ? null : (
          <>
            , bot <Link to={pathOf('bots', graph.bot_id)}>{graph.bot_id}</Link>
          </>
        )}
      </p>
      <p>
        {started} started, {missed} missed, {skipped} skipped.{' '}
        {next_runs.length === 0 ? 'Nothing is due.' : `Next: ${next_runs.map((at) => moment(at)).join(', ')}`}
      </p>
    </Panel>
  );
}
