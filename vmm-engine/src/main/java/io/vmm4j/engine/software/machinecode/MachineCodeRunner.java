package io.vmm4j.engine.software.machinecode;

import io.vmm4j.engine.software.cpu.Block;
import io.vmm4j.engine.software.cpu.BlockRunner;
import io.vmm4j.engine.software.cpu.Cpu;
import io.vmm4j.engine.software.cpu.Instruction;
import io.vmm4j.engine.software.cpu.Interpreter;
import io.vmm4j.engine.software.cpu.Mmu;
import io.vmm4j.engine.software.cpu.TranslationListener;
import io.vmm4j.engine.x86.ControlBits;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Runs the blocks of one vCPU as machine code where they are hot, and by the interpreter otherwise.
 *
 * <p>Registers have one home at a time: the vCPU's arrays, or the state block. They move when the
 * other side needs them; XMM registers apart, for few instructions that are interpreted do.
 */
public final class MachineCodeRunner implements BlockRunner, TranslationListener {
  /** After how many executions a block is translated: of 2, 8, 24 and 100 the best for a boot. */
  private static final int THRESHOLD = 8;

  /**
   * The most instructions of one stay in machine code, which looks for no signal: some 10 to 50
   * microseconds.
   */
  private static final int STAY = 20_000;

  private static final int MXCSR_MASKS = 0x1F80;

  /** Direct jumps reach this far; beyond it lies what is not canonical. */
  private static final long REACH = 1L << 32;

  private static final long LOWER_END = 1L << 47;

  private final Cpu cpu;
  private final MachineCode machine;
  private final Interpreter interpreter;
  private final StateBlock state;
  private final MemorySegment entry;
  private final long[] exits = new long[Exit.REASONS];
  private final int[][] jumpLog = new int[StateBlock.KINDS][StateBlock.JUMP_ENTRIES];
  private final int[] jumpCount = new int[StateBlock.KINDS];
  private final boolean[][] jumpGlobal = new boolean[StateBlock.KINDS][StateBlock.JUMP_ENTRIES];
  private final boolean[] jumpSse = new boolean[StateBlock.KINDS];
  private final int threshold;
  private boolean registersOut;
  private boolean vectorsOut;
  private long interpreted;

  MachineCodeRunner(Cpu cpu, MachineCode machine) {
    this(cpu, machine, Integer.getInteger("vmm4j.threshold", THRESHOLD));
  }

  MachineCodeRunner(Cpu cpu, MachineCode machine, int threshold) {
    this.cpu = cpu;
    this.machine = machine;
    this.threshold = threshold;
    this.interpreter = new Interpreter(cpu);
    this.state = new StateBlock(cpu, Arena.ofAuto());
    this.entry = machine.entry();
    long memory = cpu.host.memory().address();
    cpu.mmu.copyTranslations((kind, index, readTag, writeTag, addend) -> {
      if (kind < StateBlock.KINDS) {
        long none = StateBlock.noTag(index);
        state.setTranslation(
            kind,
            index,
            readTag == Mmu.NO_TAG ? none : readTag,
            writeTag == Mmu.NO_TAG ? none : writeTag,
            memory + addend + (readTag == Mmu.NO_TAG ? writeTag : readTag));
      }
    });
    cpu.mmu.code().onForgotten(this);
  }

  @Override
  public @Nullable Instruction current() {
    return interpreter.current();
  }

  @Override
  public void run(long end) {
    interpreter.begin();
    if (!usable()) {
      interpreter.run(end);
      return;
    }
    try {
      runBlocks(end);
    } finally {
      bringBack();
    }
  }

  /** Whether machine code may run at all in the present mode. */
  private boolean usable() {
    return cpu.codeSize == 8
        && cpu.mmu.kind() < StateBlock.KINDS
        && !cpu.debugger.onExecution()
        && !cpu.mmu.breakpoints().onExecution()
        && (cpu.fpu.simd.mxcsr() & MXCSR_MASKS) == MXCSR_MASKS;
  }

