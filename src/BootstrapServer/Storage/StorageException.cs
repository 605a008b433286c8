namespace PlatformOps.BootstrapServer.Storage;

/// <summary>What should be kept cannot be: the file, why, and what to do are in the message. Nothing is acknowledged after it.</summary>
internal sealed class StorageException(string message, Exception? inner = null) : IOException(message, inner);
