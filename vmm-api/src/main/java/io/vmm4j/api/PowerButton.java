package io.vmm4j.api;

/**
 * A power button of a machine, which devices offer and {@link Vm#pressPowerButton} presses.
 *
 * {@snippet :
 * vm.device("acpi-pm", PowerButton.class).press();
 * }
 */
@FunctionalInterface
public interface PowerButton {

  /**
   * Presses it: the guest is asked to switch itself off, and may do so, later or never. Returns at
   * once. Does nothing once the machine has ended. Any thread.
   */
  void press();
}
