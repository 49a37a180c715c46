package io.vmm4j.software.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/**
 * MOVS, CMPS, STOS, LODS and SCAS, with and without repeat. All but LODS go in pieces of a page
 * where both ends are plain memory.
 *
 * <p>A repeated instruction is interruptible: it looks for signals after each piece and leaves RIP
 * on itself, with the registers of the iterations done.
 */
final class StringOps {
  private static final int PIECE = 4096;

  private StringOps() {}

  static void execute(Cpu cpu, Instruction in) {
    if (in.repeat == 0) {
      step(cpu, in);
      return;
    }
    long mask = in.addressMask;
    while (true) {
      long count = cpu.gpr[Cpu.RCX] & mask;
      if (count == 0) {
        return;
      }
      boolean compares = in.mnemonic == Mnemonic.CMPS || in.mnemonic == Mnemonic.SCAS;
      if (compares) {
        if (compareSome(cpu, in, count)) {
          return;
        }
      } else if (!moveSome(cpu, in, count)) {
        int steps = steps(cpu, count);
        for (int i = 0; i < steps; i++) {
          step(cpu, in);
          setCount(cpu, in, --count);
          if (cpu.pendingDebug != 0) {
            break;
          }
        }
      }
      if ((cpu.gpr[Cpu.RCX] & mask) != 0
          && (cpu.signals() != 0 || cpu.pendingDebug != 0 || (cpu.systemFlags & Flags.TF) != 0)) {
        cpu.leaveRepeat();
        cpu.repeatInterrupted = true;
        return;
      }
    }
  }

  /** How many iterations to do in one go: one if each is to be trapped. */
  private static int steps(Cpu cpu, long count) {
    return (cpu.systemFlags & Flags.TF) != 0 ? 1 : (int) atMost(count, PIECE);
  }

  /** The lesser of a count, which has no sign, and a limit. */
  private static long atMost(long count, long limit) {
    return count < 0 ? limit : Math.min(count, limit);
  }

  private static void setCount(Cpu cpu, Instruction in, long count) {
    cpu.setReg(Cpu.RCX, in.addressSize, count);
  }

  private static void advance(Cpu cpu, Instruction in, int register, long bytes) {
    cpu.setReg(register, in.addressSize, cpu.gpr[register] + bytes);
  }

  private static long delta(Cpu cpu, Instruction in) {
    return (cpu.systemFlags & Flags.DF) == 0 ? in.operandSize : -in.operandSize;
  }

  private static long source(Cpu cpu, Instruction in) {
    return cpu.linear(in.segment, cpu.gpr[Cpu.RSI] & in.addressMask, in.operandSize, false);
  }

  private static long destination(Cpu cpu, Instruction in, boolean write) {
    return cpu.linear(Cpu.ES, cpu.gpr[Cpu.RDI] & in.addressMask, in.operandSize, write);
  }

  /** One iteration. */
  private static void step(Cpu cpu, Instruction in) {
    int size = in.operandSize;
    long delta = delta(cpu, in);
    switch (in.mnemonic) {
      case Mnemonic.MOVS -> {
        long value = cpu.mmu.read(source(cpu, in), size);
        cpu.mmu.write(destination(cpu, in, true), size, value);
        advance(cpu, in, Cpu.RSI, delta);
        advance(cpu, in, Cpu.RDI, delta);
      }
      case Mnemonic.CMPS -> {
        long a = cpu.mmu.read(source(cpu, in), size);
        long b = cpu.mmu.read(destination(cpu, in, false), size);
        Alu.operate(cpu, Alu.CMP, a, b, size);
        advance(cpu, in, Cpu.RSI, delta);
        advance(cpu, in, Cpu.RDI, delta);
      }
      case Mnemonic.STOS -> {
        long value = IntegerOps.register(cpu, Cpu.RAX, true, size);
        cpu.mmu.write(destination(cpu, in, true), size, value);
        advance(cpu, in, Cpu.RDI, delta);
      }
      case Mnemonic.LODS -> {
        long value = cpu.mmu.read(source(cpu, in), size);
        IntegerOps.setRegister(cpu, Cpu.RAX, true, size, value);
        advance(cpu, in, Cpu.RSI, delta);
      }
      default -> {
        long a = IntegerOps.register(cpu, Cpu.RAX, true, size);
        long b = cpu.mmu.read(destination(cpu, in, false), size);
        Alu.operate(cpu, Alu.CMP, a, b, size);
        advance(cpu, in, Cpu.RDI, delta);
      }
    }
  }

