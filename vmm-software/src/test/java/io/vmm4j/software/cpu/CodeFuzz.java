package io.vmm4j.software.cpu;

import io.vmm4j.software.machinecode.EagerCode;
import io.vmm4j.software.machinecode.MachineCode;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Objects;
import java.util.StringJoiner;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * A target for fuzzing: code of the guest's kernel and user, which changes its mode, its page
 * tables and itself, does the same as machine code as by the interpreter, at every instruction that
 * it is looked at. {@code ./fuzz code} lets Jazzer look for exceptions to that; {@link
 * CodeCorpusTest} repeats what it has tried.
 */
public final class CodeFuzz {
  private static final int MOST_SLICES = 24;
  private static final int MOST_SLICE_INSTRUCTIONS = 400;
  private static final int MEMORY_SLICES = 6;
  private static final int DATA = 0x10_0000;

  /** Where stores go: code, data, page tables, the stack. */
  private static final int[] PLACES = {
    FuzzProgram.CODE, DATA, DATA + 0xFF8, BareCpu.PAGE_DIRECTORY, BareCpu.STACK - 64
  };

  private CodeFuzz() {}

  /** One of the two: a processor and what runs it. */
  private record Side(BareCpu machine, RunLoop loop) {

    static Side begin(byte[] code) {
      BareCpu machine = FuzzProgram.machine(code);
      return new Side(machine, new RunLoop(machine.cpu, new Interpreter(machine.cpu)));
    }

    static Side begin(byte[] code, BareCpu machine, MachineCode made) {
      return new Side(machine, new RunLoop(machine.cpu, made.runner(machine.cpu)));
    }

    /** Goes on elsewhere behind HLT, to which every exception leads. */
    void goOn(int at) {
      Cpu cpu = machine.cpu;
      if (cpu.halted && !cpu.shutdown) {
        cpu.halted = false;
        cpu.rip = FuzzProgram.CODE + at;
        cpu.gpr[Cpu.RSP] = BareCpu.STACK;
      }
    }

    void written(int at, int value) {
      machine.put8(at, value);
      machine.cpu.mmu.writtenByOthers(at, 1);
    }
  }

  /** Runs a program. Called by Jazzer. */
  public static void fuzzerTestOneInput(byte[] data) {
    if (data.length < 4) {
      return;
    }
    byte[] code = FuzzProgram.of(Arrays.copyOfRange(data, 2, data.length));
    Side reference = Side.begin(code);
    BareCpu machine = FuzzProgram.machine(code);
    try (MachineCode made = EagerCode.open(machine.host)) {
      Side translated = Side.begin(code, machine, made);
      int seed = data[0] & 0xFF | (data[1] & 0xFF) << 8;
      for (int slice = 0; slice < MOST_SLICES && !reference.machine.cpu.shutdown; slice++) {
        seed = seed * 1_103_515_245 + 12_345;
        int random = seed >>> 8;
        int count = 1 + random % MOST_SLICE_INSTRUCTIONS;
        reference.loop.run(count);
        translated.loop.run(count);
        compare(reference, translated, code, slice);
        if (random % 3 == 0) {
          int at = PLACES[(random >>> 4) % PLACES.length] + (random >>> 9 & 63);
          reference.written(at, random >>> 3);
          translated.written(at, random >>> 3);
        }
        reference.goOn((random >>> 5) % code.length);
        translated.goOn((random >>> 5) % code.length);
        reference.machine.host.advance(random & 0xFFF);
        translated.machine.host.advance(random & 0xFFF);
      }
    }
  }

  /** Memory is compared now and then, for it takes longer than a slice. */
  private static void compare(Side reference, Side translated, byte[] code, int slice) {
    boolean last = slice % MEMORY_SLICES == MEMORY_SLICES - 1 || reference.machine.cpu.shutdown;
    long memory =
        last ? reference.machine.host.memory().mismatch(translated.machine.host.memory()) : -1;
    boolean same = Arrays.equals(numbers(reference.machine), numbers(translated.machine));
    if (!same || memory >= 0) {
      throw new IllegalStateException(
          "slice %d, memory at %x (%s and %s)%n%s%n%s%ncode %s"
              .formatted(
                  slice,
                  memory,
                  memory < 0 ? "" : at(reference.machine, memory),
                  memory < 0 ? "" : at(translated.machine, memory),
                  state(reference.machine),
                  state(translated.machine),
                  HexFormat.of().formatHex(code)));
    }
  }

