/** How a call of the Temporal client ends whose query found no open workflow. */
import { QueryRejectedError } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { describe, expect, it } from '@jest/globals';
import { call, type TemporalAccess } from '../../src/temporal-client/connection';

const { WorkflowExecutionStatus } = temporal.api.enums.v1;
const GOES_ON = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW;
const TERMINATED = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TERMINATED;
const desk = { kind: 'desk', id: 'default' } as const;

const access = {
  connection: { withDeadline: <T>(_deadline: number, action: () => Promise<T>) => action() },
} as unknown as TemporalAccess;

/** Rejected with these, one after the other, then answered. */
function asking(...rejections: readonly temporal.api.enums.v1.WorkflowExecutionStatus[]) {
  let asked = 0;
  const action = () => {
    const status = rejections[asked++];
    return status === undefined ? Promise.resolve('normal') : Promise.reject(new QueryRejectedError(status));
  };
  return { action, asked: () => asked };
}

describe('a query', () => {
  it('that met a run which went on in a new one is asked of that', async () => {
    const { action, asked } = asking(GOES_ON, GOES_ON);
    expect(await call(access, desk, action)).toBe('normal');
    expect(asked()).toBe(3);
  });

  it('of a desk that was ended says so and is not asked again', async () => {
    const { action, asked } = asking(TERMINATED);
    await expect(call(access, desk, action)).rejects.toMatchObject({
      code: 'EmergencyUnreachable',
      message: expect.stringContaining('was ended'),
    });
    expect(asked()).toBe(1);
  });
});
