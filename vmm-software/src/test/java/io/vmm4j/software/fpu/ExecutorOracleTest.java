package io.vmm4j.software.fpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.vmm4j.software.TestHost;
import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.CpuFault;
import io.vmm4j.software.cpu.Instruction;
import io.vmm4j.software.cpu.InstructionBuilder;
import io.vmm4j.software.oracle.NativeOracle;
import java.lang.foreign.ValueLayout;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whole x87, MMX and SSE instructions, operands in registers and in memory, against the host. */
class ExecutorOracleTest {
  private static final int ROUNDS = Integer.getInteger("vmm4j.oracle.cases", 1_000);
  private static final int MEMORY = 0x4000;
  private static final int ARITHMETIC_FLAGS = 0x8d5;
  private static final int[] PREFIX_BYTES = {0x90, 0x66, 0xf3, 0xf2};

  private NativeOracle oracle;
  private final FloatCases cases = new FloatCases(4_2);
  private final Cpu cpu = new Cpu(0, new TestHost(NativeOracle.hostVendor(), Set.of()));
  private final TestHost host = (TestHost) cpu.host;
  private int differences;
  private int compared;
  private final StringBuilder report = new StringBuilder();

  @BeforeEach
  void open() {
    assumeTrue(NativeOracle.isSupported(), "native comparison needs x86-64 Linux");
    assumeTrue(NativeOracle.hostHas("sse4_2"), "host without SSE4.2");
    oracle = NativeOracle.open();
    cpu.cr0 = 0x20;
    cpu.cr4 = 0x600;
    cpu.codeSize = 8;
    cpu.mmu.flush();
  }

  @AfterEach
  void close() {
    if (oracle != null) {
      oracle.close();
    }
  }

  @Test
  void packedIntegersEqualTheProcessors() {
    for (int op = 0x60; op <= 0xfe; op++) {
      boolean mmx = op >= 0x60 && op <= 0x6b || op >= 0x74 && op <= 0x76 || op >= 0xd1;
      if (!mmx
          || op == 0xd6
          || op == 0xd7
          || op == 0xe6
          || op == 0xe7
          || op == 0xf0
          || op == 0xf7) {
        continue;
      }
      if (op != 0xd0) {
        simd(0, 1, op, -1);
        simd(1, 1, op, -1);
      }
    }
    simd(1, 1, 0x6c, -1);
    simd(1, 1, 0x6d, -1);
    for (int prefix = 0; prefix < 4; prefix++) {
      simd(prefix, 1, 0x70, cases.below(256));
    }
    for (int imm = 0; imm < 20; imm++) {
      for (int extension : new int[] {0x712, 0x714, 0x716, 0x722, 0x724, 0x726, 0x732, 0x736}) {
        registers(0, 1, extension >> 4, 0xc2 | (extension & 7) << 3, imm * 4 % 70);
        registers(1, 1, extension >> 4, 0xc2 | (extension & 7) << 3, imm * 4 % 70);
      }
      registers(1, 1, 0x73, 0xda, imm);
      registers(1, 1, 0x73, 0xfa, imm);
      simd(0, 1, 0xc4, imm);
      simd(1, 1, 0xc4, imm);
      registers(0, 1, 0xc5, 0xca, imm);
      registers(1, 1, 0xc5, 0xca, imm);
    }
    registers(0, 1, 0xd7, 0xca, -1);
    registers(1, 1, 0xd7, 0xca, -1);
    settle();
  }

  @Test
  void movesEqualTheProcessors() {
    for (int prefix = 0; prefix < 4; prefix++) {
      simd(prefix, 1, 0x10, -1);
      simd(prefix, 1, 0x11, -1);
    }
    for (int op : new int[] {0x14, 0x15, 0x28, 0x29}) {
      simd(0, 1, op, -1);
      simd(1, 1, op, -1);
    }
    for (int op : new int[] {0x12, 0x16}) {
      simd(0, 1, op, -1);
      simd(2, 1, op, -1);
      memory(1, 1, op, -1);
      memory(0, 1, op + 1, -1);
      memory(1, 1, op + 1, -1);
    }
    simd(3, 1, 0x12, -1);
    registers(0, 1, 0x50, 0xca, -1);
    registers(1, 1, 0x50, 0xca, -1);
    for (int op : new int[] {0x6e, 0x6f, 0x7e, 0x7f}) {
      simd(0, 1, op, -1);
      simd(1, 1, op, -1);
    }
    for (int op : new int[] {0x6f, 0x7e, 0x7f}) {
      simd(2, 1, op, -1);
    }
    simd(1, 1, 0xd6, -1);
    registers(2, 1, 0xd6, 0xca, -1);
    registers(3, 1, 0xd6, 0xca, -1);
    memory(0, 1, 0x2b, -1);
    memory(0, 1, 0xe7, -1);
    memory(1, 1, 0xe7, -1);
    memory(3, 1, 0xf0, -1);
    memory(0, 1, 0xc3, -1);
    registers(0, 1, 0xf7, 0xca, -1);
    registers(1, 1, 0xf7, 0xca, -1);
    for (int i = 0; i < 16; i++) {
      simd(0, 1, 0xc6, cases.below(256));
      simd(1, 1, 0xc6, cases.below(256));
    }
    registers(0, 1, 0x77, 0, -1);
    settle();
  }

