// Runs every case against the server at TEMPORAL_ADDRESS and prints one JSON object a line: {"name", "passed", "ms", "error"}.
// SERVER_EXECUTABLE is what the SDK's test environments start. The exit code is 0 when all cases were run, passed or not.
const { randomUUID } = require('node:crypto');
const { Client, Connection } = require('@temporalio/client');
const { bundleWorkflowCode, DefaultLogger, makeTelemetryFilterString, NativeConnection, Runtime, Worker } = require('@temporalio/worker');
const activities = require('./activities');
const { cases } = require('./cases');

async function main() {
  const logger = new DefaultLogger('ERROR');
  Runtime.install({ logger, telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) } } });
  const address = process.env.TEMPORAL_ADDRESS;
  const queue = `typescript-${randomUUID()}`;
  const bundle = await bundleWorkflowCode({ workflowsPath: require.resolve('./workflows'), logger });
  const connection = await Connection.connect({ address });
  const client = new Client({ connection });
  const worker = await Worker.create({ connection: await NativeConnection.connect({ address }), taskQueue: queue, workflowBundle: bundle, activities, maxHeartbeatThrottleInterval: '50ms' });
  const start = (workflow, args, options = {}) => client.workflow.start(workflow, { taskQueue: queue, workflowId: `${workflow}-${randomUUID()}`, args, ...options });
  const run = async (...what) => (await start(...what)).result();
  const given = { client, queue, bundle, start, run, executable: process.env.SERVER_EXECUTABLE };
  const one = async ({ name, body }) => {
    const began = Date.now();
    let error;
    try {
      await body(given);
    } catch (e) {
      error = `${e.stack ?? e}${e.cause ? `\nbecause of ${e.cause.stack ?? e.cause}` : ''}`;
    }
    process.stdout.write(`${JSON.stringify({ name, passed: error === undefined, ms: Date.now() - began, error })}\n`);
  };
  await worker.runUntil(Promise.all(cases.filter((some) => !some.alone).map(one)));
  for (const some of cases.filter((each) => each.alone)) await one(some);
  process.exit(0);
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
