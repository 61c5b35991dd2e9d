/** The last executions of one graph or bot, those the feed tells of included. */
import { useMemo } from 'react';
import { Link } from '../navigation';
import { useValue } from '../observable';
import { Resource, useResource } from '../resource';
import { useSession } from '../session';
import { Empty, Freshness, Panel } from '../shell/parts';
import type { ExecutionsPage } from '../wire';
import { ExecutionRows } from './execution-rows';
import { listed } from './listed';

const EVERY_MS = 15_000;
const MOST = 20;

export function LastExecutions({ by, id }: { readonly by: 'workflow_id' | 'bot_id'; readonly id: string }) {
  const { api, executions } = useSession();
  const filter = `${by}=${encodeURIComponent(id)}`;
  const resource = useMemo(
    () => new Resource(() => api.get<ExecutionsPage>(`/api/executions?limit=${MOST}&${filter}`)),
    [api, filter],
  );
  const reading = useResource(resource, EVERY_MS);
  const told = new Map([...useValue(executions)].filter(([, view]) => view[by] === id));
  const rows = listed(reading.data?.executions ?? [], told).slice(0, MOST);
  return (
    <Panel title="Last executions" aside={<Link to={`/executions?${filter}`}>All of them</Link>}>
      {rows.length === 0 ? <Empty title="It has run nothing yet" /> : <ExecutionRows rows={rows} />}
      <Freshness reading={reading} />
    </Panel>
  );
}
