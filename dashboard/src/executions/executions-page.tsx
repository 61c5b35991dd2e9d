/** Executions of any age: filters in the address, search in what is loaded, export. */
import { useEffect, useMemo, useState, type SyntheticEvent } from 'react';
import { clock, counted, moment } from '../format';
import { Link, setQuery, useAddress } from '../navigation';
import { usePart, useValue } from '../observable';
import { pathOf } from '../routes';
import { useSession, type Executions } from '../session';
import { Empty, ModeBadge, StateMark } from '../shell/parts';
import { VirtualRows } from '../shell/virtual-rows';
import type { ExecutionSummary } from '../wire';
import { History, filterOf, type Loaded } from './history';
import { fromSummary, matches, toCsv } from './listed';

const STATES = ['running', 'halted', 'waiting', 'completed', 'failed', 'cancelled', 'terminated', 'timed_out'];
const ROW = 52;

export function ExecutionsPage() {
  const { api } = useSession();
  const { query } = useAddress();
  const filter = filterOf(query);
  const [round, setRound] = useState(0);
  // Another round is another list: it is read from its beginning.
  const { history } = useMemo(() => ({ history: new History(api, filter), round }), [api, filter, round]);
  useEffect(() => void history.more(), [history]);
  const loaded = useValue(history.loaded);
  const search = query.get('q') ?? '';
  const rows = useFound(loaded.executions, search);
  return (
    <>
      <div className="page-head">
        <h1>Executions</h1>
        <span className="spread" />
        <Exports rows={rows} />
        <ReadAgain
          onClick={() => {
            setRound(round + 1);
          }}
        />
      </div>
      <Filters />
      <Count rows={rows} loaded={loaded} />
      {rows.length === 0 && !loaded.is_reading ? (
        <Nothing isFiltered={filter !== '' || search !== ''} />
      ) : (
        <div id="history" className="history">
          <VirtualRows
            label="Executions"
            rows={rows}
            rowHeight={ROW}
            keyOf={({ execution_id }) => execution_id}
            draw={(summary) => <HistoryRow summary={summary} />}
            onEnd={() => void history.more()}
          />
        </div>
      )}
    </>
  );
}

const NOBODY: Executions = new Map();

/** Of a hundred thousand rows none is made anew with an event: each reads by itself how it stands, and only a search asks about all. */
function useFound(all: readonly ExecutionSummary[], search: string): readonly ExecutionSummary[] {
  const { executions } = useSession();
  const told = usePart(executions, (views) => (search === '' ? NOBODY : views));
  return useMemo(
    () => (search === '' ? all : all.filter((each) => matches(fromSummary(each, told.get(each.execution_id)), search))),
    [all, told, search],
  );
}

function ReadAgain({ onClick }: { readonly onClick: () => void }) {
  return (
    <button type="button" onClick={onClick}>
      Read again
    </button>
  );
}

function Count({ rows, loaded }: { readonly rows: readonly ExecutionSummary[]; readonly loaded: Loaded }) {
  const { at, problem, has_more, executions } = loaded;
  const of = rows.length === executions.length ? '' : ` of ${executions.length} loaded`;
  return (
    <p className={problem === undefined ? 'quiet' : 'problem'} role="status">
      {counted(rows.length, 'execution')}
      {of}
      {has_more ? '; more are read as you scroll' : ''}
      {at === undefined ? '' : `; read at ${clock(at)}`}
      {problem === undefined ? '' : `. Could not read on: ${problem}`}
    </p>
  );
}

function Nothing({ isFiltered }: { readonly isFiltered: boolean }) {
  if (isFiltered) return <Empty title="None is like this">Take a filter away to see more.</Empty>;
  return (
    <Empty title="Nothing has run yet">
      Start one: <code>npx holdfast run examples/trading_arb_btc.json</code>
    </Empty>
  );
}

function HistoryRow({ summary }: { readonly summary: ExecutionSummary }) {
  const { execution_id } = summary;
  const told = usePart(useSession().executions, (views) => views.get(execution_id));
  const { state, workflow_id, mode, started_at, closed_at } = fromSummary(summary, told);
  return (
    <div className="history-row">
      <Link to={pathOf('executions', execution_id)} className="cut">
        {execution_id}
      </Link>
      <StateMark state={state} />
      <span className="quiet cut">{workflow_id}</span>
      <ModeBadge mode={mode} />
      <span className="quiet cut">
        {moment(started_at)}
        {closed_at === undefined ? '' : ` to ${clock(closed_at)}`}
      </span>
    </div>
  );
}

function Filters() {
  const { query } = useAddress();
  const submit = (event: SyntheticEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    setQuery(
      Object.fromEntries([...given].map(([name, value]) => [name, typeof value === 'string' ? value.trim() : ''])),
    );
  };
  return (
    // The key fills the fields anew when the address changes otherwise, by Back for one.
    <form key={query.toString()} className="filters" role="search" aria-label="Filter executions" onSubmit={submit}>
      <label>
        State
        <select name="state" defaultValue={query.get('state') ?? ''}>
          <option value="">any</option>
          {STATES.map((state) => (
            <option key={state} value={state}>
              {state.replace('_', ' ')}
            </option>
          ))}
        </select>
      </label>
      <FilterField name="workflow_id" title="Graph" />
      <FilterField name="bot_id" title="Bot" />
      <FilterField name="strategy_id" title="Strategy" />
      <FilterField name="q" title="Search in what is loaded" />
      <button type="submit">Filter</button>
    </form>
  );
}

function FilterField({ name, title }: { readonly name: string; readonly title: string }) {
  const { query } = useAddress();
  return (
    <label>
      {title}
      <input name={name} defaultValue={query.get(name) ?? ''} autoComplete="off" spellCheck={false} />
    </label>
  );
}

function Exports({ rows }: { readonly rows: readonly ExecutionSummary[] }) {
  const { executions } = useSession();
  const now = () => rows.map((each) => fromSummary(each, executions.get().get(each.execution_id)));
  return (
    <>
      <Export name="CSV" count={rows.length} type="text/csv" write={() => toCsv(now())} />
      <Export
        name="JSON"
        count={rows.length}
        type="application/json"
        write={() => `${JSON.stringify(now(), null, 2)}\n`}
      />
    </>
  );
}

interface ExportProps {
  readonly name: string;
  readonly count: number;
  readonly type: string;
  readonly write: () => string;
}

/** What is listed, as a file. */
function Export({ name, count, type, write }: ExportProps) {
  return (
    <button
      type="button"
      onClick={() => {
        const address = URL.createObjectURL(new Blob([write()], { type }));
        const link = Object.assign(document.createElement('a'), {
          href: address,
          download: `executions.${name.toLowerCase()}`,
        });
        link.click();
        URL.revokeObjectURL(address);
      }}
    >
      {`${name} of these ${count}`}
    </button>
  );
}
