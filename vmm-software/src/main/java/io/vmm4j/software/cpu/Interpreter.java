package io.vmm4j.software.cpu;

import io.vmm4j.software.fpu.Simd;
import io.vmm4j.software.fpu.X87;
import io.vmm4j.software.system.SystemOps;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * Runs decoded blocks. The commonest instructions of 64-bit code are executed in the switch of
 * {@link #runBlocks}, which is long because a dispatch to another method for each of them costs
 * more than what they do; everything else goes to the executor of its family.
 *
 * <p>The instruction pointer is kept at the ends of blocks only: {@code gpr[17]} is the first RIP
 * of the block and {@link Cpu#blockIndex} the instruction's place in it, from which {@link RunLoop}
 * finds that of a fault.
 */
public final class Interpreter implements BlockRunner {
  private final Cpu cpu;
  private final CodeCache code;
  private @Nullable Block block;

  /** The block whose direct jump was executed last, if nothing has happened since; else null. */
  private @Nullable Block linkFrom;

  /** Whether that jump was taken. */
  private boolean taken;

  /** The interpreter of a vCPU. */
  public Interpreter(Cpu cpu) {
    this.cpu = cpu;
    this.code = cpu.mmu.code();
  }

  @Override
  public void run(long end) {
    begin();
    runBlocks(end);
  }

  /**
   * Executes a block, or as much of it as there is room for up to {@code end} instructions.
   *
   * @return whether a repeated string instruction was left between two iterations
   */
  public boolean run(Block b, long end) {
    int limit = (int) Math.min(b.count, end - cpu.instructions);
    if (cpu.codeSize != 8) {
      limit = withinLimit(b, limit);
    }
    return execute(b, cpu.rip, 0, limit);
  }

  /**
   * Executes one instruction of a block; {@link Cpu#instructions} must count those up to the
   * beginning of the block, though.
   *
   * @param start RIP of the block's first instruction
   * @return whether it is a repeated string instruction that was left between two iterations
   */
  public boolean run(Block b, long start, int index) {
    return execute(b, start, index, index + 1);
  }

  /** No block is being executed: a fault is that of the fetch of the next. */
  public void begin() {
    block = null;
    cpu.blockIndex = 0;
  }

  @Override
  public @Nullable Instruction current() {
    return block == null ? null : block.instructions[cpu.blockIndex];
  }

  /** How many instructions of a block lie within the limit of CS; #GP(0) if not even the first. */
  private int withinLimit(Block b, int limit) {
    long last = cpu.seg[Cpu.CS].limit;
    if (cpu.rip + b.length - 1 <= last) {
      return limit;
    }
    int fit = 0;
    while (fit < limit
        && cpu.rip + b.instructions[fit].offset + b.instructions[fit].length - 1 <= last) {
      fit++;
    }
    if (fit == 0) {
      throw cpu.raise(Cpu.GP, 0);
    }
    return fit;
  }

  /** The block at RIP, by the link from {@code previous} where there is one. */
  private Block follow(@Nullable Block previous, boolean taken) {
    if (previous != null) {
      Block linked = taken ? previous.taken : previous.next;
      if (linked != null && linked.isValid()) {
        return linked;
      }
    }
    Block found = code.lookup(cpu.rip);
    if (previous != null
        && previous.offset >= 0
        && !previous.crossesPage
        && !found.crossesPage
        && found.offset >>> 12 == previous.offset >>> 12
        && (cpu.rip ^ cpu.gpr[Instruction.BLOCK_RIP]) >>> 12 == 0) {
      if (taken) {
        previous.taken = found;
      } else {
        previous.next = found;
      }
    }
    return found;
  }

  private void runBlocks(long end) {
    final Cpu cpu = this.cpu;
    linkFrom = null;
    while (true) {
      block = null;
      Block b = follow(linkFrom, taken);
      int limit = (int) Math.min(b.count, end - cpu.instructions);
      if (cpu.codeSize != 8) {
        limit = withinLimit(b, limit);
      }
      boolean interrupted = execute(b, cpu.rip, 0, limit);
      if (interrupted
          || b.endsInSystem
          || cpu.signals() != 0
          || cpu.pendingDebug != 0
          || cpu.instructions >= end) {
        return;
      }
    }
  }

  /**
   * Executes instructions of a block; then RIP is the next one's, {@link Cpu#instructions} counts
   * them, and {@link Cpu#blockIndex} is 0.
   *
   * @param start RIP of the block's first instruction
   * @param first the first one to execute
   * @param limit the first one not to execute
   * @return whether a repeated string instruction was left between two iterations
   */
  private boolean execute(Block b, long start, int first, int limit) {
    final Cpu cpu = this.cpu;
    final Mmu mmu = cpu.mmu;
    final long[] r = cpu.gpr;
    r[Instruction.BLOCK_RIP] = start;
    block = b;
    cpu.blockLimit = limit;
    linkFrom = null;
    Instruction[] list = b.instructions;
    int[] codes = b.codes;
    int i = first;
    for (; i < cpu.blockLimit; i++) {
      Instruction in = list[i];
      int code = codes[i];
      int to = Specializer.to(code);
      int from = Specializer.from(code);
      cpu.blockIndex = i;
      switch (Specializer.op(code)) {
        case Op.NOP -> {}
        case Op.MOVE_Q -> r[to] = r[from];
        case Op.MOVE_D -> r[to] = r[from] & 0xFFFFFFFFL;
        case Op.MOVE_IMMEDIATE_Q -> r[to] = in.imm;
        case Op.MOVE_IMMEDIATE_D -> r[to] = in.imm & 0xFFFFFFFFL;
        case Op.MOVE_ZERO_B -> r[to] = r[from] & 0xFF;
        case Op.MOVE_ZERO_W -> r[to] = r[from] & 0xFFFF;
        case Op.SIGN_EXTEND_D -> r[to] = (int) r[from];
        case Op.LOAD_Q -> r[to] = mmu.read64(address(in));
        case Op.LOAD_D -> r[to] = mmu.read32(address(in)) & 0xFFFFFFFFL;
        case Op.LOAD_ZERO_B -> r[to] = mmu.read8(address(in));
        case Op.LOAD_ZERO_W -> r[to] = mmu.read16(address(in));
        case Op.STORE_Q -> mmu.write64(address(in), r[to]);
        case Op.STORE_D -> mmu.write32(address(in), (int) r[to]);
        case Op.STORE_B -> mmu.write8(address(in), cpu.reg8(to, in.rex));
        case Op.LEA_Q ->
            r[to] = r[in.base] + (r[in.index] << in.scale) + in.displacement & in.addressMask;
        case Op.PUSH_Q -> {
          long sp = r[Cpu.RSP] - 8;
          mmu.write64(sp, r[to]);
          r[Cpu.RSP] = sp;
        }
        case Op.POP_Q -> {
          long value = mmu.read64(r[Cpu.RSP]);
          r[Cpu.RSP] += 8;
          r[to] = value;
        }
        case Op.ADD_Q -> add64(r, to, r[from]);
        case Op.ADD_IMMEDIATE_Q -> add64(r, to, in.imm);
        case Op.SUB_Q -> sub64(r, to, r[from]);
        case Op.SUB_IMMEDIATE_Q -> sub64(r, to, in.imm);
        case Op.CMP_Q -> cmp64(r[to], r[from]);
        case Op.CMP_IMMEDIATE_Q -> cmp64(r[to], in.imm);
        case Op.CMP_LOAD_Q -> cmp64(r[to], mmu.read64(address(in)));
        case Op.AND_Q -> r[to] = logic(r[to] & r[from]);
        case Op.AND_IMMEDIATE_Q -> r[to] = logic(r[to] & in.imm);
        case Op.OR_Q -> r[to] = logic(r[to] | r[from]);
        case Op.XOR_Q -> r[to] = logic(r[to] ^ r[from]);
        case Op.TEST_Q -> logic(r[to] & r[from]);
        case Op.ADD_D -> add32(r, to, (int) r[from]);
        case Op.ADD_IMMEDIATE_D -> add32(r, to, (int) in.imm);
        case Op.SUB_D -> sub32(r, to, (int) r[from]);
        case Op.SUB_IMMEDIATE_D -> sub32(r, to, (int) in.imm);
        case Op.CMP_D -> cmp32((int) r[to], (int) r[from]);
        case Op.CMP_IMMEDIATE_D -> cmp32((int) r[to], (int) in.imm);
        case Op.CMP_LOAD_D -> cmp32((int) r[to], mmu.read32(address(in)));
        case Op.AND_D -> r[to] = logic((int) (r[to] & r[from])) & 0xFFFFFFFFL;
        case Op.AND_IMMEDIATE_D -> r[to] = logic((int) (r[to] & in.imm)) & 0xFFFFFFFFL;
        case Op.OR_D -> r[to] = logic((int) (r[to] | r[from])) & 0xFFFFFFFFL;
        case Op.XOR_D -> r[to] = logic((int) (r[to] ^ r[from])) & 0xFFFFFFFFL;
        case Op.TEST_D -> logic((int) (r[to] & r[from]));
        case Op.TEST_IMMEDIATE_D -> logic((int) (r[to] & in.imm));
        case Op.SHIFT_LEFT_Q -> r[to] = Alu.shift(cpu, 4, r[to], Specializer.more(code), 8);
        case Op.SHIFT_RIGHT_Q -> r[to] = Alu.shift(cpu, 5, r[to], Specializer.more(code), 8);
        case Op.SHIFT_LEFT_D -> r[to] = Alu.shift(cpu, 4, r[to], Specializer.more(code), 4);
        case Op.SHIFT_RIGHT_D -> r[to] = Alu.shift(cpu, 5, r[to], Specializer.more(code), 4);
        case Op.SHIFT_ARITHMETIC_Q -> r[to] = Alu.shift(cpu, 7, r[to], Specializer.more(code), 8);
        case Op.SHIFT_ARITHMETIC_D -> r[to] = Alu.shift(cpu, 7, r[to], Specializer.more(code), 4);
        case Op.MULTIPLY_Q -> r[to] = Alu.multiplySigned(cpu, r[to], r[from], 8);
        case Op.ADD_CARRY_Q -> addCarry64(r, to, r[from]);
        case Op.ADD_CARRY_IMMEDIATE_Q -> addCarry64(r, to, in.imm);
        case Op.ADD_LOAD_Q -> add64(r, to, mmu.read64(address(in)));
        case Op.ADD_LOAD_D -> add32(r, to, mmu.read32(address(in)));
        case Op.SUB_LOAD_Q -> sub64(r, to, mmu.read64(address(in)));
        case Op.XOR_LOAD_D -> r[to] = logic((int) r[to] ^ mmu.read32(address(in))) & 0xFFFFFFFFL;
        case Op.OR_IMMEDIATE_Q -> r[to] = logic(r[to] | in.imm);
        case Op.OR_IMMEDIATE_D -> r[to] = logic((int) (r[to] | in.imm)) & 0xFFFFFFFFL;
        case Op.TEST_B -> logic((byte) (r[to] & r[from]));
        case Op.TEST_IMMEDIATE_B -> logic((byte) (r[to] & in.imm));
        case Op.TEST_IMMEDIATE_LOAD_B -> logic((byte) (mmu.read8(address(in)) & in.imm));
        case Op.CMP_IMMEDIATE_B -> cmp8((byte) r[to], (byte) in.imm);
        case Op.CMP_IMMEDIATE_LOAD_B -> cmp8((byte) mmu.read8(address(in)), (byte) in.imm);
        case Op.CMP_IMMEDIATE_LOAD_Q -> cmp64(mmu.read64(address(in)), in.imm);
        case Op.CMP_IMMEDIATE_LOAD_D -> cmp32(mmu.read32(address(in)), (int) in.imm);
        case Op.CMP_WITH_Q -> cmp64(mmu.read64(address(in)), r[to]);
        case Op.CMP_WITH_D -> cmp32(mmu.read32(address(in)), (int) r[to]);
        case Op.LOAD_SIGN_D -> r[to] = mmu.read32(address(in));
        case Op.LEA_D ->
            r[to] =
                r[in.base] + (r[in.index] << in.scale) + in.displacement
                    & in.addressMask
                    & 0xFFFFFFFFL;
        case Op.STORE_IMMEDIATE_Q -> mmu.write64(address(in), in.imm);
        case Op.STORE_IMMEDIATE_D -> mmu.write32(address(in), (int) in.imm);
        case Op.STORE_IMMEDIATE_B -> mmu.write8(address(in), (int) in.imm);
        case Op.SET_IF -> r[to] = r[to] & ~0xFFL | (cpu.condition(Specializer.more(code)) ? 1 : 0);
        case Op.MOVE_IF_Q -> {
          if (cpu.condition(Specializer.more(code))) {
            r[to] = r[from];
          }
        }
        case Op.MOVE_IF_D ->
            r[to] = r[cpu.condition(Specializer.more(code)) ? from : to] & 0xFFFFFFFFL;
        case Op.JUMP_IF -> {
          long next = start + in.offset + in.length;
          taken = cpu.condition(Specializer.more(code));
          cpu.rip = taken ? canonical(next + in.imm) : next;
          linkFrom = b;
        }
        case Op.JUMP -> {
          cpu.rip = canonical(start + in.offset + in.length + in.imm);
          taken = true;
          linkFrom = b;
        }
        case Op.CALL -> {
          long next = start + in.offset + in.length;
          long target = canonical(next + in.imm);
          long sp = r[Cpu.RSP] - 8;
          mmu.write64(sp, next);
          r[Cpu.RSP] = sp;
          cpu.rip = target;
          taken = true;
          linkFrom = b;
        }
        case Op.RETURN -> {
          cpu.rip = canonical(mmu.read64(r[Cpu.RSP]));
          r[Cpu.RSP] += 8;
        }
        default -> {
          cpu.currentRip = cpu.wrap(start + in.offset);
          cpu.rip = cpu.wrap(start + in.offset + in.length);
          other(in, Specializer.op(code));
        }
      }
    }
    if (i < b.count) {
      cpu.rip = cpu.wrap(start + list[i].offset);
      linkFrom = null;
    } else if (b.fallsThrough) {
      cpu.rip = cpu.wrap(start + b.length);
    }
    boolean interrupted = cpu.repeatInterrupted;
    if (interrupted) {
      cpu.repeatInterrupted = false;
      cpu.rip = cpu.currentRip;
      linkFrom = null;
      i--;
    }
    cpu.instructions += i;
    cpu.blockIndex = 0;
    block = null;
    return interrupted;
  }

  /** The linear address of a memory operand in 64-bit code. */
  private long address(Instruction in) {
    long[] r = cpu.gpr;
    return (r[in.base] + (r[in.index] << in.scale) + in.displacement & in.addressMask)
        + cpu.segBase[in.segment];
  }

  private long canonical(long rip) {
    if (rip << 16 >> 16 != rip) {
      throw cpu.raise(Cpu.GP, 0);
    }
    return rip;
  }

  private void add64(long[] r, int to, long b) {
    long a = r[to];
    long result = a + b;
    cpu.flagAux = Flags.addAux64(a, b, result);
    cpu.flagResult = result;
    r[to] = result;
  }

  private void addCarry64(long[] r, int to, long b) {
    long a = r[to];
    long result = a + b + cpu.carry();
    cpu.flagAux = Flags.addAux64(a, b, result);
    cpu.flagResult = result;
    r[to] = result;
  }

  private void sub64(long[] r, int to, long b) {
    long a = r[to];
    cmp64(a, b);
    r[to] = a - b;
  }

  private void cmp64(long a, long b) {
    long result = a - b;
    cpu.flagAux = Flags.subAux64(a, b, result);
    cpu.flagResult = result;
  }

  private void add32(long[] r, int to, int b) {
    int a = (int) r[to];
    int result = a + b;
    cpu.flagAux = Flags.addAux32(a, b, result);
    cpu.flagResult = result;
    r[to] = result & 0xFFFFFFFFL;
  }

  private void sub32(long[] r, int to, int b) {
    int a = (int) r[to];
    cmp32(a, b);
    r[to] = a - b & 0xFFFFFFFFL;
  }

  private void cmp32(int a, int b) {
    int result = a - b;
    cpu.flagAux = Flags.subAux32(a, b, result);
    cpu.flagResult = result;
  }

  private void cmp8(byte a, byte b) {
    int result = a - b;
    cpu.flagAux = Flags.subAux(a, b, result, 1);
    cpu.flagResult = (byte) result;
  }

  private long logic(long result) {
    cpu.flagAux = 0;
    cpu.flagResult = result;
    return result;
  }

  private void other(Instruction in, int op) {
    if (cpu.parallel && LockedOps.isLocked(in)) {
      LockedOps.execute(cpu, in);
      return;
    }
    switch (op) {
      case Op.INTEGER -> IntegerOps.execute(cpu, in);
      case Op.BRANCH -> Branches.execute(cpu, in);
      case Op.BIT -> BitOps.execute(cpu, in);
      case Op.STRING -> StringOps.execute(cpu, in);
      case Op.DECIMAL -> DecimalOps.execute(cpu, in);
      case Op.BIT_MANIPULATION -> BitManipulation.execute(cpu, in);
      case Op.SYSTEM -> {
        cpu.accountInstructions();
        if (cpu.parallel) {
          VarHandle.fullFence(); // most of them serialise
        }
        SystemOps.execute(cpu, in);
      }
      case Op.X87 -> X87.execute(cpu, in);
      case Op.VECTOR -> Simd.execute(cpu, in);
      default -> throw cpu.undefined(in);
    }
  }
}
