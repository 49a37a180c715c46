package io.vmm4j.software.machinecode;

import io.vmm4j.software.cpu.Mmu;
import io.vmm4j.software.machinecode.verify.CodeContract;
import io.vmm4j.software.machinecode.verify.CodeContract.Access;
import io.vmm4j.software.machinecode.verify.CodeContract.Field;
import io.vmm4j.software.machinecode.verify.CodeContract.Table;
import io.vmm4j.software.machinecode.verify.CodeVerifier;
import io.vmm4j.software.machinecode.verify.StubVerifier;
import java.util.ArrayList;
import java.util.List;

/** Has all code verified, as it lies in code memory. */
final class CodeCheck {
  private static final int GENERAL_REGISTERS = 16;
  private static final int SEGMENTS = 6;

  private final CodeMemory memory;
  private final CodeVerifier verifier;

  /** Verifies the stubs; blocks are by {@link #check}. */
  CodeCheck(CodeMemory memory, Stubs stubs, CodeFeatures features) {
    this.memory = memory;
    CodeContract contract = contract(features);
    new StubVerifier(contract)
        .verify(
            memory.bytes(stubs.entry, stubs.entryBytes), memory.bytes(stubs.exit, stubs.exitBytes));
    List<Integer> lookups = new ArrayList<>();
    for (int mode = 0; mode < Mode.COUNT; mode++) {
      lookups.add(stubs.lookup(mode));
    }
    verifier = new CodeVerifier(contract, stubs.exit, lookups);
    for (int mode = 0; mode < Mode.COUNT; mode++) {
      int at = stubs.lookup(mode);
      verifier.verifyLookup(memory.bytes(at, stubs.lookupBytes(mode)), at, mode);
    }
  }

  /** What {@link StateBlock} promises. */
  static CodeContract contract(CodeFeatures features) {
    List<CodeContract.Mode> modes = new ArrayList<>();
    for (int mode = 0; mode < Mode.COUNT; mode++) {
      modes.add(
          new CodeContract.Mode(
              StateBlock.TLB + Mode.kind(mode) * StateBlock.TLB_BYTES,
              StateBlock.PAGES + mode * StateBlock.PAGE_BYTES,
              Mode.kind(mode) != Mmu.USER,
              Mode.withKind(mode, Mmu.SUPERVISOR_AC),
              Mode.withKind(mode, Mmu.SUPERVISOR)));
    }
    return new CodeContract(
        fields(),
        StateBlock.PAGE_RIP,
        StateBlock.EXIT,
        List.of(StateBlock.TEMPORARY, StateBlock.SECOND_TEMPORARY, StateBlock.THIRD_TEMPORARY),
        StateBlock.SYSTEM_FLAGS,
        StateBlock.CODE_BASE,
        new Table(StateBlock.TLB_ENTRIES, StateBlock.TLB_ENTRY_BYTES),
        StateBlock.READ_TAG,
        StateBlock.WRITE_TAG,
        StateBlock.HOST_PAGE,
        new Table(StateBlock.PAGE_ENTRIES, StateBlock.PAGE_ENTRY_BYTES),
        StateBlock.PAGE_TAG,
        StateBlock.PAGE_TABLE,
        modes,
        new CodeContract.Stubs(
            StateBlock.gpr(0),
            features.wide() ? StateBlock.YMM : StateBlock.XMM,
            features.wide() ? 32 : 16,
            StateBlock.FLAGS,
            StateBlock.BUDGET,
            StateBlock.MXCSR,
            StateBlock.HOST_MXCSR,
            StateBlock.ENTRY));
  }

  private static List<Field> fields() {
    List<Field> fields = new ArrayList<>();
    for (int register = 0; register < GENERAL_REGISTERS; register++) {
      fields.add(new Field(StateBlock.gpr(register), Long.BYTES, Access.WRITE));
    }
    for (int segment = 0; segment < SEGMENTS; segment++) {
      int at = StateBlock.SELECTORS + Integer.BYTES * segment;
      fields.add(new Field(at, Integer.BYTES, Access.READ));
    }
    fields.add(new Field(StateBlock.FLAGS, Short.BYTES, Access.WRITE));
    fields.add(new Field(StateBlock.PAGE_RIP, Long.BYTES, Access.READ));
    fields.add(new Field(StateBlock.FS_BASE, Long.BYTES, Access.READ));
    fields.add(new Field(StateBlock.GS_BASE, Long.BYTES, Access.SUPERVISOR_WRITES));
    fields.add(new Field(StateBlock.KERNEL_GS_BASE, Long.BYTES, Access.SUPERVISOR));
    fields.add(new Field(StateBlock.SYSTEM_FLAGS, Integer.BYTES, Access.WRITE));
    fields.add(new Field(StateBlock.ATTENTION, Integer.BYTES, Access.READ));
    fields.add(new Field(StateBlock.TARGET, Long.BYTES, Access.WRITE));
    fields.add(new Field(StateBlock.TEMPORARY, Long.BYTES, Access.WRITE));
    fields.add(new Field(StateBlock.SECOND_TEMPORARY, Long.BYTES, Access.WRITE));
    fields.add(new Field(StateBlock.THIRD_TEMPORARY, Long.BYTES, Access.WRITE));
    return fields;
  }

  /** Verifies a translation that has not been linked yet. */
  void check(Translation translation) {
    verifier.verify(translation.piece(memory.bytes(translation.entry, translation.bytes)));
  }

  /**
   * Verifies that a jump may lead from a translation to another one: both are in code memory, of
   * one mode and in one page.
   *
   * @param present all code there is
   */
  static void checkLink(
      Translation from, boolean taken, Translation to, List<Translation> present) {
    boolean same =
        isIn(present, from)
            && isIn(present, to)
            && from.mode == to.mode
            && from.block.offset >>> 12 == to.block.offset >>> 12;
    if (!same || !from.canLink(taken)) {
      throw new IllegalStateException(
          "translation %d can't be linked to %d".formatted(from.number, to.number));
    }
  }

  private static boolean isIn(List<Translation> present, Translation t) {
    return t.valid && t.number < present.size() && present.get(t.number) == t;
  }
}