  private boolean sse() {
    return (cpu.cr0 & (ControlBits.CR0_EM | ControlBits.CR0_TS)) == 0
        && (cpu.cr4 & ControlBits.CR4_OSFXSR) != 0;
  }

  /** Whether RIP is where no direct jump leads out of the canonical addresses. */
  private static boolean isInside(long rip) {
    return rip >= 0 ? rip < LOWER_END - REACH : rip >= -LOWER_END + REACH;
  }

  private void runBlocks(long end) {
    int kind = cpu.mmu.kind();
    boolean sse = sse();
    if (jumpSse[kind] != sse) {
      forgetJumps(kind);
      jumpSse[kind] = sse;
    }
    while (true) {
      Block block = cpu.mmu.code().lookup(cpu.rip);
      Translation t = isInside(cpu.rip) ? translation(block, kind, sse) : null;
      boolean again;
      if (t == null || end - cpu.instructions < block.count) {
        again = interpret(block, end);
      } else {
        addJump(kind, cpu.rip, t);
        again = execute(t, end, sse);
      }
      if (!again || cpu.signals() != 0 || cpu.pendingDebug != 0 || cpu.instructions >= end) {
        return;
      }
    }
  }

  private @Nullable Translation translation(Block block, int kind, boolean sse) {
    Translation t = (Translation) block.translation(kind);
    if (t != null && t.sse == sse && t.valid) {
      return t;
    }
    if (block.isTransient() || block.countExecution() < threshold) {
      return null;
    }
    if (!machine.canTranslate(block, sse)) {
      return null;
    }
    t = machine.translate(block, kind, sse);
    block.setTranslation(kind, t);
    return t;
  }

  /** Executes a block by the interpreter; false if the run loop has to look around. */
  private boolean interpret(Block block, long end) {
    giveRegisters();
    if (block.usesVectors()) {
      giveVectors();
    }
    long before = cpu.instructions;
    boolean interrupted = interpreter.run(block, end);
    interpreted += cpu.instructions - before;
    return !interrupted && !block.endsInSystem;
  }

  /** Executes machine code from a block on; false if the run loop has to look around. */
  private boolean execute(Translation first, long end, boolean sse) {
    Translation at = first;
    long code = machine.address(first.entry);
    int prepaid = 0;
    state.putLong(StateBlock.PAGE_RIP, cpu.rip & ~0xFFFL);
    while (true) {
      int word = call(code, end, prepaid);
      int reason = Exit.reason(word);
      exits[reason]++;
      switch (reason) {
        case Exit.TAKEN, Exit.NEXT -> {
          Translation from = machine.translation(Exit.translation(word));
          boolean taken = reason == Exit.TAKEN;
          cpu.rip = state.getLong(StateBlock.PAGE_RIP) + from.target(taken);
          Translation next = follow(from, taken, sse);
          if (next == null || end - cpu.instructions < next.block.count || cpu.signals() != 0) {
            return true;
          }
          at = next;
          code = machine.address(next.entry);
          prepaid = 0;
        }
        case Exit.LOOKUP -> {
          cpu.rip = state.getLong(StateBlock.TARGET);
          return true;
        }
        case Exit.BUDGET, Exit.DEAD -> {
          Translation from = machine.translation(Exit.translation(word));
          cpu.rip = state.getLong(StateBlock.PAGE_RIP) + ((int) from.block.offset & 0xFFF);
          return true;
        }
        default -> {
          at = machine.translation(Exit.translation(word));
          int index = Exit.instruction(word);
          if (!interpretOne(at, index)) {
            return false;
          }
          int resume = at.resume[index];
          int rest = at.block.count - index - 1;
          if (resume == 0
              || cpu.blockWasLeft()
              || !at.valid
              || cpu.signals() != 0
              || cpu.pendingDebug != 0
              || end - cpu.instructions < rest) {
            return true;
          }
          code = machine.address(at.entry + resume);
          prepaid = rest;
        }
      }
    }
  }