  @Test
  void floatingPointEqualsTheProcessors() {
    for (int op : new int[] {0x51, 0x58, 0x59, 0x5a, 0x5c, 0x5d, 0x5e, 0x5f}) {
      for (int prefix = 0; prefix < 4; prefix++) {
        simd(prefix, 1, op, -1);
      }
    }
    for (int op : new int[] {0x2e, 0x2f, 0x54, 0x55, 0x56, 0x57}) {
      simd(0, 1, op, -1);
      simd(1, 1, op, -1);
    }
    for (int op : new int[] {0x2a, 0x2c, 0x2d}) {
      for (int prefix = 0; prefix < 4; prefix++) {
        simd(prefix, 1, op, -1);
      }
    }
    for (int prefix = 0; prefix < 4; prefix++) {
      for (int predicate = 0; predicate < 8; predicate++) {
        simd(prefix, 1, 0xc2, predicate);
      }
      if (prefix < 3) {
        simd(prefix, 1, 0x5b, -1);
      }
      if (prefix > 0) {
        simd(prefix, 1, 0xe6, -1);
      }
    }
    for (int op : new int[] {0x7c, 0x7d, 0xd0}) {
      simd(1, 1, op, -1);
      simd(3, 1, op, -1);
    }
    settle();
  }

  @Test
  void threeByteMapsEqualTheProcessors() {
    for (int op = 0; op <= 0x41; op++) {
      boolean ssse3 = op <= 0x0b || op >= 0x1c && op <= 0x1e;
      boolean sse4 =
          op == 0x10
              || op == 0x14
              || op == 0x15
              || op == 0x17
              || op == 0x28
              || op == 0x29
              || op == 0x2b
              || op >= 0x20 && op <= 0x25
              || op >= 0x30 && op <= 0x35
              || op >= 0x37;
      if (ssse3) {
        simd(0, 2, op, -1);
      }
      if (ssse3 || sse4) {
        simd(1, 2, op, -1);
      }
    }
    memory(1, 2, 0x2a, -1);
    simd(3, 2, 0xf0, -1);
    simd(3, 2, 0xf1, -1);
    for (int i = 0; i < 40; i++) {
      int imm = i < 16 ? i : cases.below(256);
      simd(0, 3, 0x0f, imm);
      for (int op : new int[] {0x08, 0x09, 0x0a, 0x0b}) {
        simd(1, 3, op, i & 15);
      }
      for (int op :
          new int[] {0x0c, 0x0d, 0x0e, 0x0f, 0x14, 0x15, 0x16, 0x17, 0x20, 0x21, 0x22, 0x42}) {
        simd(1, 3, op, imm);
      }
    }
    for (int imm = 0; imm < 128; imm++) {
      for (int op = 0x60; op <= 0x63; op++) {
        simd(1, 3, op, imm);
      }
    }
    settle();
  }

  @Test
  void dotProductsEqualTheProcessors() {
    for (int i = 0; i < 60; i++) {
      int imm = cases.below(256);
      simd(1, 3, 0x40, imm);
      simd(1, 3, 0x41, imm);
    }
    settle();
  }

  @Test
  void x87RegisterFormsEqualTheProcessors() {
    for (int op = 0xd8; op <= 0xdf; op++) {
      for (int modrm = 0xc0; modrm <= 0xff; modrm++) {
        if (defined(op, modrm)) {
          x87(op, modrm);
        }
      }
    }
    settle();
  }

