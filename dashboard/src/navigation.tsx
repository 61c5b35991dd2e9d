/** Where the page is. The address is the state; nothing else remembers it. */
import { useSyncExternalStore, type ReactNode } from 'react';
import { readAddress, withQuery, type Address } from './routes';

const MOVED = 'holdfast:moved';

function subscribe(listener: () => void): () => void {
  window.addEventListener('popstate', listener);
  window.addEventListener(MOVED, listener);
  return () => {
    window.removeEventListener('popstate', listener);
    window.removeEventListener(MOVED, listener);
  };
}

let known: { readonly text: string; readonly address: Address } | undefined;

function current(): Address {
  const text = location.pathname + location.search;
  if (known?.text !== text) known = { text, address: readAddress(location.pathname, location.search) };
  return known.address;
}

export function useAddress(): Address {
  return useSyncExternalStore(subscribe, current);
}

export function go(path: string): void {
  history.pushState(null, '', path);
  window.dispatchEvent(new Event(MOVED));
}

/** Changes the query alone, without a step for the browser's Back. */
export function setQuery(changes: Readonly<Record<string, string>>): void {
  history.replaceState(null, '', withQuery(location.pathname, current().query, changes));
  window.dispatchEvent(new Event(MOVED));
}

interface LinkProps {
  readonly to: string;
  readonly children: ReactNode;
  readonly className?: string;
  readonly current?: boolean;
}

/** A real link: it can be opened in another tab, and copied. */
export function Link({ to, children, className, current: isCurrent = false }: LinkProps) {
  return (
    <a
      href={to}
      className={className}
      aria-current={isCurrent ? 'page' : undefined}
      onClick={(event) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        go(to);
      }}
    >
      {children}
    </a>
  );
}
