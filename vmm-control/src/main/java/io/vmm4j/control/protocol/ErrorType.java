package io.vmm4j.control.protocol;

import java.util.Locale;

/** What kind of error a reply tells of; the label is part of the protocol. */
public enum ErrorType {
  /** The line is not one JSON object in UTF-8. */
  MALFORMED,
  /** The line is longer than the server takes; the connection ends. */
  LINE_TOO_LONG,
  /** The line was begun and not ended in time; the connection ends. */
  LINE_TIMEOUT,
  /** The connection was not used for too long; it ends. */
  IDLE_TIMEOUT,
  /** There are as many connections as the server takes; this one ends. */
  TOO_MANY_CONNECTIONS,
  /** There is no such command. */
  UNKNOWN_COMMAND,
  /** The command needs a field that is not there. */
  MISSING_FIELD,
  /** A field has a value that can't be. */
  BAD_FIELD,
  /** The command has no such field. */
  UNKNOWN_FIELD,
  /** Another snapshot or restore is under way. */
  BUSY,
  /** The machine lacks what the command needs, such as a power button. */
  UNSUPPORTED,
  /** The machine has ended. */
  MACHINE_ENDED,
  /** There is no memory at this guest physical address. */
  NO_MEMORY,
  /** A file can't be read or written. */
  FILE,
  /** The client has not taken what it asked for in time. */
  CLIENT,
  /** A snapshot is older than this release reads. */
  SNAPSHOT_TOO_OLD,
  /** A snapshot is newer than this release reads. */
  SNAPSHOT_TOO_NEW,
  /** A snapshot is damaged. */
  SNAPSHOT_CORRUPT,
  /** A snapshot ends too early. */
  SNAPSHOT_TRUNCATED,
  /** A snapshot has a device that is not present. */
  SNAPSHOT_MISSING_DEVICE,
  /** A snapshot is of another machine. */
  SNAPSHOT_INCOMPATIBLE,
  /** A snapshot is a delta without its parent. */
  SNAPSHOT_MISSING_PARENT,
  /** A snapshot failed in another way. */
  SNAPSHOT,
  /** A fault in the server. */
  INTERNAL;

  /** How replies call it: lower case, with hyphens. */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