  @Test
  void x87MemoryFormsEqualTheProcessors() {
    for (int op = 0xd8; op <= 0xdf; op++) {
      for (int extension = 0; extension < 8; extension++) {
        int key = op << 4 | extension;
        boolean skip =
            key == 0xd91
                || key == 0xd94
                || key == 0xd96
                || key == 0xdb4
                || key == 0xdb6
                || key == 0xdd4
                || key == 0xdd5
                || key == 0xdd6;
        if (!skip) {
          x87(op, 7 | extension << 3);
        }
      }
    }
    settle();
  }

  private static boolean defined(int op, int modrm) {
    int extension = modrm >> 3 & 7;
    return switch (op) {
      case 0xd9 ->
          extension < 2
              || modrm == 0xd0
              || modrm == 0xe0
              || modrm == 0xe1
              || modrm == 0xe4
              || modrm == 0xe5
              || modrm >= 0xe8 && modrm <= 0xee
              || modrm == 0xf4
              || modrm == 0xf5
              || modrm == 0xf6
              || modrm == 0xf7
              || modrm == 0xf8
              || modrm == 0xfa
              || modrm == 0xfc
              || modrm == 0xfd;
      case 0xda -> extension < 4 || modrm == 0xe9;
      case 0xdb ->
          extension < 4 || extension > 4 && extension < 7 || modrm == 0xe2 || modrm == 0xe3;
      case 0xdc -> extension < 2 || extension > 3;
      case 0xdd -> extension == 0 || extension > 1 && extension < 6;
      case 0xde -> extension < 2 || extension > 3 || modrm == 0xd9;
      case 0xdf -> modrm == 0xe0 || extension == 5 || extension == 6;
      default -> true;
    };
  }

  /** Both the register form (1 and 2, or MM1 and MM2, or RCX and RDX) and the memory form. */
  private void simd(int prefix, int map, int op, int imm) {
    registers(prefix, map, op, 0xca, imm);
    memory(prefix, map, op, imm);
  }

  private void registers(int prefix, int map, int op, int modrm, int imm) {
    run(prefix, map, op, modrm, imm, false);
  }

  private void memory(int prefix, int map, int op, int imm) {
    run(prefix, map, op, 0x0f, imm, true);
  }

  private Instruction instruction(int prefix, int map, int op, int modrm, int imm, boolean memory) {
    InstructionBuilder in = new InstructionBuilder();
    in.opcode = map << 8 | op;
    in.mandatoryPrefix = prefix;
    in.operandPrefix = prefix == 1;
    in.modrm = modrm;
    in.reg = modrm >> 3 & 7;
    in.rm = modrm & 7;
    in.isMemory = memory;
    in.operandSize = prefix == 1 ? 2 : 4;
    in.addressSize = 8;
    in.codeSize = 8;
    in.imm = (byte) imm;
    if (memory) {
      in.base = 7;
    }
    return in.build(cpu);
  }

  private void run(int prefix, int map, int op, int modrm, int imm, boolean memory) {
    boolean emms = map == 1 && op == 0x77;
    int[] code = {
      PREFIX_BYTES[prefix], 0x0f, map == 2 ? 0x38 : map == 3 ? 0x3a : op, op, modrm, imm & 0xff
    };
    int[] exact;
    if (map == 1) {
      exact =
          emms
              ? new int[] {0x0f, 0x77}
              : imm < 0
                  ? new int[] {code[0], 0x0f, op, modrm}
                  : new int[] {code[0], 0x0f, op, modrm, imm};
    } else {
      exact =
          imm < 0
              ? new int[] {code[0], 0x0f, code[2], op, modrm}
              : new int[] {code[0], 0x0f, code[2], op, modrm, imm};
    }
    oracle.code(exact);
    Instruction in = instruction(prefix, map, op, modrm, imm, memory);
    int limit = differences + 3;
    int rounds = map == 3 ? ROUNDS / 8 : ROUNDS;
    for (int i = 0; i < rounds; i++) {
      int mxcsr = 0x1f80 | cases.below(4) << 13 | (cases.below(3) == 0 ? 0x8040 : 0);
      oracle.initialiseFx();
      cpu.fpu.fromXsave(new byte[FpuImage.XSAVE_SIZE], cpu.system.cpuid.xsave());
      cpu.fpu.used = 0;
      for (int r = 0; r < 8; r++) {
        long low = value(op);
        long high = value(op);
        oracle.xmm(r, low, high);
        cpu.fpu.xmm[2 * r] = low;
        cpu.fpu.xmm[2 * r + 1] = high;
        long m = value(op);
        oracle.st(r, 0x1234, m);
        cpu.fpu.significand[r] = m;
        cpu.fpu.signExponent[r] = 0x1234;
        if (r != 4 && r != 7) {
          long g = cases.below(3) == 0 ? cases.below(20) : cases.next();
          oracle.gpr(r, g);
          cpu.gpr[r] = g;
        }
      }
      oracle.gpr(7, oracle.scratchAddress());
      cpu.gpr[7] = MEMORY;
      for (int at = 0; at < 32; at += 8) {
        long v = value(op);
        oracle.scratch().set(ValueLayout.JAVA_LONG, at, v);
        host.memory().set(ValueLayout.JAVA_LONG, MEMORY + at, v);
      }
      oracle.mxcsr(mxcsr);
      cpu.fpu.simd.mxcsr(mxcsr);
      oracle.rflags(0);
      cpu.setArithmeticFlags(0);
      oracle.run();
      String fault = "";
      try {
        Simd.execute(cpu, in);
      } catch (CpuFault f) {
        fault = "fault " + cpu.faultVector;
      }
      compare(
          String.format("prefix %d map %d %02x %02x imm %d", prefix, map, op, modrm, imm),
          fault,
          false);
      if (differences > limit) {
        return;
      }
    }
  }

