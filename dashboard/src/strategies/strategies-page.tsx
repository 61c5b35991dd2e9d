/** What is deployed: graphs with what starts them. */
import { moment } from '../format';
import { Link } from '../navigation';
import { useResource } from '../resource';
import { pathOf } from '../routes';
import { useSession } from '../session';
import { Empty, Freshness, StateMark, Table } from '../shell/parts';
import { Deploy } from './deploy';

const EVERY_MS = 15_000;

export function StrategiesPage() {
  const { deployments } = useSession();
  const reading = useResource(deployments, EVERY_MS);
  const all = reading.data ?? [];
  return (
    <>
      <div className="page-head">
        <h1>Strategies</h1>
        <Freshness reading={reading} />
      </div>
      {all.length === 0 ? (
        <Empty title="Nothing is deployed">
          Deploy a graph below, or: <code>npx holdfast deploy examples/trading_arb_btc.json</code>
        </Empty>
      ) : (
        <Table
          caption="Deployed graphs"
          heads={['Graph', 'State', 'Strategy', 'Bot', 'Next run', 'Started', 'Missed', 'Skipped']}
          rows={all.map(
            ({ workflow_id, name, paused, graph, next_runs, runs }) =>
              [
                workflow_id,
                <Link key="name" to={pathOf('strategies', workflow_id)}>
                  {name}
                </Link>,
                <StateMark key="state" state={paused ? 'paused' : 'deployed'} />,
                graph.strategy_id ?? '–',
                graph.bot_id ?? '–',
                next_runs[0] === undefined ? '–' : moment(next_runs[0]),
                runs.started,
                runs.missed,
                runs.skipped,
              ] as const,
          )}
        />
      )}
      <Deploy />
    </>
  );
}
