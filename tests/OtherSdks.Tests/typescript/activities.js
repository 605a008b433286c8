// What the workflows call.
const { activityInfo, ApplicationFailure, CompleteAsyncError, Context, heartbeat, sleep } = require('@temporalio/activity');

exports.greet = async (name) => `hello ${name}`;

exports.succeedsAtAttempt = async (attempt) => {
  if (activityInfo().attempt < attempt) throw new Error('not yet');
  return activityInfo().attempt;
};

exports.neverAgain = async () => { throw ApplicationFailure.nonRetryable('no more', 'NoMore', { why: 'told so' }); };

exports.resumesFromHeartbeat = async () => {
  const info = activityInfo();
  if (info.attempt > 1) return info.heartbeatDetails;
  heartbeat('half way');
  await sleep(6000); // no heartbeat for longer than the timeout: the next attempt gets the details
};

exports.runsUntilCancelled = async () => {
  for (;;) {
    heartbeat();
    await sleep(50);
  }
};

const tokens = [];
exports.completesElsewhere = async () => {
  tokens.push(Context.current().info.taskToken);
  throw new CompleteAsyncError();
};
exports.tokens = tokens;
