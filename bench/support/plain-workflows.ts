/** What a person would write by hand, with the activity options Holdfast gives a node that reads. */
import {
  ActivityCancellationType,
  condition,
  defineUpdate,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
} from '@temporalio/workflow';

interface PlainActivities {
  step(value: number): Promise<number>;
  pause(ms: number): Promise<number>;
}

const { step, pause } = proxyActivities<PlainActivities>({
  startToCloseTimeout: '32s',
  heartbeatTimeout: '3s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { maximumAttempts: 3, initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '60s' },
});

/** `length` activities, one after the other. */
export async function plainChain(length: number): Promise<number> {
  let value = 0;
  for (let index = 0; index < length; index += 1) {
    value = await step.executeWithOptions({ summary: `n${index}` }, [value]);
  }
  return value;
}

const local = proxyLocalActivities<PlainActivities>({
  startToCloseTimeout: '3s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { maximumAttempts: 1 },
});

/** The same as local activities. */
export async function plainLocalChain(length: number): Promise<number> {
  let value = 0;
  for (let index = 0; index < length; index += 1) {
    value = await local.step.executeWithOptions({ summary: `n${index}` }, [value]);
  }
  return value;
}

/** 1 → `width` → 1. */
export async function plainFan(width: number): Promise<number> {
  const first = await step.executeWithOptions({ summary: 'first' }, [0]);
  const middle = Array.from({ length: width }, (_, index) =>
    step.executeWithOptions({ summary: `m${index}` }, [first]),
  );
  await Promise.all(middle);
  return step.executeWithOptions({ summary: 'last' }, [first]);
}

/** Branches between one source and one sink, level by level: a level begins when all of the one before has ended. */
export async function plainWaves(lanes: readonly (readonly number[])[]): Promise<number> {
  await pause.executeWithOptions({ summary: 'first' }, [0]);
  const levels = Math.max(...lanes.map((steps) => steps.length));
  for (let level = 0; level < levels; level += 1) {
    const wave = lanes.flatMap((steps, lane) => {
      const ms = steps[level];
      return ms === undefined ? [] : [pause.executeWithOptions({ summary: `b${lane}_${level}` }, [ms])];
    });
    await Promise.all(wave);
  }
  return pause.executeWithOptions({ summary: 'last' }, [0]);
}

/** Answers an update and does nothing else, until it is terminated. */
export async function plainAnswers(): Promise<void> {
  setHandler(defineUpdate<boolean>('answer'), () => true);
  await condition(() => false);
}
