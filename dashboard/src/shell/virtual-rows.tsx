/** A list of which only what is in sight is in the document; all rows are of one height. */
import { useCallback, useEffect, useRef, useState, type ReactNode } from 'react';

interface VirtualRowsProps<T> {
  readonly label: string;
  readonly rows: readonly T[];
  /** Pixels. */
  readonly rowHeight: number;
  readonly keyOf: (row: T) => string;
  readonly draw: (row: T) => ReactNode;
  /** The end has come into sight. */
  readonly onEnd?: (() => void) | undefined;
}

const BEYOND = 6;

export function VirtualRows<T>({ label, rows, rowHeight, keyOf, draw, onEnd }: VirtualRowsProps<T>) {
  const place = useRef<HTMLDivElement>(null);
  const [{ first, last }, setWindow] = useState({ first: 0, last: 30 });
  const look = useCallback(() => {
    const { scrollTop = 0, clientHeight = 0 } = place.current ?? {};
    const from = Math.max(0, Math.floor(scrollTop / rowHeight) - BEYOND);
    const to = Math.ceil((scrollTop + clientHeight) / rowHeight) + BEYOND;
    setWindow((known) => (known.first === from && known.last === to ? known : { first: from, last: to }));
  }, [rowHeight]);
  useEffect(() => {
    const watch = new ResizeObserver(look);
    if (place.current !== null) watch.observe(place.current);
    return () => {
      watch.disconnect();
    };
  }, [look]);
  const isAtEnd = last >= rows.length;
  useEffect(() => {
    if (isAtEnd) onEnd?.();
  }, [isAtEnd, rows.length, onEnd]);
  return (
    <div ref={place} className="virtual" role="region" aria-label={label} tabIndex={0} onScroll={look}>
      <ul style={{ height: rows.length * rowHeight }}>
        {rows.slice(first, last).map((row, index) => (
          <li
            key={keyOf(row)}
            aria-setsize={rows.length}
            aria-posinset={first + index + 1}
            style={{ height: rowHeight, transform: `translateY(${(first + index) * rowHeight}px)` }}
          >
            {draw(row)}
          </li>
        ))}
      </ul>
    </div>
  );
}
