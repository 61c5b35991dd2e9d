/** Answers /readyz, and nothing else: stands for the paper venue where only the supervision is under test. */
const { createServer } = require('node:http');

createServer((_request, response) => response.end('{}')).listen(
  Number(process.env.HOLDFAST_PAPER_VENUE_PORT),
  '127.0.0.1',
);
process.on('SIGTERM', () => process.exit(0));
