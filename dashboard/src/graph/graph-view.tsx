/**
 * The graph of an execution. The boxes are placed once per graph; how a node stands, each box reads by itself, so that an event draws one
 * box again and no other.
 */
import {
  Controls,
  Handle,
  MarkerType,
  Position,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
  type Edge as FlowEdge,
  type Node as FlowNode,
  type NodeProps,
} from '@xyflow/react';
import '@xyflow/react/dist/style.css';
import {
  createContext,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
  type RefObject,
} from 'react';
import { duration } from '../format';
import type { NodeShown, Nodes } from '../execution/nodes';
import { usePart, type Observable } from '../observable';
import { Empty, MARKS } from '../shell/parts';
import type { PageGraph } from '../wire';
import { edgesOf, type Edge } from './edges';
import { BOX, type Box, type Direction } from './layout';
import { askLayout } from './layout-client';
import { walk } from './walk';

export interface GraphViewProps {
  readonly graph: PageGraph;
  readonly nodes: Observable<Nodes>;
  readonly critical: Observable<ReadonlySet<string>>;
  readonly chosen: string | undefined;
  readonly onChoose: (id: string) => void;
  /** What a box says below its name; by default how the node stands. */
  readonly caption?: Caption;
}

export type Caption = (type: string, node: NodeShown | undefined) => string;

interface Drawing {
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

/** What the boxes share; it changes with what is chosen, and not with events. */
interface Shared extends Pick<GraphViewProps, 'nodes' | 'critical' | 'chosen'> {
  readonly active: string;
  readonly caption: Caption;
}

const SharedContext = createContext<Shared | undefined>(undefined);
const NODE_TYPES = { step: StepBox };
/** Beyond this only what is in sight is in the document. */
const MANY = 150;
/** A drawing to look at and walk through, not one to edit; the page scrolls over it. */
const LOOKED_AT = {
  fitView: true,
  fitViewOptions: { padding: 0.08, minZoom: 0.35, maxZoom: 1.1 },
  minZoom: 0.1,
  nodesDraggable: false,
  nodesConnectable: false,
  nodesFocusable: false,
  edgesFocusable: false,
  elementsSelectable: false,
  disableKeyboardA11y: true,
  deleteKeyCode: null,
  selectionKeyCode: null,
  multiSelectionKeyCode: null,
  zoomOnScroll: false,
  preventScrolling: false,
} as const;

type FlowProps = GraphViewProps & { readonly drawing: Drawing };

function Flow({ drawing, graph, chosen, onChoose, nodes: states, critical, caption = standing }: FlowProps) {
  const place = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(chosen ?? drawing.boxes[0]?.id ?? '');
  const move = useMove(place, setActive);
  const nodes = useMemo(() => flowNodes(drawing, graph), [drawing, graph]);
  const edges = useMemo(() => drawing.edges.map(flowEdge), [drawing]);
  const shared = useMemo(
    () => ({ nodes: states, critical, chosen, active, caption }),
    [states, critical, chosen, active, caption],
  );
  const onKey = (event: KeyboardEvent) => {
    const next = walk(drawing, active, event.key);
    if (next === undefined) return;
    event.preventDefault();
    move(next);
  };
  return (
    <SharedContext value={shared}>
      <div ref={place} className="graph" role="group" aria-label="Graph; arrows go along its edges" onKeyDown={onKey}>
        <ReactFlow
          aria-label="Drawing of the graph"
          nodes={nodes}
          edges={edges}
          nodeTypes={NODE_TYPES}
          {...LOOKED_AT}
          onlyRenderVisibleElements={nodes.length > MANY}
          onNodeClick={(_event, { id }) => {
            setActive(id);
            onChoose(id);
          }}
        >
          <Controls showInteractive={false} />
        </ReactFlow>
      </div>
    </SharedContext>
  );
}

/** Moves the one tab stop to another node, and the drawing with it when that is out of sight. */
function useMove(place: RefObject<HTMLDivElement | null>, setActive: (id: string) => void) {
  const { fitView } = useReactFlow();
  return (id: string) => {
    setActive(id);
    const find = () => place.current?.querySelector<HTMLElement>(`[data-node="${CSS.escape(id)}"]`) ?? undefined;
    const box = find();
    if (box !== undefined && isWithin(box, place.current)) {
      box.focus();
      return;
    }
    void fitView({ nodes: [{ id }], maxZoom: 1, minZoom: 0.6 }).then(() => {
      find()?.focus({ preventScroll: true });
    });
  };
}

function isWithin(box: HTMLElement, place: HTMLElement | null): boolean {
  if (place === null) return false;
  const [inner, outer] = [box.getBoundingClientRect(), place.getBoundingClientRect()];
  return (
    inner.left >= outer.left && inner.right <= outer.right && inner.top >= outer.top && inner.bottom <= outer.bottom
  );
}

type StepNode = FlowNode<{ readonly name: string; readonly type: string; readonly direction: Direction }, 'step'>;

function flowNodes({ boxes, direction }: Drawing, graph: PageGraph): StepNode[] {
  return boxes.map(({ id, x, y }) => {
    const { name = id, type = '' } = graph.nodes[id] ?? {};
    return { id, type: 'step', position: { x, y }, data: { name, type, direction }, ariaRole: 'group', ...BOX };
  });
}

/** Of several names on one line the first and how many more: there is no room for all between two boxes. */
function shortOf(label: string): string {
  const [first = '', ...others] = label.split(', ');
  return others.length === 0 ? first : `${first} +${others.length}`;
}

function flowEdge({ from, to, label, control }: Edge): FlowEdge {
  return {
    ...{
      id: `${from} ${to}`,
      source: from,
      target: to,
      label: shortOf(label),
      className: control ? 'control' : 'data',
    },
    markerEnd: { type: MarkerType.ArrowClosed, width: 16, height: 16 },
  };
}

function StepBox({ id, data }: NodeProps<StepNode>) {
  const shared = useContext(SharedContext);
  if (shared === undefined) throw new Error('a box without its graph');
  const node = usePart(shared.nodes, (nodes) => nodes[id]);
  const { name, type, direction } = data;
  const state = node?.state ?? 'pending';
  const note = shared.caption(type, node);
  const isCritical = usePart(shared.critical, (all) => all.has(id));
  return (
    <>
      <Handle type="target" position={direction === 'right' ? Position.Left : Position.Top} isConnectable={false} />
      <button
        type="button"
        className="step"
        data-node={id}
        data-state={state}
        data-critical={isCritical}
        aria-pressed={shared.chosen === id}
        tabIndex={shared.active === id ? 0 : -1}
        title={name}
      >
        <span className="step-name">
          <span className="mark" aria-hidden="true">
            {MARKS[state] ?? '·'}
          </span>
          {name}
        </span>
        <span className="small">
          {note}
          {isCritical ? <span className="hidden-text">, on the critical path</span> : null}
        </span>
      </button>
      <Handle type="source" position={direction === 'right' ? Position.Right : Position.Bottom} isConnectable={false} />
    </>
  );
}

function standing(type: string, node: NodeShown | undefined): string {
  const { state = 'pending', attempt = 0, duration_ms } = node ?? {};
  const tries = attempt > 1 ? ` · try ${attempt}` : '';
  const took = duration_ms === undefined ? '' : ` · ${duration(duration_ms)}`;
  return `${type} · ${state}${tries}${took}`;
}
