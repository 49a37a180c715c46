package io.vmm4j.engine.machine.interrupt;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.device.InterruptController;
import io.vmm4j.api.device.InterruptLine;
import io.vmm4j.engine.machine.failure.DeviceFailures;
import java.util.ArrayList;
import java.util.List;

/**
 * The board's interrupt lines, 0 to 23. A line is asserted while any of its drivers asserts it; its
 * changes go to every controller that claimed it. With the machine lock held.
 *
 * <p>While a machine is restored the lines are <em>held</em>: devices set them again as their
 * states say, and controllers hear nothing, since their own states hold what they have seen. When
 * the hold ends, each controller is told each level once: to one that knows its levels that is no
 * change, so no edge is seen twice.
 */
public final class InterruptLines {
  /** How many lines there are. */
  public static final int COUNT = 24;

  private record Listener(String path, int first, int count, InterruptController controller) {}

  /** Hears of what devices do to lines, before any controller does. */
  @FunctionalInterface
  public interface DriveObserver {
    /** A device has begun or ended to assert a line. */
    void driven(String path, int line, boolean asserted);
  }

  private final DeviceFailures failures;
  private DriveObserver observer = (path, line, asserted) -> {};
  private final List<Listener> listeners = new ArrayList<>();
  private final List<Driver> drivers = new ArrayList<>();
  private final int[] asserting = new int[COUNT];
  private boolean held;

  /** Lines without drivers or controllers. */
  public InterruptLines(DeviceFailures failures) {
    this.failures = failures;
  }

  /**
   * A new driver of a line.
   *
   * @throws DeviceException if there is no such line
   */
  public InterruptLine driver(String path, int line) {
    if (line < 0 || line >= COUNT) {
      throw new DeviceException(
          path, "no interrupt line %d: there are 0 to %d".formatted(line, COUNT - 1));
    }
    Driver driver = new Driver(path, line);
    drivers.add(driver);
    return driver;
  }

  /**
   * Adds a controller.
   *
   * @throws DeviceException if there are no such lines
   */
  public void claim(String path, int first, int count, InterruptController controller) {
    if (first < 0 || count <= 0 || first > COUNT - count) {
      throw new DeviceException(
          path,
          "no interrupt lines %d to %d: there are 0 to %d"
              .formatted(first, first + count - 1, COUNT - 1));
    }
    listeners.add(new Listener(path, first, count, controller));
  }

  /** Ends all drives of a device. */
  public void release(String path) {
    for (Driver driver : drivers) {
      if (driver.path.equals(path)) {
        driver.set(false);
      }
    }
    drivers.removeIf(driver -> driver.path.equals(path));
  }

  /** Registers who hears of what devices do. */
  public void onDrive(DriveObserver listener) {
    observer = listener;
  }

  /** Whether a device asserts a line. */
  public boolean isAssertedBy(String path, int line) {
    return drivers.stream().anyMatch(d -> d.line == line && d.asserted && d.path.equals(path));
  }

  /** Whether a line is asserted. */
  public boolean isAsserted(int line) {
    return asserting[line] > 0;
  }

  /** From now on controllers hear nothing. */
  public void hold() {
    held = true;
  }

  /** Tells every controller the level of every line, and each change from now on. */
  public void release() {
    held = false;
    for (int line = 0; line < COUNT; line++) {
      tell(line);
    }
  }

  private void tell(int line) {
    boolean level = asserting[line] > 0;
    for (Listener listener : listeners) {
      if (line >= listener.first && line - listener.first < listener.count) {
        try {
          listener.controller.lineChanged(line, level);
        } catch (Throwable e) {
          failures.failed(listener.path, "change of interrupt line " + line, e);
        }
      }
    }
  }

  private final class Driver implements InterruptLine {
    private final String path;
    private final int line;
    private boolean asserted;

    Driver(String path, int line) {
      this.path = path;
      this.line = line;
    }

    @Override
    public void set(boolean level) {
      if (level == asserted) {
        return;
      }
      asserted = level;
      observer.driven(path, line, level);
      int before = asserting[line];
      asserting[line] = level ? before + 1 : before - 1;
      if (!held && (before == 0 || asserting[line] == 0)) {
        tell(line);
      }
    }
  }
}