  /** Floating-point numbers for arithmetic, anything for the rest. */
  private long value(int op) {
    int kind = cases.below(4);
    if (kind == 0) {
      return cases.doubleBits();
    }
    if (kind == 1) {
      return Packed.pair(cases.floatBits(), cases.floatBits());
    }
    return kind == 2 ? cases.next() & cases.next() & cases.next() : cases.next() >> cases.below(64);
  }

  private void x87(int op, int modrm) {
    oracle.code(op, modrm);
    boolean memory = modrm < 0xc0;
    Instruction in = instruction(0, 0, op, modrm, 0, memory);
    int limit = differences + 3;
    for (int i = 0; i < ROUNDS; i++) {
      oracle.initialiseFx();
      int masks = cases.below(3) == 0 ? cases.below(64) : 0x3f;
      int control =
          masks | 0x40 | cases.below(4) << 10 | new int[] {0, 2, 3, 3}[cases.below(4)] << 8;
      int status = cases.below(3) == 0 ? cases.below(64) & masks : 0;
      status |= cases.below(8) << 11 | (cases.below(2) == 0 ? 0x4700 : 0);
      int used = cases.below(4) == 0 ? cases.below(256) : cases.below(6) == 0 ? 0xff : 0x3f;
      if (used == 0x3f) {
        // Six registers from TOP on.
        int top = status >> 11 & 7;
        used = (0x3f << top | 0x3f >> 8 - top) & 0xff;
      }
      cpu.fpu.initialise();
      cpu.fpu.controlWord(control);
      cpu.fpu.statusWord(status);
      cpu.fpu.used = used;
      oracle.controlWord(control);
      oracle.statusWord(status);
      oracle.abridgedTag(used);
      for (int r = 0; r < 8; r++) {
        int se = cases.signExponent();
        long sig = cases.significand(se);
        if (r == 1 && cases.below(3) == 0) {
          se = cpu.fpu.stExponent(0) + cases.below(5) - 2 & 0xffff;
        }
        oracle.st(r, se, sig);
        int register = cpu.fpu.top + r & 7;
        cpu.fpu.significand[register] = sig;
        cpu.fpu.signExponent[register] = se;
        if (r != 4) {
          long g = cases.next();
          oracle.gpr(r, g);
          cpu.gpr[r] = g;
        }
      }
      oracle.gpr(7, oracle.scratchAddress());
      cpu.gpr[7] = MEMORY;
      int extension = modrm >> 3 & 7;
      long low;
      int high = cases.signExponent();
      if (op == 0xdf && extension == 4) {
        low = 0;
        for (int digit = 0; digit < 16; digit++) {
          low = low << 4 | cases.below(10);
        }
        high = cases.below(2) << 15 | cases.below(10) << 4 | cases.below(10);
      } else if (op == 0xdb && extension == 5) {
        low = cases.significand(high);
      } else {
        low =
            op == 0xd8 || op == 0xd9
                ? cases.floatBits()
                : op == 0xdc || op == 0xdd ? cases.doubleBits() : cases.next() >> cases.below(64);
      }
      if (op == 0xd9 && extension == 5) {
        low = cases.below(0x2000) & ~0x100 | 0x3f;
      }
      oracle.scratch().set(ValueLayout.JAVA_LONG, 0, low);
      oracle.scratch().set(ValueLayout.JAVA_LONG, 8, high);
      host.memory().set(ValueLayout.JAVA_LONG, MEMORY, low);
      host.memory().set(ValueLayout.JAVA_LONG, MEMORY + 8, high);
      int flags = cases.next() < 0 ? 0x8d5 : cases.below(2) * 0x41;
      oracle.rflags(flags);
      cpu.setArithmeticFlags(flags);
      String before =
          String.format(
              " cw %x sw %x tag %x st0 %04x.%016x st1 %04x.%016x memory %04x.%016x",
              control,
              status,
              used,
              cpu.fpu.stExponent(0),
              cpu.fpu.stSignificand(0),
              cpu.fpu.stExponent(1),
              cpu.fpu.stSignificand(1),
              high,
              low);
      oracle.run();
      String fault = "";
      try {
        X87.execute(cpu, in);
      } catch (CpuFault f) {
        fault = "fault " + cpu.faultVector;
      }
      compare(String.format("%02x %02x", op, modrm), fault + before, true);
      if (differences > limit) {
        return;
      }
    }
  }

