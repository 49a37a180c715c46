package io.vmm4j.devices.uart;

import io.vmm4j.devices.Checks;
import java.util.List;
import java.util.Optional;

/**
 * State of a serial port; registers by the datasheet's names.
 *
 * @param interruptEnable IER
 * @param fifoControl FCR: enable and trigger bits
 * @param lineControl LCR
 * @param modemControl MCR
 * @param scratch SCR
 * @param divisor DLM and DLL
 * @param modemChanges bits 0 to 3 of MSR
 * @param received what was received and not yet read: the character in bits 0 to 7, its break,
 *     framing and parity error at their places in LSR in bits 8 to 15
 * @param overrun OE of LSR
 * @param transmitterEmptyPending whether THRE asks for an interrupt
 * @param timeoutPending whether the character timeout asks for an interrupt
 * @param timeoutAt the guest time of the next character timeout, in nanoseconds
 * @param receiverBuffer RBR: the character that was read last, which a read gives again when
 *     nothing waits
 * @param batch how many characters from the host have arrived since the receiver was last empty
 * @param batchBeganAt the guest time at which the first of them arrived, in nanoseconds
 * @param restUntil the guest time before which none arrives, in nanoseconds
 */
public record UartState(
    int interruptEnable,
    int fifoControl,
    int lineControl,
    int modemControl,
    int scratch,
    int divisor,
    int modemChanges,
    List<Integer> received,
    boolean overrun,
    boolean transmitterEmptyPending,
    boolean timeoutPending,
    Optional<Long> timeoutAt,
    int receiverBuffer,
    int batch,
    long batchBeganAt,
    Optional<Long> restUntil) {

  /** Checks ranges. */
  public UartState {
    Checks.range("interruptEnable", interruptEnable, 0, 0xF);
    Checks.unsignedByte("fifoControl", fifoControl);
    Checks.unsignedByte("lineControl", lineControl);
    Checks.range("modemControl", modemControl, 0, 0x1F);
    Checks.unsignedByte("scratch", scratch);
    Checks.range("divisor", divisor, 0, 0xFFFF);
    Checks.range("modemChanges", modemChanges, 0, 0xF);
    received = List.copyOf(received);
    Checks.range("received", received.size(), 0, Uart.FIFO_CHARACTERS);
    Checks.unsignedByte("receiverBuffer", receiverBuffer);
    Checks.range("batch", batch, 0, received.isEmpty() ? 0 : Uart.FIFO_CHARACTERS);
    received.forEach(character -> Checks.range("received", character, 0, 0xFFFF));
  }
}