  /** All that is compared but memory. */
  private static long[] numbers(BareCpu machine) {
    Cpu cpu = machine.cpu;
    LongStream segments =
        Arrays.stream(cpu.seg)
            .flatMapToLong(s -> LongStream.of(s.selector, s.base, s.limit, s.attributes));
    LongStream registers =
        LongStream.of(
            cpu.rip,
            cpu.instructions,
            cpu.eflags(),
            cpu.halted ? 1 : 0,
            cpu.shutdown ? 1 : 0,
            cpu.codeSize,
            cpu.cpl,
            cpu.cr0,
            cpu.cr2,
            cpu.cr3,
            cpu.cr4,
            cpu.efer,
            cpu.xcr0,
            cpu.shadowSti ? 1 : 0,
            cpu.shadowMovSs ? 1 : 0,
            cpu.pendingDebug,
            cpu.fpu.simd.mxcsr(),
            cpu.fpu.controlWord(),
            cpu.fpu.statusWord(),
            cpu.fpu.tagWord(),
            cpu.system.msrs.kernelGsBase(),
            machine.host.portWrites.hashCode());
    return Stream.of(
            registers,
            segments,
            Arrays.stream(cpu.gpr, 0, 16),
            Arrays.stream(cpu.dr),
            Arrays.stream(cpu.fpu.xmm),
            Arrays.stream(cpu.fpu.ymmHigh),
            Arrays.stream(cpu.fpu.significand),
            Arrays.stream(cpu.fpu.signExponent).asLongStream())
        .flatMapToLong(part -> part)
        .toArray();
  }

  private static String at(BareCpu machine, long offset) {
    return Integer.toHexString(machine.host.memory().get(ValueLayout.JAVA_BYTE, offset) & 0xFF);
  }

  private static String state(BareCpu machine) {
    Cpu cpu = machine.cpu;
    StringJoiner text = new StringJoiner(" ");
    text.add("rip %x after %d, flags %x".formatted(cpu.rip, cpu.instructions, cpu.eflags()));
    text.add("gpr " + hex(Arrays.copyOf(cpu.gpr, 16)));
    text.add("halted %s %s".formatted(cpu.halted, cpu.shutdown));
    text.add("size %d, cpl %d".formatted(cpu.codeSize, cpu.cpl));
    text.add(
        "cr %x %x %x %x, efer %x, xcr0 %x"
            .formatted(cpu.cr0, cpu.cr2, cpu.cr3, cpu.cr4, cpu.efer, cpu.xcr0));
    for (Segment segment : cpu.seg) {
      text.add(segment.state().toString().replace("SegmentState", ""));
    }
    text.add("shadows %s %s".formatted(cpu.shadowSti, cpu.shadowMovSs));
    text.add("pending %x".formatted(cpu.pendingDebug));
    text.add("dr " + hex(cpu.dr));
    text.add("xmm " + hex(cpu.fpu.xmm) + " high " + hex(cpu.fpu.ymmHigh));
    text.add("mxcsr %x".formatted(cpu.fpu.simd.mxcsr()));
    text.add(
        "x87 %x %x %x %s %s"
            .formatted(
                cpu.fpu.controlWord(),
                cpu.fpu.statusWord(),
                cpu.fpu.tagWord(),
                hex(cpu.fpu.significand),
                Arrays.toString(cpu.fpu.signExponent)));
    text.add("kernel gs %x".formatted(cpu.system.msrs.kernelGsBase()));
    text.add("ports " + Objects.toString(machine.host.portWrites));
    return text.toString();
  }

  private static String hex(long[] values) {
    StringJoiner text = new StringJoiner(",");
    for (long value : values) {
      text.add(Long.toHexString(value));
    }
    return text.toString();
  }
}
