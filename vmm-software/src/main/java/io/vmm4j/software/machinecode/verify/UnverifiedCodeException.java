package io.vmm4j.software.machinecode.verify;

import java.util.HexFormat;

/** Thrown for code of which something is not proven; it must not be executed. */
public final class UnverifiedCodeException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final String piece;
  private final int offset;
  private final String reason;

  UnverifiedCodeException(String piece, int offset, byte[] bytes, String what, String reason) {
    super(
        "%s, offset 0x%x, %s [%s]: %s"
            .formatted(piece, offset, what, HexFormat.ofDelimiter(" ").formatHex(bytes), reason));
    this.piece = piece;
    this.offset = offset;
    this.reason = reason;
  }

  /** The piece of code: a block, or a stub. */
  public String piece() {
    return piece;
  }

  /** Where in the piece the instruction lies. */
  public int offset() {
    return offset;
  }

  /** What is not proven of it. */
  public String reason() {
    return reason;
  }
}
