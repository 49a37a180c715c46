package io.vmm4j.gdb.protocol;

/** What a client sends, as {@link FrameReader} takes it from the bytes. */
public sealed interface Frame {

  /**
   * A packet whose checksum is right.
   *
   * @param payload its bytes, escapes resolved
   */
  record Packet(byte[] payload) implements Frame {}

  /** A packet whose checksum is wrong. */
  record Damaged() implements Frame {}

  /** A packet that is longer than what is taken: the client can't be followed any further. */
  record TooLong() implements Frame {}

  /**
   * A byte that the protocol does not have at this place: the client speaks another one, such as
   * HTTP, and can't be followed any further.
   *
   * @param value the byte
   */
  record Foreign(byte value) implements Frame {}

  /** The byte 3: the machine is to stand. */
  record Interrupt() implements Frame {}

  /** The last packet did not arrive well. */
  record Repeat() implements Frame {}
}
