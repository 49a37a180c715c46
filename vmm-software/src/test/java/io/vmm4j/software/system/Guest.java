package io.vmm4j.software.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.vmm4j.api.backend.CpuVendor;
import io.vmm4j.software.TestHost;
import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.CpuFault;
import io.vmm4j.software.cpu.Flags;
import io.vmm4j.software.cpu.Instruction;
import io.vmm4j.software.cpu.InstructionBuilder;
import java.lang.foreign.ValueLayout;
import java.util.Set;
import java.util.function.Consumer;

/**
 * A processor with tables, for tests of the system instructions: GDT at 0x1000, IDT at 0x2000, TSS
 * at 0x3000, LDT at 0x3800, page tables at 0x10000 (long mode), stacks below 0x8000 (ring 0),
 * 0x9000 (ring 3) and 0xA000 (IST 1), code at 0xC000.
 */
final class Guest {
  static final int GDT = 0x1000;
  static final int IDT = 0x2000;
  static final int TSS = 0x3000;
  static final int STACK0 = 0x8000;
  static final int STACK3 = 0x9000;
  static final int STACK_IST = 0xA000;
  static final int CODE = 0xC000;
  static final int HANDLER = 0xD000;

  static final int CODE0 = 0x08;
  static final int DATA0 = 0x10;
  static final int CODE3 = 0x18;
  static final int DATA3 = 0x20;
  static final int TASK = 0x28;
  static final int CONFORMING = 0x38;
  static final int ABSENT_DATA = 0x40;
  static final int READ_ONLY = 0x48;
  static final int FREE = 0x50;
  static final int OUTSIDE = 0x100;

  final TestHost host;
  final Cpu cpu;
  private boolean wide;

  private Guest(CpuVendor vendor) {
    host = new TestHost(vendor, Set.of());
    cpu = new Cpu(0, host);
    cpu.system.powerOn();
  }

  static Guest real() {
    Guest g = new Guest(CpuVendor.INTEL);
    g.cpu.seg[Cpu.CS].set(0, 0, 0xFFFF, 0x9B);
    g.cpu.gpr[Cpu.RSP] = STACK0;
    g.cpu.rip = CODE;
    g.cpu.modeChanged();
    return g;
  }

  /** Flat 32-bit protected mode at ring 0. */
  static Guest protectedMode() {
    return protectedMode(CpuVendor.INTEL);
  }

  /** The same on a processor of a vendor. */
  static Guest protectedMode(CpuVendor vendor) {
    Guest g = new Guest(vendor);
    g.tables();
    g.put32(TSS + 4, STACK0);
    g.put32(TSS + 8, DATA0);
    ControlRegisters.writeCr0(g.cpu, 0x11);
    g.flat(0);
    Segmentation.loadTask(g.cpu, TASK);
    return g;
  }

  /** 64-bit mode at ring 0, memory mapped onto itself. */
  static Guest longMode() {
    return longMode(CpuVendor.INTEL);
  }

  /** The same on a processor of a vendor. */
  static Guest longMode(CpuVendor vendor) {
    Guest g = new Guest(vendor);
    g.wide = true;
    g.tables();
    g.put64(TSS + 4, STACK0);
    g.put64(TSS + 36, STACK_IST);
    g.put64(0x10000, 0x11007);
    g.put64(0x11000, 0x12007);
    for (int i = 0; i < 8; i++) {
      g.put64(0x12000 + 8 * i, (long) i << 21 | 0x87);
    }
    ControlRegisters.write(g.cpu, 4, 0x20);
    ControlRegisters.write(g.cpu, 3, 0x10000);
    g.cpu.system.msrs.write(0xC0000080, 0x901);
    ControlRegisters.writeCr0(g.cpu, 0x80010011L);
    g.flat(0);
    Segmentation.loadTask(g.cpu, TASK);
    return g;
  }

