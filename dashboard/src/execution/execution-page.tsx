/** One execution as it happens: graph, details, approvals, tree, timeline and events, all made from one store. */
import { useEffect, useMemo, useState } from 'react';
import { GraphView } from '../graph/graph-view';
import { setQuery, useAddress } from '../navigation';
import { useValue, type ObservableRecord } from '../observable';
import { useSession } from '../session';
import { Empty, Panel } from '../shell/parts';
import { Approvals } from './approvals';
import { EventList } from './event-list';
import { ExecutionHead } from './execution-head';
import { ExecutionStore } from './execution-store';
import { NodeDetail } from './node-detail';
import type { NodeShown } from './nodes';
import { Scrubber } from './scrubber';
import { Timeline } from './timeline';
import { NodeTree } from './tree';

export function ExecutionPage({ id }: { readonly id: string }) {
  const session = useSession();
  const store = useMemo(() => new ExecutionStore(session, id), [session, id]);
  useEffect(() => {
    store.start();
    return () => {
      store.stop();
    };
  }, [store]);
  const { data, problem } = useValue(store.detail.reading);
  if (data !== undefined) return <Shown store={store} />;
  if (problem === undefined) return <p className="quiet">Reading {id}…</p>;
  return (
    <Empty title={`${id} cannot be shown`}>
      {problem} What there is: <code>npx holdfast status</code>
    </Empty>
  );
}

/** Of what changes with every event it reads nothing: its parts do, each what it shows. */
function Shown({ store }: { readonly store: ExecutionStore }) {
  const { query } = useAddress();
  const chosen = query.get('node') ?? undefined;
  const graph = useValue(store.detail.reading).data?.graph;
  const [past, setPast] = useState<ObservableRecord<NodeShown>>();
  if (graph === undefined) return null;
  const nodes = past ?? store.nodes;
  return (
    <>
      <ExecutionHead store={store} />
      <Approvals store={store} />
      <div className="execution">
        <div>
          <Panel title="Graph" aside={<Scrubber store={store} onLook={setPast} />}>
            <GraphView graph={graph} nodes={nodes} critical={store.critical} chosen={chosen} onChoose={choose} />
          </Panel>
          <NodeDetail store={store} nodes={nodes} chosen={chosen} />
          <Timeline store={store} onChoose={choose} />
        </div>
        <div>
          <NodeTree graph={graph} nodes={nodes} chosen={chosen} onChoose={choose} />
          <EventList store={store} />
        </div>
      </div>
    </>
  );
}

function choose(node: string): void {
  setQuery({ node });
}
