package io.vmm4j.software.machinecode;

import io.vmm4j.software.cpu.Block;
import io.vmm4j.software.cpu.BlockRunner;
import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Instruction;
import io.vmm4j.software.cpu.Interpreter;
import io.vmm4j.software.cpu.Mmu;
import io.vmm4j.software.cpu.Segment;
import io.vmm4j.software.cpu.TranslatedBlock;
import io.vmm4j.software.cpu.TranslationListener;
import io.vmm4j.x86.ControlBits;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Runs the blocks of one vCPU as machine code where they are hot, and by the interpreter otherwise.
 *
 * <p>Registers have one home at a time: the vCPU's arrays, or the state block. They move when the
 * other side needs them; XMM registers apart, for few instructions that are interpreted do.
 */
public final class MachineCodeRunner implements BlockRunner, TranslationListener {
  /**
   * The most instructions of one stay in machine code, which looks for no signal: some 10 to 50
   * microseconds.
   */
  private static final int STAY = 20_000;

  private static final int MXCSR_MASKS = 0x1F80;

  /** In XCR0: SSE and AVX. */
  private static final int YMM_STATE = 6;

  /** Direct jumps reach this far; beyond it lies what is not canonical. */
  private static final long REACH = 1L << 32;

  private static final long LOWER_END = 1L << 47;

  private final Cpu cpu;
  private final MachineCode machine;
  private final Interpreter interpreter;
  private final List<AddressSpaceCode> spaces = new ArrayList<>();
  private final MemorySegment entry;
  private final long[] exits = new long[Exit.REASONS];
  private final int threshold;
  private AddressSpaceCode space;
  private StateBlock state;

  /** The present state block, for other threads. */
  private volatile StateBlock attentive;

  private boolean registersOut;
  private boolean vectorsOut;
  private long interpreted;

  /** The instruction for which a page was found last, and after how many instructions. */
  private int foundFor = -1;

  private long foundAt;

  MachineCodeRunner(Cpu cpu, MachineCode machine) {
    this.cpu = cpu;
    this.machine = machine;
    this.threshold = machine.options().threshold();
    this.interpreter = new Interpreter(cpu);
    this.entry = machine.entry();
    this.space = space(0);
    this.state = space.state;
    this.attentive = state;
    long memory = cpu.host.memory().address();
    cpu.mmu.copyTranslations((number, kind, index, readTag, writeTag, addend) -> {
      if (kind < StateBlock.KINDS) {
        long none = StateBlock.noTag(index);
        space(number)
            .state
            .setTranslation(
                kind,
                index,
                readTag == Mmu.NO_TAG ? none : readTag,
                writeTag == Mmu.NO_TAG ? none : writeTag,
                memory + addend + (readTag == Mmu.NO_TAG ? writeTag : readTag));
      }
    });
    cpu.mmu.onForgotten(this);
    cpu.onSignal(() -> attentive.putInt(StateBlock.ATTENTION, 1));
  }

  private AddressSpaceCode space(int number) {
    while (spaces.size() <= number) {
      spaces.add(new AddressSpaceCode(cpu, machine.base(), machine.features().wide()));
    }
    return spaces.get(number);
  }

  @Override
  public @Nullable Instruction current() {
    return interpreter.current();
  }

