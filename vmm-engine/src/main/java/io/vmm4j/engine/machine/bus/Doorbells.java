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
  private static final long NOWHERE = -1;

  private static final class Bell {
    private final long offset;
    private final BackendDoorbell.Match match;
    private final Runnable rung;
    private final Optional<BackendDoorbell> watched;

    /** Where the backend watches it, or {@link #NOWHERE}. */
    private long watchedAt = NOWHERE;

    Bell(
        long offset,
        BackendDoorbell.Match match,
        Runnable rung,
        Optional<BackendDoorbell> watched) {
      this.offset = offset;
      this.match = match;
      this.rung = rung;
      this.watched = watched;
    }

    boolean meets(long at, int bytes, long stored) {
      return at == offset
          && bytes == match.size()
          && (!match.hasValue() || stored == match.value());
    }

    void hide() {
      if (watchedAt != NOWHERE) {
        watched.ifPresent(BackendDoorbell::remove);
        watchedAt = NOWHERE;
      }
    }

    void showAt(long place) {
      if (watchedAt != place) {
        watched.ifPresent(doorbell -> doorbell.placeAt(place));
        watchedAt = place;
      }
    }
  }

  /** Tells whether a store to a part of the claim's range reaches the claim. */
  @FunctionalInterface
  interface Seen {
    boolean at(long offset, int size);
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
   * Adds one, which the backend does not watch until {@link #show}.
   *
   * @throws DeviceException if it can't be
   */
  void add(
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

  /** What there are, for tests. */
  List<Claimed.Bell> list() {
    return bells.stream()
        .map(b ->
            new Claimed.Bell(
                b.offset,
                b.match.size(),
                b.match.hasValue() ? Long.toHexString(b.match.value()) : "any"))
        .toList();
  }

  /** Rings one, as a store does of which the backend tells late. */
  void ring(int index) {
    bells.get(index).rung.run();
  }

  /** Takes those away to which no store comes any more where they are. Before any {@link #show}. */
  void hide(long base, Seen seen) {
    for (Bell bell : bells) {
      if (bell.watchedAt != base + bell.offset || !seen.at(bell.offset, bell.match.size())) {
        bell.hide();
      }
    }
  }

  /** Has those watched to which a store comes, where the claim is now. */
  void show(long base, Seen seen) {
    for (Bell bell : bells) {
      if (seen.at(bell.offset, bell.match.size())) {
        bell.showAt(base + bell.offset);
      }
    }
  }

  /** Takes all away: the claim is off the bus. */
  void hideAll() {
    bells.forEach(Bell::hide);
  }
}
