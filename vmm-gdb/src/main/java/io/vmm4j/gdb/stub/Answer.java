package io.vmm4j.gdb.stub;

import java.nio.charset.StandardCharsets;

/** What follows from a packet. */
public sealed interface Answer {

  /**
   * A reply.
   *
   * @param payload of its packet
   */
  record Reply(byte[] payload) implements Answer {}

  /** The machine runs: the reply is why it stands again, when it does. */
  record Later() implements Answer {}

  /** None, and the connection ends. */
  record Goodbye() implements Answer {}

  /** A reply of text. */
  static Reply text(String text) {
    return new Reply(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  /** {@code OK}. */
  static Reply ok() {
    return text("OK");
  }

  /** The packet is not known. */
  static Reply unknown() {
    return text("");
  }

  /** An error, by Linux's number as is the custom. */
  static Reply error(int errno) {
    return text("E%02x".formatted(errno));
  }
}
