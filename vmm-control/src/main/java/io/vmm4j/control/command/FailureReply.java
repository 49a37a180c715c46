package io.vmm4j.control.command;

import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.VmStoppedException;
import io.vmm4j.api.memory.GuestMemoryException;
import io.vmm4j.control.protocol.ErrorType;
import io.vmm4j.control.protocol.Replies;
import io.vmm4j.control.protocol.RequestId;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Turns what a command has thrown into the reply that says so. */
public final class FailureReply {
  private static final Logger LOG = LoggerFactory.getLogger(FailureReply.class);

  private FailureReply() {}

  /** The reply. */
  public static byte[] of(RequestId id, Throwable failure) {
    ErrorType type = type(failure);
    if (type == ErrorType.INTERNAL) {
      LOG.error("a control command has failed", failure);
    }
    String message = failure.getMessage();
    return Replies.error(
        id, type, message == null || type == ErrorType.INTERNAL ? failure.toString() : message);
  }

  private static ErrorType type(Throwable failure) {
    return switch (failure) {
      case Refusal e -> e.type();
      case VmStoppedException e -> ErrorType.MACHINE_ENDED;
      case GuestMemoryException e -> ErrorType.NO_MEMORY;
      case SnapshotException.TooOld e -> ErrorType.SNAPSHOT_TOO_OLD;
      case SnapshotException.TooNew e -> ErrorType.SNAPSHOT_TOO_NEW;
      case SnapshotException.Corrupt e -> ErrorType.SNAPSHOT_CORRUPT;
      case SnapshotException.Truncated e -> ErrorType.SNAPSHOT_TRUNCATED;
      case SnapshotException.MissingDevice e -> ErrorType.SNAPSHOT_MISSING_DEVICE;
      case SnapshotException.Incompatible e -> ErrorType.SNAPSHOT_INCOMPATIBLE;
      case SnapshotException.MissingParent e -> ErrorType.SNAPSHOT_MISSING_PARENT;
      case SnapshotException e -> ErrorType.SNAPSHOT;
      case IOException e -> ErrorType.CLIENT;
      default -> ErrorType.INTERNAL;
    };
  }

  /** What the operating system says about a file, with the file's name rather than its own. */
  static RuntimeException cannot(String verb, Path file, IOException e) {
    String reason =
        switch (e) {
          case NoSuchFileException missing ->
              verb.equals("read") ? "there is no such file" : "there is no such directory";
          case AccessDeniedException denied -> "it is not allowed";
          case NotDirectoryException no -> "its parent is no directory";
          case FileSystemException system when system.getReason() != null -> system.getReason();
          default -> e.getMessage() == null ? e.toString() : e.getMessage();
        };
    return new Refusal(ErrorType.FILE, "cannot %s %s: %s".formatted(verb, file, reason), e);
  }
}
