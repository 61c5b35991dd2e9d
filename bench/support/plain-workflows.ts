/** What a person would write by hand: the same chain, one activity after the other. */
import { proxyActivities } from '@temporalio/workflow';

const { step } = proxyActivities<{ step(value: number): Promise<number> }>({
  startToCloseTimeout: '30s',
  retry: { maximumAttempts: 3 },
});

export async function plainChain(length: number): Promise<number> {
  let value = 0;
  for (let index = 0; index < length; index += 1) value = await step(value);
  return value;
}
