package io.vmm4j.software.machinecode;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.machinecode.verify.CodePiece;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Executes single pieces of code, with registers by chance, where it shows what they have touched:
 * some pages may be written, some are read-only, and around them lies what is no page at all.
 * Whatever the code jumps to indirectly is the piece itself.
 */
@SuppressWarnings("restricted") // the state block is looked at as bytes
final class CodeBench implements AutoCloseable {
  private static final boolean VEX = MachineCode.hasVex();
  private static final int PAGE = 0x1000;
  private static final int WRITABLE_PAGES = 8;
  private static final int READ_ONLY_PAGES = 8;
  private static final int BUDGET = 500;
  private static final int MXCSR = 0x1F80;
  private static final byte CANARY = 0x5C;

  private final Arena arena = Arena.ofConfined();
  private final CodeMemory code = CodeMemory.allocate(64 << 20);
  private final Stubs stubs = new Stubs(code, VEX);
  private final int firstCode = code.next();
  private final Cpu cpu = new Cpu(0, BareHost.create());
  private final StateBlock state = new StateBlock(cpu, VEX);
  private final MemorySegment memory =
      arena.allocate((long) (WRITABLE_PAGES + READ_ONLY_PAGES + 4) * PAGE, PAGE);
  private final MemorySegment table = arena.allocate((long) PAGE * Integer.BYTES, PAGE);
  private final MemorySegment tables =
      MemorySegment.ofAddress(state.address() + StateBlock.TLB)
          .reinterpret(StateBlock.PAGES - StateBlock.TLB + Mode.COUNT * StateBlock.PAGE_BYTES);
  private final Random random;

  CodeBench(long seed) {
    random = new Random(seed);
    memory.fill(CANARY);
    for (int kind = 0; kind < StateBlock.KINDS; kind++) {
      for (int entry = 0; entry < StateBlock.TLB_ENTRIES; entry++) {
        long page = (long) entry << 12;
        boolean writes = entry % 2 == 0;
        int number = writes ? entry % WRITABLE_PAGES : WRITABLE_PAGES + 2 + entry % READ_ONLY_PAGES;
        boolean none = entry % 16 == 5;
        long noTag = StateBlock.noTag(entry);
        long host = none ? 0 : memory.address() + (long) (1 + number) * PAGE;
        state.setTranslation(
            kind, entry, none ? noTag : page, none || !writes ? noTag : page, host);
      }
    }
    for (int mode = 0; mode < Mode.COUNT; mode++) {
      for (int entry = 0; entry < StateBlock.PAGE_ENTRIES; entry += 2) {
        state.setPage(mode, (long) entry << 12, table.address());
      }
    }
  }

  int exitStub() {
    return stubs.exit;
  }

  /**
   * Executes a piece from its beginning and from where it is resumed.
   *
   * @return what it has touched that it should not have
   */
  List<String> execute(CodePiece piece) {
    code.truncate(Math.max(firstCode, piece.at()));
    code.add(piece.code());
    for (int slot = 0; slot < PAGE; slot++) {
      table.setAtIndex(ValueLayout.JAVA_INT, slot, slot % 4 == 3 ? 0 : piece.at());
    }
    List<String> wrong = new ArrayList<>();
    execute(piece, 0, wrong);
    execute(piece, piece.begin(), wrong);
    int resume = piece.resume()[random.nextInt(piece.resume().length)];
    if (resume != 0) {
      execute(piece, resume, wrong);
    }
    return wrong;
  }

  private void execute(CodePiece piece, int from, List<String> wrong) {
    state.putLong(StateBlock.CODE_BASE, code.address(0));
    state.putLong(StateBlock.ENTRY, code.address(piece.at() + from));
    state.putInt(StateBlock.BUDGET, BUDGET);
    state.putInt(StateBlock.MXCSR, MXCSR);
    for (int register = 0; register < 16; register++) {
      state.putLong(StateBlock.gpr(register), value());
    }
    for (int i = 0; i < (VEX ? 64 : 32); i++) {
      state.putLong((VEX ? StateBlock.YMM : StateBlock.XMM) + 8 * i, random.nextLong());
    }
    state.putInt(StateBlock.FLAGS, random.nextInt() & 0xD501);
    state.putLong(StateBlock.PAGE_RIP, (long) random.nextInt(StateBlock.TLB_ENTRIES) << 12);
    state.putLong(StateBlock.FS_BASE, value());
    state.putLong(StateBlock.GS_BASE, value());
    state.putInt(StateBlock.SYSTEM_FLAGS, random.nextInt(8) == 0 ? 0x602 : 0x202);
    state.putInt(StateBlock.EXIT, -1);
    byte[] before = tables.toArray(ValueLayout.JAVA_BYTE);

    Libc.call(code.entry(stubs.entry), state.address());

    if (MemorySegment.ofArray(before).mismatch(tables) != -1) {
      wrong.add("a table was written");
      MemorySegment.copy(MemorySegment.ofArray(before), 0, tables, 0, before.length);
    }
    if (state.getLong(StateBlock.CODE_BASE) != code.address(0)) {
      wrong.add("the address of code was written");
    }
    if (!isCanary(0, 1) || !isCanary(1 + WRITABLE_PAGES, 3 + READ_ONLY_PAGES)) {
      wrong.add("memory was written that may not be");
      memory.fill(CANARY);
    }
    if (state.getInt(StateBlock.BUDGET) > BUDGET) {
      wrong.add("the budget has grown");
    }
    int word = state.getInt(StateBlock.EXIT);
    boolean known =
        Exit.reason(word) == Exit.LOOKUP
            || Exit.reason(word) < Exit.REASONS
                && Exit.translation(word) == piece.number()
                && Exit.instruction(word) < piece.instructions();
    if (!known) {
      wrong.add("left for reason 0x%x".formatted(word));
    }
    for (int register = 0; register < 16; register++) {
      if (isOfHost(state.getLong(StateBlock.gpr(register)))) {
        wrong.add("register %d is an address of the host".formatted(register));
      }
    }
  }

  private boolean isCanary(int firstPage, int pages) {
    MemorySegment part = memory.asSlice((long) firstPage * PAGE, (long) pages * PAGE);
    return part.elements(ValueLayout.JAVA_LONG)
        .allMatch(s -> s.get(ValueLayout.JAVA_LONG, 0) == 0x5C5C_5C5C_5C5C_5C5CL);
  }

  private boolean isOfHost(long value) {
    return value >= memory.address() && value < memory.address() + memory.byteSize()
        || value >= state.address() && value < state.address() + tables.byteSize()
        || value >= code.address(0) && value < code.address(64 << 20);
  }

  /** Most are addresses in pages that there are, near their ends and aligned now and then. */
  private long value() {
    long page = (long) random.nextInt(StateBlock.TLB_ENTRIES) << 12;
    return switch (random.nextInt(10)) {
      case 0 -> random.nextLong();
      case 1 -> random.nextInt(4);
      case 2 -> -1 - random.nextInt(4);
      case 3 -> 1L << random.nextInt(64);
      case 4 -> page + PAGE - 1 - random.nextInt(20);
      case 5, 6 -> page + 16L * random.nextInt(PAGE / 16);
      default -> page + random.nextInt(PAGE);
    };
  }

  @Override
  public void close() {
    code.close();
    arena.close();
  }
}
