package io.vmm4j.engine.machine.interrupt;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.backend.BackendMachine;
import io.vmm4j.api.device.ExternalInterruptSource;
import io.vmm4j.api.device.InterruptLine;
import io.vmm4j.engine.machine.failure.DeviceFailures;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * What goes between devices and the processors' local APICs: messages, their ends, the INTR pin and
 * its acknowledge cycle. With the machine lock held.
 */
public final class InterruptMessages {
  /** What a processor reads when nobody answers the acknowledge cycle. */
  private static final int FLOATING_BUS = 0xFF;

  private record EndListener(String path, IntConsumer action) {}

  private record Pin(String path, ExternalInterruptSource source) {}

  private final DeviceFailures failures;
  private final List<EndListener> endListeners = new ArrayList<>();
  private @Nullable Pin pin;
  private @Nullable BackendMachine processors;
  private long messages;

  /** Nobody connected. */
  public InterruptMessages(DeviceFailures failures) {
    this.failures = failures;
  }

  /** Connects the processors. */
  public void connect(BackendMachine machine) {
    processors = machine;
  }

  /** How many messages were sent. */
  public long messages() {
    return messages;
  }

  /** Delivers a message to the local APICs. */
  public void send(long address, int data) {
    messages++;
    if (processors != null) {
      processors.sendMessage(address, data);
    }
  }

  /** Registers who hears of ended level-triggered interrupts. */
  public void onEndOfInterrupt(String path, IntConsumer listener) {
    endListeners.add(new EndListener(path, listener));
  }

  /** Forgets the listeners of a device. */
  public void release(String path) {
    endListeners.removeIf(listener -> listener.path.equals(path));
  }

  /** A local APIC has ended a level-triggered interrupt. */
  public void endOfInterrupt(int vector) {
    for (EndListener listener : endListeners) {
      try {
        listener.action.accept(vector);
      } catch (Throwable e) {
        failures.failed(listener.path, "end of interrupt " + vector, e);
      }
    }
  }

  /**
   * Connects a controller to the INTR pin.
   *
   * @throws DeviceException if there is one already
   */
  public InterruptLine connectExternalInterrupt(String path, ExternalInterruptSource source) {
    if (pin != null) {
      throw new DeviceException(path, "the INTR pin is connected to '%s'".formatted(pin.path));
    }
    pin = new Pin(path, source);
    return asserted -> {
      if (processors != null) {
        processors.setExternalInterrupt(asserted);
      }
    };
  }

  /** The vector of the external interrupt. */
  public int acknowledge() {
    if (pin == null) {
      return FLOATING_BUS;
    }
    try {
      return pin.source.acknowledge() & 0xFF;
    } catch (Throwable e) {
      failures.failed(pin.path, "interrupt acknowledge", e);
      return FLOATING_BUS;
    }
  }

  /** Pulses NMI. */
  public void nonMaskableInterrupt() {
    if (processors != null) {
      processors.nonMaskableInterrupt();
    }
  }
}
