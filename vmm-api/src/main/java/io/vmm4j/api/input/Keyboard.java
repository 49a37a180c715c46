package io.vmm4j.api.input;

/**
 * A keyboard of a machine. Codes are those of Linux (include/uapi/linux/input-event-codes.h), such
 * as 30 for A. Safe for any thread.
 *
 * {@snippet :
 * Keyboard keyboard = vm.device("pci/00:05.0", Keyboard.class);
 * keyboard.key(30, true);
 * keyboard.key(30, false);
 * }
 */
@FunctionalInterface
public interface Keyboard {
  /**
   * Presses or lets go of a key. If the guest takes nothing, and there is no room for what waits,
   * it is lost.
   *
   * @param code 1 to 255
   * @param pressed whether it goes down
   */
  void key(int code, boolean pressed);
}
