package io.vmm4j.api.device;

/** The widest access a handler takes; the bus splits wider ones, lowest address first. */
public enum AccessWidth {
  /** Single bytes. */
  BYTE(1),
  /** Up to 2 bytes. */
  WORD(2),
  /** Up to 4 bytes. */
  DWORD(4),
  /** Up to 8 bytes. */
  QWORD(8);

  private final int bytes;

  AccessWidth(int bytes) {
    this.bytes = bytes;
  }

  /** The width in bytes. */
  public int bytes() {
    return bytes;
  }
}
