/** A list of which only what is in sight is in the document; all rows are of one height. */
import { useCallback, useEffect, useRef, useState, type ReactNode, type RefObject } from 'react';

/** An array, or what answers like one. */
interface Rows<T> {
  readonly length: number;
  at(index: number): T | undefined;
}

interface VirtualRowsProps<T> {
  readonly label: string;
  readonly rows: Rows<T>;
  /** Pixels. */
  readonly rowHeight: number;
  readonly keyOf: (row: T, index: number) => string;
  readonly draw: (row: T) => ReactNode;
  /** The end has come into sight. */
  readonly onEnd?: (() => void) | undefined;
}

const BEYOND = 6;

export function VirtualRows<T>({ label, rows, rowHeight, keyOf, draw, onEnd }: VirtualRowsProps<T>) {
  const place = useRef<HTMLDivElement>(null);
  const { first, last, look } = useInSight(place, rowHeight);
  const isAtEnd = last >= rows.length;
  useEffect(() => {
    if (isAtEnd) onEnd?.();
  }, [isAtEnd, rows.length, onEnd]);
  return (
    <div ref={place} className="virtual" role="region" aria-label={label} tabIndex={0} onScroll={look}>
      <ul style={{ height: rows.length * rowHeight }}>
        {between(first, Math.min(last, rows.length)).map((index) => {
          const row = rows.at(index);
          return row === undefined ? null : (
            <li
              key={keyOf(row, index)}
              aria-setsize={rows.length}
              aria-posinset={index + 1}
              style={{ height: rowHeight, transform: `translateY(${index * rowHeight}px)` }}
            >
              {draw(row)}
            </li>
          );
        })}
      </ul>
    </div>
  );
}

/** From `first` up to `last`, which is not among them. */
export function between(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first) }, (_, at) => first + at);
}

/** Which rows of a place that scrolls are in sight, and some beyond; `look` is for its scrolling. */
export function useInSight(place: RefObject<HTMLElement | null>, rowHeight: number) {
  const [{ first, last }, setWindow] = useState({ first: 0, last: 30 });
  const look = useCallback(() => {
    const { scrollTop = 0, clientHeight = 0 } = place.current ?? {};
    const from = Math.max(0, Math.floor(scrollTop / rowHeight) - BEYOND);
    const to = Math.ceil((scrollTop + clientHeight) / rowHeight) + BEYOND;
    setWindow((known) => (known.first === from && known.last === to ? known : { first: from, last: to }));
  }, [place, rowHeight]);
  useEffect(() => {
    const watch = new ResizeObserver(look);
    if (place.current !== null) watch.observe(place.current);
    return () => {
      watch.disconnect();
    };
  }, [place, look]);
  return { first, last, look };
}
