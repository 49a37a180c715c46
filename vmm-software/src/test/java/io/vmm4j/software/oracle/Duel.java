package io.vmm4j.software.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.backend.VcpuRunner.StopReason;
import io.vmm4j.software.TestHost;
import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Flags;
import io.vmm4j.software.cpu.RunLoop;
import io.vmm4j.software.cpu.Tiers;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumSet;
import java.util.HexFormat;

/**
 * The software CPU beside the host's processor, with the same registers, flags, memory and even
 * addresses: the oracle's code, scratch memory and stack lie at the same linear addresses in the
 * guest, through its page tables. Code goes all the way, from bytes through the decoder and the
 * interpreter, in 64-bit mode at ring 0.
 *
 * <p>Usage: {@link #open()}, then {@link #code} once per instruction, and for each case {@link
 * #gpr}, {@link #flags}, {@link #memory}, {@link #run}. What differs is collected; {@link #settle}
 * asserts that nothing did.
 */
public final class Duel implements AutoCloseable {
  private static final long FLAGS = Flags.ARITHMETIC | Flags.DF;
  private static final long CODE_PHYSICAL = 0x40_0000;
  private static final long TABLES = 0x10_0000;
  private static final long IDT = 0x3000;
  private static final long HANDLERS = 0x5000;
  private static final long GDT = 0x6000;
  private static final int HANDLER_SIZE = 16;
  private static final int HLT = 0xF4;
  private static final long MOST_INSTRUCTIONS = 100_000;
  private static final int REPORTED = 12;

  private final NativeOracle oracle;
  private final TestHost host =
      new TestHost(NativeOracle.hostVendor(), EnumSet.allOf(CpuFeature.class));
  private final Cpu cpu = new Cpu(0, host);
  private final RunLoop loop = Tiers.loop(cpu);
  private final long[] before = new long[16];
  private final MemorySegment scratch;
  private final MemorySegment guestScratch;
  private long flagsBefore;
  private int[] bytes = {};
  private int differences;
  private long cases;
  private final StringBuilder report = new StringBuilder();

  private Duel(NativeOracle oracle) {
    this.oracle = oracle;
    this.scratch = oracle.scratch();
    this.guestScratch =
        host.memory().asSlice(physical(oracle.scratchAddress()), NativeOracle.SCRATCH_SIZE);
    enterLongMode();
  }

  /** A duel; where the host can't be asked the test is skipped, and says so. */
  public static Duel open() {
    if (!NativeOracle.isSupported()) {
      System.out.println("SKIPPED: no comparison with the host's processor: not x86-64 Linux");
      abort("no native comparison on this host");
    }
    try {
      return new Duel(NativeOracle.open());
    } catch (IllegalStateException e) {
      System.out.println("SKIPPED: no comparison with the host's processor: " + e.getMessage());
      return abort(e.getMessage());
    }
  }

  private long physical(long linear) {
    return linear - oracle.mappedAddress() + CODE_PHYSICAL;
  }

  private void enterLongMode() {
    cpu.system.powerOn();
    // Low memory onto itself, for tables and handlers, and what the oracle has at its addresses.
    map(0, 0, 0x10_0000);
    map(oracle.mappedAddress(), CODE_PHYSICAL, oracle.mappedSize());
    for (int vector = 0; vector < 32; vector++) {
      long handler = HANDLERS + HANDLER_SIZE * vector;
      put(IDT + 16 * vector, handler & 0xFFFF | 8L << 16 | 0x8E00L << 32);
      put(IDT + 16 * vector + 8, 0);
      host.memory().set(ValueLayout.JAVA_BYTE, handler, (byte) HLT);
    }
    put(GDT + 8, 0x00AF_9B00_0000_FFFFL);
    put(GDT + 16, 0x00CF_9300_0000_FFFFL);
    cpu.gdtrBase = GDT;
    cpu.gdtrLimit = 0x17;
    cpu.idtrBase = IDT;
    cpu.idtrLimit = 0x1FF;
    cpu.cr0 = 0x8000_0031L;
    cpu.cr3 = TABLES;
    cpu.cr4 = 0x620;
    cpu.efer = 0x500;
    for (int i = 0; i < 6; i++) {
      cpu.seg[i].set(16, 0, 0xFFFF_FFFFL, 0xC093);
    }
    cpu.seg[Cpu.CS].set(8, 0, 0xFFFF_FFFFL, 0xA09B);
    cpu.mmu.flush();
    cpu.modeChanged();
  }

  private long nextTable = TABLES + 0x1000;

  private void map(long linear, long physical, long size) {
    for (long at = 0; at < size; at += 0x1000) {
      long table = TABLES;
      for (int level = 4; level > 1; level--) {
        long entry = table + ((linear + at >>> 3 + 9 * level & 511) << 3);
        if (get(entry) == 0) {
          put(entry, nextTable | 3);
          nextTable += 0x1000;
        }
        table = get(entry) & ~0xFFFL;
      }
      put(table + ((linear + at >>> 12 & 511) << 3), physical + at | 3);
    }
  }

