/** What happened, in one sentence. Pure. */
const WORDS: readonly (readonly [type: string, words: string])[] = [
  ['emergency_state_changed', 'changes of the emergency desk'],
  ['risk_limit_exceeded', 'limits exceeded'],
  ['execution_failed', 'executions failed'],
  ['execution_halted', 'executions halted'],
  ['node_failed', 'nodes failed'],
  ['approval_requested', 'approvals asked for'],
  ['execution_started', 'executions started'],
  ['execution_completed', 'executions completed'],
  ['node_completed', 'nodes completed'],
];

/** The gravest first; what is not listed there is counted together. */
export function summaryOf(types: readonly string[]): string {
  const counted = WORDS.flatMap(([type, words]) => {
    const count = types.filter((each) => each === type).length;
    return count === 0 ? [] : [`${count} ${words}`];
  });
  const others = types.filter((type) => !WORDS.some(([known]) => known === type)).length;
  return [...counted, ...(others === 0 ? [] : [`${others} other events`])].join(', ');
}
