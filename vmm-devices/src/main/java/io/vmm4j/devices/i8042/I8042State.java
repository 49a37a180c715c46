package io.vmm4j.devices.i8042;

import io.vmm4j.devices.Checks;

/**
 * State of the keyboard controller and its keyboard.
 *
 * @param memory the controller's 32 bytes; the first is its command byte
 * @param outputPort the output port
 * @param awaited the command whose data byte is to come at port 0x60, or 0
 * @param outputFull whether a byte waits at port 0x60
 * @param output that byte
 * @param outputFromKeyboard whether it came from the keyboard
 * @param timedOut the time-out bit of the status
 * @param lastWasCommand whether the last write was to port 0x64
 * @param keyboard the keyboard
 */
public record I8042State(
    byte[] memory,
    int outputPort,
    int awaited,
    boolean outputFull,
    int output,
    boolean outputFromKeyboard,
    boolean timedOut,
    boolean lastWasCommand,
    Keyboard keyboard) {

  /** Checks ranges. */
  public I8042State {
    Checks.length("memory", memory, I8042.MEMORY_BYTES);
    Checks.unsignedByte("outputPort", outputPort);
    Checks.unsignedByte("awaited", awaited);
    Checks.unsignedByte("output", output);
  }

  /**
   * State of the keyboard.
   *
   * @param scanning whether keys are reported
   * @param scanSet the scan code set, 1 to 3
   * @param leds bits 0 to 2: scroll, num, caps
   * @param rate the typematic rate and delay
   * @param awaited the command whose data byte is to come, or 0
   * @param lastSent what a resend gives
   * @param queue what is to be sent
   */
  public record Keyboard(
      boolean scanning, int scanSet, int leds, int rate, int awaited, int lastSent, byte[] queue) {

    /** Checks ranges. */
    public Keyboard {
      Checks.range("scanSet", scanSet, 1, 3);
      Checks.range("leds", leds, 0, 7);
      Checks.range("rate", rate, 0, 0x7F);
      Checks.unsignedByte("awaited", awaited);
      Checks.unsignedByte("lastSent", lastSent);
      Checks.range("queue", queue.length, 0, Ps2Keyboard.QUEUE_BYTES);
    }
  }
}