  @Override
  public void run(long end) {
    interpreter.begin();
    if (end - cpu.instructions == 1 || !usable()) {
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
    return (cpu.codeSize == 8 || cpu.codeSize == 4 && isFlat())
        && cpu.mmu.kind() < StateBlock.KINDS
        && (cpu.cpl == 0 || cpu.cpl == 3)
        && !cpu.debugger.onExecution()
        && !cpu.mmu.breakpoints().onExecution()
        && masksExceptions();
  }

  /** Whether no SIMD exception is unmasked: on the host it would be a signal. */
  private boolean masksExceptions() {
    return (cpu.fpu.simd.mxcsr() & MXCSR_MASKS) == MXCSR_MASKS;
  }

  /** Whether 32-bit code needs no look at segments: CS, SS, DS and ES reach all addresses. */
  private boolean isFlat() {
    Segment cs = cpu.seg[Cpu.CS];
    return cpu.protectedMode
        && cpu.stackMask == 0xFFFF_FFFFL
        && cs.base == 0
        && cs.limit == 0xFFFF_FFFFL
        && isFlat(Cpu.SS)
        && isFlat(Cpu.DS)
        && isFlat(Cpu.ES);
  }

  private boolean isFlat(int segment) {
    return cpu.seg[segment].base == 0 && reachesAll(segment);
  }

  private boolean reachesAll(int segment) {
    return cpu.seg[segment].limit == 0xFFFF_FFFFL && cpu.seg[segment].isWritableUpwards();
  }

  private int mode() {
    int kind = cpu.mmu.kind();
    return cpu.codeSize == 8
        ? Mode.wide(kind, vectors())
        : Mode.narrow(kind, vectors(), reachesAll(Cpu.FS), reachesAll(Cpu.GS));
  }

  private boolean vectors() {
    return sse() && (!machine.features().wide() || avx());
  }

  private boolean avx() {
    return (cpu.cr4 & ControlBits.CR4_OSXSAVE) != 0 && (cpu.xcr0 & YMM_STATE) == YMM_STATE;
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
    long begun = cpu.instructions;
    while (true) {
      boolean wide = cpu.codeSize == 8;
      int mode = mode();
      long rip = cpu.rip;
      long offset = cpu.mmu.fetchOffset(rip);
      boolean inside = offset >= 0 && (!wide || isInside(rip));
      int code = inside ? machine.pages().find(mode, offset) : 0;
      boolean again;
      if (code != 0) {
        addPage(mode, rip, offset);
        again = execute(code, end);
      } else {
        Block block = cpu.mmu.code().lookup(rip);
        Translation t = inside ? translation(block, mode) : null;
        if (t == null) {
          again = interpret(block, end);
        } else {
          addPage(mode, rip, offset);
          again = execute(t.entry, end);
        }
      }
      if (cpu.instructions == begun) {
        if (!again) {
          return;
        }
      } else if (cpu.instructions >= end || (again ? isDisturbed() : !canGoOn())) {
        return;
      }
    }
  }

  private boolean isDisturbed() {
    return cpu.signals() != 0 || cpu.pendingDebug != 0;
  }

  /** Whether machine code goes on behind what may have changed the mode. */
  private boolean canGoOn() {
    return cpu.isUndisturbed() && usable();
  }

  private @Nullable Translation translation(Block block, int mode) {
    for (TranslatedBlock made : block.translations()) {
      if (made instanceof Translation t && t.mode == mode) {
        return t;
      }
    }
    Translation known = machine.reuse(block, mode);
    if (known != null) {
      return known;
    }
    if (!BlockTranslator.canTranslate(block) || block.countExecution() < threshold) {
      return null;
    }
    long second = block.crossesPage ? cpu.mmu.offsetOf(block.secondPage) : 0;
    if (second < 0) {
      return null;
    }
    return machine.translate(block, mode, second);
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
    return !interrupted && !block.endsInSystem && (vectorsOut || masksExceptions());
  }

  /**
   * Executes machine code from the beginning of a block on; false if the run loop has to look
   * around.
   */
  private boolean execute(int first, long end) {
    int code = first;
    int prepaid = 0;
    state.putLong(StateBlock.PAGE_RIP, cpu.rip & ~0xFFFL);
    while (true) {
      int word = call(code, end, prepaid);
      int reason = Exit.reason(word);
      exits[reason]++;
      if (reason == Exit.LOOKUP) {
        cpu.rip = state.getLong(StateBlock.TARGET);
        return true;
      }
      Translation at = machine.translation(Exit.translation(word));
      switch (reason) {
        case Exit.TAKEN, Exit.NEXT -> {
          boolean taken = reason == Exit.TAKEN;
          cpu.rip = wrap(state.getLong(StateBlock.PAGE_RIP) + at.target(taken));
          Translation next = follow(at, taken);
          if (next == null || cpu.signals() != 0 || cpu.instructions >= end) {
            return true;
          }
          code = next.entry;
          prepaid = 0;
        }
        case Exit.BUDGET, Exit.DEAD -> {
          cpu.rip = state.getLong(StateBlock.PAGE_RIP) + ((int) at.block.offset & 0xFFF);
          return reason == Exit.BUDGET ? refill(at.block, end) : lookAgain(at.block, at.mode);
        }
        default -> {
          int index = Exit.instruction(word);
          if (reason != Exit.INTERPRET && findPage(word, at.mode) && at.valid) {
            cpu.instructions += index;
            code = at.entry + at.retry(index);
            prepaid = at.block.count - index;
            continue;
          }
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
          code = at.entry + resume;
          prepaid = rest;
        }
      }
    }
  }

  /**
   * Finds the page of an address that machine code was left for; false if the instruction is to be
   * interpreted: the page is not one of plain memory, or was found before and not enough, as with
   * two pages that share an entry, or an access across two of them.
   */
  private boolean findPage(int word, int mode) {
    int place = word >>> Exit.REASON_BITS;
    if (cpu.signals() != 0 || place == foundFor && cpu.instructions == foundAt) {
      return false;
    }
    foundFor = place;
    foundAt = cpu.instructions;
    long linear = state.getLong(StateBlock.TARGET);
    return switch (Exit.reason(word)) {
      case Exit.LOAD -> cpu.mmu.fill(linear, Mmu.READ);
      case Exit.STORE -> cpu.mmu.fill(linear, Mmu.WRITE);
      default -> addCodePage(mode, linear);
    };
  }

  private boolean addCodePage(int mode, long rip) {
    long offset = cpu.mmu.fetchOffsetIfThere(rip);
    if (offset < 0 || cpu.codeSize == 8 && !isInside(rip)) {
      return false;
    }
    addPage(mode, rip, offset);
    return true;
  }

  private long wrap(long rip) {
    return cpu.codeSize == 8 ? rip : rip & 0xFFFF_FFFFL;
  }

  /** The budget has not reached for a block: it is the end of the stay, or the end. */
  private boolean refill(Block block, long end) {
    long left = end - cpu.instructions;
    return left <= 0 || left >= block.count || interpret(block, end);
  }

  /** A block was not executed: it is void, or its second page has to be looked at. */
  private boolean lookAgain(Block block, int mode) {
    if (block.crossesPage && cpu.mmu.code().lookup(cpu.rip) == block) {
      long second = (cpu.rip & ~0xFFFL) + 0x1000;
      addPage(mode, second, cpu.mmu.fetchOffset(second));
    }
    return true;
  }

  /**
   * Calls machine code and accounts for what it has executed: then {@link Cpu#instructions} counts
   * up to the instruction that comes next, or, where machine code was left within a block, up to
   * the beginning of that block.
   *
   * @param prepaid the instructions that the code takes for already taken from the budget
   */
  private int call(int code, long end, int prepaid) {
    takeRegisters();
    int budget = (int) Math.min(end - cpu.instructions, STAY) - prepaid;
    state.noteAttention();
    state.putInt(StateBlock.BUDGET, budget);
    state.putLong(StateBlock.ENTRY, machine.address(code));
    Libc.call(entry, state.address());
    int word = state.getInt(StateBlock.EXIT);
    state.giveMode();
    cpu.instructions += budget + prepaid - state.getInt(StateBlock.BUDGET);
    int reason = Exit.reason(word);
    if (reason >= Exit.INTERPRET && reason <= Exit.PAGE) {
      cpu.instructions -= machine.translation(Exit.translation(word)).block.count;
    }
    return word;
  }

  /** The translation that a jump leads to, which is linked; null if there is none yet. */
  private @Nullable Translation follow(Translation from, boolean taken) {
    Block block = cpu.mmu.code().lookup(cpu.rip);
    Translation t = translation(block, from.mode);
    if (t != null && from.valid && block.offset >>> 12 == from.block.offset >>> 12) {
      machine.link(from, taken, t);
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
    boolean system = index == block.count - 1 && block.endsInSystem;
    return !interrupted && !system && (vectorsOut || masksExceptions());
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

  // ---- code pages ----

  private void addPage(int mode, long rip, long offset) {
    space.add(mode, rip, machine.pages().tableAddress(mode, offset), cpu.mmu.fetchIsGlobal(rip));
  }

  @Override
  public void entered(int number) {
    bringBack();
    space = space(number);
    state = space.state;
    attentive = state;
  }

  @Override
  public void copiedGlobals(int from, int to) {
    space(to).copyGlobals(space(from));
  }

  @Override
  public void forgotten(int number, boolean globalStay) {
    space(number).forget(globalStay);
  }

  @Override
  public void forgottenPage(int number, long linear) {
    space(number).forgetPage(linear);
  }

  // ---- figures ----

  /** How many instructions the interpreter has executed. */
  public long interpretedInstructions() {
    return interpreted;
  }

  /** How often machine code was left for a reason: see {@link Exit}. */
  long exits(int reason) {
    return exits[reason];
  }
}
