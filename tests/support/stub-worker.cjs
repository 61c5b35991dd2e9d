/** Says it polls, and does nothing: stands for the worker where only the supervision is under test. */
process.stdout.write(`${JSON.stringify({ msg: 'worker_ready' })}\n`);
setInterval(() => undefined, 60_000);
process.on('SIGTERM', () => process.exit(0));
