package io.vmm4j.api;

/** Why a machine ended. */
public sealed interface VmExit {

  /** The guest switched the machine off (ACPI S5 or an equivalent). */
  record PoweredOff() implements VmExit {}

  /** The guest asked for a reset (keyboard controller, port 0xCF9, ACPI reset register). */
  record Reset() implements VmExit {}

  /**
   * The guest wrote to the debug exit port.
   *
   * @param value what it wrote
   */
  record DebugExit(int value) implements VmExit {
    /** The process exit code that goes with it, {@code (value << 1) | 1} in its low 8 bits. */
    public int processExitCode() {
      return ((value << 1) | 1) & 0xFF;
    }
  }

  /**
   * The machine can't go on: a triple fault, or an error inside a device model or backend.
   *
   * @param reason one line
   * @param detail the state of the vCPU, and whatever else helps; several lines
   */
  record Crashed(String reason, String detail) implements VmExit {}

  /** The host stopped it: {@link Vm#stop} or {@link Vm#close}. */
  record Stopped() implements VmExit {}
}
