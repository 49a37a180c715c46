package io.vmm4j.gdb.stub;

/**
 * A register of a processor as GDB describes it. Its number is its place among those of an {@link
 * Architecture}.
 *
 * @param name GDB's
 * @param bits its size, a multiple of 8
 * @param type GDB's, or one that {@link TargetDescription} defines
 * @param kind which of a processor's registers it is among
 * @param index its place among those
 */
record Register(String name, int bits, String type, Kind kind, int index) {

  /** What a register is among. */
  enum Kind {
    GENERAL("org.gnu.gdb.i386.core"),
    RIP("org.gnu.gdb.i386.core"),
    FLAGS("org.gnu.gdb.i386.core"),
    SELECTOR("org.gnu.gdb.i386.core"),
    X87("org.gnu.gdb.i386.core"),
    X87_CONTROL("org.gnu.gdb.i386.core"),
    XMM("org.gnu.gdb.i386.sse"),
    MXCSR("org.gnu.gdb.i386.sse"),
    SEGMENT_BASE("org.gnu.gdb.i386.segments"),
    SYSTEM("io.vmm4j.system");

    private final String feature;

    Kind(String feature) {
      this.feature = feature;
    }

    /** The feature of the target description that they are in. */
    String feature() {
      return feature;
    }
  }

  int bytes() {
    return bits / 8;
  }

  /**
   * Whether a debugger may change it: what holds the processor's mode together it may only read.
   */
  boolean writable() {
    return kind != Kind.SELECTOR && kind != Kind.SYSTEM;
  }
}
