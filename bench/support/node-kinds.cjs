/** Node kinds of the benchmarks, as an author writes them: workers load them with `HOLDFAST_NODES`. */
const { get } = require('node:http');
const { setTimeout: sleep } = require('node:timers/promises');
const { HoldfastError, defineNode, field, output } = require('holdfast/nodes');

const step = defineNode({
  type: 'bench_step',
  family: 'bench',
  effect: 'read',
  description: 'Adds one.',
  fields: { value: field.integer('What to add to.', { min: 0, max: 1_000_000 }) },
  outputs: { value: output('integer', 'One more.') },
  run: ({ value }) => ({ outputs: { value: value + 1 } }),
});

const pause = defineNode({
  type: 'bench_pause',
  family: 'bench',
  effect: 'read',
  description: 'Takes its time.',
  fields: { ms: field.integer('How long.', { min: 0, max: 60_000 }), value: field.any('Passed on.') },
  outputs: { value: output('any', 'What was given.') },
  run: async ({ ms, value }) => {
    if (ms > 0) await sleep(ms);
    return { outputs: { value } };
  },
});

const call = defineNode({
  type: 'bench_call',
  family: 'bench',
  effect: 'read',
  description: 'Calls a service.',
  fields: { url: field.text('Where.') },
  outputs: { ok: output('boolean', 'It answered.') },
  timeout_ms: 1_000,
  run: async ({ url }, { signal }) => {
    const status = await statusOf(url, signal);
    if (status !== 200) throw new HoldfastError('ServiceError', `answered ${status}`);
    return { outputs: { ok: true } };
  },
});

/** On a connection of its own, so that the other side sees every call. */
function statusOf(url, signal) {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, signal }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.once('error', (error) => reject(new HoldfastError('ConnectionError', error.message)));
  });
}

module.exports = { kinds: [step, pause, call] };