  /** Iterations of CMPS or SCAS; true if the condition has ended the repeat. */
  private static boolean compareSome(Cpu cpu, Instruction in, long count) {
    boolean whileEqual = in.repeat == 0xF3;
    boolean hasSource = in.mnemonic == Mnemonic.CMPS;
    if (goesUpwards(cpu)) {
      long from = hasSource ? source(cpu, in) : 0;
      long to = destination(cpu, in, false);
      long room = room(cpu, in, count, hasSource, false, from, to);
      if (room > 1) {
        Mmu mmu = cpu.mmu;
        long fromOffset = hasSource ? mmu.fastOffset(from, Mmu.READ) : 0;
        long toOffset = fromOffset < 0 ? -1 : mmu.fastOffset(to, Mmu.READ);
        if (toOffset >= 0 && (!hasSource || fromOffset == mmu.fastOffset(from, Mmu.READ))) {
          return comparePlain(cpu, in, count, room, fromOffset, toOffset);
        }
      }
    }
    int steps = steps(cpu, count);
    long left = count;
    for (int i = 0; i < steps; i++) {
      step(cpu, in);
      setCount(cpu, in, --left);
      if ((cpu.flagResult == 0) != whileEqual) {
        return true;
      }
      if (cpu.pendingDebug != 0) {
        return false;
      }
    }
    return false;
  }

  /** Up to {@code room} iterations of CMPS or SCAS on plain memory. */
  private static boolean comparePlain(
      Cpu cpu, Instruction in, long count, long room, long from, long to) {
    MemorySegment memory = cpu.mmu.memory();
    int size = in.operandSize;
    boolean whileEqual = in.repeat == 0xF3;
    boolean hasSource = in.mnemonic == Mnemonic.CMPS;
    long a = hasSource ? 0 : IntegerOps.register(cpu, Cpu.RAX, true, size);
    long b = 0;
    boolean ends = false;
    long done = 0;
    while (done < room && !ends) {
      long at = done * size;
      if (hasSource) {
        a = PlainMemory.get(memory, from + at, size);
      }
      b = PlainMemory.get(memory, to + at, size);
      ends = (a == b) != whileEqual;
      done++;
    }
    if (cpu.parallel) {
      VarHandle.acquireFence();
    }
    Alu.operate(cpu, Alu.CMP, a, b, size);
    if (hasSource) {
      advance(cpu, in, Cpu.RSI, done * size);
    }
    advance(cpu, in, Cpu.RDI, done * size);
    setCount(cpu, in, count - done);
    return ends;
  }

