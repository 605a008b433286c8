// The cases. Each is a sentence and what shows it; OtherSdks.Tests reads the sentences from here.
const assert = require('node:assert/strict');
const { randomUUID } = require('node:crypto');
const { ScheduleOverlapPolicy, WithStartWorkflowOperation, WorkflowFailedError, WorkflowUpdateFailedError } = require('@temporalio/client');
const { ApplicationFailure, CancelledFailure, defineSearchAttributeKey, TerminatedFailure, TypedSearchAttributes, WorkflowExecutionAlreadyStartedError } = require('@temporalio/common');
const { TestWorkflowEnvironment } = require('@temporalio/testing');
const { Worker } = require('@temporalio/worker');
const activities = require('./activities');

const cases = [];
const show = (name, body, { alone = false } = {}) => cases.push({ name, body, alone });

async function until(condition) {
  const patience = Date.now() + 180_000;
  while (Date.now() < patience) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it never came to be');
}

async function failure(promise) {
  try {
    await promise;
  } catch (e) {
    return e;
  }
  throw new Error('it did not fail');
}

const has = (history, type) => history.events.some((event) => event[`${type}EventAttributes`]);

show('A workflow with an activity gives its result', async ({ run }) => {
  assert.equal(await run('greets', ['you']), 'hello you');
});

show('A failure arrives with its type, details and cause', async ({ run }) => {
  const failed = await failure(run('fails', []));
  assert(failed instanceof WorkflowFailedError);
  assert(failed.cause instanceof ApplicationFailure);
  assert.equal(failed.cause.type, 'Outer');
  assert.deepEqual(failed.cause.details, [{ a: 1 }]);
  assert.equal(failed.cause.cause.message, 'inner');
});

show('An id that runs is refused, and used when asked', async ({ client, start, queue }) => {
  const handle = await start('counter', [1]);
  const again = { taskQueue: queue, workflowId: handle.workflowId, args: [1] };
  assert((await failure(client.workflow.start('counter', again))) instanceof WorkflowExecutionAlreadyStartedError);
  const used = await client.workflow.start('counter', { ...again, workflowIdConflictPolicy: 'USE_EXISTING' });
  assert.equal(used.firstExecutionRunId, handle.firstExecutionRunId);
  await handle.terminate();
});

show('Signals and queries', async ({ start }) => {
  const handle = await start('counter', [1]);
  await handle.signal('add', 2);
  assert.equal(await handle.query('total'), 3);
  await handle.signal('finish');
  assert.equal(await handle.result(), 3);
  assert.equal(await handle.query('total'), 3, 'a closed run answers too');
});

show('Signal with start', async ({ client, queue }) => {
  const options = { taskQueue: queue, workflowId: `signalled-${randomUUID()}`, args: [10], signal: 'add', signalArgs: [5] };
  const first = await client.workflow.signalWithStart('counter', options);
  const second = await client.workflow.signalWithStart('counter', options);
  assert.equal(first.signaledRunId, second.signaledRunId);
  assert.equal(await first.query('total'), 20);
  await first.terminate();
});

show('Updates: result, rejection, failure, and the handle of one that runs', async ({ start }) => {
  const handle = await start('counter', [1]);
  assert.equal(await handle.executeUpdate('addAndTell', { args: [2] }), 3);
  const rejected = await failure(handle.executeUpdate('addAndTell', { args: [-1] }));
  assert(rejected instanceof WorkflowUpdateFailedError);
  assert.equal(rejected.cause.message, 'negative');
  assert.equal((await failure(handle.executeUpdate('addAndTell', { args: [0] }))).cause.type, 'Zero');
  const update = await handle.startUpdate('addAndTell', { args: [4], waitForStage: 'ACCEPTED', updateId: 'known' });
  assert.equal(await update.result(), 7);
  assert.equal(await handle.getUpdateHandle('known').result(), 7);
  assert.equal(await handle.executeUpdate('addAndTell', { args: [4], updateId: 'known' }), 7, 'an id counts once');
  await handle.terminate();
});

show('Update with start', async ({ client, queue }) => {
  const workflowId = `updated-${randomUUID()}`;
  const operation = () => new WithStartWorkflowOperation('counter', { taskQueue: queue, workflowId, args: [1], workflowIdConflictPolicy: 'USE_EXISTING' });
  const first = operation();
  assert.equal(await client.workflow.executeUpdateWithStart('addAndTell', { args: [1], startWorkflowOperation: first }), 2);
  assert.equal(await client.workflow.executeUpdateWithStart('addAndTell', { args: [1], startWorkflowOperation: operation() }), 3);
  await (await first.workflowHandle()).terminate();
});

show('Cancellation reaches the activity, and the workflow cleans up', async ({ start }) => {
  const handle = await start('cancels', []);
  await until(async () => (await handle.describe()).raw.pendingActivities.some((a) => a.lastHeartbeatTime));
  await handle.cancel();
  assert.equal(await handle.result(), 'hello cleanup');
});

