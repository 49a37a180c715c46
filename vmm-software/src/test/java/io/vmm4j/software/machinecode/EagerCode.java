package io.vmm4j.software.machinecode;

import io.vmm4j.api.backend.BackendHost;

/** Machine code of whatever is executed for the first time, all of it verified. */
public final class EagerCode {
  private static final TranslationOptions EAGER = new TranslationOptions(1, true);
  private static final long BYTES = 1 << 20;

  private EagerCode() {}

  /** Makes room for it. */
  public static MachineCode open(BackendHost host) {
    return MachineCode.open(host, BYTES, EAGER, null);
  }
}
