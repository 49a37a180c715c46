package io.vmm4j.engine.machine.bus;

import io.vmm4j.engine.memory.Precedence;

/**
 * A device as the buses see it: who claims, and before whom it comes. With the machine lock held.
 */
public final class Claimant {
  private final String path;
  private final int device;
  private int made;

  /**
   * A device that has claimed nothing yet.
   *
   * @param device its number, in the order in which devices are made
   */
  public Claimant(String path, int device) {
    this.path = path;
    this.device = device;
  }

  /** The device's path. */
  public String path() {
    return path;
  }

  /** The precedence of its next claim. */
  Precedence next(Precedence.Kind kind) {
    return new Precedence(kind, device, made++, path);
  }
}
