/** The placing of boxes in a thread of its own: a large graph must not hold up what is drawn meanwhile. */
import { layOut, type LayoutRequest } from './layout';

export interface LayoutQuestion extends LayoutRequest {
  readonly number: number;
}

addEventListener('message', ({ data }: MessageEvent<LayoutQuestion>) => {
  postMessage({ number: data.number, boxes: layOut(data) });
});
