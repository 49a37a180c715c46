package io.vmm4j.software.machinecode;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.FillLog;
import org.jspecify.annotations.Nullable;

/**
 * What machine code knows of one address space: a state block, in whose tables it finds data and
 * code by linear page, and which entries for code are in use.
 */
final class AddressSpaceCode {
  final StateBlock state;
  private final @Nullable FillLog[] logs = new FillLog[Mode.COUNT];
  private final boolean[][] global = new boolean[Mode.COUNT][];

  AddressSpaceCode(Cpu cpu, long codeBase, boolean wide) {
    state = new StateBlock(cpu, wide);
    state.putLong(StateBlock.CODE_BASE, codeBase);
  }

  /**
   * Enters the page of a linear address.
   *
   * @param table the address of the table of the code in its memory: see {@link CodePages}
   */
  void add(int mode, long linear, long table, boolean isGlobal) {
    state.setPage(mode, linear, table);
    note(mode, StateBlock.pageEntry(linear), isGlobal);
  }

  private void note(int mode, int entry, boolean isGlobal) {
    FillLog log = logs[mode];
    if (log == null) {
      log = new FillLog(StateBlock.PAGE_ENTRIES);
      logs[mode] = log;
      global[mode] = new boolean[StateBlock.PAGE_ENTRIES];
    }
    log.filled(entry, isGlobal);
    global[mode][entry] = isGlobal;
  }

  /** Forgets all pages, or those that are not global. */
  void forget(boolean globalStay) {
    for (int mode = 0; mode < Mode.COUNT; mode++) {
      FillLog log = logs[mode];
      if (log != null) {
        forget(mode, log, globalStay);
      }
    }
  }

  private void forget(int mode, FillLog log, boolean globalStay) {
    int entry;
    while ((entry = globalStay ? log.takeOther() : log.take()) >= 0) {
      if (!globalStay || !global[mode][entry]) {
        state.clearPage(mode, entry);
      }
    }
  }

  /** Forgets the page of a linear address. */
  void forgetPage(long linear) {
    for (int mode = 0; mode < Mode.COUNT; mode++) {
      if (logs[mode] != null) {
        state.clearPage(mode, StateBlock.pageEntry(linear));
      }
    }
  }

  /** Takes over the global pages of another address space. */
  void copyGlobals(AddressSpaceCode from) {
    for (int mode = 0; mode < Mode.COUNT; mode++) {
      FillLog log = from.logs[mode];
      for (int n = 0; log != null && n < log.globals(); n++) {
        int entry = log.at(n);
        if (from.global[mode][entry]) {
          state.copyPage(mode, entry, from.state);
          note(mode, entry, true);
        }
      }
    }
  }
}
