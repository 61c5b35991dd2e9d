/** Everything at a glance: the desk, what runs, what is deployed, what failed. */
import { clock, counted } from '../format';
import { causeWords, notNormal } from '../emergency/facts';
import { ExecutionRows } from '../executions/execution-rows';
import { listed } from '../executions/listed';
import { Link } from '../navigation';
import { useValue } from '../observable';
import { useResource } from '../resource';
import { pathOf } from '../routes';
import { useSession } from '../session';
import { Empty, Freshness, Panel, StateMark } from '../shell/parts';
import { noteOf } from '../execution/trace';
import type { TraceEvent } from '../wire';

const EVERY_MS = 15_000;
const MOST_ROWS = 12;
const MOST_EVENTS = 12;
const TROUBLE =
  /^(node_failed|execution_failed|risk_limit_|emergency_|circuit_state_changed|order_rejected|order_unknown)/;

export function OverviewPage() {
  return (
    <>
      <h1>Overview</h1>
      <div className="columns">
        <div>
          <Latest />
        </div>
        <div>
          <Desk />
          <Deployed />
          <Trouble />
        </div>
      </div>
    </>
  );
}

function Latest() {
  const { latest, executions } = useSession();
  const reading = useResource(latest, EVERY_MS);
  const rows = listed(reading.data?.executions ?? [], useValue(executions));
  const open = rows.filter(({ has_ended }) => !has_ended);
  const aside = <Link to="/executions">All executions</Link>;
  return (
    <Panel title={`Executions: ${counted(open.length, 'open one')} among the latest`} aside={aside}>
      {rows.length === 0 ? (
        <Empty title="Nothing has run yet">
          Start one: <code>npx holdfast run examples/trading_arb_btc.json</code>
        </Empty>
      ) : (
        <ExecutionRows rows={[...open, ...rows.filter(({ has_ended }) => has_ended)].slice(0, MOST_ROWS)} />
      )}
      <Freshness reading={reading} />
    </Panel>
  );
}

function Desk() {
  const { data } = useValue(useSession().desk.reading);
  if (data === undefined) return null;
  const stopped = notNormal(data);
  return (
    <Panel title="Desk" aside={<Link to="/emergency">Emergency panel</Link>}>
      {stopped.length === 0 ? <p>Everything is normal; {counted(data.open_permits.count, 'permit')} out.</p> : null}
      <ul className="causes">
        {stopped.flatMap(({ scope, causes }) =>
          causes.map((cause) => (
            <li key={`${scope} ${cause.id}`}>
              <StateMark state={cause.state} /> <strong>{scope}</strong>: {causeWords(cause)}
            </li>
          )),
        )}
      </ul>
    </Panel>
  );
}

function Deployed() {
  const { deployments } = useSession();
  const reading = useResource(deployments, 2 * EVERY_MS);
  const all = reading.data ?? [];
  return (
    <Panel title="Strategies" aside={<Link to="/strategies">All strategies</Link>}>
      {all.length === 0 ? (
        <Empty title="Nothing is deployed">
          Deploy a graph: <code>npx holdfast deploy examples/trading_arb_btc.json</code>
        </Empty>
      ) : (
        <ul className="plain-list">
          {all.map(({ workflow_id, name, paused }) => (
            <li key={workflow_id}>
              <Link to={pathOf('strategies', workflow_id)}>{name}</Link>{' '}
              <StateMark state={paused ? 'paused' : 'deployed'} />
            </li>
          ))}
        </ul>
      )}
      <Freshness reading={reading} />
    </Panel>
  );
}

function Trouble() {
  const events = useValue(useSession().events);
  const grave = events.filter(({ type }) => TROUBLE.test(type));
  return (
    <>
      <Panel title="Failures and risk">
        {grave.length === 0 ? <Empty title="None since this page was opened" /> : <Events events={grave} />}
      </Panel>
      <Panel title="Latest events">
        {events.length === 0 ? <Empty title="None since this page was opened" /> : <Events events={events} />}
      </Panel>
    </>
  );
}

function Events({ events }: { readonly events: readonly TraceEvent[] }) {
  return (
    <ul className="plain-list">
      {events.slice(0, MOST_EVENTS).map((event) => (
        <li key={event.event_id}>
          <time dateTime={event.timestamp}>{clock(event.timestamp)}</time> <strong>{event.type}</strong>{' '}
          {event.execution_id === undefined ? (
            event.stream
          ) : (
            <Link to={pathOf('executions', event.execution_id)}>{event.execution_id}</Link>
          )}{' '}
          {event.node_id} {noteOf(event)}
        </li>
      ))}
    </ul>
  );
}
