/** How current the page is: on every page, in words. */
import { useEffect, useState } from 'react';
import type { FeedStatus } from 'holdfast/client';
import { clock } from '../format';
import { useAddress } from '../navigation';
import { useValue } from '../observable';
import { useSession } from '../session';

/** Catching up for longer than this, the page says that it is not current yet, like one that is stale. */
const SLOW_MS = 10_000;

export function FeedState() {
  const status = useValue(useSession().status);
  return (
    <p id="feed" className="feed" role="status" data-state={status.state.replace(' ', '-')}>
      <span className="mark" aria-hidden="true">
        {status.state === 'live' ? '●' : '◌'}
      </span>
      {wordsOf(status)}
    </p>
  );
}

function wordsOf(status: FeedStatus): string {
  return status.state === 'stale' ? `stale since ${clock(status.since)}` : status.state;
}

export function FeedBanner() {
  const status = useValue(useSession().status);
  const isSlow = useLasting(status.state === 'catching up', SLOW_MS);
  const { route } = useAddress();
  const what = route.page === 'execution' ? route.id : '--all';
  if (status.state !== 'stale' && !isSlow) return null;
  const why =
    status.state === 'stale'
      ? `What is shown is from before ${clock(status.since)}: ${status.reason}.`
      : 'The page is still catching up; what is shown is not current.';
  return (
    <div className="banner" id="banner" role="alert">
      <p>
        <strong>Not live.</strong> {why} It connects again by itself.
      </p>
      <p>
        Halting works all the same, from here or without this page: <code>{`npx holdfast halt ${what}`}</code>
      </p>
    </div>
  );
}

/** Whether it has been so for this long. */
function useLasting(isSo: boolean, ms: number): boolean {
  const [lasts, setLasts] = useState(false);
  useEffect(() => {
    if (!isSo) return undefined;
    const timer = setTimeout(() => {
      setLasts(true);
    }, ms);
    return () => {
      clearTimeout(timer);
      setLasts(false);
    };
  }, [isSo, ms]);
  return isSo && lasts;
}
