using System.Text.Json.Nodes;
using PlatformOps.Platform.Health;

namespace PlatformOps.Platform.Tests.Health;

/// <summary>The table is the one of the Kubernetes documentation of labels and selectors.</summary>
public sealed class LabelSelectorTests
{
    [Theory]
    [InlineData("{}", """{"a":"1"}""", true)]
    [InlineData("{}", null, true)]
    [InlineData("""{"matchLabels":{"a":"1"}}""", """{"a":"1","b":"2"}""", true)]
    [InlineData("""{"matchLabels":{"a":"1","b":"3"}}""", """{"a":"1","b":"2"}""", false)]
    [InlineData("""{"matchLabels":{"a":"1"}}""", null, false)]
    [InlineData("""{"matchExpressions":[{"key":"a","operator":"In","values":["1","2"]}]}""", """{"a":"2"}""", true)]
    [InlineData("""{"matchExpressions":[{"key":"a","operator":"In","values":["1","2"]}]}""", """{"a":"3"}""", false)]
    [InlineData("""{"matchExpressions":[{"key":"a","operator":"NotIn","values":["1"]}]}""", """{"a":"1"}""", false)]
    [InlineData("""{"matchExpressions":[{"key":"a","operator":"NotIn","values":["1"]}]}""", """{"b":"1"}""", true)]
    [InlineData("""{"matchExpressions":[{"key":"a","operator":"Exists"}]}""", """{"a":""}""", true)]
    [InlineData("""{"matchExpressions":[{"key":"a","operator":"Exists"}]}""", """{"b":""}""", false)]
    [InlineData("""{"matchExpressions":[{"key":"a","operator":"DoesNotExist"}]}""", """{"b":""}""", true)]
    [InlineData("""{"matchLabels":{"b":"1"},"matchExpressions":[{"key":"a","operator":"DoesNotExist"}]}""", """{"a":"1","b":"1"}""", false)]
    public void Labels_and_expressions_all_have_to_hold(string selector, string? labels, bool selected)
    {
        var item = new JsonObject { ["metadata"] = new JsonObject { ["labels"] = labels is null ? null : JsonNode.Parse(labels) } };
        Assert.Equal(selected, LabelSelector.Of(JsonNode.Parse(selector))!.Selects(item));
    }

    [Fact]
    public void No_selector_is_not_an_empty_one()
    {
        Assert.Null(LabelSelector.Of(null));
        Assert.Equal("", $"{LabelSelector.Of(new JsonObject())}");
    }

    [Fact]
    public void It_is_written_as_the_query_of_a_list() => Assert.Equal("a=1,b in (1,2),c notin (3),d,!e", $"{LabelSelector.Of(JsonNode.Parse("""
        {"matchLabels":{"a":"1"},"matchExpressions":[
          {"key":"b","operator":"In","values":["1","2"]},{"key":"c","operator":"NotIn","values":["3"]},{"key":"d","operator":"Exists"},{"key":"e","operator":"DoesNotExist"}]}
        """))}");

    [Fact]
    public void An_operator_that_nobody_knows_is_not_passed_over() =>
        Assert.Throws<FormatException>(() => LabelSelector.Of(JsonNode.Parse("""{"matchExpressions":[{"key":"a","operator":"Gt","values":["1"]}]}"""))!.Selects(null));
}