  private void put(long at, long value) {
    host.memory().set(ValueLayout.JAVA_LONG, at, value);
  }

  private long get(long at) {
    return host.memory().get(ValueLayout.JAVA_LONG, at);
  }

  // ---- a case ----

  /** The instruction bytes that {@link #run} executes. */
  public void code(int... instructions) {
    bytes = instructions;
    oracle.code(instructions);
    long at = physical(oracle.codeAddress());
    for (int i = 0; i < instructions.length; i++) {
      host.memory().set(ValueLayout.JAVA_BYTE, at + i, (byte) instructions[i]);
    }
    host.memory().set(ValueLayout.JAVA_BYTE, at + instructions.length, (byte) HLT);
    cpu.mmu.writtenByOthers(at, instructions.length + 1);
    gpr(Cpu.RSP, oracle.stackAddress());
  }

  /** Sets a general register by its number. */
  public void gpr(int index, long value) {
    before[index] = value;
  }

  /** What a general register was set to. */
  public long gpr(int index) {
    return before[index];
  }

  /** What the software CPU left in a register. */
  public long resultOf(int index) {
    return cpu.gpr[index];
  }

  /** What the software CPU left in RFLAGS. */
  public int flags() {
    return cpu.eflags();
  }

  /** Sets CF, PF, AF, ZF, SF, DF and OF. */
  public void flags(long value) {
    flagsBefore = value & FLAGS;
  }

  /** Sets eight bytes of scratch memory. */
  public void memory(int offset, long value) {
    scratch.set(ValueLayout.JAVA_LONG_UNALIGNED, offset, value);
    guestScratch.set(ValueLayout.JAVA_LONG_UNALIGNED, offset, value);
  }

  /** The linear address of scratch memory. */
  public long scratchAddress() {
    return oracle.scratchAddress();
  }

  /** The linear address of the first byte of code. */
  public long codeAddress() {
    return oracle.codeAddress();
  }

  /**
   * Runs the code on both and compares registers, flags, and scratch memory's first bytes.
   *
   * @param undefinedFlags flags that are not compared
   * @param memoryBytes how much of scratch memory is compared
   */
  public void run(long undefinedFlags, int memoryBytes) {
    cases++;
    askOracle();
    int vector = runGuest();
    String difference =
        (vector < 0 ? "" : " exception " + vector) + differences(undefinedFlags, memoryBytes);
    if (!difference.isEmpty()) {
      note(difference);
    }
  }

  private String differences(long undefinedFlags, int memoryBytes) {
    String difference = "";
    for (int i = 0; i < 16; i++) {
      if (cpu.gpr[i] != oracle.gpr(i)) {
        difference += " r%d %x/%x".formatted(i, cpu.gpr[i], oracle.gpr(i));
      }
    }
    long wrong = (cpu.eflags() ^ oracle.rflags()) & FLAGS & ~undefinedFlags;
    if (wrong != 0) {
      difference += " flags %x/%x".formatted(cpu.eflags() & FLAGS, oracle.rflags() & FLAGS);
    }
    long at = MemorySegment.mismatch(scratch, 0, memoryBytes, guestScratch, 0, memoryBytes);
    if (at >= 0) {
      byte ours = guestScratch.get(ValueLayout.JAVA_BYTE, at);
      byte expected = scratch.get(ValueLayout.JAVA_BYTE, at);
      difference += " memory+%d %x/%x".formatted(at, ours, expected);
      MemorySegment.copy(scratch, 0, guestScratch, 0, NativeOracle.SCRATCH_SIZE);
    }
    return difference;
  }

  /** As {@link #run}, for code that leaves memory alone. */
  public void run(long undefinedFlags) {
    run(undefinedFlags, 0);
  }

  /**
   * Runs the code on the software CPU alone: it has to raise an exception without error code at its
   * first instruction, and to change nothing.
   */
  public void runFaulting(int expectedVector) {
    cases++;
    int vector = runGuest();
    String difference = vector == expectedVector ? unchanged(0) : " exception " + vector;
    if (!difference.isEmpty()) {
      note(difference + ", expected exception " + expectedVector);
    }
  }

