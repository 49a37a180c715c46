package io.vmm4j.api;

/** Why a machine ended. */
public sealed interface VmExit {

  /** The guest switched the machine off (ACPI S5 or an equivalent). */
  record PoweredOff() implements VmExit {}

  /**
   * The guest reset the machine. There is no warm start: the machine has ended.
   *
   * @param cause how
   * @param detail the state of the vCPUs after a triple fault, several lines; else empty
   */
  record Reset(Cause cause, String detail) implements VmExit {

    /** Ways in which a guest resets its machine; docs/guests.md lists them. */
    public enum Cause {
      /** The keyboard controller's output port, or its command 0xFE: port 0x64. */
      KEYBOARD_CONTROLLER("the keyboard controller"),

      /** The reset control register at port 0xCF9, which is the ACPI reset register too. */
      RESET_CONTROL_REGISTER("the reset control register"),

      /** System control port A: port 0x92. */
      SYSTEM_CONTROL_PORT("system control port A"),

      /**
       * A processor met an error while it called the handler of a double fault (Intel SDM volume 3,
       * 6.15, "Interrupt 8"). It may be meant, as Linux's {@code reboot=t} does, or a crash.
       */
      TRIPLE_FAULT("a triple fault"),

      /** A watchdog that the guest has not kept quiet. */
      WATCHDOG("a watchdog"),

      /** Another device. */
      DEVICE("a device");

      private final String description;

      Cause(String description) {
        this.description = description;
      }

      /** Returns a few words, such as "the keyboard controller". */
      public String description() {
        return description;
      }
    }

    /** A reset without detail. */
    public Reset(Cause cause) {
      this(cause, "");
    }
  }

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
   * The machine can't go on: an error inside a device model or backend.
   *
   * @param reason one line
   * @param detail the state of the vCPU, and whatever else helps; several lines
   */
  record Crashed(String reason, String detail) implements VmExit {}

  /**
   * The guest's kernel has panicked, and said so to a device such as {@code pvpanic}.
   *
   * @param detail the state of the vCPUs, several lines
   */
  record Panicked(String detail) implements VmExit {}

  /**
   * Every vCPU has halted with interrupts disabled, so that only a non-maskable interrupt could
   * wake the guest, and {@link Vm#endWhenDead} had been asked for.
   *
   * @param detail the state of the vCPUs, several lines
   */
  record Dead(String detail) implements VmExit {}

  /** The host stopped it: {@link Vm#stop} or {@link Vm#close}. */
  record Stopped() implements VmExit {}
}