  /**
   * Calls machine code and accounts for what it has executed: then {@link Cpu#instructions} counts
   * up to the instruction that comes next, or, where machine code was left within a block, up to
   * the beginning of that block.
   *
   * @param prepaid the instructions that the code takes for already taken from the budget
   */
  private int call(long code, long end, int prepaid) {
    takeRegisters();
    int budget = (int) Math.min(end - cpu.instructions, STAY) - prepaid;
    state.putInt(StateBlock.BUDGET, budget);
    state.putLong(StateBlock.ENTRY, code);
    Libc.call(entry, state.address());
    int word = state.getInt(StateBlock.EXIT);
    cpu.instructions += budget + prepaid - state.getInt(StateBlock.BUDGET);
    int reason = Exit.reason(word);
    if (reason == Exit.INTERPRET || reason == Exit.MEMORY) {
      cpu.instructions -= machine.translation(Exit.translation(word)).block.count;
    }
    return word;
  }

  /** The translation that a jump leads to, which is linked; null if there is none yet. */
  private @Nullable Translation follow(Translation from, boolean taken, boolean sse) {
    Block block = cpu.mmu.code().lookup(cpu.rip);
    Translation t = translation(block, from.kind, sse);
    if (t == null || !from.valid) {
      return t;
    }
    if (block.crossesPage) {
      int place = machine.lookupCode(from.kind, from.target(taken));
      from.linkTo(taken, place);
      addJump(from.kind, cpu.rip, t);
    } else if (block.offset >>> 12 == from.block.offset >>> 12) {
      from.link(taken, t);
    }
    return t;
  }

  /** Has the interpreter execute one instruction of a block. */
  private boolean interpretOne(Translation t, int index) {
    giveRegisters();
    Block block = t.block;
    if (block.instructions[index].usesVectors()) {
      giveVectors();
    }
    long start = state.getLong(StateBlock.PAGE_RIP) + ((int) block.offset & 0xFFF);
    interpreted++;
    boolean interrupted = interpreter.run(block, start, index);
    return !interrupted && !(index == block.count - 1 && block.endsInSystem);
  }

  // ---- where the registers are ----

  private void takeRegisters() {
    if (!registersOut) {
      state.takeRegisters();
      registersOut = true;
    }
    if (!vectorsOut) {
      state.takeVectors();
      vectorsOut = true;
    }
  }

  private void giveRegisters() {
    if (registersOut) {
      state.giveRegisters();
      registersOut = false;
    }
  }

  private void giveVectors() {
    if (vectorsOut) {
      state.giveVectors();
      vectorsOut = false;
    }
  }

  private void bringBack() {
    giveRegisters();
    giveVectors();
  }

  // ---- jump targets ----

  private void addJump(int kind, long rip, Translation t) {
    int slot = StateBlock.jumpSlot(rip);
    if (!state.hasJump(kind, slot)) {
      jumpLog[kind][jumpCount[kind]++] = slot;
    }
    jumpGlobal[kind][slot] = cpu.mmu.fetchIsGlobal(rip);
    state.setJump(kind, slot, rip, machine.address(t.entry));
  }

  @Override
  public void forgotten(boolean globalStay) {
    for (int kind = 0; kind < StateBlock.KINDS; kind++) {
      int kept = 0;
      for (int i = 0; i < jumpCount[kind]; i++) {
        int slot = jumpLog[kind][i];
        if (globalStay && jumpGlobal[kind][slot]) {
          jumpLog[kind][kept++] = slot;
        } else {
          state.clearJump(kind, slot);
        }
      }
      jumpCount[kind] = kept;
    }
  }

  /** Forgets all jump targets. */
  void forgetJumps() {
    forgotten(false);
  }

  private void forgetJumps(int kind) {
    for (int i = 0; i < jumpCount[kind]; i++) {
      state.clearJump(kind, jumpLog[kind][i]);
    }
    jumpCount[kind] = 0;
  }

  // ---- figures ----

  /** How many instructions the interpreter has executed. */
  public long interpretedInstructions() {
    return interpreted;
  }

  /** How often machine code was left, by {@link Exit} reason. */
  long[] exits() {
    return exits.clone();
  }
}
