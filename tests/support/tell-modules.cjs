/** `node --require tell-modules.cjs …`: on SIGUSR2 the process prints which files it has loaded. */
process.on('SIGUSR2', () => {
  process.stdout.write(`${JSON.stringify({ msg: 'modules', loaded: Object.keys(require.cache) })}\n`);
});