show('A workflow that lets a cancellation through is cancelled', async ({ start }) => {
  const handle = await start('stops', []);
  await handle.cancel();
  assert((await failure(handle.result())).cause instanceof CancelledFailure);
  assert.equal((await handle.describe()).status.name, 'CANCELLED');
});

show('Termination, with its reason', async ({ start }) => {
  const handle = await start('stops', []);
  await handle.terminate('enough');
  const failed = (await failure(handle.result())).cause;
  assert(failed instanceof TerminatedFailure);
  assert.equal(failed.message, 'enough');
});

show('An activity is tried again until it succeeds', async ({ run }) => {
  assert.equal(await run('retries', []), 3);
});

show('An activity that must not be tried again is not', async ({ run }) => {
  const failed = await failure(run('givesUp', []));
  assert.equal(failed.cause.activityType, 'neverAgain');
  assert.equal(failed.cause.cause.type, 'NoMore');
  assert.equal(failed.cause.retryState, 'NON_RETRYABLE_FAILURE');
});

show('A missed heartbeat hands its details to the next attempt', async ({ run }) => {
  assert.equal(await run('resumes', []), 'half way');
});

show('An activity is completed from elsewhere by its token', async ({ client, start }) => {
  const handle = await start('completesElsewhere', []);
  await until(() => activities.tokens.length === 1);
  await client.activity.complete(activities.tokens[0], 'from elsewhere');
  assert.equal(await handle.result(), 'from elsewhere');
});

show('Local activities leave markers and no tasks', async ({ start }) => {
  const handle = await start('locally', ['near ']);
  assert.equal(await handle.result(), 'hello near 2');
  const history = await handle.fetchHistory();
  assert(has(history, 'markerRecorded'));
  assert(!has(history, 'activityTaskScheduled'));
});

show('Timers', async ({ run }) => {
  const began = Date.now();
  assert.equal(await run('sleeps', [200]), 'awake');
  assert(Date.now() - began >= 190);
});

show('A workflow is tried again by its retry policy', async ({ run }) => {
  assert.equal(await run('attempts', [], { retry: { initialInterval: '10ms', maximumAttempts: 3 } }), 2);
});

show('A workflow has no more time than its run timeout', async ({ run }) => {
  const failed = await failure(run('stops', [], { workflowRunTimeout: '300ms' }));
  assert.equal(failed.cause.constructor.name, 'TimeoutFailure');
});

show('A start delay holds the first task back', async ({ start }) => {
  const began = Date.now();
  const handle = await start('greets', ['late'], { startDelay: '300ms' });
  assert.equal(await handle.result(), 'hello late');
  assert(Date.now() - began >= 290);
});

show('Children run side by side', async ({ run }) => {
  assert.equal(await run('parent', [['a', 'b', 'c']]), 'hello a hello b hello c');
});

show('The failure of a child names its cause', async ({ run }) => {
  assert.equal(await run('failingChild', []), 'ChildWorkflowFailure: outer: Outer');
});

show('A parent signals its child, and any workflow by its id', async ({ run }) => {
  assert.equal(await run('commandsChild', []), 6);
});

show('An abandoned child outlives its parent', async ({ client, run }) => {
  const id = `abandoned-${randomUUID()}`;
  await run('abandons', [id]);
  const child = client.workflow.getHandle(id);
  await child.signal('finish');
  assert.equal(await child.result(), 0);
});

show('Continue as new goes on in one chain', async ({ start }) => {
  const handle = await start('countsDown', [3]);
  assert.equal(await handle.result(), '0');
  const last = await handle.describe();
  assert.notEqual(last.runId, handle.firstExecutionRunId);
});

show('A patch leaves its marker and its search attribute', async ({ start }) => {
  const handle = await start('patched', []);
  assert.equal(await handle.result(), 'new');
  assert(has(await handle.fetchHistory(), 'upsertWorkflowSearchAttributes'));
});

show('Search attributes and memo: given, upserted, listed and counted', async ({ client, start }) => {
  const keyword = defineSearchAttributeKey('TestKeyword', 'KEYWORD');
  const value = `ts-${randomUUID()}`;
  const handle = await start('describes', [], {
    typedSearchAttributes: new TypedSearchAttributes([{ key: keyword, value }]), memo: { note: 'given', kept: true }, staticSummary: 'summary',
  });
  assert.equal(await handle.result(), 'upserted');
  const description = await handle.describe();
  assert.deepEqual(description.memo, { note: 'upserted', kept: true });
  assert.equal(description.typedSearchAttributes.get(keyword), value);
  assert.equal(description.typedSearchAttributes.get(defineSearchAttributeKey('TestInt', 'INT')), 42);
  assert.equal(await description.staticSummary(), 'summary');
  const query = `TestKeyword = '${value}' AND TestInt BETWEEN 41 AND 43 AND ExecutionStatus = 'Completed'`;
  await until(async () => (await client.workflow.count(query)).count === 1);
  const listed = [];
  for await (const found of client.workflow.list({ query })) listed.push(found.workflowId);
  assert.deepEqual(listed, [handle.workflowId]);
});

