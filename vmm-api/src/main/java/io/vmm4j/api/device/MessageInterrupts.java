package io.vmm4j.api.device;

import java.util.function.IntConsumer;

/** Interrupt messages to the local APICs (Intel SDM volume 3, 11.11). */
public interface MessageInterrupts {

  /**
   * Delivers a message.
   *
   * @param address 0xFEExxxxx: destination, redirection hint, destination mode
   * @param data vector, delivery mode, trigger mode, level
   */
  void send(long address, int data);

  /**
   * Calls {@code listener} with the vector whenever a local APIC ends a level-triggered interrupt.
   */
  void onEndOfInterrupt(IntConsumer listener);
}
