/** Asks the layout's thread. One for the whole page, begun with the first graph. */
import type { Box, LayoutRequest } from './layout';
import type { LayoutQuestion } from './layout-worker';

interface LayoutAnswer {
  readonly number: number;
  readonly boxes: readonly Box[];
}

interface Waiting {
  readonly resolve: (boxes: readonly Box[]) => void;
  readonly reject: (error: Error) => void;
}

const waiting = new Map<number, Waiting>();
let worker: Worker | undefined;
let asked = 0;

function begin(): Worker {
  const begun = new Worker(new URL('./layout-worker.ts', import.meta.url), { type: 'module' });
  begun.addEventListener('message', ({ data }: MessageEvent<LayoutAnswer>) => {
    waiting.get(data.number)?.resolve(data.boxes);
    waiting.delete(data.number);
  });
  begun.addEventListener('error', ({ message }) => {
    for (const { reject } of waiting.values()) reject(new Error(message));
    waiting.clear();
    worker = undefined;
  });
  return begun;
}

export function askLayout(request: LayoutRequest): Promise<readonly Box[]> {
  worker ??= begin();
  const number = ++asked;
  const question: LayoutQuestion = { ...request, number };
  worker.postMessage(question);
  return new Promise((resolve, reject) => {
    waiting.set(number, { resolve, reject });
  });
}
