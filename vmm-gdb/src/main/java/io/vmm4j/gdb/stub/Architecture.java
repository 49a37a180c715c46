package io.vmm4j.gdb.stub;

import io.vmm4j.api.backend.CpuState;
import java.util.ArrayList;
import java.util.List;

/**
 * What GDB takes a vCPU for: its name in GDB and the registers, whose numbers are their places. A
 * vCPU of which GDB has one description can be in the mode of the other.
 */
enum Architecture {
  /** A processor of 32 bits, for 16-bit and 32-bit code. */
  I386("i386", i386()),

  /** A processor of 64 bits, once it is in IA-32e mode. */
  AMD64("i386:x86-64", amd64());

  private static final int MSR_EFER = 0xC000_0080;
  private static final long EFER_LMA = 1 << 10;

  private final String gdbName;
  private final List<Register> registers;

  Architecture(String gdbName, List<Register> registers) {
    this.gdbName = gdbName;
    this.registers = registers;
  }

  /** That of the mode in which a vCPU is. */
  static Architecture of(CpuState state) {
    return (state.msr(MSR_EFER) & EFER_LMA) != 0 ? AMD64 : I386;
  }

  /** GDB's name of it. */
  String gdbName() {
    return gdbName;
  }

  /** The other one, for which a program may be whose debugger is told this one. */
  Architecture other() {
    return this == I386 ? AMD64 : I386;
  }

  /** All registers, by number. */
  List<Register> registers() {
    return registers;
  }

  private static List<Register> i386() {
    List<Register> list = new ArrayList<>();
    String[] general = {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"};
    for (int i = 0; i < general.length; i++) {
      String type = general[i].equals("ebp") || general[i].equals("esp") ? "data_ptr" : "int32";
      list.add(new Register(general[i], 32, type, Register.Kind.GENERAL, i));
    }
    list.add(new Register("eip", 32, "code_ptr", Register.Kind.RIP, 0));
    core(list);
    sse(list, 8);
    system(list);
    return List.copyOf(list);
  }

  private static List<Register> amd64() {
    List<Register> list = new ArrayList<>();
    String[] general = {
      "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp",
      "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"
    };
    // Where they are in the order of their encoding.
    int[] encoding = {0, 3, 1, 2, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15};
    for (int i = 0; i < general.length; i++) {
      String type = general[i].equals("rbp") || general[i].equals("rsp") ? "data_ptr" : "int64";
      list.add(new Register(general[i], 64, type, Register.Kind.GENERAL, encoding[i]));
    }
    list.add(new Register("rip", 64, "code_ptr", Register.Kind.RIP, 0));
    core(list);
    sse(list, 16);
    String[] bases = {"fs_base", "gs_base"};
    add(list, bases, 64, "int64", Register.Kind.SEGMENT_BASE);
    system(list);
    return List.copyOf(list);
  }

  private static void core(List<Register> list) {
    list.add(new Register("eflags", 32, "i386_eflags", Register.Kind.FLAGS, 0));
    String[] selectors = {"cs", "ss", "ds", "es", "fs", "gs"};
    add(list, selectors, 32, "int32", Register.Kind.SELECTOR);
    for (int i = 0; i < 8; i++) {
      list.add(new Register("st" + i, 80, "i387_ext", Register.Kind.X87, i));
    }
    String[] control = {"fctrl", "fstat", "ftag", "fiseg", "fioff", "foseg", "fooff", "fop"};
    add(list, control, 32, "int", Register.Kind.X87_CONTROL);
  }

  private static void sse(List<Register> list, int count) {
    for (int i = 0; i < count; i++) {
      list.add(new Register("xmm" + i, 128, "vec128", Register.Kind.XMM, i));
    }
    list.add(new Register("mxcsr", 32, "i386_mxcsr", Register.Kind.MXCSR, 0));
  }

  private static void system(List<Register> list) {
    String[] system = {"k_gs_base", "cr0", "cr2", "cr3", "cr4", "cr8", "efer"};
    add(list, system, 64, "int64", Register.Kind.SYSTEM);
  }

  private static void add(
      List<Register> list, String[] names, int bits, String type, Register.Kind kind) {
    for (int i = 0; i < names.length; i++) {
      list.add(new Register(names[i], bits, type, kind, i));
    }
  }
}
