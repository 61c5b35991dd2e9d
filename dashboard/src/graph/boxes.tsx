/** What a drawing is made of: a box per node, which reads by itself how its node stands, and all lines between them. */
import { memo, useMemo } from 'react';
import { duration } from '../format';
import type { NodeShown } from '../execution/nodes';
import { useMember, usePart, type Observable, type ObservableRecord } from '../observable';
import { MARKS } from '../shell/parts';
import type { Edge } from './edges';
import { BOX, type Box, type Direction } from './layout';
import { linesIn } from './lines';
import type { Rect } from './sight';

export type Caption = (type: string, node: NodeShown | undefined) => string;

interface LinesProps {
  readonly edges: readonly Edge[];
  readonly boxes: ReadonlyMap<string, Box>;
  readonly direction: Direction;
  readonly rect: Rect;
  readonly hasLabels: boolean;
}

export const LineLayer = memo(function LineLayer({ edges, boxes, direction, rect, hasLabels }: LinesProps) {
  const lines = useMemo(() => linesIn(rect, edges, boxes, direction), [rect, edges, boxes, direction]);
  return (
    <svg className="lines" aria-hidden="true">
      <path className="line" d={lines.data} />
      <path className="line control" d={lines.control} />
      <path className="heads" d={lines.heads} />
      {hasLabels
        ? lines.labels.map(({ key, text, x, y }) => (
            <text key={key} className="line-label" x={x} y={y}>
              {text}
            </text>
          ))
        : null}
    </svg>
  );
});

interface StepProps extends Pick<Box, 'id' | 'x' | 'y'> {
  readonly name: string;
  readonly type: string;
  readonly nodes: ObservableRecord<NodeShown>;
  readonly critical: Observable<ReadonlySet<string>>;
  readonly caption: Caption;
  readonly isChosen: boolean;
  readonly isStop: boolean;
  /** Whether it is large enough to be read. */
  readonly hasWords: boolean;
  readonly onPick: (id: string) => void;
}

/** Nothing of it changes while the drawing is dragged about. */
export const StepBox = memo(function StepBox(props: StepProps) {
  const { id, x, y, name, type, nodes, critical, caption, isChosen, isStop, hasWords, onPick } = props;
  const node = useMember(nodes, id);
  const isCritical = usePart(critical, (all) => all.has(id));
  const style = useMemo(() => ({ left: x, top: y, ...BOX }), [x, y]);
  const state = node?.state ?? 'pending';
  const words = `${caption(type, node)}${isCritical ? ', on the critical path' : ''}`;
  return (
    <button
      type="button"
      className="step"
      data-node={id}
      data-state={state}
      data-critical={isCritical}
      aria-pressed={isChosen}
      aria-label={hasWords ? undefined : `${name} ${words}`}
      tabIndex={isStop ? 0 : -1}
      title={name}
      style={style}
      onClick={() => {
        onPick(id);
      }}
    >
      {hasWords ? <Words name={name} state={state} note={caption(type, node)} isCritical={isCritical} /> : null}
    </button>
  );
});

interface WordsProps {
  readonly name: string;
  readonly state: string;
  readonly note: string;
  readonly isCritical: boolean;
}

function Words({ name, state, note, isCritical }: WordsProps) {
  return (
    <>
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
    </>
  );
}

/** How a node stands, in a few words. */
export function standing(type: string, node: NodeShown | undefined): string {
  const { state = 'pending', attempt = 0, duration_ms } = node ?? {};
  const tries = attempt > 1 ? ` · try ${attempt}` : '';
  const took = duration_ms === undefined ? '' : ` · ${duration(duration_ms)}`;
  return `${type} · ${state}${tries}${took}`;
}
