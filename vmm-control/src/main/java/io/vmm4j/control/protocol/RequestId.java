package io.vmm4j.control.protocol;

/** What a client calls its request by; the reply has it again. */
public sealed interface RequestId {

  /** The request has none, or could not be read far enough to find it. */
  record Absent() implements RequestId {}

  /** An integer. */
  record Number(long value) implements RequestId {}

  /** A text of at most {@link #MAX_CHARS} characters. */
  record Text(String value) implements RequestId {}

  /** The longest text that is an id. */
  int MAX_CHARS = 64;
}
