/** The same as the graph, for who reads rather than sees it: one tab stop, moved in with the arrows. */
import { memo, useCallback, useRef, useState, type KeyboardEvent } from 'react';
import { duration } from '../format';
import { usePart, type Observable } from '../observable';
import { Panel, StateMark } from '../shell/parts';
import type { PageGraph } from '../wire';
import type { Nodes } from './nodes';
import { insideOf, moveIn, treeOf, type TreeItem } from './tree-items';

interface TreeProps {
  readonly graph: PageGraph;
  readonly nodes: Observable<Nodes>;
  readonly chosen: string | undefined;
  readonly onChoose: (key: string) => void;
}

export function NodeTree({ graph, nodes, chosen, onChoose }: TreeProps) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  // Which lines there are changes with what runs inside loops alone; how each stands it reads by itself.
  usePart(nodes, insideOf);
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
      setActive(move.to);
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
  return (
    <Panel title="Nodes">
      <div ref={tree} role="tree" aria-label="Nodes of the graph" className="tree" onKeyDown={onKey}>
        {items.map(({ key, ...item }) => (
          <Item
            key={key}
            id={key}
            {...item}
            nodes={nodes}
            isStop={key === stop}
            isChosen={key === chosen}
            onChoose={choose}
          />
        ))}
      </div>
    </Panel>
  );
}

interface ItemProps extends Omit<TreeItem, 'key'> {
  readonly id: string;
  readonly nodes: Observable<Nodes>;
  readonly isStop: boolean;
  readonly isChosen: boolean;
  readonly onChoose: (key: string, opens: boolean) => void;
}

/** Its own state alone, so that an event draws one line again. */
const Item = memo(function Item({ id, name, type, level, expanded, nodes, isStop, isChosen, onChoose }: ItemProps) {
  const node = usePart(nodes, (all) => all[id]);
  const choose = () => {
    onChoose(id, expanded === false);
  };
  return (
    <div
      role="treeitem"
      aria-level={level}
      aria-expanded={expanded}
      aria-selected={isChosen}
      data-tree={id}
      tabIndex={isStop ? 0 : -1}
      className="tree-item"
      onClick={choose}
      onKeyDown={({ key }) => {
        if (key === 'Enter' || key === ' ') choose();
      }}
    >
      <span className="tree-name">
        {name} <span className="quiet">{type}</span>
      </span>
      <StateMark state={node?.state ?? 'pending'} />
      {node?.duration_ms === undefined ? null : <span className="quiet">{duration(node.duration_ms)}</span>}
    </div>
  );
});