  private void compare(String name, String note, boolean x87) {
    compared++;
    String difference = note.startsWith("fault") ? "fault" : "";
    FpuState fpu = cpu.fpu;
    if (fpu.statusWord() != oracle.statusWord()) {
      difference += String.format(" sw %x/%x", fpu.statusWord(), oracle.statusWord());
    }
    if (fpu.controlWord() != oracle.controlWord()) {
      difference += String.format(" cw %x/%x", fpu.controlWord(), oracle.controlWord());
    }
    if (fpu.used != oracle.abridgedTag()) {
      difference += String.format(" tag %x/%x", fpu.used, oracle.abridgedTag());
    }
    for (int i = 0; i < 8; i++) {
      if (fpu.stSignificand(i) != oracle.significand(i)
          || (fpu.stExponent(i) & 0xffff) != oracle.signExponent(i)) {
        difference +=
            String.format(
                " st%d %04x.%x/%04x.%x",
                i,
                fpu.stExponent(i),
                fpu.stSignificand(i),
                oracle.signExponent(i),
                oracle.significand(i));
      }
      if (fpu.xmm[2 * i] != oracle.xmm(i, 0) && !x87) {
        difference += String.format(" xmm%d %x/%x", i, fpu.xmm[2 * i], oracle.xmm(i, 0));
      }
      if (fpu.xmm[2 * i + 1] != oracle.xmm(i, 1) && !x87) {
        difference += String.format(" xmm%dh %x/%x", i, fpu.xmm[2 * i + 1], oracle.xmm(i, 1));
      }
      if (i != 4 && i != 7 && cpu.gpr[i] != oracle.gpr(i)) {
        difference += String.format(" r%d %x/%x", i, cpu.gpr[i], oracle.gpr(i));
      }
    }
    for (int at = 0; at < 16; at += 8) {
      long mine = host.memory().get(ValueLayout.JAVA_LONG, MEMORY + at);
      long expected = oracle.scratch().get(ValueLayout.JAVA_LONG, at);
      if (mine != expected) {
        difference += String.format(" memory+%d %x/%x", at, mine, expected);
      }
    }
    if (!x87 && fpu.simd.mxcsr() != oracle.mxcsr()) {
      difference += String.format(" mxcsr %x/%x", fpu.simd.mxcsr(), oracle.mxcsr());
    }
    if ((cpu.eflags() & ARITHMETIC_FLAGS) != (oracle.rflags() & ARITHMETIC_FLAGS)) {
      difference += String.format(" flags %x/%x", cpu.eflags(), oracle.rflags());
    }
    if (!difference.isEmpty()) {
      differences++;
      if (differences < 40 && (differences < 2 || report.lastIndexOf(name + "!") < 0)) {
        report.append(name).append(difference).append(note).append(' ').append(name).append("!\n");
      }
    }
  }

  private void settle() {
    assertThat(differences)
        .describedAs(
            "differences in %d cases, mine/expected, the first being%n%s", compared, report)
        .isZero();
  }
}