  /**
   * Runs the code, which has to touch both pages of scratch memory, with the second of them absent:
   * it has to raise #PF there and to change nothing. Then, the page being there, as {@link #run}.
   */
  public void runRestarted(long undefinedFlags) {
    long second = oracle.scratchAddress() + 0x1000;
    long entry = entryOf(second);
    long present = get(entry);
    put(entry, 0);
    cpu.mmu.flushPage(second);
    int vector = runGuest();
    put(entry, present);
    cpu.mmu.flushPage(second);
    String difference = vector == Cpu.PF ? unchanged(8) : " exception " + vector;
    if (vector == Cpu.PF && (cpu.cr2 & ~0xFFFL) != second) {
      difference += " CR2 %x".formatted(cpu.cr2);
    }
    if (scratch.mismatch(guestScratch) >= 0) {
      difference += " memory+%d".formatted(scratch.mismatch(guestScratch));
    }
    if (!difference.isEmpty()) {
      note(difference + ", expected a page fault without a trace");
    }
    run(undefinedFlags, NativeOracle.SCRATCH_SIZE);
  }

  /**
   * Runs a repeated instruction that gets to the absent second page of scratch memory with {@code
   * left} in a register, goes on from there when the page is present, and ends as {@link #run}.
   */
  public void runInterrupted(int register, long left) {
    long second = oracle.scratchAddress() + 0x1000;
    long entry = entryOf(second);
    long present = get(entry);
    put(entry, 0);
    cpu.mmu.flushPage(second);
    int vector = runGuest();
    put(entry, present);
    cpu.mmu.flushPage(second);
    if (vector != Cpu.PF || cpu.gpr[register] != left) {
      note(" exception %d, r%d %x, not %x".formatted(vector, register, cpu.gpr[register], left));
    }
    long[] first = before.clone();
    long rsp = before[Cpu.RSP];
    System.arraycopy(cpu.gpr, 0, before, 0, 16);
    before[Cpu.RSP] = rsp;
    runGuest();
    System.arraycopy(first, 0, before, 0, 16);
    compareFinished();
  }

  /** Runs the oracle, and compares what the software CPU has come to in another way. */
  private void compareFinished() {
    cases++;
    askOracle();
    String difference = differences(0, NativeOracle.SCRATCH_SIZE);
    if (!difference.isEmpty()) {
      note(difference);
    }
  }

  private void askOracle() {
    for (int i = 0; i < 16; i++) {
      oracle.gpr(i, before[i]);
    }
    oracle.rflags(flagsBefore);
    oracle.run();
  }

  private long entryOf(long linear) {
    long table = TABLES;
    for (int level = 4; level > 1; level--) {
      table = get(table + ((linear >>> 3 + 9 * level & 511) << 3)) & ~0xFFFL;
    }
    return table + ((linear >>> 12 & 511) << 3);
  }

  /** What a fault has changed in registers, or in the flags and RIP it has saved. */
  private String unchanged(int errorCodeSize) {
    String difference = "";
    for (int i = 0; i < 16; i++) {
      if (i != Cpu.RSP && cpu.gpr[i] != before[i]) {
        difference += " r%d %x".formatted(i, cpu.gpr[i]);
      }
    }
    long frame = physical(cpu.gpr[Cpu.RSP]) + errorCodeSize;
    if (get(frame) != oracle.codeAddress()) {
      difference += " saved RIP %x".formatted(get(frame));
    }
    if (((get(frame + 16) ^ flagsBefore) & FLAGS) != 0) {
      difference += " saved flags %x".formatted(get(frame + 16));
    }
    if (get(frame + 24) != before[Cpu.RSP]) {
      difference += " saved RSP %x".formatted(get(frame + 24));
    }
    return difference;
  }

  /** The vector of the exception, or -1 if the code ran to its end. */
  private int runGuest() {
    System.arraycopy(before, 0, cpu.gpr, 0, 16);
    cpu.setEflags((int) flagsBefore | 2);
    cpu.rip = oracle.codeAddress();
    cpu.halted = false;
    StopReason reason = loop.run(MOST_INSTRUCTIONS);
    if (reason != StopReason.HALTED) {
      throw new AssertionError("%s at %x in %s".formatted(reason, cpu.rip, describe()));
    }
    if (cpu.rip == oracle.codeAddress() + bytes.length + 1) {
      return -1;
    }
    return (int) ((cpu.rip - HANDLERS) / HANDLER_SIZE);
  }

  private void note(String difference) {
    if (differences++ < REPORTED) {
      report.append(describe()).append(':').append(difference).append('\n');
    }
  }

  private String describe() {
    byte[] code = new byte[bytes.length];
    for (int i = 0; i < code.length; i++) {
      code[i] = (byte) bytes[i];
    }
    StringBuilder text = new StringBuilder(HexFormat.ofDelimiter(" ").formatHex(code));
    text.append(" with flags %x".formatted(flagsBefore));
    for (int i = 0; i < 16; i++) {
      text.append(" r%d %x".formatted(i, before[i]));
    }
    return text.toString();
  }

  /** Asserts that the two agreed in every case, and that there were cases. */
  public void settle() {
    assertThat(cases).isPositive();
    assertThat(differences)
        .describedAs("differences in %d cases, ours/expected; the first:%n%s", cases, report)
        .isZero();
  }

  @Override
  public void close() {
    oracle.close();
  }
}
