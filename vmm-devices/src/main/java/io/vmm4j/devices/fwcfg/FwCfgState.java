package io.vmm4j.devices.fwcfg;

import io.vmm4j.devices.Checks;

/**
 * What is being read.
 *
 * @param key the item that was selected, 0 to 0xFFFF
 * @param offset of the next byte in it, 0 to its length
 */
public record FwCfgState(int key, int offset) {
  /** Checks ranges. */
  public FwCfgState {
    Checks.range("key", key, 0, 0xFFFF);
    Checks.range("offset", offset, 0, FwCfg.LONGEST_ITEM);
  }
}
