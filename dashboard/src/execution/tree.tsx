/**
 * The same as the graph, for who reads rather than sees it: one tab stop, moved in with the arrows. Of many nodes those in sight are in the
 * document, and the tab stop, wherever it is.
 */
import { memo, useCallback, useRef, useState, type KeyboardEvent, type RefObject } from 'react';
import { flushSync } from 'react-dom';
import { duration } from '../format';
import { useMember, usePart, type ObservableRecord } from '../observable';
import { Panel, StateMark } from '../shell/parts';
import { between, useInSight } from '../shell/virtual-rows';
import type { PageGraph } from '../wire';
import type { NodeShown } from './nodes';
import { hasLoops, insideOf, moveIn, placesOf, treeOf, type TreeItem, type TreePlace } from './tree-items';

/** Beyond this only what is in sight is in the document, in lines of one height. */
const MANY = 150;
/** Pixels. */
const LINE = 30;

interface TreeProps {
  readonly graph: PageGraph;
  readonly nodes: ObservableRecord<NodeShown>;
  readonly chosen: string | undefined;
  readonly onChoose: (key: string) => void;
}

export function NodeTree({ graph, nodes, chosen, onChoose }: TreeProps) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  // Which lines there are changes with what runs inside loops alone; how each stands it reads by itself.
  const loops = hasLoops(graph);
  usePart(nodes, (all) => (loops ? insideOf(all) : ''));
  const items = treeOf(graph, nodes.get(), open);
  const [active, setActive] = useState<string>();
  const tree = useRef<HTMLDivElement>(null);
  const stop = items.some(({ key }) => key === active) ? active : items[0]?.key;
  const onKey = (event: KeyboardEvent) => {
    const move = stop === undefined ? undefined : moveIn(items, stop, event.key);
    if (move === undefined) return;
    event.preventDefault();
    if ('open' in move) setOpen(new Set([...open, move.open]));
    else if ('close' in move) setOpen(new Set([...open].filter((key) => key !== move.close)));
    else {
      // It may not be in the document before.
      flushSync(() => {
        setActive(move.to);
      });
      tree.current?.querySelector<HTMLElement>(`[data-tree="${CSS.escape(move.to)}"]`)?.focus();
    }
  };
  const choose = useCallback(
    (key: string, opens: boolean) => {
      setActive(key);
      if (opens) setOpen((known) => new Set([...known, key]));
      onChoose(key);
    },
    [onChoose],
  );
  const lines = { tree, items, nodes, stop, chosen, onChoose: choose, onKey };
  return <Panel title="Nodes">{items.length > MANY ? <LongTree {...lines} /> : <ShortTree {...lines} />}</Panel>;
}

interface LinesProps extends Pick<ItemProps, 'nodes' | 'onChoose'> {
  readonly tree: RefObject<HTMLDivElement | null>;
  readonly items: readonly TreeItem[];
  readonly stop: string | undefined;
  readonly chosen: string | undefined;
  readonly onKey: (event: KeyboardEvent) => void;
}

const LABEL = 'Nodes of the graph';

function ShortTree({ tree, items, stop, chosen, onKey, ...shared }: LinesProps) {
  return (
    <div ref={tree} role="tree" aria-label={LABEL} className="tree" onKeyDown={onKey}>
      {items.map(({ key, ...item }) => (
        <Item key={key} id={key} {...item} {...shared} isStop={key === stop} isChosen={key === chosen} />
      ))}
    </div>
  );
}

function LongTree({ tree, items, stop, chosen, onKey, ...shared }: LinesProps) {
  const { first, last, look } = useInSight(tree, LINE);
  const places = placesOf(items);
  const at = items.findIndex(({ key }) => key === stop);
  const shown = between(first, Math.min(last, items.length));
  if (at < first) shown.unshift(at);
  else if (at >= last) shown.push(at);
  return (
    <div ref={tree} role="tree" aria-label={LABEL} className="tree long" onKeyDown={onKey} onScroll={look}>
      <div role="none" style={{ height: items.length * LINE }}>
        {shown.map((index) => {
          const line = items[index];
          if (line === undefined) return null;
          const { key, ...item } = line;
          const flags = { isStop: key === stop, isChosen: key === chosen };
          return <Item key={key} id={key} {...item} {...places[index]} {...shared} {...flags} top={index * LINE} />;
        })}
      </div>
    </div>
  );
}

interface ItemProps extends Omit<TreeItem, 'key'>, Partial<TreePlace> {
  readonly id: string;
  readonly nodes: ObservableRecord<NodeShown>;
  readonly isStop: boolean;
  readonly isChosen: boolean;
  readonly onChoose: (key: string, opens: boolean) => void;
  /** Pixels from the top of the tree, where lines do not follow one another. */
  readonly top?: number;
}

/** Its own state alone, so that an event draws one line again. */
const Item = memo(function Item({ id, name, type, nodes, onChoose, ...line }: ItemProps) {
  const { level, expanded, place, among, top, isStop, isChosen } = line;
  const { state = 'pending', duration_ms: took } = useMember(nodes, id) ?? {};
  const choose = () => {
    onChoose(id, expanded === false);
  };
  return (
    <div
      role="treeitem"
      aria-level={level}
      aria-expanded={expanded}
      aria-selected={isChosen}
      aria-posinset={place}
      aria-setsize={among}
      data-tree={id}
      tabIndex={isStop ? 0 : -1}
      className="tree-item"
      style={top === undefined ? undefined : { transform: `translateY(${top}px)` }}
      onClick={choose}
      onKeyDown={({ key }) => {
        if (key === 'Enter' || key === ' ') choose();
      }}
    >
      <span className="tree-name" title={name}>
        {name} <span className="quiet">{type}</span>
      </span>
      <StateMark state={state} />
      {took === undefined ? null : <span className="quiet">{duration(took)}</span>}
    </div>
  );
});
