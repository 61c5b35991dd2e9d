/** One live region: what happened, summed up at most every five seconds, for who cannot see it happen. */
import { useEffect, useRef, useState } from 'react';
import { useSession } from '../session';
import { summaryOf } from './summary';

const EVERY_MS = 5_000;

export function LiveRegion() {
  const { feed } = useSession();
  const [words, setWords] = useState('');
  const heard = useRef<string[]>([]);
  useEffect(() => {
    const stop = feed.on('event', ({ type }) => {
      heard.current.push(type);
    });
    const timer = setInterval(() => {
      if (heard.current.length === 0) return;
      setWords(summaryOf(heard.current));
      heard.current = [];
    }, EVERY_MS);
    return () => {
      stop();
      clearInterval(timer);
    };
  }, [feed]);
  return (
    <p className="hidden-text" role="status" aria-label="Summary of events">
      {words}
    </p>
  );
}
