package io.vmm4j.devices.ioapic;

import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.MessageInterrupts;
import io.vmm4j.api.device.MmioHandler;
import io.vmm4j.api.device.PlatformFact;
import java.util.ArrayList;
import java.util.List;

/**
 * The I/O APIC (Intel 290566, "82093AA I/O advanced programmable interrupt controller"), with the
 * EOI register that came with version 0x20 (ICH4 datasheet, 9.5.5).
 *
 * <p>An interrupt line is a logical level, asserted or not; so the polarity bit of a redirection
 * entry is kept, and not acted upon.
 */
final class IoApic implements DeviceModel<IoApicState>, MmioHandler {
  static final int PINS = 24;

  private static final int VERSION = (PINS - 1) << 16 | 0x20;
  private static final int WINDOW_BYTES = 0x1000;

  private static final int SELECT = 0x00;
  private static final int DATA = 0x10;
  private static final int END_OF_INTERRUPT = 0x40;

  private static final int REGISTER_ID = 0;
  private static final int REGISTER_VERSION = 1;
  private static final int REGISTER_ARBITRATION = 2;
  private static final int FIRST_REDIRECTION = 0x10;

  private static final long DELIVERY_STATUS = 1L << 12;
  private static final long REMOTE_IRR = 1L << 14;
  private static final long LEVEL_TRIGGERED = 1L << 15;
  private static final long MASKED = 1L << 16;
  private static final long READ_ONLY = DELIVERY_STATUS | REMOTE_IRR;

  /** Destination; mask down to vector. */
  static final long ENTRY_BITS = 0xFF00_0000_0001_FFFFL;

  private static final long MESSAGE_ADDRESS = 0xFEE0_0000L;

  private final IoApicConfig config;
  private final long[] redirections = new long[PINS];
  private final MessageInterrupts messages;
  private int select;
  private int id;
  private int pins;

  IoApic(IoApicConfig config, DeviceContext machine) {
    this.config = config;
    messages = machine.messageInterrupts();
    machine.claimMmio(config.address(), WINDOW_BYTES, AccessWidth.DWORD, this);
    machine.claimInterruptLines(0, PINS, this::lineChanged);
    messages.onEndOfInterrupt(this::endOfInterrupt);
    machine.describe(new PlatformFact.IoApic(config.id(), config.address(), 0));
    machine.describe(new PlatformFact.InterruptOverride(0, 2, false, false));
  }

  /** Everything masked. The pins keep their levels: they are driven from outside. */
  @Override
  public void reset() {
    select = 0;
    id = config.id();
    for (int pin = 0; pin < PINS; pin++) {
      redirections[pin] = MASKED;
    }
  }

  private void lineChanged(int line, boolean asserted) {
    // The timer's line is wired to pin 2, which the cascade of the PICs leaves free.
    if (line == 2) {
      return;
    }
    int pin = line == 0 ? 2 : line;
    int bit = 1 << pin;
    boolean was = (pins & bit) != 0;
    if (was == asserted) {
      return;
    }
    pins ^= bit;
    if (asserted) {
      // An edge on a masked pin is not remembered (82093AA, 3.2.4, "interrupt mask").
      deliver(pin);
    }
  }

  /** Sends the message of an asserted pin, if its entry lets it. */
  private void deliver(int pin) {
    long entry = redirections[pin];
    if ((entry & MASKED) != 0) {
      return;
    }
    if ((entry & LEVEL_TRIGGERED) != 0) {
      if ((entry & REMOTE_IRR) != 0) {
        return;
      }
      redirections[pin] = entry | REMOTE_IRR;
    }
    long destination = entry >>> 56;
    long destinationMode = entry >> 11 & 1;
    // Lowest priority is asked for by the redirection hint (SDM volume 3, 11.11.1).
    long hint = (entry >> 8 & 7) == 1 ? 1 : 0;
    long address = MESSAGE_ADDRESS | destination << 12 | hint << 3 | destinationMode << 2;
    int level = 1 << 14;
    int data = (int) (entry & (0x7FF | LEVEL_TRIGGERED)) | level;
    messages.send(address, data);
  }

  private void endOfInterrupt(int vector) {
    for (int pin = 0; pin < PINS; pin++) {
      long entry = redirections[pin];
      if ((entry & 0xFF) == vector
          && (entry & (LEVEL_TRIGGERED | REMOTE_IRR)) == (LEVEL_TRIGGERED | REMOTE_IRR)) {
        redirections[pin] = entry & ~REMOTE_IRR;
        if ((pins & 1 << pin) != 0) {
          deliver(pin);
        }
      }
    }
  }

  @Override
  public long read(long offset, int size) {
    int register = (int) offset & ~3;
    int shift = ((int) offset & 3) * 8;
    return switch (register) {
      case SELECT -> (select & 0xFFFF_FFFFL) >>> shift;
      case DATA -> (readRegister() & 0xFFFF_FFFFL) >>> shift;
      default -> 0;
    };
  }

  @Override
  public void write(long offset, int size, long value) {
    switch ((int) offset) {
      case SELECT -> select = (int) value & 0xFF;
      case DATA -> {
        if (size == 4) {
          writeRegister(value & 0xFFFF_FFFFL);
        }
      }
      case END_OF_INTERRUPT -> endOfInterrupt((int) value & 0xFF);
      default -> {
        // Reserved.
      }
    }
  }

  private int readRegister() {
    return switch (select) {
      case REGISTER_ID, REGISTER_ARBITRATION -> id << 24;
      case REGISTER_VERSION -> VERSION;
      default -> {
        int pin = select - FIRST_REDIRECTION >> 1;
        if (select < FIRST_REDIRECTION || pin >= PINS) {
          yield 0;
        }
        yield (int) ((select & 1) == 0 ? redirections[pin] : redirections[pin] >>> 32);
      }
    };
  }

  private void writeRegister(long value) {
    if (select == REGISTER_ID) {
      id = (int) (value >> 24) & 0xF;
      return;
    }
    int pin = select - FIRST_REDIRECTION >> 1;
    if (select < FIRST_REDIRECTION || pin >= PINS) {
      return;
    }
    long old = redirections[pin];
    if ((select & 1) != 0) {
      redirections[pin] = old & 0xFFFF_FFFFL | (value << 32 & ENTRY_BITS);
      return;
    }
    long written = old & ~0xFFFF_FFFFL | (value & ENTRY_BITS & ~READ_ONLY) | (old & READ_ONLY);
    if ((written & LEVEL_TRIGGERED) == 0) {
      // How drivers clear a stuck remote IRR on versions without the EOI register.
      written &= ~REMOTE_IRR;
    }
    redirections[pin] = written;
    if ((written & LEVEL_TRIGGERED) != 0 && (pins & 1 << pin) != 0) {
      deliver(pin);
    }
  }

  @Override
  public IoApicState save() {
    List<Long> entries = new ArrayList<>(PINS);
    for (long entry : redirections) {
      entries.add(entry);
    }
    return new IoApicState(select, id, pins, entries);
  }

  /** What was delivered before the snapshot is in the local APICs: nothing is sent again. */
  @Override
  public void restore(IoApicState state) {
    select = state.select();
    id = state.id();
    pins = state.pins();
    for (int pin = 0; pin < PINS; pin++) {
      redirections[pin] = state.redirections().get(pin);
    }
  }
}
