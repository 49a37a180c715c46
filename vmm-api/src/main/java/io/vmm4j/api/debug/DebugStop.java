package io.vmm4j.api.debug;

import io.vmm4j.api.VmExit;

/** Why a machine stands, as its debugger is told. */
public sealed interface DebugStop {

  /**
   * A vCPU is about to execute an instruction with a breakpoint.
   *
   * @param vcpu its index
   */
  record BreakpointHit(int vcpu, Breakpoint breakpoint) implements DebugStop {}

  /**
   * A vCPU has executed an instruction that touched a watched range.
   *
   * @param vcpu its index
   * @param linearAddress the first watched byte that was touched
   */
  record WatchpointHit(int vcpu, Breakpoint breakpoint, long linearAddress) implements DebugStop {}

  /**
   * A vCPU has made its step.
   *
   * @param vcpu its index
   */
  record Stepped(int vcpu) implements DebugStop {}

  /** The machine has ended. */
  record Ended(VmExit exit) implements DebugStop {}
}
