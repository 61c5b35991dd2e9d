/** The page as a whole: who is looking, and which page. */
import { Suspense, lazy, useEffect, useState } from 'react';
import { forgetToken, takeToken } from './api';
import { EmergencyPage } from './emergency/emergency-page';
import { useAddress } from './navigation';
import { useValue } from './observable';
import { OverviewPage } from './overview/overview-page';
import type { Route } from './routes';
import { Session, SessionContext, useSession } from './session';
import { Shell } from './shell/shell';
import { TokenNeeded } from './shell/token-needed';
import { Empty } from './shell/parts';

const LOAD = {
  execution: async () => ({ default: (await import('./execution/execution-page')).ExecutionPage }),
  executions: async () => ({ default: (await import('./executions/executions-page')).ExecutionsPage }),
  strategies: async () => ({ default: (await import('./strategies/strategies-page')).StrategiesPage }),
  strategy: async () => ({ default: (await import('./strategies/strategy-page')).StrategyPage }),
  bots: async () => ({ default: (await import('./bots/bots-page')).BotsPage }),
  bot: async () => ({ default: (await import('./bots/bot-page')).BotPage }),
};
const ExecutionPage = lazy(LOAD.execution);
const ExecutionsPage = lazy(LOAD.executions);
const StrategiesPage = lazy(LOAD.strategies);
const StrategyPage = lazy(LOAD.strategy);
const BotsPage = lazy(LOAD.bots);
const BotPage = lazy(LOAD.bot);

const NO_TOKEN = 'This page shows what runs and can halt it, so it must know who you are.';

export function App() {
  const [token] = useState(takeToken);
  const [session, setSession] = useState<Session>();
  useEffect(() => {
    if (token === undefined) return undefined;
    const begun = new Session(token);
    setSession(begun);
    return () => {
      begun.close();
    };
  }, [token]);
  if (token === undefined) return <TokenNeeded reason={NO_TOKEN} />;
  if (session === undefined) return null;
  return (
    <SessionContext value={session}>
      <Known />
    </SessionContext>
  );
}

/** Asks for another token once the gateway takes this one no more. */
function Known() {
  const { status } = useSession();
  const now = useValue(status);
  const refused = now.state === 'refused' ? now.reason : undefined;
  useEffect(() => {
    if (refused !== undefined) forgetToken();
  }, [refused]);
  const isLive = now.state === 'live';
  useEffect(() => {
    if (isLive) void loadAll();
  }, [isLive]);
  if (refused !== undefined) return <TokenNeeded reason={refused} />;
  return (
    <Shell>
      <Suspense fallback={<p className="quiet">Loading this page…</p>}>
        <Page />
      </Suspense>
    </Shell>
  );
}

/** While the gateway is there: who goes to another page once it is not, finds that page here. */
async function loadAll(): Promise<void> {
  await Promise.allSettled(Object.values(LOAD).map((load) => load()));
}

function Page() {
  const { route } = useAddress();
  switch (route.page) {
    case 'overview':
      return <OverviewPage />;
    case 'emergency':
      return <EmergencyPage />;
    case 'executions':
      return <ExecutionsPage />;
    case 'strategies':
      return <StrategiesPage />;
    case 'bots':
      return <BotsPage />;
    case 'unknown':
      return <Empty title="There is no such page">Choose one above.</Empty>;
    default:
      return <SinglePage route={route} />;
  }
}

/** The key makes it a new page for another id: nothing of the one before is kept. */
function SinglePage({ route: { page, id } }: { readonly route: Extract<Route, { readonly id: string }> }) {
  if (page === 'execution') return <ExecutionPage key={id} id={id} />;
  return page === 'strategy' ? <StrategyPage key={id} id={id} /> : <BotPage key={id} id={id} />;
}
