using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;

namespace PlatformOps.Sandbox.Api;

/// <summary>
/// Reads the few bodies that kubectl sends as protobuf without asking first (<c>create namespace</c>, <c>create configmap</c>, <c>auth can-i</c>, ...).
/// Field numbers are those of Kubernetes' own <c>generated.proto</c> files.
/// </summary>
internal static class ProtobufBody
{
    private static readonly Message Any = new();

    private static readonly Message Name = new() { [1] = new("name") };

    private static readonly Message Metadata = new()
    {
        [1] = new("name"),
        [2] = new("generateName"),
        [3] = new("namespace"),
        [5] = new("uid"),
        [6] = new("resourceVersion"),
        [11] = new("labels", Shape.Map),
        [12] = new("annotations", Shape.Map),
        [14] = new("finalizers", Shape.Texts),
    };

    private static readonly Dictionary<string, Message> Kinds = new()
    {
        ["Namespace"] = new() { [1] = Part("metadata", Metadata), [2] = Part("spec", new() { [1] = new("finalizers", Shape.Texts) }), [3] = Part("status", Any) },
        ["ConfigMap"] = new() { [1] = Part("metadata", Metadata), [2] = new("data", Shape.Map), [3] = new("binaryData", Shape.BinaryMap), [4] = new("immutable", Shape.Flag) },
        ["Secret"] = new() { [1] = Part("metadata", Metadata), [2] = new("data", Shape.BinaryMap), [3] = new("type"), [4] = new("stringData", Shape.Map), [5] = new("immutable", Shape.Flag) },
        ["ServiceAccount"] = new() { [1] = Part("metadata", Metadata), [3] = new("imagePullSecrets", Shape.Parts, Name), [4] = new("automountServiceAccountToken", Shape.Flag) },
        ["DeleteOptions"] = new()
        {
            [1] = new("gracePeriodSeconds", Shape.Number),
            [2] = Part("preconditions", new() { [1] = new("uid"), [2] = new("resourceVersion") }),
            [3] = new("orphanDependents", Shape.Flag),
            [4] = new("propagationPolicy"),
            [5] = new("dryRun", Shape.Texts),
        },
        ["SelfSubjectAccessReview"] = new() { [1] = Part("metadata", Metadata), [2] = Part("spec", Any), [3] = Part("status", Any) },
    };

    private enum Shape
    {
        Text,
        Texts,
        Number,
        Flag,
        Map,
        BinaryMap,
        Part,
        Parts,
    }

    /// <exception cref="ApiFailure">415: another kind, or a field that is not read here; 400: it is no such body.</exception>
    public static JsonObject Read(ReadOnlyMemory<byte> body)
    {
        if (!body.Span.StartsWith("k8s\0"u8))
            throw ApiFailure.BadRequest("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
        ReadOnlyMemory<byte> type = default, raw = default;
        for (var rest = body[4..]; Next(ref rest, out var field, out _, out var value);)
        {
            if (field == 1)
                type = value;
            else if (field == 2)
                raw = value;
        }

        var (version, kind) = ("", "");
        for (var rest = type; Next(ref rest, out var field, out _, out var value);)
            (version, kind) = field == 1 ? (Encoding.UTF8.GetString(value.Span), kind) : (version, Encoding.UTF8.GetString(value.Span));
        if (!Kinds.TryGetValue(kind, out var message))
            throw ApiFailure.UnsupportedMediaType($"application/vnd.kubernetes.protobuf for {kind}; the sandbox takes this kind as JSON only (for example with kubectl apply or create -f)");
        var json = Read(raw, message, kind);
        json.Insert(0, "apiVersion", version);
        json.Insert(1, "kind", kind);
        return json;
    }

    private static Field Part(string name, Message message) => new(name, Shape.Part, message);

    private static JsonObject Read(ReadOnlyMemory<byte> raw, Message message, string where)
    {
        var json = new JsonObject();
        for (var rest = raw; Next(ref rest, out var number, out var scalar, out var value);)
        {
            if (!message.TryGetValue(number, out var field))
            {
                // What is not set is still sent, empty.
                if (message == Any || (value.IsEmpty && scalar == 0) || (message == Metadata && number is 7 or 8 or 4))
                    continue;
                throw ApiFailure.UnsupportedMediaType($"application/vnd.kubernetes.protobuf with field {number} of {where}; send it as JSON");
            }

            Set(json, field, scalar, value);
        }

        return json;
    }

    private static void Set(JsonObject json, Field field, ulong scalar, ReadOnlyMemory<byte> value)
    {
        switch (field.Shape)
        {
            case Shape.Text when value.Length > 0:
                json[field.Name] = Encoding.UTF8.GetString(value.Span);
                break;
            case Shape.Texts:
                List(json, field.Name).Add(Encoding.UTF8.GetString(value.Span));
                break;
            case Shape.Number:
                json[field.Name] = (long)scalar;
                break;
            case Shape.Flag:
                json[field.Name] = scalar != 0;
                break;
            case Shape.Map or Shape.BinaryMap:
                var (name, content) = ("", "");
                for (var rest = value; Next(ref rest, out var number, out _, out var part);)
                {
                    if (number == 1)
                        name = Encoding.UTF8.GetString(part.Span);
                    else
                        content = field.Shape == Shape.Map ? Encoding.UTF8.GetString(part.Span) : Convert.ToBase64String(part.Span);
                }

                json.Child(field.Name)[name] = content;
                break;
            case Shape.Part:
                if (Read(value, field.Message!, field.Name) is { Count: > 0 } inner)
                    json[field.Name] = inner;
                break;
            case Shape.Parts:
                List(json, field.Name).Add(Read(value, field.Message!, field.Name));
                break;
        }
    }

    private static JsonArray List(JsonObject json, string name)
    {
        if (json[name] is not JsonArray list)
            json[name] = list = [];
        return list;
    }

    /// <summary>The next field of a message, in protobuf's wire format.</summary>
    private static bool Next(ref ReadOnlyMemory<byte> rest, out int field, out ulong scalar, out ReadOnlyMemory<byte> value)
    {
        (field, scalar, value) = (0, 0, default);
        if (rest.IsEmpty)
            return false;
        var tag = Varint(ref rest);
        field = (int)(tag >> 3);
        switch (tag & 7)
        {
            case 0:
                scalar = Varint(ref rest);
                return true;
            case 1 when rest.Length >= 8:
                scalar = BinaryPrimitives.ReadUInt64LittleEndian(rest.Span);
                rest = rest[8..];
                return true;
            case 2 when Varint(ref rest) is var length && length <= (ulong)rest.Length:
                value = rest[..(int)length];
                rest = rest[(int)length..];
                return true;
            default:
                throw ApiFailure.BadRequest("the protobuf message is damaged");
        }
    }

    private static ulong Varint(ref ReadOnlyMemory<byte> rest)
    {
        ulong value = 0;
        for (var shift = 0; shift < 64 && !rest.IsEmpty; shift += 7)
        {
            var octet = rest.Span[0];
            rest = rest[1..];
            value |= (ulong)(octet & 0x7f) << shift;
            if (octet < 0x80)
                return value;
        }

        throw ApiFailure.BadRequest("the protobuf message is damaged");
    }

    private sealed record Field(string Name, Shape Shape = Shape.Text, Message? Message = null);

    private sealed class Message : Dictionary<int, Field>;
}