show('Counts by status', async ({ client, start, queue }) => {
  const [open, closed] = [await start('stops', []), await start('greets', ['x'])];
  await closed.result();
  const query = `WorkflowId IN ('${open.workflowId}', '${closed.workflowId}') GROUP BY ExecutionStatus`;
  await until(async () => (await client.workflow.count(query)).groups.length === 2);
  const { groups } = await client.workflow.count(query);
  assert.deepEqual(groups.map((group) => [group.groupValues[0], group.count]).sort(), [[['Completed'], 1], [['Running'], 1]]);
  await open.terminate();
});

show('A schedule: triggered, described, updated, paused, listed and deleted', async ({ client, queue }) => {
  const scheduleId = `schedule-${randomUUID()}`;
  const schedule = await client.schedule.create({
    scheduleId,
    spec: { calendars: [{ hour: 3, comment: 'at night' }], timezone: 'Europe/Berlin' },
    action: { type: 'startWorkflow', workflowType: 'greets', args: ['schedule'], taskQueue: queue, workflowId: scheduleId },
    policies: { overlap: ScheduleOverlapPolicy.BUFFER_ALL, catchupWindow: '2 minutes' },
    state: { note: 'for now' },
    memo: { kept: 'here' },
  });
  await schedule.trigger();
  await until(async () => (await schedule.describe()).info.recentActions.length === 1);
  const described = await schedule.describe();
  assert.equal(described.info.recentActions[0].action.workflow.workflowId.startsWith(scheduleId), true);
  assert.equal(described.policies.overlap, 'BUFFER_ALL');
  assert.equal(described.info.nextActionTimes[0].getUTCMinutes(), 0);
  assert.deepEqual(described.memo, { kept: 'here' });
  await schedule.update((before) => ({ ...before, spec: { intervals: [{ every: '1h', offset: '5m' }] } }));
  await schedule.pause('a while');
  const paused = await schedule.describe();
  assert.equal(paused.state.paused, true);
  assert.equal(paused.spec.intervals[0].every, 3600000);
  await until(async () => {
    for await (const listed of client.schedule.list()) if (listed.scheduleId === scheduleId) return true;
    return false;
  });
  await schedule.delete();
  await failure(schedule.describe());
});

show('A history replays in the SDK', async ({ start, bundle }) => {
  const handle = await start('commandsChild', []);
  await handle.result();
  await Worker.runReplayHistory({ workflowBundle: bundle }, await handle.fetchHistory(), handle.workflowId);
});

show('A changed workflow is noticed as non-determinism', async ({ start, bundle }) => {
  const handle = await start('sleeps', [1]);
  await handle.result();
  const history = await handle.fetchHistory();
  history.events[0].workflowExecutionStartedEventAttributes.workflowType.name = 'greets';
  const failed = await failure(Worker.runReplayHistory({ workflowBundle: bundle }, history, handle.workflowId));
  assert.equal(failed.constructor.name, 'DeterminismViolationError');
});

// The SDK gives a server five seconds to start: these run one after the other, when nothing else does, and a busy machine may need another try.
async function started(create) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await create();
    } catch (e) {
      if (attempt === 10) throw e;
    }
  }
}

async function inEnvironment(env, bundle, test) {
  try {
    const taskQueue = 'environment';
    const worker = await Worker.create({ connection: env.nativeConnection, taskQueue, workflowBundle: bundle, activities });
    await worker.runUntil(test((workflow, args) => env.client.workflow.execute(workflow, { taskQueue, workflowId: randomUUID(), args })));
  } finally {
    await env.teardown();
  }
}

show('The local test environment of the SDK starts this server', async ({ bundle, executable }) => {
  const env = await started(() => TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path: executable }, namespace: 'default', ui: false, log: { format: 'json', level: 'error' },
      searchAttributes: [defineSearchAttributeKey('TestInt', 'INT')], extraArgs: ['--dynamic-config-value', 'limit.historyCount.error=1000'],
    },
  }));
  await inEnvironment(env, bundle, async (run) => {
    assert.equal(await run('describes', []), 'upserted');
  });
}, { alone: true });

show('The time-skipping test environment of the SDK sleeps a year at once', async ({ bundle, executable }) => {
  const env = await started(() => TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path: executable } } }));
  await inEnvironment(env, bundle, async (run) => {
    const began = Date.now();
    const before = await env.currentTimeMs();
    assert.equal(await run('sleeps', [365 * 24 * 3600 * 1000]), 'awake');
    assert((await env.currentTimeMs()) - before >= 365 * 24 * 3600 * 1000);
    assert(Date.now() - began < 60_000);
    await env.sleep('30 days');
  });
}, { alone: true });

module.exports = { cases };
