package io.vmm4j.engine.machine.bus;

import java.util.List;

/**
 * A claim as a test sees it.
 *
 * @param ports whether of ports, or of a window
 * @param base where it was put, or -1 while off the bus
 * @param length how many ports or bytes
 * @param width the widest access in bytes
 * @param doorbells its doorbells, in the order of their making
 */
public record Claimed(boolean ports, long base, long length, int width, List<Bell> doorbells) {

  /**
   * A doorbell.
   *
   * @param offset in the claim
   * @param size of the store
   * @param value of the store, or {@code any}
   */
  public record Bell(long offset, int size, String value) {}
}