  /**
   * Iterations of MOVS or STOS up to the end of a page, in one go; false if it has to be stepped.
   */
  private static boolean moveSome(Cpu cpu, Instruction in, long count) {
    if (in.mnemonic == Mnemonic.LODS || !goesUpwards(cpu)) {
      return false;
    }
    boolean hasSource = in.mnemonic == Mnemonic.MOVS;
    long from = hasSource ? source(cpu, in) : 0;
    long to = destination(cpu, in, true);
    long room = room(cpu, in, count, hasSource, true, from, to);
    if (room < 2) {
      return false;
    }
    int size = in.operandSize;
    Mmu mmu = cpu.mmu;
    long bytes = room * size;
    MemorySegment memory = mmu.memory();
    if (cpu.parallel) {
      VarHandle.releaseFence(); // and what follows is ordered by its own fences
    }
    if (hasSource) {
      long fromOffset = mmu.fastOffset(from, Mmu.READ);
      long toOffset = fromOffset < 0 ? -1 : mmu.fastOffset(to, Mmu.WRITE);
      if (toOffset < 0 || fromOffset != mmu.fastOffset(from, Mmu.READ)) {
        return false;
      }
      if (toOffset > fromOffset && toOffset < fromOffset + bytes) {
        copyOverlapping(memory, fromOffset, toOffset, bytes, size);
      } else {
        MemorySegment.copy(memory, fromOffset, memory, toOffset, bytes);
      }
      advance(cpu, in, Cpu.RSI, bytes);
    } else {
      long toOffset = mmu.fastOffset(to, Mmu.WRITE);
      if (toOffset < 0) {
        return false;
      }
      fill(memory, toOffset, bytes, IntegerOps.register(cpu, Cpu.RAX, true, size), size);
    }
    advance(cpu, in, Cpu.RDI, bytes);
    setCount(cpu, in, count - room);
    return true;
  }

  /** Whether iterations go to higher addresses, and none is trapped. */
  private static boolean goesUpwards(Cpu cpu) {
    return (cpu.systemFlags & (Flags.DF | Flags.TF)) == 0;
  }

  /**
   * How many iterations there are before a page ends or an index register wraps, upwards from
   * linear addresses; 0 if a segment ends before.
   */
  private static long room(
      Cpu cpu, Instruction in, long count, boolean hasSource, boolean writes, long from, long to) {
    int size = in.operandSize;
    long bytes = Math.min(0x1000 - (to & 0xFFF), wrapRoom(cpu, in, Cpu.RDI));
    if (hasSource) {
      bytes = Math.min(bytes, 0x1000 - (from & 0xFFF));
      bytes = Math.min(bytes, wrapRoom(cpu, in, Cpu.RSI));
    }
    long room = atMost(count, bytes / size);
    if (room > 1 && in.codeSize != 8 && !lastAllowed(cpu, in, hasSource, writes, room)) {
      return 0; // the iterations before the one that faults are still to be done
    }
    return room;
  }

  /** Whether the segments allow the last of some iterations too. */
  private static boolean lastAllowed(
      Cpu cpu, Instruction in, boolean hasSource, boolean writes, long room) {
    int size = in.operandSize;
    long ahead = (room - 1) * size;
    long to = (cpu.gpr[Cpu.RDI] & in.addressMask) + ahead;
    long from = (cpu.gpr[Cpu.RSI] & in.addressMask) + ahead;
    return SegmentCheck.allows(cpu, Cpu.ES, to, size, writes)
        && (!hasSource || SegmentCheck.allows(cpu, in.segment, from, size, false));
  }

  /** How many bytes before an index register of 16 or 32 bits wraps. */
  private static long wrapRoom(Cpu cpu, Instruction in, int register) {
    return in.addressSize == 8
        ? Long.MAX_VALUE
        : in.addressMask + 1 - (cpu.gpr[register] & in.addressMask);
  }

  /** A forward move onto its own source repeats what it has written. */
  private static void copyOverlapping(
      MemorySegment memory, long from, long to, long bytes, int size) {
    for (long i = 0; i < bytes; i += size) {
      MemorySegment.copy(memory, from + i, memory, to + i, size);
    }
  }

  private static void fill(MemorySegment memory, long at, long bytes, long value, int size) {
    long pattern =
        switch (size) {
          case 1 -> value * 0x0101_0101_0101_0101L;
          case 2 -> value * 0x0001_0001_0001_0001L;
          case 4 -> value | value << 32;
          default -> value;
        };
    if (pattern == (pattern & 0xFF) * 0x0101_0101_0101_0101L) {
      memory.asSlice(at, bytes).fill((byte) pattern);
      return;
    }
    for (long i = 0; i < bytes; i += size) {
      PlainMemory.put(memory, at + i, size, pattern);
    }
  }
}