  private void tables() {
    int big = wide ? 0xA0 : 0xC0;
    segment(CODE0, 0, 0x9A, big);
    segment(DATA0, 0, 0x92, 0xC0);
    segment(CODE3, 0, 0xFA, big);
    segment(DATA3, 0, 0xF2, 0xC0);
    put64(GDT + TASK, 0x0000_8900_0000_0067L | (long) TSS << 16);
    segment(CONFORMING, 0, 0x9E, big);
    segment(ABSENT_DATA, 0, 0x12, 0xC0);
    segment(READ_ONLY, 0, 0x90, 0xC0);
    cpu.gdtrBase = GDT;
    cpu.gdtrLimit = 0x7F;
    cpu.idtrBase = IDT;
    cpu.idtrLimit = 0xFFF;
  }

  /** Writes a descriptor with 4 GiB of limit: access byte and flags. */
  void segment(int selector, long base, int access, int flags) {
    long raw = 0x000F_0000_0000_FFFFL | (long) access << 40 | (long) flags << 48;
    put64(GDT + selector, raw | base << 16);
  }

  /** Goes to a ring with flat segments, without any check. */
  void flat(int ring) {
    int code = ring == 0 ? CODE0 : CODE3 | 3;
    int data = ring == 0 ? DATA0 : DATA3 | 3;
    cpu.cpl = ring;
    for (int i = 0; i < 6; i++) {
      int selector = i == Cpu.CS ? code : data;
      Descriptor.fill(cpu.seg[i], selector, get64(GDT + (selector & ~7)));
    }
    cpu.gpr[Cpu.RSP] = ring == 0 ? STACK0 - 0x100 : STACK3;
    cpu.rip = CODE;
    cpu.modeChanged();
  }

  /** A gate of the IDT to {@link #HANDLER}. */
  void gate(int vector, int selector, int access, int ist) {
    long low = (HANDLER & 0xFFFFL) | (long) selector << 16 | (long) access << 40 | (long) ist << 32;
    if (wide) {
      put64(IDT + 16 * vector, low);
      put64(IDT + 16 * vector + 8, 0);
    } else {
      put64(IDT + 8 * vector, low);
    }
  }

  void put64(long at, long value) {
    host.memory().set(ValueLayout.JAVA_LONG_UNALIGNED, at, value);
  }

  void put32(long at, int value) {
    host.memory().set(ValueLayout.JAVA_INT_UNALIGNED, at, value);
  }

  long get64(long at) {
    return host.memory().get(ValueLayout.JAVA_LONG_UNALIGNED, at);
  }

  int get32(long at) {
    return host.memory().get(ValueLayout.JAVA_INT_UNALIGNED, at);
  }

  int get16(long at) {
    return host.memory().get(ValueLayout.JAVA_SHORT_UNALIGNED, at) & 0xFFFF;
  }

  long rsp() {
    return cpu.gpr[Cpu.RSP];
  }

  boolean flag(int flag) {
    return (cpu.eflags() & flag) != 0;
  }

  /** An instruction of a map and opcode, with the sizes of the code segment. */
  Instruction instruction(int opcode, Consumer<InstructionBuilder> details) {
    InstructionBuilder in = new InstructionBuilder();
    in.opcode = opcode;
    in.codeSize = cpu.codeSize;
    in.operandSize = cpu.codeSize == 8 ? 4 : cpu.codeSize;
    in.addressSize = cpu.codeSize;
    in.addressMask = cpu.codeSize == 8 ? -1 : cpu.codeSize == 4 ? 0xFFFFFFFFL : 0xFFFF;
    details.accept(in);
    return in.build(cpu);
  }

  /** Executes an instruction; {@link Cpu#rip} counts as the next one. */
  void execute(int opcode, Consumer<InstructionBuilder> details) {
    SystemOps.execute(cpu, instruction(opcode, details));
  }

  void execute(int opcode) {
    execute(opcode, in -> {});
  }

  /** Asserts that a task raises an exception, and gives its error code, or -1 for none. */
  int errorOf(int vector, Runnable task) {
    Throwable thrown = catchThrowable(task::run);
    assertThat(thrown).isInstanceOf(CpuFault.class);
    assertThat(cpu.faultVector).as("vector").isEqualTo(vector);
    return cpu.faultHasErrorCode ? cpu.faultErrorCode : -1;
  }

  /** Interrupts on. */
  void interruptible() {
    cpu.systemFlags |= Flags.IF;
  }
}
