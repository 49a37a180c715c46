package io.vmm4j.engine.machine.bus;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.backend.BackendDoorbell;
import io.vmm4j.api.backend.BackendMachine;
import io.vmm4j.engine.machine.failure.DeviceFailures;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * The doorbells of one claim. Each rings here, when the store comes by the bus; the backend may
 * know of some of them and keep their stores from the bus. With the machine lock held.
 */
final class Doorbells {
  private record Bell(
      long offset, BackendDoorbell.Match match, Runnable rung, Optional<BackendDoorbell> watched) {
    boolean meets(long at, int bytes, long stored) {
      return at == offset
          && bytes == match.size()
          && (!match.hasValue() || stored == match.value());
    }
  }

  private final String path;
  private final boolean port;
  private final long length;
  private final int width;
  private final DeviceFailures failures;
  private final List<Bell> bells = new ArrayList<>();

  /** None yet, in a range of a length whose claim takes stores of up to {@code width} bytes. */
  Doorbells(String path, boolean port, long length, int width, DeviceFailures failures) {
    this.path = path;
    this.port = port;
    this.length = length;
    this.width = width;
    this.failures = failures;
  }

  /**
   * Adds one.
   *
   * @param base of the claim, or -1 while it is off the bus
   * @throws DeviceException if it can't be
   */
  void add(
      long base,
      long offset,
      int size,
      OptionalLong value,
      Runnable action,
      @Nullable BackendMachine processors) {
    boolean possible = Integer.bitCount(size) == 1 && size <= width;
    if (!possible || offset < 0 || offset > length - size) {
      throw new DeviceException(
          path, "no room for a doorbell of %d byte(s) at offset 0x%x".formatted(size, offset));
    }
    long mask = size == 8 ? -1 : (1L << 8 * size) - 1;
    BackendDoorbell.Match match =
        new BackendDoorbell.Match(port, size, value.isPresent(), value.orElse(0) & mask);
    for (Bell other : bells) {
      boolean sameStore = other.offset == offset && other.match.size() == size;
      boolean bothByValue = match.hasValue() && other.match.hasValue();
      if (sameStore && !(bothByValue && match.value() != other.match.value())) {
        throw new DeviceException(
            path, "there is a doorbell for such stores to offset 0x%x".formatted(offset));
      }
    }
    Runnable rung = () -> ring(offset, action);
    Bell bell =
        new Bell(
            offset,
            match,
            rung,
            processors == null ? Optional.empty() : processors.doorbell(match, rung));
    bells.add(bell);
    if (base >= 0) {
      bell.watched.ifPresent(doorbell -> doorbell.placeAt(base + offset));
    }
  }

  private void ring(long offset, Runnable action) {
    try {
      action.run();
    } catch (Throwable e) {
      failures.failed(path, "the doorbell at offset 0x%x".formatted(offset), e);
    }
  }

  /** Whether a store that has come by the bus has rung one. */
  boolean take(long offset, int size, long value) {
    for (Bell bell : bells) {
      if (bell.meets(offset, size, value)) {
        bell.rung.run();
        return true;
      }
    }
    return false;
  }

  /** The claim is there now. */
  void placedAt(long base) {
    for (Bell bell : bells) {
      bell.watched.ifPresent(doorbell -> doorbell.placeAt(base + bell.offset));
    }
  }

  /** The claim is off the bus. */
  void removed() {
    for (Bell bell : bells) {
      bell.watched.ifPresent(BackendDoorbell::remove);
    }
  }
}
