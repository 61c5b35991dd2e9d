/** The deployed graph with what each of its nodes came to, drawn and as a table. */
import { Suspense, lazy, useMemo, useState } from 'react';
import { duration } from '../format';
import type { NodeShown } from '../execution/nodes';
import { setQuery, useAddress } from '../navigation';
import { Observable, ObservableRecord } from '../observable';
import { Resource, useResource } from '../resource';
import { useSession } from '../session';
import { Empty, Freshness, Panel, Table } from '../shell/parts';
import type { Deployment, GraphFigures as Figures, NodeFigures } from '../wire';
import { branchWords, figuresLine, passRate, shownFigures, spanWords } from './node-figures';

const GraphView = lazy(async () => ({ default: (await import('../graph/graph-view')).GraphView }));
const EVERY_MS = 60_000;
const NO_CRITICAL = new Observable<ReadonlySet<string>>(new Set());

/** Of one version: another is another graph, with figures of its own. */
export function GraphFigures({ deployment }: { readonly deployment: Deployment }) {
  const { api } = useSession();
  const { query } = useAddress();
  const { workflow_id } = deployment;
  const resource = useMemo(
    () => new Resource(() => api.get<Figures>(`/api/workflows/${encodeURIComponent(workflow_id)}/figures`)),
    [api, workflow_id],
  );
  const reading = useResource(resource, EVERY_MS);
  const { data } = reading;
  // It never changes: kept, it is not placed anew with every reading.
  const [graph] = useState(deployment.graph);
  const nodes = useMemo(() => new ObservableRecord(data === undefined ? {} : shownFigures(data)), [data]);
  const caption = useMemo(
    () => (type: string, node: NodeShown | undefined) =>
      data === undefined ? type : figuresLine(node && data.nodes[node.key]),
    [data],
  );
  const chosen = query.get('node') ?? undefined;
  return (
    <Panel title="Its nodes" aside={<Freshness reading={reading} />}>
      <div className="figures-graph">
        {data === undefined ? null : <p className="quiet">{spanWords(data)}</p>}
        <Suspense fallback={<p className="quiet graph">Loading the graph…</p>}>
          <GraphView {...{ graph, nodes, chosen, caption }} critical={NO_CRITICAL} onChoose={choose} />
        </Suspense>
        {data === undefined ? null : <FiguresTable figures={data} graph={graph} chosen={chosen} />}
      </div>
    </Panel>
  );
}

function choose(node: string): void {
  setQuery({ node });
}

interface TableProps {
  readonly figures: Figures;
  readonly graph: Deployment['graph'];
  readonly chosen: string | undefined;
}

function FiguresTable({ figures: { nodes }, graph, chosen }: TableProps) {
  const inside = Object.keys(nodes).filter((node) => graph.nodes[node] === undefined);
  const named = [...Object.keys(graph.nodes), ...inside.toSorted()];
  if (Object.keys(nodes).length === 0) {
    return (
      <Empty title="No figures yet">
        They come with the first execution of this version that has ended: <em>Run now</em> starts one.
      </Empty>
    );
  }
  return (
    <Table
      caption="Figures of the nodes"
      heads={['Node', 'Kind', 'Runs', 'Failed', 'Mean time', 'Pass rate', 'Ways taken']}
      rows={named.map((node) => rowOf([node, graph.nodes[node]?.type ?? '–'], nodes[node], node === chosen))}
    />
  );
}

function rowOf([node, kind]: readonly [string, string], figures: NodeFigures | undefined, isChosen: boolean) {
  const name = isChosen ? <strong key="node">{`▸ ${node}`}</strong> : node;
  if (figures === undefined) return [node, name, kind, '–', '–', '–', '–', '–'] as const;
  const { runs, failures, mean_ms } = figures;
  const mean = mean_ms === undefined ? '–' : duration(mean_ms);
  return [node, name, kind, runs, failures, mean, passRate(figures) ?? '–', branchWords(figures)] as const;
}
