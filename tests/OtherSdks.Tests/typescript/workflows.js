// What runs in the SDK's workflow sandbox. Small on purpose: each workflow shows one thing that a server has to do.
const wf = require('@temporalio/workflow');

const activities = wf.proxyActivities({ startToCloseTimeout: '60s', retry: { initialInterval: '10ms', maximumInterval: '20ms' } });
const silent = wf.proxyActivities({ startToCloseTimeout: '60s', heartbeatTimeout: '2s', retry: { initialInterval: '10ms' } });
const watched = wf.proxyActivities({ startToCloseTimeout: '60s', heartbeatTimeout: '60s', cancellationType: 'WAIT_CANCELLATION_COMPLETED' });
const local = wf.proxyLocalActivities({ startToCloseTimeout: '60s', retry: { initialInterval: '10ms' } });

const add = wf.defineSignal('add');
const total = wf.defineQuery('total');
const addAndTell = wf.defineUpdate('addAndTell');
const finish = wf.defineSignal('finish');

exports.counter = async function counter(start = 0) {
  let sum = start;
  let done = false;
  wf.setHandler(add, (n) => { sum += n; });
  wf.setHandler(total, () => sum);
  wf.setHandler(finish, () => { done = true; });
  wf.setHandler(addAndTell, async (n) => {
    if (n === 0) throw wf.ApplicationFailure.create({ message: 'zero', type: 'Zero', nonRetryable: true });
    await wf.sleep(5);
    sum += n;
    return sum;
  }, { validator: (n) => { if (n < 0) throw new Error('negative'); } });
  await wf.condition(() => done);
  await wf.condition(wf.allHandlersFinished);
  return sum;
};

exports.greets = async (name) => await activities.greet(name);
exports.fails = async () => { throw wf.ApplicationFailure.create({ message: 'outer', type: 'Outer', details: [{ a: 1 }], cause: new Error('inner'), nonRetryable: true }); };
exports.retries = async () => await activities.succeedsAtAttempt(3);
exports.givesUp = async () => await activities.neverAgain();
exports.resumes = async () => await silent.resumesFromHeartbeat();
exports.locally = async (name) => (await local.greet(name)) + (await local.succeedsAtAttempt(2));
exports.sleeps = async (ms) => { await wf.sleep(ms); return 'awake'; };
exports.attempts = async () => {
  if (wf.workflowInfo().attempt < 2) throw wf.ApplicationFailure.retryable('again');
  return wf.workflowInfo().attempt;
};

exports.cancels = async () => {
  try {
    await watched.runsUntilCancelled();
    return 'not cancelled';
  } catch (e) {
    if (!wf.isCancellation(e)) throw e;
    return await wf.CancellationScope.nonCancellable(() => activities.greet('cleanup'));
  }
};
exports.stops = async () => { await wf.sleep('1 day'); };

exports.parent = async (names) => {
  const all = await Promise.all(names.map((name) => wf.executeChild('greets', { args: [name] })));
  return all.join(' ');
};
exports.failingChild = async () => {
  try {
    await wf.executeChild('fails', { args: [] });
    return 'no failure';
  } catch (e) {
    return `${e.constructor.name}: ${e.cause.message}: ${e.cause.type}`;
  }
};
exports.commandsChild = async () => {
  const child = await wf.startChild('counter', { args: [1] });
  await child.signal(add, 2);
  await wf.getExternalWorkflowHandle(child.workflowId).signal(add, 3);
  await child.signal(finish);
  return await child.result();
};
exports.abandons = async (id) => {
  await wf.startChild('counter', { workflowId: id, args: [0], parentClosePolicy: 'ABANDON' });
};

exports.countsDown = async (n) => {
  if (n > 0) await wf.continueAsNew(n - 1);
  return `${n}`;
};
exports.patched = async () => (wf.patched('new-way') ? 'new' : 'old');
exports.describes = async () => {
  wf.upsertSearchAttributes([{ key: { name: 'TestInt', type: 'INT' }, value: 42 }]);
  wf.upsertMemo({ note: 'upserted' });
  wf.setCurrentDetails('details');
  return wf.workflowInfo().memo.note;
};
exports.completesElsewhere = async () => await activities.completesElsewhere();
exports.random = async () => `${wf.uuid4()} ${Math.random()} ${Date.now()}`;
