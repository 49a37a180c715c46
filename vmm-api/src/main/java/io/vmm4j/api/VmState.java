package io.vmm4j.api;

/** What a machine is doing. */
public sealed interface VmState {

  /** Guest code runs (or waits for an interrupt). */
  record Running() implements VmState {}

  /** No guest code runs and guest time stands; {@link Vm#resume} goes on. */
  record Paused() implements VmState {}

  /**
   * It has ended and can't be resumed.
   *
   * @param exit why
   */
  record Ended(VmExit exit) implements VmState {}
}
