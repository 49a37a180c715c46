package io.vmm4j.software.cpu;

import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.backend.CpuVendor;
import io.vmm4j.software.TestHost;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A processor at ring 0, in protected mode without paging with 16- or 32-bit code, or in 64-bit
 * mode with memory mapped onto itself by global pages of 2 MiB: for tests that give it bytes to
 * execute. Code lies at 0x8000, the stack ends at 0x7000, and each exception halts at a place of
 * its own.
 */
final class BareCpu {
  static final int CODE = 0x8000;
  static final int STACK = 0x7000;
  private static final int GDT = 0x1000;
  private static final int IDT = 0x2000;
  private static final int HANDLERS = 0x3000;
  private static final int HANDLER_SIZE = 16;
  static final int PAGE_DIRECTORY = 0x1_2000;
  private static final int PAGE_TABLES = 0x1_0000;
  private static final byte HLT = (byte) 0xF4;

  final TestHost host;
  final Cpu cpu;
  private final RunLoop loop;

  private BareCpu(int codeSize, TestHost host) {
    this(codeSize, host, Tiers.code(host));
  }

  private BareCpu(int codeSize, TestHost host, DecodedCode decoded) {
    this.host = host;
    cpu = new Cpu(0, host, decoded);
    loop = Tiers.loop(cpu);
    cpu.system.powerOn();
    boolean wide = codeSize == 8;
    put64(GDT + 8, wide ? 0x00AF_9B00_0000_FFFFL : 0x00CF_9B00_0000_FFFFL);
    for (int vector = 0; vector < 32; vector++) {
      long gate = HANDLERS + HANDLER_SIZE * vector | 8L << 16 | 0x8E00L << 32;
      put64(IDT + (wide ? 16 : 8) * vector, gate);
      put8(HANDLERS + HANDLER_SIZE * vector, HLT);
    }
    cpu.gdtrBase = GDT;
    cpu.gdtrLimit = 0xF;
    cpu.idtrBase = IDT;
    cpu.idtrLimit = wide ? 0x1FF : 0xFF;
    cpu.cr0 = 0x11;
    if (wide) {
      put64(PAGE_TABLES, PAGE_TABLES + 0x1000 | 3);
      put64(PAGE_TABLES + 0x1000, PAGE_DIRECTORY | 3);
      for (long i = 0; i < TestHost.MEMORY_BYTES >> 21; i++) {
        put64((int) (PAGE_DIRECTORY + 8 * i), i << 21 | 0x183);
      }
      cpu.cr0 = 0x8000_0011L;
      cpu.cr3 = PAGE_TABLES;
      cpu.cr4 = 0x20;
      cpu.efer = 0x500;
    }
    for (int i = 0; i < 6; i++) {
      cpu.seg[i].set(16, 0, 0xFFFF_FFFFL, 0xC093);
    }
    int code = wide ? 0xA09B : codeSize == 4 ? 0xC09B : 0x809B;
    cpu.seg[Cpu.CS].set(8, 0, 0xFFFF_FFFFL, code);
    cpu.mmu.flush();
    cpu.modeChanged();
  }

  /** With code of 2, 4 or 8 bytes. */
  static BareCpu withCodeSize(int codeSize) {
    return new BareCpu(codeSize, new TestHost());
  }

  /** Some with 64-bit code that share their memory and run at the same time. */
  static List<BareCpu> parallel(int count) {
    TestHost host = new TestHost();
    DecodedCode decoded = DecodedCode.ofParallel(host.memory().byteSize());
    return Stream.generate(() -> new BareCpu(8, host, decoded)).limit(count).toList();
  }

  /** With 64-bit code, sharing with others what is known of blocks. */
  static BareCpu sharing(KnownBlocks known) {
    TestHost host = new TestHost();
    return new BareCpu(8, host, new DecodedCode(host.memory().byteSize(), known));
  }

  /** With code of 2, 4 or 8 bytes, of a vendor. */
  static BareCpu of(CpuVendor vendor, int codeSize) {
    return new BareCpu(codeSize, new TestHost(vendor, Set.of()));
  }

  /** With code of 2, 4 or 8 bytes, and features that the portable processor lacks. */
  static BareCpu with(int codeSize, CpuFeature... features) {
    return new BareCpu(codeSize, new TestHost(CpuVendor.INTEL, Set.of(features)));
  }

  void put8(int at, int value) {
    host.memory().set(ValueLayout.JAVA_BYTE, at, (byte) value);
  }

  int get8(int at) {
    return host.memory().get(ValueLayout.JAVA_BYTE, at) & 0xFF;
  }

  void put64(int at, long value) {
    host.memory().set(ValueLayout.JAVA_LONG_UNALIGNED, at, value);
  }

  int get32(int at) {
    return host.memory().get(ValueLayout.JAVA_INT_UNALIGNED, at);
  }

  /** Sets a data segment's base and limit, writable. */
  void segment(int index, long base, long limit) {
    cpu.seg[index].set(16, base, limit, limit > 0xF_FFFF ? 0xC093 : 0x4093);
    cpu.modeChanged();
  }

  /** Puts code where {@link #run} begins, and HLT behind it. */
  void code(int... bytes) {
    for (int i = 0; i < bytes.length; i++) {
      put8(CODE + i, bytes[i]);
    }
    put8(CODE + bytes.length, HLT);
    cpu.mmu.writtenByOthers(CODE, bytes.length + 1);
  }

  /** Runs until HLT; gives the vector of the exception that led there, or -1. */
  int run() {
    cpu.rip = CODE;
    cpu.halted = false;
    loop.run(100_000);
    if (!cpu.halted) {
      throw new AssertionError("not halted at %x".formatted(cpu.rip));
    }
    boolean handled = cpu.rip > HANDLERS && cpu.rip < HANDLERS + 32 * HANDLER_SIZE;
    return handled ? (int) (cpu.rip - HANDLERS) / HANDLER_SIZE : -1;
  }

  /** Runs code from a good stack pointer in flat segments. */
  int run(int... bytes) {
    code(bytes);
    cpu.gpr[Cpu.RSP] = STACK;
    return run();
  }

  /** A doubleword that an exception has pushed: 0 is its error code, where it has one. */
  int pushed(int index) {
    return get32((int) cpu.gpr[Cpu.RSP] + 4 * index);
  }
}
