using PlatformOps.BootstrapServer.SearchAttributeTypes;
using PlatformOps.BootstrapServer.Tests.Hosting;
using PlatformOps.BootstrapServer.Visibility;
using PlatformOps.BootstrapServer.Visibility.Filtering;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Converters;

namespace PlatformOps.BootstrapServer.Tests.Visibility;

public class FilterParserTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly ExecutionRecord Sample = new()
    {
        NamespaceId = "ns",
        WorkflowId = "provision/development",
        RunId = "r1",
        WorkflowType = "ProvisionEnvironment",
        TaskQueue = "platform",
        Status = WorkflowExecutionStatus.Completed,
        StartTime = Start,
        ExecutionTime = Start,
        CloseTime = Start.AddSeconds(90),
        HistoryLength = 42,
        SearchAttributes = new SearchAttributes
        {
            IndexedFields =
            {
                ["TestKeyword"] = Payload("it's"),
                ["TestInt"] = Payload(7),
                ["TestDouble"] = Payload(1.5),
                ["TestBool"] = Payload(true),
                ["TestDatetime"] = Payload("2026-02-01T00:00:00Z"),
                ["TestText"] = Payload("The quick brown fox"),
                ["TestKeywordList"] = Payload(new[] { "a", "b" }),
            },
        },
    };

    [Theory]
    [InlineData("")]
    [InlineData("WorkflowId = 'provision/development'")]
    [InlineData("WorkflowType = \"ProvisionEnvironment\" and ExecutionStatus='Completed'")]
    [InlineData("ExecutionStatus = 2")]
    [InlineData("WorkflowId STARTS_WITH 'provision/'")]
    [InlineData("WorkflowId NOT STARTS_WITH 'backup/'")]
    [InlineData("NOT (WorkflowId = 'x' OR WorkflowId = 'y')")]
    [InlineData("WorkflowId = 'x' OR WorkflowId = 'y' AND RunId = 'z' OR TaskQueue = 'platform'")]
    [InlineData("StartTime BETWEEN '2026-03-01T00:00:00Z' AND '2026-03-02T00:00:00+02:00'")]
    [InlineData("StartTime NOT BETWEEN '2025-03-01T00:00:00Z' AND '2025-03-02T00:00:00Z'")]
    [InlineData("CloseTime > '2026-03-01T12:01:29.5Z'")]
    [InlineData("ExecutionDuration = '1m30s'")]
    [InlineData("ExecutionDuration >= 90000000000")]
    [InlineData("ExecutionDuration < '00:01:31'")]
    [InlineData("HistoryLength <> 41")]
    [InlineData("`TestKeyword` = 'it''s'")]
    [InlineData("TestKeyword = 'it\\'s'")]
    [InlineData("TestKeyword IN ('x', \"it's\")")]
    [InlineData("TestInt > 6.5 AND TestInt <= 7 AND TestInt NOT IN (1, 2)")]
    [InlineData("TestDouble < 2 AND TestBool = true")]
    [InlineData("TestDatetime < '2026-02-01T00:00:00.001Z'")]
    [InlineData("TestText = 'Fox jumps'")]
    [InlineData("TestKeywordList = 'b' AND TestKeywordList != 'c' AND TestKeywordList IN ('z', 'a')")]
    [InlineData("ParentWorkflowId IS NULL and TestInt is not null")]
    [InlineData("ExecutionStatus = 'WORKFLOW_EXECUTION_STATUS_COMPLETED' AND ExecutionStatus IN ('Completed', 1)")]
    [InlineData("TemporalWorkflowId = 'provision/development' AND ScheduledById IS NULL AND ChangeVersion IS NULL")]
    [InlineData("ExecutionDuration BETWEEN '1m' AND '0.5h' AND ExecutionDuration < '24:00:00' AND ExecutionDuration > '-1d'")]
    [InlineData("StartTime = 1772366400000000000 AND StartTime < '2026-03-01T14:00:00.000000001+01:00'")]
    [InlineData("WorkflowId BETWEEN 'a' AND 'z' AND WorkflowId > 'provision' AND WorkflowId NOT BETWEEN 'a' AND 'b'")]
    [InlineData("TestInt = 7.0 AND TestDouble >= 1 AND TestInt > -8")]
    [InlineData("TestBool != false AND TestBool IN (true)")]
    [InlineData("not TestInt = 8 and not (TestInt in (8, 9) or TestKeyword = \"its\")")]
    // A list or a text that is missing is known to contain nothing; another value that is missing is unknown.
    [InlineData("BuildIds != 'x' AND BuildIds NOT IN ('x', 'y') AND NOT BuildIds = 'x'")]
    [InlineData("NOT TestText = 'cat dog'")]
    public void Takes_what_matches(string filter) => Assert.True(Parse(filter).Accepts(Sample));

    [Theory]
    [InlineData("WorkflowId = 'provision/Development'")]
    [InlineData("ParentWorkflowId = 'x'")]
    [InlineData("ParentWorkflowId != 'x'")]
    [InlineData("NOT ParentWorkflowId = 'x'")]
    [InlineData("TestText = 'qui'")]
    [InlineData("TestKeywordList = 'ab'")]
    [InlineData("ExecutionStatus IN ('Running', 'Failed')")]
    [InlineData("TemporalNamespaceDivision IS NOT NULL")]
    [InlineData("ExecutionStatus = 0")]
    [InlineData("ScheduledById NOT IN ('x')")]
    [InlineData("NOT (ParentWorkflowId STARTS_WITH 'x')")]
    [InlineData("TemporalScheduledStartTime NOT BETWEEN '2026-03-01T00:00:00Z' AND '2026-03-02T00:00:00Z'")]
    [InlineData("BuildIds = 'x' OR BuildIds IN ('x')")]
    [InlineData("ParentWorkflowId = 'x' OR ParentWorkflowId != 'x' OR NOT ParentWorkflowId = 'x'")]
    public void Leaves_what_does_not_match(string filter) => Assert.False(Parse(filter).Accepts(Sample));

    [Theory]
    [InlineData("WorkflowId =", "a value is missing before the end at position 13")]
    [InlineData("WorkflowId = x", "'x' is not a value (did you forget to quote it?) at position 14")]
    [InlineData("Nothing = 'x'", "column name 'Nothing' is not a valid search attribute at position 1")]
    [InlineData("WorkflowId = 'x", "the ' that begins here has no end at position 14")]
    [InlineData("(WorkflowId = 'x'", "syntax error near the end: ')' is missing at position 18")]
    [InlineData("WorkflowId = 'x' WorkflowId", "syntax error near 'WorkflowId' at position 18")]
    [InlineData("WorkflowId ~ 'x'", "unexpected character '~' at position 12")]
    [InlineData("TestInt = 'seven'", "'seven' is not a value for search attribute TestInt of type Int at position 11")]
    [InlineData("ExecutionStatus = 'Done'", "'Done' is not a value for search attribute ExecutionStatus of type Keyword at position 19")]
    [InlineData("TestText STARTS_WITH 'x'", "operator 'STARTS_WITH' not supported for Text type search attribute 'TestText' at position 10")]
    [InlineData("TestBool BETWEEN true AND true", "cannot do range condition on search attribute 'TestBool' of type Bool at position 10")]
    [InlineData("TestText IN ('x')", "operator 'IN' not supported for Text type search attribute 'TestText' at position 10")]
    [InlineData("TestText > 'x'", "operator '>' not supported for Text type search attribute 'TestText' at position 10")]
    [InlineData("TestText = ' ,. '", "unexpected value for Text type search attribute TestText: it has no words at position 12")]
    [InlineData("TestKeywordList STARTS_WITH 'x'", "operator 'STARTS_WITH' not supported for KeywordList type search attribute 'TestKeywordList' at position 17")]
    [InlineData("WorkflowId LIKE 'x%'", "operator 'LIKE' not supported for Keyword type search attribute 'WorkflowId' at position 12")]
    [InlineData("StartTime > '2026-03-01'", "'2026-03-01' is not a value for search attribute StartTime of type Datetime at position 13")]
    [InlineData("StartTime > '2026-03-01 00:00:00'", "'2026-03-01 00:00:00' is not a value for search attribute StartTime of type Datetime at position 13")]
    [InlineData("TestBool = 'true'", "'true' is not a value for search attribute TestBool of type Bool at position 12")]
    [InlineData("TestKeyword = 7", "'7' is not a value for search attribute TestKeyword of type Keyword at position 15")]
    [InlineData("ExecutionStatus = 99", "'99' is not a value for search attribute ExecutionStatus of type Keyword at position 19")]
    [InlineData("ExecutionStatus = 'running'", "'running' is not a value for search attribute ExecutionStatus of type Keyword at position 19")]
    [InlineData("ExecutionDuration = 'long'", "'long' is not a value for search attribute ExecutionDuration of type Int at position 21")]
    [InlineData("workflowid = 'x'", "column name 'workflowid' is not a valid search attribute at position 1")]
    [InlineData("WorkflowId IN ()", "a value is missing before ')' at position 16")]
    [InlineData("WorkflowId = 'x' AND", "the name of a search attribute is missing before the end at position 21")]
    [InlineData("GROUP BY ExecutionStatus, WorkflowType", "'GROUP BY' clause supports only a single field at position 25")]
    [InlineData("ORDER BY TestText", "unable to sort by search attribute type Text at position 10")]
    [InlineData("GROUP BY WorkflowType", "'GROUP BY' clause is not supported for search attribute WorkflowType at position 10")]
    [InlineData("WorkflowId = 'x' LIMIT 3", "operation is not supported: 'LIMIT' clause at position 18")]
    public void Says_what_is_wrong_and_where(string filter, string problem) =>
        Assert.EndsWith(problem, Assert.Throws<FilterException>(() => Parse(filter)).Message);

    [Fact]
    public void Refuses_what_would_exhaust_the_stack()
    {
        Assert.Throws<FilterException>(() => Parse(new string('(', 5000)));
        Assert.Throws<FilterException>(() => Parse(string.Join(" OR ", Enumerable.Repeat("RunId = 'x'", 5000))));
    }

    private static ListFilter Parse(string filter) => FilterParser.Parse(filter, name =>
        SearchAttributeRegistry.System.TryGetValue(name, out var type)
            || SearchAttributeRegistry.Predefined.TryGetValue(name, out type)
            || SharedServer.SearchAttributes.TryGetValue(name, out type)
            ? new AttributeReader(name, type)
            : null);

    private static Payload Payload(object value) => DataConverter.Default.PayloadConverter.ToPayload(value);
}
