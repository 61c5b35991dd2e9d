/**
 * A drawing that is dragged about, zoomed and walked through. React Flow moves it; what it is made of is our own, for a node and an edge of
 * React Flow's each take part in every movement.
 *
 * - G1. To drag it changes one style of one element. Boxes and lines are made for more than is in sight, and anew when the sight leaves that.
 * - G2. The tab stop is always in the document, wherever the drawing stands.
 */
import { ControlButton, Controls, ReactFlow, ViewportPortal, getViewportForBounds, useStoreApi } from '@xyflow/react';
import '@xyflow/react/dist/style.css';
import { useEffect, useMemo, useRef, useState, type FocusEvent, type KeyboardEvent } from 'react';
import { flushSync } from 'react-dom';
import { LineLayer, StepBox, standing } from './boxes';
import type { Drawing, GraphViewProps } from './graph-view';
import { BOX, type Box } from './layout';
import { around, holds, inSight, sightOf, touches, type Sight, type View } from './sight';
import { walk } from './walk';

/** A drawing to look at and walk through, not one to edit; the page scrolls over it. */
const LOOKED_AT = {
  nodes: [],
  edges: [],
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
};
const WHOLE = { padding: 0.08, minZoom: 0.35, maxZoom: 1.1 };
/** Where a node is walked to that is out of sight. */
const WALKED = { minZoom: 0.6, maxZoom: 1 };

type FlowProps = GraphViewProps & { readonly drawing: Drawing };

export function Flow({ drawing, graph, chosen, onChoose, nodes, critical, caption = standing }: FlowProps) {
  const layer = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(chosen ?? drawing.boxes[0]?.id ?? '');
  const boxes = useMemo(() => new Map(drawing.boxes.map((box) => [box.id, box])), [drawing]);
  const { sight, whole, reveal } = useSight(boxes);
  const pick = usePick(onChoose, setActive);
  const onKey = (event: KeyboardEvent) => {
    const next = walk(drawing, active, event.key);
    if (next === undefined) return;
    event.preventDefault();
    // It may not be in the document before.
    flushSync(() => {
      setActive(next);
    });
    reveal(next);
    layer.current?.querySelector<HTMLElement>(`[data-node="${CSS.escape(next)}"]`)?.focus({ preventScroll: true });
  };
  const shown = useMemo(
    () => (sight === undefined ? [] : drawing.boxes.filter((box) => box.id === active || isIn(box, sight))),
    [drawing, sight, active],
  );
  return (
    <div className="graph" role="group" aria-label="Graph; arrows go along its edges" onKeyDown={onKey}>
      <ReactFlow aria-label="Drawing of the graph" {...LOOKED_AT} onInit={whole}>
        {sight === undefined ? null : (
          <ViewportPortal>
            <LineLayer edges={drawing.edges} boxes={boxes} direction={drawing.direction} {...sight} />
            <div ref={layer} onFocus={revealing(reveal)}>
              {shown.map(({ id, x, y }) => (
                <StepBox
                  key={id}
                  {...{ id, x, y, nodes, critical, caption, hasWords: sight.hasWords, onPick: pick }}
                  name={graph.nodes[id]?.name ?? id}
                  type={graph.nodes[id]?.type ?? ''}
                  isChosen={id === chosen}
                  isStop={id === active}
                />
              ))}
            </div>
          </ViewportPortal>
        )}
        <Controls showInteractive={false} showFitView={false}>
          <WholeButton onClick={whole} />
        </Controls>
      </ReactFlow>
    </div>
  );
}

/** React Flow's own knows nothing of our boxes. */
function WholeButton({ onClick }: { readonly onClick: () => void }) {
  return (
    <ControlButton onClick={onClick} title="Fit view" aria-label="Fit view">
      <svg viewBox="0 0 32 30" aria-hidden="true">
        <path d="M2 10V2h8M22 2h8v8M30 20v8h-8M10 28H2v-8" fill="none" stroke="currentColor" strokeWidth="4" />
      </svg>
    </ControlButton>
  );
}

/** The same function for as long as the drawing stands, so that boxes are not drawn again for it. */
function usePick(onChoose: (id: string) => void, setActive: (id: string) => void) {
  const latest = useRef(onChoose);
  useEffect(() => {
    latest.current = onChoose;
  }, [onChoose]);
  return useMemo(() => {
    return (id: string) => {
      setActive(id);
      latest.current(id);
    };
  }, [setActive]);
}

function isIn({ x, y }: Box, { rect }: Sight): boolean {
  return touches({ x, y, ...BOX }, rect);
}

/** By the keyboard alone: a pointer is where one looks. */
function revealing(reveal: (id: string) => void) {
  return ({ target }: FocusEvent<HTMLElement>) => {
    const { node } = target.dataset;
    if (node !== undefined && target.matches(':focus-visible')) reveal(node);
  };
}

/** What of the drawing is made, and how it is moved. `sight` is undefined until it was placed. */
function useSight(boxes: ReadonlyMap<string, Box>) {
  const store = useStoreApi();
  const [sight, setSight] = useState<Sight>();
  const isPlaced = useRef(false);
  useEffect(() => {
    let known: Sight | undefined;
    return store.subscribe(() => {
      const view = viewOf(store.getState());
      if (!isPlaced.current || view.width === 0 || view.height === 0) return;
      const next = sightOf(known, view);
      if (next !== known) setSight(next);
      known = next;
    });
  }, [store]);
  return useMemo(() => {
    const whole = () => {
      const { width, height, panZoom } = store.getState();
      const bounds = around([...boxes.values()].map(({ x, y }) => ({ x, y, ...BOX })));
      isPlaced.current = true;
      const { minZoom, maxZoom, padding } = WHOLE;
      void panZoom?.setViewport(getViewportForBounds(bounds, width, height, minZoom, maxZoom, padding));
    };
    const reveal = (id: string) => {
      const [box, state] = [boxes.get(id), store.getState()];
      if (box === undefined) return;
      const [view, place] = [viewOf(state), { x: box.x, y: box.y, ...BOX }];
      if (holds(inSight(view), place)) return;
      const zoom = Math.min(WALKED.maxZoom, Math.max(WALKED.minZoom, view.zoom));
      void state.setCenter(place.x + BOX.width / 2, place.y + BOX.height / 2, { zoom });
    };
    return { sight, whole, reveal };
  }, [store, boxes, sight]);
}

interface FlowState extends Pick<View, 'width' | 'height'> {
  readonly transform: readonly [x: number, y: number, zoom: number];
}

function viewOf({ transform: [x, y, zoom], width, height }: FlowState): View {
  return { x, y, zoom, width, height };
}
