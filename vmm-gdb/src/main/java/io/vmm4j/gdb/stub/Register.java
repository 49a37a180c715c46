package io.vmm4j.gdb.stub;

import java.util.ArrayList;
import java.util.List;

/**
 * A register as GDB counts them: its number is its place in {@link #ALL}, and so it is in the
 * target description.
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

  private static final String[] GENERAL = {
    "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp",
    "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"
  };

  /** Where they are in the order of their encoding. */
  private static final int[] ENCODING = {0, 3, 1, 2, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15};

  private static final String[] SELECTORS = {"cs", "ss", "ds", "es", "fs", "gs"};
  private static final String[] X87_CONTROL = {
    "fctrl", "fstat", "ftag", "fiseg", "fioff", "foseg", "fooff", "fop"
  };
  private static final String[] SEGMENT_BASES = {"fs_base", "gs_base"};
  private static final String[] SYSTEM = {"k_gs_base", "cr0", "cr2", "cr3", "cr4", "cr8", "efer"};

  /** All of them, by number. */
  static final List<Register> ALL = all();

  private static List<Register> all() {
    List<Register> list = new ArrayList<>();
    for (int i = 0; i < GENERAL.length; i++) {
      String type = GENERAL[i].equals("rbp") || GENERAL[i].equals("rsp") ? "data_ptr" : "int64";
      list.add(new Register(GENERAL[i], 64, type, Kind.GENERAL, ENCODING[i]));
    }
    list.add(new Register("rip", 64, "code_ptr", Kind.RIP, 0));
    list.add(new Register("eflags", 32, "i386_eflags", Kind.FLAGS, 0));
    add(list, SELECTORS, 32, "int32", Kind.SELECTOR);
    for (int i = 0; i < 8; i++) {
      list.add(new Register("st" + i, 80, "i387_ext", Kind.X87, i));
    }
    add(list, X87_CONTROL, 32, "int", Kind.X87_CONTROL);
    for (int i = 0; i < 16; i++) {
      list.add(new Register("xmm" + i, 128, "vec128", Kind.XMM, i));
    }
    list.add(new Register("mxcsr", 32, "i386_mxcsr", Kind.MXCSR, 0));
    add(list, SEGMENT_BASES, 64, "int64", Kind.SEGMENT_BASE);
    add(list, SYSTEM, 64, "int64", Kind.SYSTEM);
    return List.copyOf(list);
  }

  private static void add(List<Register> list, String[] names, int bits, String type, Kind kind) {
    for (int i = 0; i < names.length; i++) {
      list.add(new Register(names[i], bits, type, kind, i));
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
