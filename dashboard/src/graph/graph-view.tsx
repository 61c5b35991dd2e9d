/** The graph of an execution, or of what is deployed. The boxes are placed once per graph. */
import { ReactFlowProvider } from '@xyflow/react';
import { useEffect, useState } from 'react';
import type { NodeShown } from '../execution/nodes';
import type { Observable, ObservableRecord } from '../observable';
import { Empty } from '../shell/parts';
import type { PageGraph } from '../wire';
import type { Caption } from './boxes';
import { edgesOf, type Edge } from './edges';
import { Flow } from './flow';
import type { Box, Direction } from './layout';
import { askLayout } from './layout-client';

export interface GraphViewProps {
  readonly graph: PageGraph;
  readonly nodes: ObservableRecord<NodeShown>;
  readonly critical: Observable<ReadonlySet<string>>;
  readonly chosen: string | undefined;
  readonly onChoose: (id: string) => void;
  /** What a box says below its name; by default how the node stands. */
  readonly caption?: Caption;
}

export interface Drawing {
  readonly boxes: readonly Box[];
  readonly edges: readonly Edge[];
  readonly direction: Direction;
}

/** A narrow screen is read downwards. */
const NARROW = '(max-width: 40rem)';

export function GraphView(props: GraphViewProps) {
  const { graph } = props;
  const [drawing, setDrawing] = useState<Drawing>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    const edges = edgesOf(graph);
    const direction = matchMedia(NARROW).matches ? 'down' : 'right';
    let isCurrent = true;
    askLayout({ nodes: Object.keys(graph.nodes), edges, direction }).then(
      (boxes) => {
        if (isCurrent) setDrawing({ boxes, edges, direction });
      },
      (error: unknown) => {
        if (isCurrent) setProblem(String(error));
      },
    );
    return () => {
      isCurrent = false;
    };
  }, [graph]);
  if (problem !== undefined)
    return <Empty title="The graph could not be drawn">{problem} The tree below shows the same.</Empty>;
  if (drawing === undefined) return <p className="quiet graph">Placing the graph…</p>;
  return (
    <ReactFlowProvider>
      <Flow {...props} drawing={drawing} />
    </ReactFlowProvider>
  );
}
