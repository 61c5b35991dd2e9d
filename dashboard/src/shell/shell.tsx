/** What is around every page: how to halt, how current it is, paper or live, how the desk stands. */
import { useEffect, useRef, type ReactNode } from 'react';
import { deskWords, notNormal } from '../emergency/facts';
import { moment } from '../format';
import { Link, useAddress } from '../navigation';
import { usePart, useValue } from '../observable';
import { useResource } from '../resource';
import type { Route } from '../routes';
import { useSession, type Executions } from '../session';
import { Failure } from './failure';
import { FeedBanner, FeedState } from './feed-state';
import { LiveRegion } from './live-region';
import { ModeBadge } from './parts';
import { Shortcuts } from './shortcuts';

const DESK_EVERY_MS = 15_000;

export function Shell({ children }: { readonly children: ReactNode }) {
  const { route } = useAddress();
  useTitleAndFocus(route);
  return (
    <>
      <Link className="skip" to="/emergency?focus=halt">
        Emergency panel
      </Link>
      <a className="skip" href="#main">
        To the content
      </a>
      <Header route={route} />
      <FeedBanner />
      <main id="main" tabIndex={-1}>
        <Failure key={keyOf(route)}>{children}</Failure>
      </main>
      <footer className="foot">
        <Who />
        <Shortcuts />
      </footer>
      <LiveRegion />
    </>
  );
}

function keyOf(route: Route): string {
  return 'id' in route ? `${route.page} ${route.id}` : route.page;
}

const PAGES = [
  ['overview', '/', 'Overview'],
  ['executions', '/executions', 'Executions'],
  ['strategies', '/strategies', 'Strategies'],
  ['bots', '/bots', 'Bots'],
] as const;
const LIST_OF: Readonly<Partial<Record<Route['page'], string>>> = {
  execution: 'executions',
  strategy: 'strategies',
  bot: 'bots',
};

function Header({ route }: { readonly route: Route }) {
  const here = LIST_OF[route.page] ?? route.page;
  return (
    <header className="bar">
      <Link to="/" className="brand">
        Holdfast
      </Link>
      <nav aria-label="Pages">
        {PAGES.map(([page, path, title]) => (
          <Link key={page} to={path} current={here === page}>
            {title}
          </Link>
        ))}
      </nav>
      <span className="spread" />
      <Mode />
      <FeedState />
      <DeskState />
      <Link to="/emergency" className="emergency-link" current={here === 'emergency'}>
        Emergency
      </Link>
    </header>
  );
}

/** Live as soon as one execution that is known trades live. */
function Mode() {
  const { executions, latest } = useSession();
  // Not the views: they are others with every event.
  const isTold = usePart(executions, anyLive);
  const { data } = useValue(latest.reading);
  const isListed = data?.executions.some(({ mode }) => mode === 'live') ?? false;
  return <ModeBadge mode={isTold || isListed ? 'live' : 'paper'} />;
}

function anyLive(views: Executions): boolean {
  for (const { mode } of views.values()) if (mode === 'live') return true;
  return false;
}

function DeskState() {
  const { desk } = useSession();
  const { data, problem } = useResource(desk, DESK_EVERY_MS);
  if (data === undefined || problem !== undefined) {
    return (
      <p className="desk" id="desk" role="status" data-state={problem === undefined ? 'pending' : 'alert'}>
        {problem === undefined ? 'desk: reading' : 'desk does not answer'}
      </p>
    );
  }
  return (
    <p className="desk" id="desk" role="status" data-state={notNormal(data)[0]?.state ?? 'normal'}>
      {deskWords(data)}
    </p>
  );
}

function Who() {
  const { bearer } = useSession();
  if (bearer === undefined) return <p className="quiet">The token cannot be read.</p>;
  return (
    <p className="quiet">
      {bearer.subject}, {bearer.role}; the token ends {moment(bearer.expires_at)}
    </p>
  );
}

const TITLES: Readonly<Record<Route['page'], string>> = {
  overview: 'Overview',
  emergency: 'Emergency',
  executions: 'Executions',
  execution: 'Execution',
  strategies: 'Strategies',
  strategy: 'Strategy',
  bots: 'Bots',
  bot: 'Bot',
  unknown: 'No such page',
};

/** Says where one has come to, also to who cannot see it: the keyboard goes to the content, unless the page has put it on a button. */
function useTitleAndFocus(route: Route): void {
  const key = keyOf(route);
  const title = `${'id' in route ? `${route.id} · ` : ''}${TITLES[route.page]} · Holdfast`;
  const first = useRef(true);
  useEffect(() => {
    document.title = title;
    if (first.current) first.current = false;
    else if (!(document.activeElement instanceof HTMLButtonElement)) document.getElementById('main')?.focus();
  }, [key, title]);
}
