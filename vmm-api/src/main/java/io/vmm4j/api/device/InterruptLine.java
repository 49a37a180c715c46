package io.vmm4j.api.device;

/**
 * A wire to an interrupt controller. Several devices may share one: it is asserted while any does.
 */
public interface InterruptLine {

  /** Asserts or releases this device's drive of the line. */
  void set(boolean asserted);

  /** Asserts and releases: an edge. */
  default void pulse() {
    set(true);
    set(false);
  }
}
